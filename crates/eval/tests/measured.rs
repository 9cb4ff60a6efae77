//! What a run cost, and which jobs a disturbance touched.

use puma_core::measure::{
    Channel, ChannelEnergy, Contamination, Disturbance, EnergyReport, HealthReport, Phase, PhaseEnergy,
    SessionMeasurement, Severity, TrackingMode,
};
use puma_core::{
    Completion, FinishReason, InstanceId, JobId, JobRecord, Millis, Outcome, Phases, Quality, Timestamp, Usage,
};
use puma_eval::measured::{energy, health};
use puma_eval::metric::TaskKind;

fn record(name: &str, from: i64, until: i64, answer: &str, tokens: u32, from_cache: bool) -> JobRecord {
    JobRecord {
        job_id: JobId::new(name),
        instance_id: InstanceId::new(name),
        model: "m".to_owned(),
        strategy: "zero-shot".to_owned(),
        perturbation: None,
        repeat: 0,
        seed: 1,
        gold: "Major".to_owned(),
        group: None,
        prompt: String::new(),
        prompt_hash: String::new(),
        outcome: Outcome::Answered,
        answer: Some(answer.to_owned()),
        rule: None,
        confidence: None,
        label_probabilities: Default::default(),
        completions: vec![Completion {
            text: answer.to_owned(),
            reasoning: None,
            finish: FinishReason::Stop,
            tokens: Vec::new(),
            scores: Vec::new(),
            usage: Usage { generated_tokens: Some(tokens), ..Usage::default() },
            phases: Phases { total_ms: Millis(1.0), ..Phases::default() },
            attempts: Vec::new(),
            from_cache,
        }],
        error: None,
        failed_attempts: Vec::new(),
        started_at: Timestamp(from),
        finished_at: Timestamp(until),
    }
}

fn session(started_at: i64, joules: Option<f64>) -> SessionMeasurement {
    let energy = EnergyReport {
        mode: TrackingMode::Machine,
        duration_s: 5.0,
        channels: vec![ChannelEnergy {
            channel: Channel::Package,
            device: "package-0".to_owned(),
            energy_j: joules,
            source: "RAPL".to_owned(),
            quality: Quality::Measured,
            counted: true,
            note: None,
        }],
        total_j: joules,
        quality: Quality::Measured,
        relative_uncertainty: Some(0.05),
        idle_power_w: None,
        above_idle_j: joules.map(|joules| joules / 2.0),
        phases: vec![PhaseEnergy { phase: Phase::Load, duration_s: 1.0, energy_j: joules, quality: Quality::Measured }],
        intensity: None,
        co2e_g: joules.map(|joules| joules / 100.0),
        warnings: vec!["short".to_owned()],
    };
    SessionMeasurement {
        started_at: Timestamp(started_at),
        measured_at: Timestamp(started_at + 5000),
        energy: Some(energy),
        health: None,
    }
}

fn records() -> Vec<JobRecord> {
    vec![
        record("right", 0, 1000, "Major", 500, false),
        record("wrong", 1000, 2000, "Minor", 1500, false),
        record("remembered", 1000, 1001, "Major", 700, true),
    ]
}

#[test]
fn joules_are_related_to_what_the_model_was_really_asked() {
    let summary =
        energy(&[session(0, Some(60.0)), session(9000, Some(40.0))], &records(), TaskKind::Classification).unwrap();
    assert_eq!((summary.total_j, summary.sessions, summary.sessions_total), (Some(100.0), 2, 2));
    assert_eq!(summary.per_job_j, Some(50.0));
    assert_eq!(summary.per_correct_answer_j, Some(100.0), "the remembered answer cost nothing and earns nothing");
    assert_eq!(summary.per_1000_generated_tokens_j, Some(50.0));
    assert_eq!((summary.above_idle_j, summary.co2e_g), (Some(50.0), Some(1.0)));
    assert_eq!(summary.channels.len(), 1);
    assert_eq!(summary.channels[0].energy_j, Some(100.0));
    assert_eq!(summary.phases[0].energy_j, Some(100.0));
    assert_eq!(summary.warnings, ["short"]);
    let numbers = energy(&[session(0, Some(60.0))], &records(), TaskKind::Regression).unwrap();
    assert_eq!(numbers.per_correct_answer_j, None, "how right a number is, is a matter of degree");
}

#[test]
fn a_job_that_was_finished_after_a_killed_sessions_last_numbers_shares_in_no_joules() {
    let mut killed = records();
    killed.push(record("unmeasured", 4000, 6000, "Major", 1000, false));
    let sessions = [session(0, Some(60.0)), session(9000, Some(40.0))];
    let summary = energy(&sessions, &killed, TaskKind::Classification).unwrap();
    assert_eq!(
        (summary.total_j, summary.per_job_j, summary.per_correct_answer_j),
        (Some(100.0), Some(50.0), Some(100.0))
    );
}

#[test]
fn models_and_strategies_that_share_the_joules_are_not_averaged() {
    let mut records = records();
    records[1].strategy = "egi".to_owned();
    let summary = energy(&[session(0, Some(60.0))], &records, TaskKind::Classification).expect("energy was measured");
    assert_eq!(summary.total_j, Some(60.0));
    assert_eq!(
        (summary.per_job_j, summary.per_correct_answer_j, summary.per_1000_generated_tokens_j),
        (None, None, None)
    );
}

#[test]
fn one_session_without_a_number_makes_the_sum_unknown() {
    let unmeasured = SessionMeasurement { energy: None, ..session(9000, None) };
    for sessions in [[session(0, Some(60.0)), session(9000, None)], [session(0, Some(60.0)), unmeasured]] {
        let summary = energy(&sessions, &records(), TaskKind::Classification).unwrap();
        assert_eq!((summary.total_j, summary.per_job_j, summary.co2e_g), (None, None, None));
    }
    assert_eq!(energy(&[], &records(), TaskKind::Classification), None);
}

#[test]
fn a_disturbance_names_the_jobs_that_ran_in_it() {
    let paging = |severity, from, until| Contamination {
        kind: Disturbance::Paging,
        severity,
        from: Timestamp(from),
        until: Timestamp(until),
        detail: "read again".to_owned(),
    };
    let watched = |contaminations: Vec<Contamination>| SessionMeasurement {
        energy: None,
        health: Some(HealthReport { contaminations, ..HealthReport::default() }),
        ..session(0, None)
    };
    let summary = health(&[watched(vec![paging(Severity::Minor, 1500, 1600)])], &records()).unwrap();
    assert!(!summary.void);
    assert_eq!((summary.jobs_touched, summary.disturbances[0].jobs[0].as_str()), (1, "wrong"));
    let both = vec![paging(Severity::Major, 900, 1100), paging(Severity::Minor, 5000, 6000)];
    let summary = health(&[watched(both)], &records()).unwrap();
    assert!(summary.void);
    assert_eq!(summary.jobs_touched, 2, "a remembered answer cannot be disturbed");
    assert!(summary.disturbances[1].jobs.is_empty());
    assert_eq!(health(&[session(0, None)], &records()), None, "nobody watched");
}
