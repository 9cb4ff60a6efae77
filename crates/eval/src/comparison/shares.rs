//! Intervals of paired shares. With few discordant pairs the bootstrap takes what never happened for impossible: it calls
//! three to nothing a difference beyond chance, which the exact test of the same three does not.

use super::deltas::PairedEstimate;
use super::pairing::{PairedInstance, usable};
use crate::metric::{MissingAnswers, Options, Task, is_correct};
use crate::stats::{IntervalMethod, PairedCounts};
use puma_core::JobRecord;

/// Gives `accuracy` and `coverage` Newcombe's interval in place of the bootstrap's. Where instances are repeated, or
/// missing answers are left out, pairs are no independent trials of a fixed number, and the bootstrap stays.
pub(super) fn correct(
    task: &Task,
    instances: &[PairedInstance<'_>],
    options: &Options,
    estimates: &mut [PairedEstimate],
) {
    let one_pair_each = instances.iter().all(|instance| instance.pairs.len() == 1);
    if !one_pair_each || options.missing != MissingAnswers::Wrong {
        return;
    }
    let right = |record: &JobRecord| is_correct(task, record) == Some(true);
    let answered = |record: &JobRecord| usable(record).is_some();
    for estimate in estimates.iter_mut().filter(|estimate| estimate.difference.interval.is_some()) {
        let holds: &dyn Fn(&JobRecord) -> bool = match estimate.name.as_str() {
            "accuracy" => &right,
            "coverage" => &answered,
            _ => continue,
        };
        let pairs = instances.iter().flat_map(|instance| &instance.pairs);
        // The second side first: differences are second minus first.
        let counts = PairedCounts::count(pairs.map(|(first, second)| (holds(second), holds(first))));
        estimate.difference.interval = counts.difference_interval(options.bootstrap.confidence);
        estimate.difference.method = Some(IntervalMethod::Newcombe);
    }
}

#[cfg(test)]
mod tests {
    use crate::stats::PairedCounts;

    #[test]
    fn a_difference_that_the_exact_test_takes_for_chance_is_not_called_beyond_it() {
        for both in [0, 3, 20, 100] {
            for (b, c) in (0..30).flat_map(|b| (0..30).map(move |c| (b, c))) {
                let counts =
                    PairedCounts { both_right: both, only_first_right: b, only_second_right: c, both_wrong: 20 };
                let (low, high) = counts.difference_interval(0.95).expect("there are pairs");
                let beyond = low > 0.0 || high < 0.0;
                assert!(!beyond || counts.p_value() < 0.15, "{counts:?}: [{low}, {high}], p = {}", counts.p_value());
            }
        }
    }
}
