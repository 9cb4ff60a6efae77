//! What comes out in a minute: usable answers, and right ones.

use super::compute::Values;
use super::efficiency::is_fresh;
use super::judge::{Group, Verdict, is_correct, verdict};
use super::task::{MissingAnswers, Options, Task};
use crate::stats::{Estimate, wilson};
use puma_core::JobRecord;

/// Writes how many usable and how many right answers a minute gave in which at least one job was under way. A job that
/// gave none took its time all the same.
///
/// The interval is that of the share of such answers; the time is taken as it was.
pub(super) fn score(task: &Task, group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) {
    let timed: Vec<&JobRecord> =
        group.completed().filter(|record| is_fresh(record) && record.finished_at.0 > record.started_at.0).collect();
    let minutes = busy_ms(&timed) as f64 / 60_000.0;
    if timed.is_empty() {
        return;
    }
    let instances = timed.chunk_by(|a, b| a.instance_id == b.instance_id).count();
    let per_minute = timed.len() as f64 / minutes;
    let mut rate = |name: &str, counted: &dyn Fn(&JobRecord) -> bool| {
        let share = timed.iter().filter(|record| counted(record)).count() as f64 / timed.len() as f64;
        let interval = wilson(share, instances, options.bootstrap.confidence);
        let interval = interval.map(|(low, high)| (low * per_minute, high * per_minute));
        values.push(name, Estimate::share(Some(share * per_minute), interval), timed.len());
    };
    rate("usable_answers_per_minute", &|record| matches!(verdict(record, MissingAnswers::Wrong), Verdict::Answer(_)));
    rate("right_answers_per_minute", &|record| is_correct(task, record) == Some(true));
}

/// How long at least one of `records` was under way.
fn busy_ms(records: &[&JobRecord]) -> i64 {
    let mut spans: Vec<(i64, i64)> = records.iter().map(|record| (record.started_at.0, record.finished_at.0)).collect();
    spans.sort_unstable();
    let mut busy = 0;
    let mut until = i64::MIN;
    for (from, end) in spans {
        busy += (end - from.max(until)).max(0);
        until = until.max(end);
    }
    busy
}
