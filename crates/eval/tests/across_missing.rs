//! No metric across groups drops a failed answer silently: each does with it what its row says.

mod metric_records;

use metric_records::{Records, assert_close, completion};
use puma_core::measure::{EnergyReport, Quality, SessionMeasurement, TrackingMode};
use puma_core::{JobRecord, Outcome, Timestamp};
use puma_eval::measured::sustainability;
use puma_eval::metric::{self, Better, Family, MetricDef, MetricValue, Missing, Options, Task, resolve};
use puma_eval::stats::Bootstrap;
use std::collections::{BTreeMap, BTreeSet};

const ACROSS: [Family; 4] = [Family::Robustness, Family::Fairness, Family::Stability, Family::Sustainability];
const SILENT: [Outcome; 4] = [Outcome::Unparsed, Outcome::Ambiguous, Outcome::Truncated, Outcome::Empty];
const FORMS: [Option<&str>; 3] = [None, Some("gender_swap_prefix_male"), Some("gender_swap_prefix_female")];

/// Rows of one name are told apart by perturbation and subgroup.
type Key = (String, Option<String>, Option<String>);

fn session() -> SessionMeasurement {
    SessionMeasurement {
        started_at: Timestamp(0),
        measured_at: Timestamp(1000),
        energy: Some(EnergyReport {
            mode: TrackingMode::Machine,
            duration_s: 1.0,
            channels: Vec::new(),
            total_j: Some(100.0),
            quality: Quality::Measured,
            relative_uncertainty: None,
            idle_power_w: None,
            above_idle_j: None,
            phases: Vec::new(),
            intensity: None,
            co2e_g: Some(1.0),
            warnings: Vec::new(),
        }),
        health: None,
    }
}

/// Twenty instances of two projects in three forms, twice each; most answers are right, the forms and
/// repetitions differ, and the second repetition has a silence of its own.
fn records(choices: [&str; 3]) -> Vec<JobRecord> {
    let golds: Vec<&str> = choices.iter().copied().cycle().take(20).collect();
    let mut all = Vec::new();
    for (form, perturbation) in FORMS.iter().enumerate() {
        for repeat in 0..2_usize {
            let wrong = |i: usize| (i * 7 + form + repeat).is_multiple_of([7, 4, 2][form]);
            let answers: Vec<Option<&str>> =
                (0..20).map(|i| Some(if wrong(i) { choices[(i + 1) % 3] } else { golds[i] })).collect();
            for (position, mut record) in Records::new(&golds, &answers).records.into_iter().enumerate() {
                record.perturbation = perturbation.map(str::to_owned);
                record.repeat = repeat as u32;
                record.group = Some(["XD", "TDQ"][position % 2].to_owned());
                record.completions = vec![completion(10.0)];
                if repeat == 1 && position == 19 {
                    (record.outcome, record.answer) = (Outcome::Unparsed, None);
                }
                all.push(record);
            }
        }
    }
    all
}

fn values(task: &Task, records: &[JobRecord]) -> BTreeMap<Key, f64> {
    let options = Options { bootstrap: Bootstrap { resamples: 0, seed: 5, confidence: 0.95 }, ..Options::default() };
    let report = metric::compute(task, records, &options).expect("the right answers fit");
    let costs = sustainability(task, &[session()], records, &report.metrics);
    let key = |row: &MetricValue| (row.name.clone(), row.perturbation.clone(), row.subgroup.clone());
    report.across.metrics.iter().chain(&costs).map(|row| (key(row), row.value)).collect()
}

/// How much better the metric became.
fn improvement(def: &MetricDef, before: Option<f64>, after: Option<f64>) -> f64 {
    let (Some(before), Some(after)) = (before, after) else { return 0.0 };
    match def.better {
        Better::Higher => after - before,
        Better::Lower => before - after,
        Better::Neither => 0.0,
    }
}

