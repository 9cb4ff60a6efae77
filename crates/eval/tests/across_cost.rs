//! Joules and grams as metrics, and that no row across groups is never computed.

mod metric_records;

use metric_records::{Records, assert_close, completion};
use proptest::prelude::*;
use puma_core::measure::{
    Channel, ChannelEnergy, Contamination, Disturbance, EnergyReport, HealthReport, Phase, PhaseEnergy, Quality,
    SessionMeasurement, Severity, TrackingMode,
};
use puma_core::{JobRecord, Timestamp};
use puma_eval::measured::{energy, sustainability};
use puma_eval::metric::{self, Family, MetricReport, MetricValue, Options, Task, TaskKind};
use puma_eval::stats::Bootstrap;
use std::collections::BTreeSet;

const LABELS: [&str; 2] = ["Major", "Minor"];

fn triage() -> Task {
    Task::classification(LABELS)
}

fn session(from: i64, joules: Option<f64>) -> SessionMeasurement {
    let phase = |phase, joules: f64| PhaseEnergy {
        phase,
        duration_s: 1.0,
        energy_j: Some(joules),
        quality: Quality::Estimated,
    };
    SessionMeasurement {
        started_at: Timestamp(from),
        measured_at: Timestamp(from + 1000),
        energy: Some(EnergyReport {
            mode: TrackingMode::Machine,
            duration_s: 1.0,
            channels: vec![ChannelEnergy {
                channel: Channel::Package,
                device: "package-0".to_owned(),
                energy_j: joules,
                source: "RAPL powercap".to_owned(),
                quality: Quality::Measured,
                counted: true,
                note: None,
            }],
            total_j: joules,
            quality: Quality::Measured,
            relative_uncertainty: Some(0.05),
            idle_power_w: None,
            above_idle_j: None,
            phases: vec![
                phase(Phase::Idle, 9.0),
                phase(Phase::Load, 1.0),
                phase(Phase::Prompt, 2.0),
                phase(Phase::Generation, 3.0),
                phase(Phase::Inference, 4.0),
            ],
            intensity: None,
            co2e_g: joules.map(|joules| joules / 10.0),
            warnings: Vec::new(),
        }),
        health: None,
    }
}

/// Four jobs of one model that took `ms` each, of which two are right.
fn jobs(model: &str, from: i64, ms: f64) -> Vec<JobRecord> {
    let mut records =
        Records::new(&["Major", "Major", "Minor", "Minor"], &[Some("Major"), Some("Minor"), Some("Minor"), None])
            .records;
    for record in &mut records {
        record.model = model.to_owned();
        record.completions = vec![completion(ms)];
        (record.started_at, record.finished_at) = (Timestamp(from), Timestamp(from + 10));
    }
    records
}

fn compute(task: &Task, records: &[JobRecord]) -> MetricReport {
    let options = Options { bootstrap: Bootstrap { resamples: 20, seed: 5, confidence: 0.95 }, ..Options::default() };
    metric::compute(task, records, &options).expect("the right answers fit")
}

fn costs(sessions: &[SessionMeasurement], records: &[JobRecord]) -> Vec<MetricValue> {
    sustainability(&triage(), sessions, records, &compute(&triage(), records).metrics)
}

fn of<'a>(rows: &'a [MetricValue], model: &str, name: &str) -> Option<&'a MetricValue> {
    rows.iter().find(|row| row.model == model && row.name == format!("sustainability.{name}"))
}

#[test]
fn one_model_pays_for_the_whole_run_with_the_meters_own_quality() {
    let (sessions, records) = ([session(0, Some(80.0))], jobs("m", 0, 100.0));
    let rows = costs(&sessions, &records);
    let summary = energy(&sessions, &records, TaskKind::Classification).expect("energy was measured");
    let value = |name| of(&rows, "m", name).map(|row| row.value);
    assert_eq!(value("energy_j"), Some(80.0));
    assert_eq!(value("energy_j_per_job"), summary.per_job_j);
    assert_eq!(value("energy_j_per_correct_answer"), Some(40.0));
    assert_eq!(value("energy_j_per_1000_generated_tokens"), summary.per_1000_generated_tokens_j);
    assert_eq!(
        (value("co2e_g"), value("co2e_g_per_job"), value("co2e_g_per_correct_answer")),
        (Some(8.0), Some(2.0), Some(4.0))
    );
    let f1 = compute(&triage(), &records).metrics.iter().find(|metric| metric.name == "f1_macro").unwrap().value;
    assert_close(value("co2e_g_per_f1_point").unwrap(), 8.0 / f1, "grams a point");
    assert_eq!((value("energy_j.load"), value("energy_j.generation")), (Some(1.0), Some(3.0)));
    let total = of(&rows, "m", "energy_j").unwrap();
    assert_eq!((total.quality, total.source.as_deref(), total.n), (Some(Quality::Measured), Some("RAPL powercap"), 4));
    assert_eq!(of(&rows, "m", "energy_j.load").unwrap().quality, Some(Quality::Estimated));
}

