//! How jobs ended, as shares.

use super::compute::Values;
use super::judge::{Group, Verdict, verdict};
use super::report::OutcomeCounts;
use super::task::{MissingAnswers, Options};
use crate::stats::{Estimate, wilson};
use puma_core::Outcome;

/// Writes the outcome metrics of one group.
///
/// Shares get Wilson intervals, since the bootstrap calls a failure that never happened impossible. Repetitions of one
/// instance are not independent trials, so the interval is that of as many trials as there are instances.
pub(super) fn score(group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) {
    let counts = OutcomeCounts::count(group.records.iter().map(|record| record.outcome));
    let all = counts.total();
    let completed = all - counts.backend_failed;
    let instances = group.instances().count();
    let confidence = options.bootstrap.confidence;
    let share = |part: usize, whole: usize| {
        let value = (whole > 0).then(|| part as f64 / whole as f64);
        Estimate::share(value, value.and_then(|p| wilson(p, instances.min(whole), confidence)))
    };
    let usable =
        group.records.iter().filter(|r| matches!(verdict(r, MissingAnswers::Wrong), Verdict::Answer(_))).count();
    // Upstream had one word for everything that went wrong, and counted it over all predictions.
    let judged = match options.missing {
        MissingAnswers::Wrong => completed,
        MissingAnswers::Dropped => all,
    };
    values.push("coverage", share(usable, judged), judged);
    values.push("parse_failure_rate", share(judged - usable, judged), judged);
    values.push("backend_failure_rate", share(counts.backend_failed, all), all);
    for outcome in Outcome::ALL {
        values.push(&format!("outcome.{outcome}"), share(counts.of(outcome), all), all);
    }
    let scored = group.records.iter().filter(|record| verdict(record, options.missing) != Verdict::Excluded).count();
    values.plain("n_samples", Some(scored as f64), scored);
    values.plain("n_predictions", Some(all as f64), all);
}