/// Checks one metric after one answer was lost.
fn judge(def: &MetricDef, key: &Key, before: Option<f64>, after: Option<f64>, place: &str) {
    let place = format!("{place}: {key:?} from {before:?} to {after:?}");
    match def.missing {
        Missing::CountsAsWrong => assert!(improvement(def, before, after) <= 1e-12, "{place}"),
        Missing::CountsAlike => assert_eq!(before, after, "{place}"),
        Missing::CountsAsChange
        | Missing::IsCounted
        | Missing::CountsAsOwnAnswer { .. }
        | Missing::CountsAsGuess
        | Missing::LeftOut { .. } => {}
        Missing::CountsForNoLabel { .. } | Missing::CountsForTheOther { .. } | Missing::ComesLast => {
            panic!("{place}: no rule of these families")
        }
    }
}

#[test]
fn each_metric_does_with_a_lost_answer_what_its_row_says() {
    let mut moved: BTreeSet<&str> = BTreeSet::new();
    for (task, choices) in [
        (Task::classification(["Critical", "Major", "Minor"]), ["Critical", "Major", "Minor"]),
        (Task::regression(Vec::<String>::new()), ["1", "3", "8"]),
    ] {
        let all = records(choices);
        let before = values(&task, &all);
        let right: Vec<usize> = (0..all.len()).filter(|i| all[*i].answer.as_deref() == Some(&all[*i].gold)).collect();
        for &lost in &right {
            let mut silent = all.clone();
            silent[lost].answer = None;
            let mut seen: Option<BTreeMap<Key, f64>> = None;
            // That the kinds of silence are alike is seen once.
            for outcome in SILENT.into_iter().take(if lost == right[0] { 4 } else { 1 }) {
                silent[lost].outcome = outcome;
                let after = values(&task, &silent);
                assert_eq!(
                    &after,
                    seen.get_or_insert_with(|| after.clone()),
                    "{outcome} counts like any other silence"
                );
            }
            let after = seen.expect("there are silent outcomes");
            let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let (def, _) = resolve(&key.0).expect("a metric of the table");
                let (before, after) = (before.get(key).copied(), after.get(key).copied());
                judge(def, key, before, after, &format!("{lost}"));
                if before != after {
                    moved.insert(def.name);
                }
            }
        }
    }
    // Whatever does not say that it is indifferent is moved by some lost answer.
    for def in metric::metrics().filter(|def| def.families.iter().any(|family| ACROSS.contains(family))) {
        let indifferent = matches!(def.missing, Missing::CountsAlike);
        // Shown only with resampling; phases are of the meters.
        let not_here = def.name == "fairness.gap_p" || def.name.starts_with("sustainability.energy_j.");
        assert!(not_here || moved.contains(def.name) != indifferent, "{}: {:?}", def.name, def.missing);
    }
}

#[test]
fn a_lost_answer_that_was_no_flip_becomes_one() {
    let task = Task::classification(["Critical", "Major", "Minor"]);
    let golds = ["Major"; 4];
    let mut other = Records::new(&golds, &[Some("Major"); 4]).records;
    other.iter_mut().for_each(|record| record.perturbation = Some("typos_5pct".to_owned()));
    other[2].answer = None;
    other[2].outcome = Outcome::Truncated;
    let all = [Records::new(&golds, &[Some("Major"); 4]).records, other].concat();
    let value = |name: &str| values(&task, &all)[&(name.to_owned(), Some("typos_5pct".to_owned()), None)];
    assert_close(value("robustness.flip_rate"), 0.25, "flips");
    assert_close(value("robustness.consistency"), 0.75, "consistency");
}

#[test]
fn what_stands_beside_a_metric_cannot_hide_a_silence() {
    for def in metric::metrics().filter(|def| def.families.iter().any(|family| ACROSS.contains(family))) {
        let exists = |name: &str| resolve(name).unwrap_or_else(|error| panic!("{}: {error}", def.name)).0.missing;
        match def.missing {
            Missing::LeftOut { beside, twin } => {
                assert!(matches!(exists(beside), Missing::IsCounted), "{}: {beside}", def.name);
                assert!(!matches!(exists(twin), Missing::LeftOut { .. }), "{}: {twin}", def.name);
            }
            Missing::CountsAsOwnAnswer { beside } => {
                let rule = exists(beside);
                let tells = matches!(rule, Missing::CountsAsWrong | Missing::IsCounted | Missing::CountsAsChange);
                assert!(tells, "{}: {beside} is {rule:?}", def.name);
            }
            _ => {}
        }
    }
}
