//! Recorded runs made up for comparisons.
#![allow(dead_code, reason = "each test binary uses its own part")]

use puma_core::canon::short_hash;
use puma_core::event::DatasetIdentity;
use puma_core::{
    BackendIdentity, InstanceId, InstanceRow, JobId, JobRecord, ModelIdentity, Origin, Outcome, RecordedRun, RunHeader,
    RunId, RunStatus, SpecHash, Timestamp,
};
use puma_eval::metric::Task;
use std::collections::BTreeMap;

pub(crate) const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

pub(crate) fn triage() -> Task {
    Task::classification(LABELS)
}

/// The right answer of instance `index`.
pub(crate) fn gold(index: usize) -> &'static str {
    LABELS[index % 4]
}

/// A finished run of one model and strategy on the embedded engine: one answer an instance, `None` for an unreadable
/// one. Right answers are [`gold`]'s.
pub(crate) fn triage_run(run_id: &str, answers: &[Option<&str>]) -> RecordedRun {
    let golds: Vec<&str> = (0..answers.len()).map(gold).collect();
    run(run_id, "triage_jira", &golds, answers)
}

/// The same for numbers.
pub(crate) fn estimation_run(run_id: &str, golds: &[&str], answers: &[Option<&str>]) -> RecordedRun {
    run(run_id, "estimation_tawos", golds, answers)
}

fn run(run_id: &str, scenario: &str, golds: &[&str], answers: &[Option<&str>]) -> RecordedRun {
    let instances: Vec<InstanceRow> = golds
        .iter()
        .enumerate()
        .map(|(index, gold)| InstanceRow {
            instance_id: InstanceId::new(format!("KEY-{index:03}")),
            scenario: scenario.to_owned(),
            source_id: format!("KEY-{index:03}"),
            fields: serde_json::json!({"title": format!("Title {index}\nsecond line"), "description": "Text"}),
            gold: (*gold).to_owned(),
            group: Some(if index % 3 == 0 { "ALPHA" } else { "BETA" }.to_owned()),
        })
        .collect();
    let records = instances.iter().zip(answers).map(|(instance, answer)| record(instance, *answer)).collect();
    RecordedRun {
        header: header(run_id, scenario, instances.len()),
        instances,
        records,
        status: RunStatus::Done,
        finished_at: Some(Timestamp(2_000)),
        resumed_count: 0,
        origin: Origin::Puma,
        sessions: Vec::new(),
    }
}

fn header(run_id: &str, scenario: &str, jobs: usize) -> RunHeader {
    RunHeader {
        run_id: RunId::new(run_id),
        spec_hash: SpecHash::new("83ec5feaa8df4844"),
        spec: serde_json::json!({
            "id": "t", "scenario": scenario, "repeat": 1, "parser": "final-answer", "compat": null,
            "inference": {"temperature": 0.0, "seed": 42, "max_tokens": 16, "logprobs": false, "top_logprobs": 0,
                          "format": null},
        }),
        scenario: scenario.to_owned(),
        models: vec![model("m1", "sha256:aa")],
        strategies: vec!["zero-shot".to_owned()],
        backend: BackendIdentity {
            kind: "embedded".to_owned(),
            version: Some("0.1.0".to_owned()),
            simd: Some("avx2".to_owned()),
            threads: Some(2),
            numerics: Some("N1".to_owned()),
            ..BackendIdentity::default()
        },
        dataset: DatasetIdentity {
            name: "sample".to_owned(),
            sha256: "bf".repeat(32),
            rows: jobs,
            source: "embedded".to_owned(),
            ..DatasetIdentity::default()
        },
        templates: BTreeMap::from([(format!("{scenario}/zero_shot"), "ab".repeat(32))]),
        profile: Some("cpu-lite".to_owned()),
        machine: serde_json::json!({"os": "linux", "arch": "x86_64", "cpu": "Example CPU"}),
        puma_version: "0.1.0".to_owned(),
        started_at: Timestamp(1_000),
        jobs,
    }
}

pub(crate) fn model(name: &str, digest: &str) -> ModelIdentity {
    ModelIdentity {
        name: name.to_owned(),
        digest: Some(digest.to_owned()),
        quantization: Some("Q4_1".to_owned()),
        context_length: Some(2048),
        ..ModelIdentity::default()
    }
}

fn record(instance: &InstanceRow, answer: Option<&str>) -> JobRecord {
    let prompt = format!("How severe is {}?", instance.instance_id);
    JobRecord {
        job_id: JobId::new(format!("job {}", instance.instance_id)),
        instance_id: instance.instance_id.clone(),
        model: "m1".to_owned(),
        strategy: "zero-shot".to_owned(),
        perturbation: None,
        repeat: 0,
        seed: 42,
        gold: instance.gold.clone(),
        group: instance.group.clone(),
        prompt_hash: short_hash(&prompt),
        prompt,
        outcome: if answer.is_some() { Outcome::Answered } else { Outcome::Unparsed },
        answer: answer.map(str::to_owned),
        rule: answer.map(|_| "whole-text".to_owned()),
        confidence: None,
        label_probabilities: BTreeMap::new(),
        completions: Vec::new(),
        error: None,
        failed_attempts: Vec::new(),
        started_at: Timestamp(1_000),
        finished_at: Timestamp(1_001),
    }
}

/// Gives every job of `run` to another model.
pub(crate) fn by_model(mut run: RecordedRun, name: &str, digest: &str) -> RecordedRun {
    run.header.models = vec![model(name, digest)];
    run.records.iter_mut().for_each(|record| record.model = name.to_owned());
    run
}

/// Gives every job of `run` to another strategy, with other prompts.
pub(crate) fn by_strategy(mut run: RecordedRun, strategy: &str) -> RecordedRun {
    run.header.strategies = vec![strategy.to_owned()];
    for record in &mut run.records {
        record.strategy = strategy.to_owned();
        record.prompt = format!("{strategy}: {}", record.prompt);
        record.prompt_hash = short_hash(&record.prompt);
    }
    run
}

/// Adds the jobs of `other` (same instances) to `run`, as one run of several models or strategies.
pub(crate) fn joined(mut run: RecordedRun, other: &RecordedRun) -> RecordedRun {
    for model in &other.header.models {
        if !run.header.models.contains(model) {
            run.header.models.push(model.clone());
        }
    }
    for strategy in &other.header.strategies {
        if !run.header.strategies.contains(strategy) {
            run.header.strategies.push(strategy.clone());
        }
    }
    run.records.extend(other.records.iter().cloned());
    run.header.jobs = run.records.len();
    run
}