#[test]
fn nothing_is_divided_by_nothing() {
    let mut wrong = jobs("m", 0, 100.0);
    wrong.iter_mut().for_each(|record| record.answer = record.answer.take().map(|_| "Nonsense".to_owned()));
    let rows = costs(&[session(0, Some(80.0))], &wrong);
    assert_eq!(of(&rows, "m", "energy_j_per_correct_answer"), None);
    assert_eq!(of(&rows, "m", "co2e_g_per_f1_point"), None, "an F1 of 0 has no price");
    assert_eq!(of(&rows, "m", "energy_j_per_job").map(|row| row.value), Some(20.0));
}

#[test]
fn a_run_that_was_disturbed_or_not_wholly_measured_has_no_cost() {
    let mut disturbed = session(0, Some(80.0));
    disturbed.health = Some(HealthReport {
        contaminations: vec![Contamination {
            kind: Disturbance::Neighbour,
            severity: Severity::Major,
            from: Timestamp(0),
            until: Timestamp(5),
            detail: "another program".to_owned(),
        }],
        ..HealthReport::default()
    });
    let both = [jobs("m", 0, 100.0), jobs("n", 0, 100.0)].concat();
    for records in [jobs("m", 0, 100.0), both] {
        assert!(costs(std::slice::from_ref(&disturbed), &records).is_empty());
        assert!(costs(&[session(0, None)], &records).is_empty());
        assert!(costs(&[session(0, Some(80.0)), session(5000, None)], &records).is_empty());
        assert!(costs(&[], &records).is_empty());
    }
}

#[test]
fn answers_from_the_cache_cost_nothing_and_pay_nothing() {
    let mut cached = jobs("cached", 0, 100.0);
    cached.iter_mut().for_each(|record| record.completions[0].from_cache = true);
    let rows = costs(&[session(0, Some(80.0))], &[jobs("m", 0, 100.0), cached].concat());
    assert_eq!(of(&rows, "m", "energy_j").map(|row| row.value), Some(80.0));
    assert!(rows.iter().all(|row| row.model == "m"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn models_that_share_a_run_share_its_joules_and_no_joule_is_lost(
        first_ms in 1.0..1000.0_f64, second_ms in 1.0..1000.0_f64, joules in 1.0..1000.0_f64, more in 1.0..1000.0_f64,
    ) {
        let records = [jobs("m", 0, first_ms), jobs("n", 20, second_ms), jobs("n", 2000, 5.0)].concat();
        let sessions = [session(0, Some(joules)), session(2000, Some(more))];
        let rows = costs(&sessions, &records);
        let value = |model| of(&rows, model, "energy_j").unwrap().value;
        let expected = joules * first_ms / (first_ms + second_ms);
        prop_assert!((value("m") - expected).abs() < 1e-9 * expected, "the second session is not m's");
        prop_assert!((value("m") + value("n") - joules - more).abs() < 1e-9 * (joules + more));
        prop_assert!(rows.iter().all(|row| row.quality == Some(Quality::Estimated) && !row.name.contains("energy_j.")));
    }
}

#[test]
fn every_row_across_groups_is_computed_somewhere_and_nothing_else() {
    let forms = [None, Some("gender_swap_prefix_male"), Some("gender_swap_prefix_female")];
    let repeated = |golds: [&str; 3], answers: [&str; 3]| {
        let mut all = Vec::new();
        for (index, perturbation) in forms.iter().enumerate() {
            for repeat in 0..2 {
                let golds: Vec<&str> = golds.iter().copied().cycle().take(30).collect();
                let mut answers: Vec<Option<&str>> = answers.iter().copied().cycle().map(Some).take(30).collect();
                answers.rotate_left(index);
                let mut records = Records::new(&golds, &answers).records;
                for (position, record) in records.iter_mut().enumerate() {
                    record.perturbation = perturbation.map(str::to_owned);
                    record.repeat = repeat;
                    record.group = Some(["XD", "TDQ"][position % 2].to_owned());
                    record.completions = vec![completion(10.0)];
                }
                all.extend(records);
            }
        }
        all
    };
    let across = [Family::Robustness, Family::Fairness, Family::Stability, Family::Sustainability];
    let mut found = BTreeSet::new();
    for (task, records) in [
        (triage(), repeated(["Major", "Major", "Minor"], ["Major", "Minor", "Minor"])),
        (Task::regression(Vec::<String>::new()), repeated(["1", "2", "3"], ["1", "3", "5"])),
    ] {
        let report = compute(&task, &records);
        let costs = sustainability(&task, &[session(0, Some(80.0))], &records, &report.metrics);
        for row in report.across.metrics.iter().chain(&costs) {
            let (def, name) = metric::resolve(&row.name).expect("a metric of the table");
            assert!(def.families.iter().all(|family| across.contains(family)), "{name}");
            found.insert(def.name);
        }
    }
    let rows = metric::metrics().filter(|def| def.families.iter().any(|family| across.contains(family)));
    assert_eq!(found, rows.map(|def| def.name).collect::<BTreeSet<_>>());
}
