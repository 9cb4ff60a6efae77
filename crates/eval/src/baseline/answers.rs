//! Judges with one answer for each instance: scored as a model is.

use super::report::Baseline;
use crate::metric::{MissingAnswers, Options, Task, TaskKind, scores};
use puma_core::{InstanceId, JobId, JobRecord, Outcome, Timestamp};
use std::collections::BTreeMap;

/// The distinct instances of a run, by id, with their right answers.
pub type Golds<'a> = BTreeMap<&'a InstanceId, &'a str>;

/// What a judge says of an instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) answer: String,
    /// Probability of each label; empty where the judge has none.
    pub(super) probabilities: BTreeMap<String, f64>,
}

impl Said {
    pub(super) fn plain(answer: impl Into<String>) -> Self {
        Self { answer: answer.into(), probabilities: BTreeMap::new() }
    }
}

/// Metrics by which a judge of this kind of task is reported.
pub(super) fn reported(kind: TaskKind) -> &'static [&'static str] {
    match kind {
        TaskKind::Classification => &crate::metric::CLASS_HEADLINE,
        TaskKind::Regression => &["mae", "mdae", "rmse", "standardised_accuracy"],
        TaskKind::Pairwise => &["accuracy"],
    }
}

/// Scores the judge `name` by `metrics`. An instance for which `say` gives nothing counts as unanswered.
pub(super) fn judged(
    task: &Task,
    golds: &Golds<'_>,
    options: &Options,
    (name, basis): (&str, &str),
    metrics: &[&str],
    say: impl Fn(&InstanceId) -> Option<Said>,
) -> Vec<Baseline> {
    let records: Vec<JobRecord> = golds.iter().map(|(id, gold)| record(id, gold, say(id))).collect();
    // The baseline answers everything it can; what upstream drops is the model's.
    let options = Options { missing: MissingAnswers::Wrong, ..options.clone() };
    let values = scores(task, &records, &options);
    let row = |metric: &&str| {
        let value = values.iter().find(|value| value.name == *metric)?;
        Some(Baseline {
            name: name.to_owned(),
            metric: value.name.clone(),
            value: value.value,
            ci_low: value.ci_low,
            ci_high: value.ci_high,
            basis: basis.to_owned(),
            n: golds.len(),
        })
    };
    metrics.iter().filter_map(row).collect()
}

/// The record of an answer that no model gave.
fn record(id: &InstanceId, gold: &str, said: Option<Said>) -> JobRecord {
    let (answer, label_probabilities) = match said {
        Some(said) => (Some(said.answer), said.probabilities),
        None => (None, BTreeMap::new()),
    };
    JobRecord {
        job_id: JobId::new(id.as_str()),
        instance_id: id.clone(),
        model: String::new(),
        strategy: String::new(),
        perturbation: None,
        repeat: 0,
        seed: 0,
        gold: gold.to_owned(),
        group: None,
        prompt: String::new(),
        prompt_hash: String::new(),
        outcome: if answer.is_some() { Outcome::Answered } else { Outcome::Empty },
        confidence: answer.as_ref().and_then(|answer| label_probabilities.get(answer)).copied(),
        answer,
        rule: None,
        label_probabilities,
        completions: Vec::new(),
        error: None,
        failed_attempts: Vec::new(),
        started_at: Timestamp(0),
        finished_at: Timestamp(0),
    }
}
