//! Names of ARM cores, which `/proc/cpuinfo` gives as two numbers.
//!
//! The numbers are those of the MIDR register: assigned by Arm (implementer) and by each implementer (part); the ones
//! below stand in the kernel's `arch/arm64/include/asm/cputype.h` and the makers' reference manuals.

/// Implementer number of Apple.
pub(super) const APPLE: u32 = 0x61;

const IMPLEMENTERS: [(u32, &str); 11] = [
    (0x41, "ARM"),
    (0x42, "Broadcom"),
    (0x43, "Cavium"),
    (0x46, "Fujitsu"),
    (0x48, "HiSilicon"),
    (0x4e, "NVIDIA"),
    (0x51, "Qualcomm"),
    (APPLE, "Apple"),
    (0x6d, "Microsoft"),
    (0x70, "Phytium"),
    (0xc0, "Ampere"),
];

const PARTS: [(u32, u32, &str); 62] = [
    (0x41, 0xd03, "Cortex-A53"),
    (0x41, 0xd04, "Cortex-A35"),
    (0x41, 0xd05, "Cortex-A55"),
    (0x41, 0xd07, "Cortex-A57"),
    (0x41, 0xd08, "Cortex-A72"),
    (0x41, 0xd09, "Cortex-A73"),
    (0x41, 0xd0a, "Cortex-A75"),
    (0x41, 0xd0b, "Cortex-A76"),
    (0x41, 0xd0c, "Neoverse-N1"),
    (0x41, 0xd0d, "Cortex-A77"),
    (0x41, 0xd0e, "Cortex-A76AE"),
    (0x41, 0xd40, "Neoverse-V1"),
    (0x41, 0xd41, "Cortex-A78"),
    (0x41, 0xd42, "Cortex-A78AE"),
    (0x41, 0xd44, "Cortex-X1"),
    (0x41, 0xd46, "Cortex-A510"),
    (0x41, 0xd47, "Cortex-A710"),
    (0x41, 0xd48, "Cortex-X2"),
    (0x41, 0xd49, "Neoverse-N2"),
    (0x41, 0xd4a, "Neoverse-E1"),
    (0x41, 0xd4b, "Cortex-A78C"),
    (0x41, 0xd4c, "Cortex-X1C"),
    (0x41, 0xd4d, "Cortex-A715"),
    (0x41, 0xd4e, "Cortex-X3"),
    (0x41, 0xd4f, "Neoverse-V2"),
    (0x41, 0xd80, "Cortex-A520"),
    (0x41, 0xd81, "Cortex-A720"),
    (0x41, 0xd82, "Cortex-X4"),
    (0x41, 0xd84, "Neoverse-V3"),
    (0x41, 0xd85, "Cortex-X925"),
    (0x41, 0xd87, "Cortex-A725"),
    (0x41, 0xd8e, "Neoverse-N3"),
    (0x42, 0x516, "ThunderX2"),
    (0x43, 0x0a1, "ThunderX"),
    (0x43, 0x0af, "ThunderX2"),
    (0x46, 0x001, "A64FX"),
    (0x48, 0xd01, "Kunpeng-920"),
    (0x4e, 0x003, "Denver 2"),
    (0x4e, 0x004, "Carmel"),
    (0x51, 0x001, "Oryon"),
    (0x51, 0x802, "Kryo-3XX-Gold"),
    (0x51, 0x803, "Kryo-3XX-Silver"),
    (0x51, 0x804, "Kryo-4XX-Gold"),
    (0x51, 0x805, "Kryo-4XX-Silver"),
    (0x51, 0xc00, "Falkor"),
    (APPLE, 0x022, "M1 Icestorm"),
    (APPLE, 0x023, "M1 Firestorm"),
    (APPLE, 0x024, "M1 Pro Icestorm"),
    (APPLE, 0x025, "M1 Pro Firestorm"),
    (APPLE, 0x028, "M1 Max Icestorm"),
    (APPLE, 0x029, "M1 Max Firestorm"),
    (APPLE, 0x032, "M2 Blizzard"),
    (APPLE, 0x033, "M2 Avalanche"),
    (APPLE, 0x034, "M2 Pro Blizzard"),
    (APPLE, 0x035, "M2 Pro Avalanche"),
    (APPLE, 0x038, "M2 Max Blizzard"),
    (APPLE, 0x039, "M2 Max Avalanche"),
    (0x6d, 0xd49, "Cobalt 100"),
    (0x70, 0x662, "FTC662"),
    (0x70, 0x663, "FTC663"),
    (0xc0, 0xac3, "Ampere-1"),
    (0xc0, 0xac4, "Ampere-1A"),
];

/// `Apple`, or `None` for a number nobody listed.
pub(super) fn maker(implementer: u32) -> Option<&'static str> {
    IMPLEMENTERS.iter().find(|row| row.0 == implementer).map(|row| row.1)
}

/// `Cortex-A76`, without its maker.
pub(super) fn core(implementer: u32, part: u32) -> Option<&'static str> {
    PARTS.iter().find(|row| (row.0, row.1) == (implementer, part)).map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_number_has_two_names_and_every_core_has_a_maker() {
        let numbers: BTreeSet<(u32, u32)> = PARTS.iter().map(|row| (row.0, row.1)).collect();
        assert_eq!(numbers.len(), PARTS.len());
        assert!(PARTS.iter().all(|row| maker(row.0).is_some()));
    }
}
