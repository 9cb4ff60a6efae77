//! What is known of a chip: from the table of `assets/hardware`, or drawn on from its neighbours there.

use super::Chip;
use puma_core::{Quality, Reading};
use serde::Deserialize;
use std::sync::LazyLock;

const CHIPS: &str = include_str!("../../../../../assets/hardware/apple_chips.csv");

/// More GPU cores than this is a misreading.
pub const MOST_GPU_CORES: u32 = 1024;

/// How sure the table is of a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChipStatus {
    /// Specification and public benchmarks agree.
    SpecChecked,
    /// Specification with few benchmarks.
    Sparse,
    /// Secondary reports only.
    Unverified,
    /// Not in the table.
    Unlisted,
}

impl ChipStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SpecChecked => "spec-checked",
            Self::Sparse => "sparse",
            Self::Unverified => "unverified",
            Self::Unlisted => "unlisted",
        }
    }
}

/// What the machine itself says, which chooses among the versions of a chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub gpu_cores: Option<u32>,
    pub cpu_cores: Option<u32>,
    pub memory_bytes: Option<u64>,
}

/// What is known of a chip. Every number is of quality `estimated`: a specification or an extrapolation, not measured.
#[derive(Clone, Debug, PartialEq)]
pub struct ChipFacts {
    pub status: ChipStatus,
    pub gpu_cores: Option<Reading<u32>>,
    pub bandwidth_gb_s: Option<Reading<f64>>,
    /// What the whole processor draws at most, in watts, to half and double.
    pub cpu_peak_w: Option<Reading<f64>>,
    /// What the GPU draws at most, in watts, to half and double.
    pub gpu_peak_w: Option<Reading<f64>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Line {
    family: String,
    generation: u32,
    variant: Option<String>,
    cpu_cores: Option<String>,
    gpu_cores: Option<String>,
    memory_gib: Option<String>,
    bandwidth_gb_s: f64,
    cpu_peak_w: Option<f64>,
    gpu_peak_w: Option<f64>,
    status: ChipStatus,
}

/// One version of a chip.
#[derive(Clone, Debug, PartialEq)]
struct Version {
    family: String,
    generation: u32,
    variant: Option<String>,
    cpu_cores: Vec<u32>,
    gpu_cores: Vec<u32>,
    memory_gib: Vec<u64>,
    bandwidth_gb_s: f64,
    cpu_peak_w: Option<f64>,
    gpu_peak_w: Option<f64>,
    status: ChipStatus,
}

impl Version {
    fn name(&self) -> String {
        let variant = self.variant.as_deref().map(|variant| format!(" {variant}")).unwrap_or_default();
        format!("{}{}{variant}", self.family, self.generation)
    }

