//! Stretches of time in which a signal lay above its threshold.

use super::rules::Rule;
use puma_core::Timestamp;
use puma_core::measure::{Contamination, Severity};

/// Two stretches of one rule that are closer than this are one.
const NEAR_MS: i64 = 10_000;
/// How many stretches of one rule are kept apart, however long the run.
const MOST_STRETCHES: usize = 64;

/// One stretch. What it merged counts once: `seconds` is the time above the threshold, not the time between its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    from: Timestamp,
    until: Timestamp,
    seconds: f64,
    /// Signal times seconds.
    sum: f64,
    peak: f64,
}

impl Stretch {
    fn join(&mut self, later: &Self) {
        self.from = self.from.min(later.from);
        self.until = self.until.max(later.until);
        self.seconds += later.seconds;
        self.sum += later.sum;
        self.peak = self.peak.max(later.peak);
    }
}

/// The stretches of one rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretches {
    open: Option<Stretch>,
    closed: Vec<Stretch>,
}

impl Stretches {
    /// The signal from `from` to `until`. What is not known ends a stretch.
    pub(super) fn observe(
        &mut self,
        rule: &Rule,
        (from, until): (Timestamp, Timestamp),
        seconds: f64,
        value: Option<f64>,
    ) {
        let Some(value) = value.filter(|value| *value >= rule.threshold) else { return self.close(rule) };
        let seen = Stretch { from, until, seconds, sum: value * seconds, peak: value };
        match &mut self.open {
            Some(open) => open.join(&seen),
            open => *open = Some(seen),
        }
    }

    fn close(&mut self, rule: &Rule) {
        let Some(open) = self.open.take().filter(|open| open.seconds >= rule.sustained_s) else { return };
        add(&mut self.closed, open);
    }

    /// What this rule found, when the model was asked for `asked_s` so far.
    pub(super) fn contaminations(&self, rule: &Rule, asked_s: f64, model_bytes: f64) -> Vec<Contamination> {
        let mut all = self.closed.clone();
        if let Some(open) = self.open.filter(|open| open.seconds >= rule.sustained_s) {
            add(&mut all, open);
        }
        let disturbed_s: f64 = all.iter().map(|stretch| stretch.seconds).sum();
        let enough = disturbed_s >= rule.least_share_of_run * asked_s;
        all.iter()
            .map(|stretch| Contamination {
                kind: rule.kind,
                severity: if enough { rule.severity } else { Severity::Minor },
                from: stretch.from,
                until: stretch.until,
                detail: rule.signal.sentence(
                    stretch.sum / stretch.seconds.max(f64::MIN_POSITIVE),
                    stretch.peak,
                    stretch.seconds,
                    model_bytes,
                ),
            })
            .collect()
    }
}

fn add(stretches: &mut Vec<Stretch>, later: Stretch) {
    match stretches.last_mut().filter(|last| later.from.0.saturating_sub(last.until.0) < NEAR_MS) {
        Some(last) => last.join(&later),
        None => stretches.push(later),
    }
    if stretches.len() > MOST_STRETCHES {
        let gap = |place: &usize| stretches[place + 1].from.0.saturating_sub(stretches[*place].until.0);
        let closest = (0..stretches.len() - 1).min_by_key(gap).expect("there are two at least");
        let later = stretches.remove(closest + 1);
        stretches[closest].join(&later);
    }
}
