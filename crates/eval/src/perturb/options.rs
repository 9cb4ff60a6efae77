//! Perturbations of the prompt itself: the order of its options, and their names.

use super::table::{Change, find};
use crate::sample::PythonRandom;
use crate::scenario::LabelNames;
use puma_core::InstanceId;
use puma_core::canon::sha256_hex;

/// The names under which prompts of this perturbation show the labels. An unknown perturbation, as old records may
/// carry one, shows them under their own.
pub fn label_names(perturbation: Option<&str>) -> LabelNames {
    match perturbation.and_then(|name| find(name).ok()).map(|perturbation| perturbation.change) {
        Some(Change::OptionRename) => LabelNames::Other,
        Some(Change::Text(_) | Change::PairSwap | Change::LabelOrder) | None => LabelNames::Own,
    }
}

/// The draws behind the order of one instance's prompt.
///
/// Each instance has its own, so that over a run every order occurs and no label gains from one of them.
pub(super) fn order_draws(seed: u64, instance: &InstanceId) -> PythonRandom {
    let digest = sha256_hex(format!("{seed}:label_order:{instance}").as_bytes());
    PythonRandom::new(u64::from_str_radix(&digest[..16], 16).expect("a SHA-256 in hex begins with sixteen hex digits"))
}

/// `answers` in an order that is not the one given, drawn uniformly among those.
pub(super) fn another_order<'a>(answers: &[&'a str], random: &mut PythonRandom) -> Vec<&'a str> {
    let mut shuffled = answers.to_vec();
    while shuffled == answers && answers.len() > 1 {
        random.shuffle(&mut shuffled);
    }
    shuffled
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_other_order_occurs_and_the_usual_one_never() {
        let labels = ["Critical", "Major", "Minor", "Trivial"];
        let mut seen: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
        for number in 0..2300 {
            let id = InstanceId::new(format!("KEY-{number}"));
            *seen.entry(another_order(&labels, &mut order_draws(42, &id))).or_default() += 1;
        }
        assert_eq!(seen.len(), 23);
        // 100 are expected of each; six standard deviations away would be no chance.
        assert!(seen.values().all(|count| (41..=159).contains(count)), "{seen:?}");
        assert_eq!(another_order(&["A", "B"], &mut order_draws(1, &InstanceId::new("x"))), ["B", "A"]);
        assert_eq!(another_order(&["A"], &mut order_draws(1, &InstanceId::new("x"))), ["A"]);
        assert!(another_order(&[], &mut order_draws(1, &InstanceId::new("x"))).is_empty());
    }

    #[test]
    fn only_renamed_options_have_other_names() {
        assert_eq!(label_names(Some("option_rename")), LabelNames::Other);
        for name in [None, Some("label_order"), Some("case_upper"), Some("no longer known")] {
            assert_eq!(label_names(name), LabelNames::Own);
        }
    }
}
