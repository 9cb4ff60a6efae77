//! The thermal design power of processors: `assets/hardware/cpu_power.csv`.
//!
//! A processor is looked up by its whole name after what does not tell models apart is taken off. Names are never matched
//! by likeness: the next model of a family may draw twice as much.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../../../../../assets/hardware/cpu_power.csv");

/// One processor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct CpuPower {
    model: String,
    /// Thermal design power, for Intel since its 12th generation the base power.
    pub(super) tdp_w: f64,
    pub(super) threads: u32,
    source: String,
}

static TABLE: LazyLock<BTreeMap<String, CpuPower>> = LazyLock::new(|| {
    let rows = csv::Reader::from_reader(TEXT.as_bytes()).into_deserialize();
    rows.flatten().map(|row: CpuPower| (row.model.clone(), row)).collect()
});

/// The row of a processor as the system names it.
pub(super) fn find(cpu: &str) -> Option<&'static CpuPower> {
    TABLE.get(&normalise(cpu))
}

/// `13th Gen Intel(R) Core(TM) i9-13900HK` → `intel core i9-13900hk`.
fn normalise(cpu: &str) -> String {
    let lower = cpu.to_lowercase().replace("(r)", "").replace("(tm)", "");
    let name =
        [" @ ", " with ", " w/ "].into_iter().fold(lower.as_str(), |name, end| name.split(end).next().unwrap_or(name));
    name.split_whitespace().filter(|word| !says_nothing(word)).collect::<Vec<_>>().join(" ")
}

/// `cpu`, `13th`, `64-core`: words that stand beside a model's name.
fn says_nothing(word: &str) -> bool {
    let numbered = |suffixes: &[&str]| {
        suffixes.iter().any(|suffix| word.strip_suffix(suffix).is_some_and(|number| number.parse::<u32>().is_ok()))
    };
    matches!(word, "cpu" | "processor" | "gen") || numbered(&["st", "nd", "rd", "th", "-core", "-cores"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_plausible() {
        assert_eq!(TABLE.len(), TEXT.lines().count() - 1);
        for row in TABLE.values() {
            assert_eq!(normalise(&row.model), row.model);
            assert!((5.0..=600.0).contains(&row.tdp_w) && (2..=512).contains(&row.threads), "{row:?}");
            assert!(!row.source.is_empty());
        }
    }

    #[test]
    fn a_processor_is_found_by_its_whole_name_only() {
        let tdp = |name: &str| find(name).map(|row| row.tdp_w);
        assert_eq!(tdp("13th Gen Intel(R) Core(TM) i9-13900HK"), Some(45.0));
        assert_eq!(tdp("Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz"), Some(45.0));
        assert_eq!(tdp("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz"), Some(120.0));
        assert_eq!(tdp("AMD Ryzen 9 7950X 16-Core Processor"), Some(170.0));
        assert_eq!(tdp("AMD Ryzen 7 5700U with Radeon Graphics"), Some(15.0));
        assert_eq!(tdp("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S"), Some(55.0));
        assert_eq!(tdp("AMD EPYC 9575F 64-Core Processor"), Some(400.0));
        for unknown in ["AMD EPYC", "Intel(R) Xeon(R) Processor @ 2.90GHz", "Apple M4 Pro", "", "AMD Ryzen 9 7950X4"] {
            assert_eq!(tdp(unknown), None, "{unknown}");
        }
    }
}
