//! How much memory Metal lets a program use on the GPU, where Metal itself cannot be asked.
//!
//! Both rules were derived from what machines print (8 to 512 GB on macOS 15 and earlier, 8 to 256 GB on macOS 26 and
//! 27); `docs/guide/macos.md` says from which.

use puma_core::{Quality, Reading};

const GIB: u64 = 1 << 30;

/// Which of the two rules holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkingSetRule {
    /// Up to macOS 15: two thirds up to 32 GB, then three quarters or all but 48 GB, whichever is more.
    UpToMacos15,
    /// From macOS 26: a share that grows in steps with the memory.
    FromMacos26,
    /// The version is not known: the smaller answer of the two.
    Smaller,
}

impl WorkingSetRule {
    /// By the version as `sw_vers` prints it (`15.7.1`). There is no macOS 17 to 25; 16 is what 26 calls itself to
    /// programs built before it.
    pub fn of_version(version: Option<&str>) -> Self {
        let major = version.and_then(|version| version.trim().split('.').next()).and_then(|major| major.parse().ok());
        match major {
            Some(11_u32..=15) => Self::UpToMacos15,
            Some(16..1000) => Self::FromMacos26,
            _ => Self::Smaller,
        }
    }

    fn bytes(self, memory_bytes: u64) -> u64 {
        match self {
            Self::UpToMacos15 => up_to_macos_15(memory_bytes),
            Self::FromMacos26 => from_macos_26(memory_bytes),
            Self::Smaller => up_to_macos_15(memory_bytes).min(from_macos_26(memory_bytes)),
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::UpToMacos15 => "rule of macOS up to 15",
            Self::FromMacos26 => "rule of macOS 26 and later",
            Self::Smaller => "the smaller of two rules, as the version of macOS is not known",
        }
    }
}

/// The working set of a Mac with `memory_bytes`, by rule; `wired_limit_mb` is `iogpu.wired_limit_mb` where it is set.
pub fn working_set(memory_bytes: u64, rule: WorkingSetRule, wired_limit_mb: Option<u64>) -> Reading<u64> {
    let set = wired_limit_mb.and_then(|limit| limit.checked_mul(1 << 20)).filter(|limit| *limit <= memory_bytes);
    match set {
        // Metal follows the setting in both directions.
        Some(bytes) => Reading::new(bytes, "iogpu.wired_limit_mb", Quality::Measured),
        None => Reading::new(rule.bytes(memory_bytes), rule.source(), Quality::Estimated),
    }
}

fn up_to_macos_15(memory_bytes: u64) -> u64 {
    if memory_bytes <= 32 * GIB {
        return memory_bytes / 3 * 2;
    }
    (memory_bytes / 4 * 3).max(memory_bytes.saturating_sub(48 * GIB))
}

/// From this much memory on (GiB), this share of it (thousandths). A size in between takes the lower neighbour's.
const SHARES: [(u64, u64); 5] = [(256, 870), (128, 840), (64, 810), (32, 780), (16, 740)];

fn from_macos_26(memory_bytes: u64) -> u64 {
    match SHARES.iter().find(|(least_gib, _)| memory_bytes >= least_gib * GIB) {
        Some((_, thousandths)) => memory_bytes / 1000 * thousandths,
        None => memory_bytes / 3 * 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What machines printed: memory in GiB, rule, bytes, and by how many bytes the print is rounded.
    const SEEN: [(u64, WorkingSetRule, u64, u64); 20] = [
        (8, WorkingSetRule::UpToMacos15, 5_726_630_000, 10_000),
        (16, WorkingSetRule::UpToMacos15, 11_453_250_000, 10_000),
        (18, WorkingSetRule::UpToMacos15, 12 * GIB, 10_000),
        (24, WorkingSetRule::UpToMacos15, 17_179_885_568, 20_000),
        (32, WorkingSetRule::UpToMacos15, 22_906_500_000, 10_000),
        (36, WorkingSetRule::UpToMacos15, 28_991_030_000, 10_000),
        (48, WorkingSetRule::UpToMacos15, 36 * GIB, 10_000),
        (64, WorkingSetRule::UpToMacos15, 49_152 << 20, 1 << 20),
        (96, WorkingSetRule::UpToMacos15, 73_728 << 20, 1 << 20),
        (128, WorkingSetRule::UpToMacos15, 96 * GIB, 1 << 20),
        (192, WorkingSetRule::UpToMacos15, 144 * GIB, 1 << 20),
        (256, WorkingSetRule::UpToMacos15, 223_338_299_392, 1 << 20),
        (512, WorkingSetRule::UpToMacos15, 498_216_206_336, 1 << 20),
        (8, WorkingSetRule::FromMacos26, 5_726_630_000, 10_000),
        (16, WorkingSetRule::FromMacos26, 12_713_120_000, 20_000),
        (18, WorkingSetRule::FromMacos26, 14_302_250_000, 20_000),
        (24, WorkingSetRule::FromMacos26, 19_069_670_000, 20_000),
        (32, WorkingSetRule::FromMacos26, 26_800_600_000, 20_000),
        (64, WorkingSetRule::FromMacos26, 55_662_790_000, 20_000),
        (128, WorkingSetRule::FromMacos26, 115_448_730_000, 20_000),
    ];

    #[test]
    fn the_rules_give_what_machines_printed() {
        for (memory_gib, rule, bytes, rounding) in SEEN {
            let reading = working_set(memory_gib * GIB, rule, None);
            assert!(
                reading.value.abs_diff(bytes) <= rounding,
                "{memory_gib} GB, {rule:?}: {} for {bytes}",
                reading.value
            );
            assert_eq!(reading.quality, Quality::Estimated);
        }
    }

    #[test]
    fn a_size_nobody_has_seen_takes_the_share_of_its_lower_neighbour() {
        let share = |gib: u64| working_set(gib * GIB, WorkingSetRule::FromMacos26, None).value * 1000 / (gib * GIB);
        assert_eq!([96, 192, 512].map(share), [809, 839, 869]);
    }

    #[test]
    fn the_version_decides_which_rule_holds() {
        let rule = |version| WorkingSetRule::of_version(Some(version));
        assert_eq!(rule("15.7.1"), WorkingSetRule::UpToMacos15);
        assert_eq!(rule("26.1"), WorkingSetRule::FromMacos26);
        assert_eq!(rule("27.0.1\n"), WorkingSetRule::FromMacos26);
        assert_eq!(rule("nonsense"), WorkingSetRule::Smaller);
        assert_eq!(WorkingSetRule::of_version(None), WorkingSetRule::Smaller);
    }

    #[test]
    fn a_setting_of_the_user_wins_unless_it_exceeds_the_memory() {
        let set = |limit| working_set(32 * GIB, WorkingSetRule::FromMacos26, Some(limit));
        assert_eq!((set(12_000).value, set(12_000).quality), (12_000 << 20, Quality::Measured));
        assert_eq!(set(40_000).quality, Quality::Estimated);
        assert_eq!(set(u64::MAX).quality, Quality::Estimated);
    }

    proptest! {
        #[test]
        fn the_working_set_never_exceeds_the_memory(memory_bytes: u64, limit: Option<u64>) {
            for rule in [WorkingSetRule::UpToMacos15, WorkingSetRule::FromMacos26, WorkingSetRule::Smaller] {
                prop_assert!(working_set(memory_bytes, rule, limit).value <= memory_bytes);
            }
        }
    }
}
