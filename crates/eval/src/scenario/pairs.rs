//! Pairs of issues with distinct priorities, balanced over the combinations of priorities and over positions.
//!
//! Upstream compares neighbours of a sample that is sorted by class: nearly all of its pairs are ties, and A is always
//! right. Here every pair has one right answer, and each position is right in half of them.

use super::rows::{LabelledRow, shuffle_key};
use std::collections::{BTreeMap, BTreeSet};

/// Row positions of one pair in the order shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) a: usize,
    pub(super) b: usize,
    /// The first issue shown has the higher priority.
    pub(super) a_is_higher: bool,
}

/// Up to `count` different pairs of `rows`, deterministic in `seed` and in the rows' ids.
///
/// Combinations of priorities take turns. Within one, the issues used least so far are paired, so no issue comes back
/// before its class is used up; ties are broken by a hash of seed and id. The higher priority is shown first as often
/// as second: up to one pair, in each combination and over all.
pub(super) fn build_pairs(rows: &[LabelledRow], labels: &[&str], count: usize, seed: u64) -> Vec<Pair> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_cached_key(|&row| shuffle_key(seed, "pair", &rows[row].id));
    // Per label: (times used, place in `order`), so the first entry is the next to use.
    let mut waiting: Vec<BTreeSet<(u32, usize)>> = vec![BTreeSet::new(); labels.len()];
    for (place, &row) in order.iter().enumerate() {
        if let Some(class) = labels.iter().position(|label| *label == rows[row].gold) {
            waiting[class].insert((0, place));
        }
    }
    let mut combinations: Vec<(usize, usize)> = (0..labels.len())
        .flat_map(|high| (high + 1..labels.len()).map(move |low| (high, low)))
        .filter(|&(high, low)| !waiting[high].is_empty() && !waiting[low].is_empty())
        .collect();
    combinations.sort_by_cached_key(|(high, low)| shuffle_key(seed, "combination", &format!("{high}>{low}")));

    let mut positions = PositionBalance::new(seed);
    let mut used: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut pairs = Vec::new();
    while pairs.len() < count && !combinations.is_empty() {
        combinations.retain(|&(high, low)| {
            if pairs.len() >= count {
                return true;
            }
            let Some((first, second)) = least_used_pair(&waiting[high], &waiting[low], &used) else {
                return false;
            };
            used.insert((first.1, second.1));
            for (class, entry) in [(high, first), (low, second)] {
                waiting[class].remove(&entry);
                waiting[class].insert((entry.0 + 1, entry.1));
            }
            let (higher, lower) = (order[first.1], order[second.1]);
            let pair = Pair { a: higher, b: lower, a_is_higher: true };
            let higher_first = positions.next_is_higher_first((high, low));
            pairs.push((if higher_first { pair } else { pair.turned() }, (high, low)));
            true
        });
    }
    positions.level_total(&mut pairs);
    pairs.into_iter().map(|(pair, _)| pair).collect()
}

impl Pair {
    fn turned(self) -> Self {
        Self { a: self.b, b: self.a, a_is_higher: !self.a_is_higher }
    }
}

type Waiting = (u32, usize);

fn least_used_pair(
    high: &BTreeSet<Waiting>,
    low: &BTreeSet<Waiting>,
    used: &BTreeSet<(usize, usize)>,
) -> Option<(Waiting, Waiting)> {
    high.iter().find_map(|&first| {
        low.iter().find(|second| !used.contains(&(first.1, second.1))).map(|&second| (first, second))
    })
}

/// Keeps the number of pairs with the higher priority first equal to the number with it second.
struct PositionBalance {
    /// Per combination: pairs with the higher priority first minus pairs with it second.
    surplus: BTreeMap<(usize, usize), i64>,
    total: i64,
    first_wins_ties: bool,
}

impl PositionBalance {
    fn new(seed: u64) -> Self {
        let first_wins_ties = shuffle_key(seed, "position", "first").as_str() < "8";
        Self { surplus: BTreeMap::new(), total: 0, first_wins_ties }
    }

    fn next_is_higher_first(&mut self, combination: (usize, usize)) -> bool {
        let surplus = self.surplus.entry(combination).or_default();
        let higher_first = match (*surplus).cmp(&0).then(self.total.cmp(&0)) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => self.first_wins_ties,
        };
        let step = if higher_first { 1 } else { -1 };
        *surplus += step;
        self.total += step;
        higher_first
    }

    /// Small combinations end on one side or the other. Turns the last pair of one that ended on the full side, until
    /// the total is level as well.
    fn level_total(&mut self, pairs: &mut [(Pair, (usize, usize))]) {
        for (pair, combination) in pairs.iter_mut().rev() {
            let surplus = self.surplus.entry(*combination).or_default();
            if self.total.abs() > 1 && *surplus == self.total.signum() && pair.a_is_higher == (self.total > 0) {
                *pair = pair.turned();
                *surplus = -*surplus;
                self.total -= 2 * self.total.signum();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

    fn rows(classes: &[usize]) -> Vec<LabelledRow> {
        classes
            .iter()
            .enumerate()
            .map(|(number, class)| LabelledRow {
                id: format!("KEY-{number}"),
                title: format!("title {number}"),
                description: String::new(),
                project: None,
                gold: LABELS[*class].to_owned(),
                split: None,
            })
            .collect()
    }

    #[test]
    fn two_hundred_balanced_issues_make_a_hundred_pairs_without_a_repeated_issue() {
        let rows = rows(&(0..200).map(|number| number / 50).collect::<Vec<_>>());
        let pairs = build_pairs(&rows, &LABELS, 96, 42);
        let issues: BTreeSet<usize> = pairs.iter().flat_map(|pair| [pair.a, pair.b]).collect();
        assert_eq!((pairs.len(), issues.len()), (96, 192));
        assert_eq!(pairs.iter().filter(|pair| pair.a_is_higher).count(), 48);
        assert_eq!(build_pairs(&rows, &LABELS, 200, 42).len(), 200);
        assert_eq!(build_pairs(&rows, &LABELS, usize::MAX, 42).len(), 6 * 50 * 50);
    }

    #[test]
    fn one_priority_alone_makes_no_pair() {
        assert_eq!(build_pairs(&rows(&[1, 1, 1]), &LABELS, 10, 42), []);
    }

    proptest! {
        #[test]
        fn pairs_are_distinct_have_a_right_answer_and_balanced_positions(
            classes in proptest::collection::vec(0usize..4, 0..40), count in 0usize..80, seed: u64,
        ) {
            let rows = rows(&classes);
            let pairs = build_pairs(&rows, &LABELS, count, seed);
            let mut seen = BTreeSet::new();
            let mut surplus: BTreeMap<(usize, usize), i64> = BTreeMap::new();
            for pair in &pairs {
                let (a, b) = (classes[pair.a], classes[pair.b]);
                prop_assert!(a != b);
                prop_assert_eq!(pair.a_is_higher, a < b);
                prop_assert!(seen.insert((pair.a.min(pair.b), pair.a.max(pair.b))));
                *surplus.entry((a.min(b), a.max(b))).or_default() += if pair.a_is_higher { 1 } else { -1 };
            }
            prop_assert!(surplus.values().all(|difference| difference.abs() <= 1));
            prop_assert!(surplus.values().sum::<i64>().abs() <= 1);
            let possible: usize = (0..4).flat_map(|high| (high + 1..4).map(move |low| (high, low)))
                .map(|(high, low)| {
                    let size = |class| classes.iter().filter(|other| **other == class).count();
                    size(high) * size(low)
                })
                .sum();
            prop_assert_eq!(pairs.len(), count.min(possible));
        }
    }
}
