//! Small runs to record.

use puma_core::event::{BaselineAnswers, DatasetIdentity};
use puma_core::measure::{Channel, ChannelEnergy, EnergyReport, Phase, PhaseEnergy, SessionMeasurement, TrackingMode};
use puma_core::{
    BackendIdentity, Completion, FinishReason, InstanceId, InstanceRow, JobId, JobRecord, Millis, ModelIdentity,
    Outcome, Phases, Quality, Reading, RunEvent, RunHeader, RunId, RunStatus, SpecHash, Timestamp, TokenLogprob,
    TopLogprob, Usage,
};
use std::collections::BTreeMap;

/// 2026-05-31T09:14:17.225Z
pub(crate) const START: Timestamp = Timestamp(1_780_218_857_225);

pub(crate) fn header(run_id: &str, jobs: usize) -> RunHeader {
    RunHeader {
        run_id: RunId::new(run_id),
        spec_hash: SpecHash::new("83ec5feaa8df4844"),
        spec: serde_json::json!({"id": "smoke", "inference": {"temperature": 0.1}, "scenario": "triage_jira"}),
        scenario: "triage_jira".to_owned(),
        models: vec![model("smollm2:135m")],
        strategies: vec!["zero-shot".to_owned()],
        backend: BackendIdentity {
            kind: "embedded".to_owned(),
            version: Some("0.1.0".to_owned()),
            endpoint: None,
            simd: Some("avx2".to_owned()),
            threads: Some(2),
            numerics: Some("N1".to_owned()),
            settings: BTreeMap::from([("think".to_owned(), "false".to_owned())]),
        },
        dataset: DatasetIdentity {
            name: "jira_balanced_200".to_owned(),
            sha256: "bf".repeat(32),
            rows: 200,
            source: "embedded".to_owned(),
            columns: BTreeMap::from([("title".to_owned(), "summary".to_owned())]),
            named_columns: BTreeMap::from([("title".to_owned(), "summary".to_owned())]),
            train_answers: BTreeMap::from([("Major".to_owned(), 7)]),
            priorities: BTreeMap::from([("P-1".to_owned(), 3)]),
            examples: Some("held-out-rows".to_owned()),
            baseline_answers: vec![BaselineAnswers {
                name: "tfidf_linear".to_owned(),
                basis: "180 rows that are not judged".to_owned(),
                answers: BTreeMap::from([(InstanceId::new("CRIT-1"), "Major".to_owned())]),
            }],
        },
        templates: BTreeMap::from([("triage/zero-shot".to_owned(), "ab".repeat(32))]),
        profile: Some("cpu-lite".to_owned()),
        machine: serde_json::json!({"os": "linux", "cpu": "Example CPU", "memory_bytes": 8_053_063_680_u64, "cores": 2}),
        puma_version: "0.1.0".to_owned(),
        started_at: START,
        jobs,
    }
}

pub(crate) fn model(name: &str) -> ModelIdentity {
    ModelIdentity {
        name: name.to_owned(),
        digest: Some("sha256:".to_owned() + &"cd".repeat(32)),
        quantization: Some("Q4_1".to_owned()),
        parameters: Some(134_515_008),
        context_length: Some(2048),
        logprobs: Some(true),
        ..ModelIdentity::default()
    }
}

pub(crate) fn instances(count: usize) -> Vec<InstanceRow> {
    (0..count)
        .map(|index| InstanceRow {
            instance_id: InstanceId::new(format!("ISSUE-{index}")),
            scenario: "triage_jira".to_owned(),
            source_id: format!("{index}"),
            fields: serde_json::json!({"title": format!("Issue {index}"), "description": "It fails.\nOften."}),
            gold: "Major".to_owned(),
            group: (index.is_multiple_of(2)).then(|| "CORE".to_owned()),
        })
        .collect()
}

pub(crate) fn record(index: usize) -> JobRecord {
    let prompt = format!("How severe is issue {index}?");
    let at = |ms| Timestamp(START.0 + (index as i64) * 1000 + ms);
    JobRecord {
        job_id: JobId::new(puma_core::canon::sha256_hex(format!("job {index}").as_bytes())),
        instance_id: InstanceId::new(format!("ISSUE-{index}")),
        model: "smollm2:135m".to_owned(),
        strategy: "zero-shot".to_owned(),
        perturbation: None,
        repeat: 0,
        seed: 42,
        gold: "Major".to_owned(),
        group: (index.is_multiple_of(2)).then(|| "CORE".to_owned()),
        prompt_hash: puma_core::canon::short_hash(&prompt),
        prompt,
        outcome: Outcome::Answered,
        answer: Some("Major".to_owned()),
        rule: Some("whole-text".to_owned()),
        confidence: Some(0.1 + 0.2),
        label_probabilities: BTreeMap::from([("Major".to_owned(), 0.1 + 0.2), ("Minor".to_owned(), 1e-300)]),
        completions: vec![completion("Major", -0.105_360_51)],
        error: None,
        failed_attempts: Vec::new(),
        started_at: at(10),
        finished_at: at(60),
    }
}

