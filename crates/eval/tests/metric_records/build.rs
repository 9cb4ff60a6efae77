//! Builds job records.

use puma_core::{Completion, FinishReason, InstanceId, JobId, JobRecord, Millis, Outcome, Phases, Timestamp, Usage};
use std::collections::BTreeMap;

/// Records of one group, one per instance.
pub(crate) struct Records {
    pub(crate) records: Vec<JobRecord>,
}

impl Records {
    /// One record for each right answer; an answer of `None` could not be read.
    pub(crate) fn new<G: AsRef<str>, A: AsRef<str>>(golds: &[G], answers: &[Option<A>]) -> Self {
        assert_eq!(golds.len(), answers.len());
        let records = golds.iter().zip(answers).enumerate();
        Self { records: records.map(|(i, (gold, answer))| record(i, gold.as_ref(), answer.as_ref())).collect() }
    }

    /// Gives each record one completion that took so many milliseconds.
    #[allow(dead_code, reason = "not every test binary measures time")]
    pub(crate) fn with_latencies(mut self, latencies_ms: &[f64]) -> Self {
        for (record, ms) in self.records.iter_mut().zip(latencies_ms) {
            record.completions = vec![completion(*ms)];
        }
        self
    }
}

fn record(index: usize, gold: &str, answer: Option<&impl AsRef<str>>) -> JobRecord {
    JobRecord {
        job_id: JobId::new(format!("job-{index:05}")),
        instance_id: InstanceId::new(format!("I-{index:05}")),
        model: "model".to_owned(),
        strategy: "zero-shot".to_owned(),
        perturbation: None,
        repeat: 0,
        seed: 42,
        gold: gold.to_owned(),
        group: None,
        prompt: String::new(),
        prompt_hash: String::new(),
        outcome: if answer.is_some() { Outcome::Answered } else { Outcome::Unparsed },
        answer: answer.map(|answer| answer.as_ref().to_owned()),
        rule: None,
        confidence: None,
        label_probabilities: BTreeMap::new(),
        completions: Vec::new(),
        error: None,
        failed_attempts: Vec::new(),
        started_at: Timestamp(0),
        finished_at: Timestamp(0),
    }
}

/// A completion of so many milliseconds and nothing else of interest.
pub(crate) fn completion(total_ms: f64) -> Completion {
    Completion {
        text: String::new(),
        reasoning: None,
        finish: FinishReason::Stop,
        tokens: Vec::new(),
        scores: Vec::new(),
        usage: Usage { prompt_tokens: Some(10), cached_tokens: Some(0), generated_tokens: Some(2) },
        phases: Phases { total_ms: Millis(total_ms), ..Phases::default() },
        attempts: Vec::new(),
        from_cache: false,
    }
}

/// Equal within 1e-12, absolutely or relatively, whichever is wider.
pub(crate) fn assert_close(found: f64, expected: f64, place: &str) {
    let allowed = 1e-12 * expected.abs().max(1.0);
    assert!((found - expected).abs() <= allowed, "{place}: {found}, expected {expected}");
}
