//! Which counters of IOReport's "Energy Model" are whole parts of the chip, and what their units are.

use serde::Deserialize;

/// A counter as the system lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct RawCounter {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) value: i64,
}

/// A part of the chip whose joules may be added to the others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Processor,
    Gpu,
    NeuralEngine,
    Memory,
}

/// A counter of a whole part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PartCounter {
    pub(super) name: String,
    pub(super) part: Part,
    pub(super) joules_per_step: f64,
    pub(super) value: u64,
}

/// The counters of whole parts in an answer to [`NativeQuery::IoReportEnergy`](crate::source::NativeQuery); `None` when
/// it is no such answer. A counter of an unknown unit or below zero is left out.
pub(super) fn part_counters(text: &str) -> Option<Vec<PartCounter>> {
    let raw: Vec<RawCounter> = serde_json::from_str(text).ok()?;
    let counters = raw.into_iter().filter_map(|raw| {
        Some(PartCounter {
            part: part(&raw.name)?,
            joules_per_step: joules(raw.unit.trim())?,
            value: u64::try_from(raw.value).ok()?,
            name: raw.name,
        })
    });
    Some(counters.collect())
}

/// The part that a counter of this name counts whole. Cores, clusters, SRAM and fabrics are inside of these, or nobody
/// knows where: their names begin or end alike, so that only whole names count.
fn part(name: &str) -> Option<Part> {
    // A chip of two dies counts each.
    let of_die = name.strip_prefix("DIE_").and_then(|rest| {
        let (die, rest) = rest.split_once('_')?;
        is_number(die).then_some(rest)
    });
    match of_die.unwrap_or(name) {
        "CPU Energy" => Some(Part::Processor),
        "GPU Energy" => Some(Part::Gpu),
        name if is_numbered(name, "ANE") => Some(Part::NeuralEngine),
        name if is_numbered(name, "DRAM") => Some(Part::Memory),
        _ => None,
    }
}

/// `ANE`, `ANE0`, `ANE0_1`.
fn is_numbered(name: &str, stem: &str) -> bool {
    let Some(rest) = name.strip_prefix(stem) else { return false };
    rest.is_empty() || rest.splitn(2, '_').all(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn joules(unit: &str) -> Option<f64> {
    match unit {
        "J" => Some(1.0),
        "mJ" => Some(1e-3),
        "uJ" | "µJ" => Some(1e-6),
        "nJ" => Some(1e-9),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_counters_of_whole_parts_are_taken() {
        let parts = [
            ("CPU Energy", Some(Part::Processor)),
            ("DIE_0_CPU Energy", Some(Part::Processor)),
            ("DIE_12_CPU Energy", Some(Part::Processor)),
            ("GPU Energy", Some(Part::Gpu)),
            ("ANE", Some(Part::NeuralEngine)),
            ("ANE0", Some(Part::NeuralEngine)),
            ("ANE0_1", Some(Part::NeuralEngine)),
            ("DRAM", Some(Part::Memory)),
            ("DRAM0_1", Some(Part::Memory)),
        ];
        for (name, expected) in parts {
            assert_eq!(part(name), expected, "{name}");
        }
        for name in [
            "EACC_CPU Energy",
            "PACC0_CPU3",
            "MCPU0",
            "GPU SRAM0",
            "GPU CS Energy",
            "DRAM0_BW",
            "ANE_SRAM",
            "DIE_x_CPU Energy",
            "DIE_0_",
            "DTL CPU Energy",
            "CPU Energy ",
            "",
        ] {
            assert_eq!(part(name), None, "{name}");
        }
    }

    #[test]
    fn every_counter_has_a_unit_of_its_own() {
        let text = r#"[{"name":"CPU Energy","unit":"mJ","value":1701},{"name":"GPU Energy","unit":"nJ","value":9104980},
            {"name":"DRAM0","unit":"furlong","value":358},{"name":"ANE0","unit":"uJ","value":-1}]"#;
        let counters = part_counters(text).expect("counters");
        let joules: Vec<(Part, f64)> =
            counters.iter().map(|counter| (counter.part, counter.value as f64 * counter.joules_per_step)).collect();
        assert_eq!(joules.len(), 2);
        assert!((joules[0].1 - 1.701).abs() < 1e-12 && (joules[1].1 - 0.009_104_98).abs() < 1e-12);
        assert_eq!(part_counters("null"), None);
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange(text in "(?s).{0,200}", name in "(DIE_)?[0-9A-Z_ ]{0,12}(CPU Energy)?") {
            let _ = part_counters(&text);
            let _ = part(&name);
        }
    }
}
