//! Every baseline of a set of instances.

use super::answers::{Golds, Said, judged, reported};
use super::report::Baseline;
use super::trivial::{of_labels, of_numbers, of_pairs};
use crate::metric::{Options, Task, TaskKind};

/// The baselines of the instances in `golds`. Trivial ones learn from [`Options::train_gold`]; without it labels learn
/// from the judged data itself, and numbers from the other instances. Those that read the text come from
/// [`Options::baseline_answers`].
///
/// The right answers must fit the task; [`compute`](crate::metric::compute) checks that.
pub fn baselines(task: &Task, golds: &Golds<'_>, options: &Options) -> Vec<Baseline> {
    if golds.is_empty() {
        return Vec::new();
    }
    let mut rows = match task.kind {
        TaskKind::Classification => of_labels(task, golds, options),
        TaskKind::Regression => of_numbers(task, golds, options),
        TaskKind::Pairwise => of_pairs(task, golds, options),
    };
    for judge in &options.baseline_answers {
        if golds.keys().any(|id| judge.answers.contains_key(*id)) {
            let of = (judge.name.as_str(), judge.basis.as_str());
            let say = |id: &_| judge.answers.get(id).map(Said::plain);
            rows.extend(judged(task, golds, options, of, reported(task.kind), say));
        }
    }
    rows
}
