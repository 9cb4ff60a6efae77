//! Which issues a pair shows, and where.

use puma_core::JobRecord;
use std::collections::BTreeMap;

/// The perturbation that shows the two issues of a pair in the other order, and turns the right answer with them.
pub(super) const PAIR_SWAP: &str = "pair_swap";

/// The ids of the issues shown as A and as B: the two halves of the pair's id (`PROJ-7|PROJ-9`), turned where they were
/// shown turned. `None` unless both are known.
pub(super) fn issues_shown<'a>(record: &'a JobRecord, known: &BTreeMap<String, u32>) -> Option<[&'a str; 2]> {
    let id = record.instance_id.as_str();
    let halves = id.match_indices('|').map(|(place, _)| [&id[..place], &id[place + 1..]]);
    let mut halves = halves.filter(|halves| halves.iter().all(|half| known.contains_key(*half)));
    let [first, second] = halves.next()?;
    Some(if record.perturbation.as_deref() == Some(PAIR_SWAP) { [second, first] } else { [first, second] })
}

#[cfg(test)]
mod tests {
    use super::PAIR_SWAP;
    use crate::perturb;

    #[test]
    fn the_perturbation_that_turns_pairs_is_called_so() {
        assert!(perturb::TABLE.iter().any(|perturbation| perturbation.name == PAIR_SWAP));
    }
}