    fn is_of(&self, family: &str, generation: u32, variant: Option<&str>) -> bool {
        self.family == family && self.generation == generation && self.variant.as_deref() == variant
    }
}

static VERSIONS: LazyLock<Vec<Version>> = LazyLock::new(|| {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(CHIPS.as_bytes());
    let lines = reader.deserialize::<Line>().map(|line| line.expect("the embedded table is well formed (tested)"));
    lines
        .map(|line| Version {
            cpu_cores: choices(line.cpu_cores.as_deref(), |text| {
                text.split('+').map(|cores| cores.parse::<u32>().ok()).sum()
            }),
            gpu_cores: choices(line.gpu_cores.as_deref(), |text| text.parse().ok()),
            memory_gib: choices(line.memory_gib.as_deref(), |text| text.parse().ok()),
            family: line.family,
            generation: line.generation,
            variant: line.variant,
            bandwidth_gb_s: line.bandwidth_gb_s,
            cpu_peak_w: line.cpu_peak_w,
            gpu_peak_w: line.gpu_peak_w,
            status: line.status,
        })
        .collect()
});

fn choices<T>(text: Option<&str>, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
    text.map(|text| text.split('|').filter_map(parse).collect()).unwrap_or_default()
}

/// What is known of `chip` on a machine that says `seen` of itself. `None` where a number cannot be told.
pub fn chip_facts(chip: &Chip, seen: Seen) -> ChipFacts {
    let seen = Seen { gpu_cores: seen.gpu_cores.filter(|cores| (1..=MOST_GPU_CORES).contains(cores)), ..seen };
    let (Some(family), Some(generation)) = (&chip.family, chip.generation) else { return nothing() };
    let versions: Vec<&Version> =
        VERSIONS.iter().filter(|version| version.is_of(family, generation, chip.variant.as_deref())).collect();
    if versions.is_empty() {
        extrapolated(family, generation, chip.variant.as_deref(), seen)
    } else {
        listed(&versions, seen)
    }
}

fn nothing() -> ChipFacts {
    ChipFacts {
        status: ChipStatus::Unlisted,
        gpu_cores: None,
        bandwidth_gb_s: None,
        cpu_peak_w: None,
        gpu_peak_w: None,
    }
}

fn estimated<T>(value: T, source: impl Into<String>) -> Reading<T> {
    Reading::new(value, source, Quality::Estimated)
}

/// `versions` are all of one chip.
fn listed(versions: &[&Version], seen: Seen) -> ChipFacts {
    let fitting = narrowed(versions, seen);
    let newest = fitting.first().copied().unwrap_or(versions[0]);
    let source = format!("table of chips ({}, {})", newest.name(), newest.status.as_str());
    let mut cores: Vec<u32> = fitting.iter().flat_map(|version| version.gpu_cores.iter().copied()).collect();
    cores.dedup();
    let all_agree = fitting.windows(2).all(|pair| pair[0].bandwidth_gb_s == pair[1].bandwidth_gb_s);
    let slowest = fitting.iter().map(|version| version.bandwidth_gb_s).reduce(f64::min);
    let bandwidth_source = if all_agree {
        source.clone()
    } else {
        format!("{source}: the slower version, as its GPU cores are not known")
    };
    ChipFacts {
        status: newest.status,
        gpu_cores: (cores.len() == 1).then(|| estimated(cores[0], source.clone())),
        bandwidth_gb_s: slowest.map(|bandwidth| estimated(bandwidth, bandwidth_source)),
        cpu_peak_w: newest.cpu_peak_w.map(|watts| estimated(watts, source.clone())),
        gpu_peak_w: newest.gpu_peak_w.map(|watts| estimated(watts, source)),
    }
}

/// Those versions that agree with what the machine says, asking the surest sign first. A sign that fits no version is
/// left aside: a new version of a known chip may have been built.
fn narrowed<'a>(versions: &[&'a Version], seen: Seen) -> Vec<&'a Version> {
    let memory_gib = seen.memory_bytes.map(|bytes| bytes >> 30);
    let signs: [&dyn Fn(&Version) -> bool; 3] = [
        &|version| seen.gpu_cores.is_some_and(|cores| version.gpu_cores.contains(&cores)),
        &|version| seen.cpu_cores.is_some_and(|cores| version.cpu_cores.contains(&cores)),
        &|version| memory_gib.is_some_and(|gib| version.memory_gib.contains(&gib)),
    ];
    let mut left = versions.to_vec();
    for sign in signs {
        let fitting: Vec<&Version> = left.iter().copied().filter(|version| sign(version)).collect();
        if !fitting.is_empty() {
            left = fitting;
        }
    }
    left
}

