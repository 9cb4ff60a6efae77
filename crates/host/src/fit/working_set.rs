//! How much of a Mac's memory Metal lets the GPU use.
//!
//! Metal's own answer counts where it can be asked, because it follows an override. Without it, the defaults of the
//! system's versions stand in, as they were seen on machines of each size.

use puma_core::measure::{Quality, Reading};

const GIB: u64 = 1 << 30;

/// Shares of macOS 26 and 27 in ten-thousandths, by the smallest memory in GiB that they were seen with.
const SHARES_FROM_26: [(u64, u64); 6] = [(256, 8700), (128, 8400), (64, 8100), (32, 7800), (16, 7400), (0, 6667)];

/// The working set of a Mac with `memory_bytes`: `measured` (Metal's `recommendedMaxWorkingSetSize`) if it is known,
/// else an override (`iogpu.wired_limit_mb`, 0 for none), else the default of `macos` (`26.1`). A version that is not
/// known is taken for an old one, which allows less.
pub fn working_set(
    measured: Option<&Reading<u64>>,
    wired_limit_mib: Option<u64>,
    memory_bytes: u64,
    macos: Option<&str>,
) -> Reading<u64> {
    if let Some(reading) = measured.filter(|reading| reading.value > 0) {
        return reading.clone();
    }
    if let Some(mebibytes) = wired_limit_mib.filter(|&mebibytes| mebibytes > 0) {
        let bytes = mebibytes.saturating_mul(1 << 20).min(memory_bytes);
        return Reading::new(bytes, format!("iogpu.wired_limit_mb = {mebibytes}"), Quality::Estimated);
    }
    let major = macos.and_then(|version| version.split('.').next()).and_then(|major| major.parse::<u32>().ok());
    let bytes = match major {
        Some(26..) => from_macos_26(memory_bytes),
        _ => before_macos_26(memory_bytes),
    };
    let version = macos.map_or_else(|| "of unknown version".to_owned(), str::to_owned);
    Reading::new(bytes, format!("default of macOS {version} for this memory"), Quality::Estimated)
}

/// Two thirds up to 32 GiB, then three quarters, and never more than 48 GiB for everything else.
fn before_macos_26(memory_bytes: u64) -> u64 {
    if memory_bytes <= 32 * GIB {
        memory_bytes / 3 * 2
    } else {
        (memory_bytes / 4 * 3).max(memory_bytes.saturating_sub(48 * GIB))
    }
}

/// A share that rises with memory; sizes that were never seen take the next smaller one's.
fn from_macos_26(memory_bytes: u64) -> u64 {
    let share = SHARES_FROM_26.iter().find(|(gib, _)| memory_bytes >= gib * GIB).map_or(6667, |(_, share)| *share);
    memory_bytes / 10_000 * share
}

/// The value for `sudo sysctl iogpu.wired_limit_mb=N` that lets the GPU use `wanted_bytes`, if that leaves the rest of
/// the system 4 GiB or 15 %, whichever is more.
pub fn wired_limit_mib(wanted_bytes: u64, memory_bytes: u64) -> Option<u64> {
    let rest = (4 * GIB).max(memory_bytes / 100 * 15);
    let most = memory_bytes.checked_sub(rest)?;
    let mebibytes = wanted_bytes.div_ceil(1 << 20);
    (mebibytes <= most >> 20).then_some(mebibytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default_gib(memory_gib: u64, macos: &str) -> f64 {
        working_set(None, None, memory_gib * GIB, Some(macos)).value as f64 / GIB as f64
    }

    #[test]
    fn the_defaults_are_those_seen_on_machines() {
        let seen = [
            (8, "15.2", 5.33),
            (16, "15.6", 10.67),
            (32, "15.1.1", 21.33),
            (36, "14.3", 27.0),
            (64, "15.0", 48.0),
            (128, "15.0", 96.0),
            (192, "14.0", 144.0),
            (256, "15.4", 208.0),
            (512, "15.4", 464.0),
            (8, "26.0", 5.33),
            (16, "26.1", 11.84),
            (24, "26.1", 17.76),
            (32, "26.0", 24.96),
            (36, "27.0", 28.08),
            (48, "26.3", 37.44),
            (64, "27.0", 51.84),
            (128, "26.0", 107.52),
        ];
        for (memory, macos, expected) in seen {
            let found = default_gib(memory, macos);
            assert!((found - expected).abs() < 0.01, "{memory} GiB, macOS {macos}: {found} instead of {expected}");
        }
    }

    #[test]
    fn metals_own_answer_wins_and_an_override_comes_next() {
        let said = Reading::new(12_000 << 20, "Metal", Quality::Measured);
        let metal = working_set(Some(&said), Some(14_000), 24 * GIB, Some("26.0"));
        assert_eq!(metal, said);
        let limit = working_set(None, Some(14_000), 24 * GIB, Some("26.0"));
        assert_eq!((limit.value, limit.quality), (14_000 << 20, Quality::Estimated));
        let silent = Reading::new(0, "Metal", Quality::Measured);
        assert_eq!(working_set(Some(&silent), Some(0), 8 * GIB, None).value, 8 * GIB / 3 * 2);
    }

    #[test]
    fn a_wired_limit_is_offered_only_where_the_system_keeps_enough() {
        assert_eq!(wired_limit_mib(20 * GIB, 32 * GIB), Some(20 << 10));
        assert_eq!(wired_limit_mib(28 * GIB, 32 * GIB), None);
        assert_eq!(wired_limit_mib(4 * GIB, 8 * GIB), Some(4 << 10));
        assert_eq!(wired_limit_mib(4 * GIB + 1, 8 * GIB), None);
        assert_eq!(wired_limit_mib(GIB, 2 * GIB), None);
        assert_eq!(wired_limit_mib(108 * GIB, 128 * GIB), Some(108 << 10));
        assert_eq!(wired_limit_mib(110 * GIB, 128 * GIB), None);
    }
}