pub(crate) fn completion(text: &str, logprob: f32) -> Completion {
    let top = vec![
        TopLogprob { id: Some(7), token: text.to_owned(), logprob },
        TopLogprob { id: None, token: "\u{fffd}".to_owned(), logprob: f32::NEG_INFINITY },
    ];
    Completion {
        text: text.to_owned(),
        reasoning: None,
        finish: FinishReason::Stop,
        tokens: vec![TokenLogprob { id: Some(7), token: text.to_owned(), logprob, top }],
        scores: Vec::new(),
        usage: Usage { prompt_tokens: Some(30), cached_tokens: Some(20), generated_tokens: None },
        phases: Phases {
            total_ms: Millis(50.25),
            prompt_ms: Some(Millis(40.0)),
            generation_ms: Some(Millis(10.25)),
            ..Phases::default()
        },
        attempts: Vec::new(),
        from_cache: false,
    }
}

pub(crate) fn failed_record(index: usize) -> JobRecord {
    JobRecord {
        outcome: Outcome::BackendFailed,
        answer: None,
        rule: None,
        confidence: None,
        label_probabilities: BTreeMap::new(),
        completions: Vec::new(),
        error: Some("the server answered 503".to_owned()),
        ..record(index)
    }
}

pub(crate) fn started(run_id: &str, jobs: usize) -> RunEvent {
    RunEvent::RunStarted { header: Box::new(header(run_id, jobs)), instances: instances(jobs), resumed: false }
}

pub(crate) fn resumed(run_id: &str, jobs: usize) -> RunEvent {
    RunEvent::RunStarted { header: Box::new(header(run_id, jobs)), instances: instances(jobs), resumed: true }
}

pub(crate) fn finished(run_id: &str, record: JobRecord) -> RunEvent {
    RunEvent::JobFinished { run_id: RunId::new(run_id), record: Box::new(record) }
}

pub(crate) fn measured(run_id: &str, measurement: SessionMeasurement) -> RunEvent {
    RunEvent::RunMeasured { run_id: RunId::new(run_id), measurement: Box::new(measurement) }
}

/// A session with a processor's and a GPU's counter, over ten seconds.
pub(crate) fn session(started_at: Timestamp, cpu_j: Option<f64>, gpu_j: Option<f64>) -> SessionMeasurement {
    let counted = |channel, device: &str, energy_j| ChannelEnergy {
        channel,
        device: device.to_owned(),
        energy_j,
        source: "counter".to_owned(),
        quality: Quality::Measured,
        counted: true,
        note: None,
    };
    // A part of the package: not to be added again.
    let inside = ChannelEnergy { counted: false, ..counted(Channel::Dram, "package-0", cpu_j) };
    let total_j = cpu_j.zip(gpu_j).map(|(cpu, gpu)| cpu + gpu);
    SessionMeasurement {
        started_at,
        measured_at: Timestamp(started_at.0 + 10_000),
        energy: Some(EnergyReport {
            mode: TrackingMode::Machine,
            duration_s: 10.0,
            channels: vec![
                counted(Channel::Package, "package-0", cpu_j),
                inside,
                counted(Channel::Gpu, "GPU 0", gpu_j),
            ],
            total_j,
            quality: Quality::Measured,
            relative_uncertainty: Some(0.05),
            idle_power_w: Some(Reading::new(10.0, "before the run", Quality::Measured)),
            above_idle_j: total_j.map(|total| total - 100.0),
            phases: vec![PhaseEnergy {
                phase: Phase::Load,
                duration_s: 1.0,
                energy_j: Some(0.1),
                quality: Quality::Measured,
            }],
            intensity: None,
            co2e_g: total_j.map(|_| 100.0),
            warnings: vec!["short".to_owned()],
        }),
        health: None,
    }
}

pub(crate) fn ended(run_id: &str, status: RunStatus) -> RunEvent {
    RunEvent::RunFinished { run_id: RunId::new(run_id), status, at: Timestamp(START.0 + 60_000) }
}