/// A chip that is not in the table: like the newest earlier chip of its variant, else by its GPU cores.
fn extrapolated(family: &str, generation: u32, variant: Option<&str>, seen: Seen) -> ChipFacts {
    let earlier = || {
        VERSIONS.iter().filter(|version| {
            version.family == family && version.generation <= generation && version.status != ChipStatus::Unverified
        })
    };
    let of_variant = earlier().filter(|version| version.variant.as_deref() == variant);
    if let Some(newest) = of_variant.map(|version| version.generation).max() {
        let kin: Vec<&Version> = VERSIONS.iter().filter(|version| version.is_of(family, newest, variant)).collect();
        let facts = listed(&kin, seen);
        let source = format!("extrapolated: like {}, the newest earlier chip of its kind", kin[0].name());
        let bandwidth = facts.bandwidth_gb_s.map(|reading| estimated(reading.value, source.clone()));
        return ChipFacts {
            status: ChipStatus::Unlisted,
            gpu_cores: None,
            bandwidth_gb_s: bandwidth,
            cpu_peak_w: facts.cpu_peak_w.map(|reading| estimated(reading.value, source.clone())),
            gpu_peak_w: facts.gpu_peak_w.map(|reading| estimated(reading.value, source)),
        };
    }
    let Some(newest) = earlier().map(|version| version.generation).max() else { return nothing() };
    // Memory grows with the GPU: within a generation every core comes with much the same bandwidth.
    let per_core = earlier()
        .filter(|version| version.generation == newest)
        .filter_map(|version| version.gpu_cores.iter().max().map(|cores| version.bandwidth_gb_s / f64::from(*cores)))
        .reduce(f64::min);
    let source = format!("extrapolated: GPU cores × bandwidth per core of the {family}{newest} chips");
    ChipFacts {
        bandwidth_gb_s: seen.gpu_cores.zip(per_core).map(|(cores, each)| estimated(f64::from(cores) * each, source)),
        ..nothing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(brand: &str, gpu_cores: Option<u32>, memory_gib: Option<u64>) -> ChipFacts {
        let chip = Chip::parse(brand).expect("a chip");
        chip_facts(&chip, Seen { gpu_cores, cpu_cores: None, memory_bytes: memory_gib.map(|gib| gib << 30) })
    }

    fn bandwidth(brand: &str, gpu_cores: Option<u32>, memory_gib: Option<u64>) -> Option<f64> {
        facts(brand, gpu_cores, memory_gib).bandwidth_gb_s.map(|reading| reading.value)
    }

    #[test]
    fn every_line_of_the_table_is_read_whole() {
        let data_lines = CHIPS.lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!(VERSIONS.len(), data_lines);
        for version in VERSIONS.iter() {
            assert!(version.bandwidth_gb_s > 10.0, "{}", version.name());
            let checked = version.status != ChipStatus::Unverified;
            assert_eq!(checked, !version.gpu_cores.is_empty() && !version.cpu_cores.is_empty(), "{}", version.name());
        }
        assert!(!VERSIONS.iter().any(|version| version.name() == "M4 Ultra"), "Apple never made one");
    }

    #[test]
    fn gpu_cores_choose_the_version_of_a_max_chip() {
        for (brand, narrow, wide) in [
            ("Apple M3 Max", (30, 300.0), (40, 400.0)),
            ("Apple M4 Max", (32, 410.0), (40, 546.0)),
            ("Apple M5 Max", (32, 460.0), (40, 614.0)),
        ] {
            assert_eq!(bandwidth(brand, Some(narrow.0), None), Some(narrow.1));
            assert_eq!(bandwidth(brand, Some(wide.0), None), Some(wide.1));
            // Without the GPU's cores the memory tells, and if that is not known either, less is promised.
            assert_eq!(bandwidth(brand, None, Some(36)), Some(narrow.1));
            assert_eq!(bandwidth(brand, None, Some(128)), Some(wide.1));
            assert_eq!(bandwidth(brand, None, None), Some(narrow.1));
        }
        assert_eq!(facts("Apple M3 Max", None, Some(48)).gpu_cores.map(|reading| reading.value), Some(40));
        assert_eq!(facts("Apple M1", None, Some(8)).gpu_cores, None);
    }

    #[test]
    fn processor_cores_choose_where_the_memory_is_sold_with_both() {
        let chip = Chip::parse("Apple M4 Max").expect("a chip");
        let seen = Seen { gpu_cores: None, cpu_cores: Some(14), memory_bytes: Some(36 << 30) };
        assert_eq!(chip_facts(&chip, seen).gpu_cores.map(|reading| reading.value), Some(32));
    }

    #[test]
    fn how_sure_the_table_is_travels_with_the_chip() {
        let status = |brand| facts(brand, None, None).status.as_str();
        assert_eq!(status("Apple M4 Pro"), "spec-checked");
        assert_eq!(status("Apple M5 Max"), "sparse");
        assert_eq!(status("Apple M6"), "unverified");
        assert_eq!(status("Apple M4 Ultra"), "unlisted");
    }

    #[test]
    fn a_chip_nobody_listed_is_like_the_newest_earlier_one_of_its_kind() {
        assert_eq!(bandwidth("Apple M7 Pro", Some(24), None), Some(307.0));
        assert_eq!(bandwidth("Apple M4 Ultra", None, None), Some(819.0));
        // The unverified M6 is no ground to build on.
        assert_eq!(bandwidth("Apple M8", None, None), Some(153.6));
        assert_eq!(bandwidth("Apple A20 Pro", None, None), Some(60.0));
        let reading = facts("Apple M7 Pro", None, None).bandwidth_gb_s.expect("a number");
        assert!(reading.source.contains("M5 Pro") && reading.quality == Quality::Estimated, "{}", reading.source);
    }

    #[test]
    fn an_unknown_variant_is_judged_by_its_gpu_or_not_at_all() {
        assert_eq!(bandwidth("Apple M9 Hyper", Some(64), None), Some(64.0 * 460.0 / 32.0));
        assert_eq!(bandwidth("Apple M9 Hyper", None, Some(256)), None);
        assert_eq!(bandwidth("Apple M9 Hyper", Some(4_000_000), None), None);
        assert_eq!(bandwidth("Apple A12", Some(4), None), None);
        assert_eq!(bandwidth("Apple processor", Some(8), None), None);
    }

    proptest! {
        #[test]
        fn whatever_a_machine_says_the_bandwidth_is_of_a_possible_size(
            generation in 1_u32..100, variant in "(Pro|Max|Ultra|Hyper)?",
            gpu_cores: Option<u32>, cpu_cores: Option<u32>, memory_bytes: Option<u64>,
        ) {
            let chip = Chip::parse(&format!("Apple M{generation} {variant}")).expect("a chip");
            if let Some(reading) = chip_facts(&chip, Seen { gpu_cores, cpu_cores, memory_bytes }).bandwidth_gb_s {
                prop_assert!((8.0..20_000.0).contains(&reading.value));
            }
        }
    }
}
