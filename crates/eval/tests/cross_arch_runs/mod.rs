//! Scripted runs for the comparison of two machines.
#![allow(dead_code, reason = "each test binary uses its own part")]

use puma_core::event::{DatasetIdentity, RunHeader, RunStatus};
use puma_core::{
    BackendIdentity, Completion, FinishReason, InstanceId, JobId, JobRecord, Millis, ModelIdentity, Outcome, Phases,
    RecordedRun, RunId, SpecHash, Timestamp, TokenLogprob, TopLogprob, Usage,
};
use puma_eval::metric::Task;
use serde_json::json;
use std::collections::BTreeMap;

pub(crate) const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

pub(crate) fn triage() -> Task {
    Task::classification(LABELS)
}

/// A finished run of one model on one machine.
pub(crate) fn run(records: Vec<JobRecord>) -> RecordedRun {
    let jobs = records.len();
    RecordedRun {
        header: RunHeader {
            run_id: RunId::new("spec__0123__20260101T000000"),
            spec_hash: SpecHash::new("0123"),
            spec: json!({
                "inference": {"temperature": 0.0, "seed": 42, "max_tokens": 8, "logprobs": true, "top_logprobs": 2,
                    "format": null},
                "parser": "final-answer", "compat": null
            }),
            scenario: "triage_jira".to_owned(),
            models: vec![ModelIdentity {
                name: "model".to_owned(),
                digest: Some("sha256:aa".to_owned()),
                quantization: Some("Q4_1".to_owned()),
                template_hash: Some("tt".to_owned()),
                ..ModelIdentity::default()
            }],
            strategies: vec!["zero-shot".to_owned()],
            backend: BackendIdentity { kind: "embedded".to_owned(), ..BackendIdentity::default() },
            dataset: DatasetIdentity { name: "d".to_owned(), sha256: "dd".to_owned(), ..DatasetIdentity::default() },
            templates: BTreeMap::from([("zero_shot".to_owned(), "hh".to_owned())]),
            profile: None,
            machine: json!({"cpu": "A chip", "arch": "x86_64", "os": "linux"}),
            puma_version: "1".to_owned(),
            started_at: Timestamp(0),
            jobs,
        },
        instances: Vec::new(),
        records,
        status: RunStatus::Done,
        finished_at: Some(Timestamp(1)),
        resumed_count: 0,
        origin: Default::default(),
        sessions: Vec::new(),
    }
}

/// A job whose completion is made of `tokens`; the answer is what they spell, where that is a label.
pub(crate) fn job(index: usize, gold: &str, tokens: Vec<TokenLogprob>) -> JobRecord {
    let text: String = tokens.iter().map(|token| token.token.as_str()).collect();
    let answer = LABELS.iter().find(|label| text.contains(*label)).map(|label| (*label).to_owned());
    let first = tokens.first().map(|token| f64::from(token.logprob).exp());
    JobRecord {
        job_id: JobId::new(format!("job-{index}")),
        instance_id: InstanceId::new(format!("I-{index:04}")),
        model: "model".to_owned(),
        strategy: "zero-shot".to_owned(),
        perturbation: None,
        repeat: 0,
        seed: 42,
        gold: gold.to_owned(),
        group: None,
        prompt: format!("prompt {index}"),
        prompt_hash: format!("p{index}"),
        outcome: if answer.is_some() { Outcome::Answered } else { Outcome::Unparsed },
        confidence: answer.as_ref().and(first),
        answer,
        rule: None,
        label_probabilities: BTreeMap::new(),
        completions: vec![completion(text, tokens)],
        error: None,
        failed_attempts: Vec::new(),
        started_at: Timestamp(0),
        finished_at: Timestamp(1),
    }
}

pub(crate) fn completion(text: String, tokens: Vec<TokenLogprob>) -> Completion {
    Completion {
        text,
        reasoning: None,
        finish: FinishReason::Stop,
        tokens,
        scores: Vec::new(),
        usage: Usage::default(),
        phases: Phases { total_ms: Millis(10.0), ..Phases::default() },
        attempts: Vec::new(),
        from_cache: false,
    }
}

/// A token that beat `other` by `gap` nats.
pub(crate) fn token(text: &str, logprob: f32, other: &str, gap: f32) -> TokenLogprob {
    let id = |text: &str| Some(text.bytes().fold(7u32, |id, byte| id.wrapping_mul(31).wrapping_add(u32::from(byte))));
    TokenLogprob {
        id: id(text),
        token: text.to_owned(),
        logprob,
        top: vec![
            TopLogprob { id: id(text), token: text.to_owned(), logprob },
            TopLogprob { id: id(other), token: other.to_owned(), logprob: logprob - gap },
        ],
    }
}
