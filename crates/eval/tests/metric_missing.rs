//! No metric drops a failed answer in silence: the whole table is walked with every outcome.
//!
//! What a metric makes of a record without a usable answer stands in its row as [`Missing`]. Here an answer that was right
//! is taken away, in every way an answer can fail, and the metric must do what its row says.

mod metric_records;

use metric_records::{Records, Run, runs};
use proptest::prelude::*;
use puma_core::{JobRecord, Outcome};
use puma_eval::metric::{
    self, Better, Family, MetricDef, MetricValue, Missing, MissingAnswers, Options, Task, is_correct,
};
use std::collections::{BTreeMap, BTreeSet};

/// How an answer of a model can fail. [`Outcome::BackendFailed`] is no answer of a model.
const FAILURES: [Outcome; 4] = [Outcome::Unparsed, Outcome::Ambiguous, Outcome::Truncated, Outcome::Empty];

type Scores = BTreeMap<(String, Option<String>), MetricValue>;

fn scores(run: &Run) -> Scores {
    let report = metric::compute(&run.task, &run.records, &run.options).expect("the records fit the task");
    report.metrics.into_iter().map(|value| ((value.name.clone(), value.perturbation.clone()), value)).collect()
}

/// The run in which the record at `index` ended in `outcome`.
fn failed(run: &Run, index: usize, outcome: Outcome) -> Run {
    let mut run = run.clone();
    let record = &mut run.records[index];
    (record.outcome, record.answer, record.confidence) = (outcome, None, None);
    run
}

/// Records that were answered rightly.
fn right(run: &Run) -> Vec<usize> {
    (0..run.records.len()).filter(|index| is_correct(&run.task, &run.records[*index]) == Some(true)).collect()
}

fn named(name: &str) -> &'static MetricDef {
    metric::metrics().find(|def| def.name == name).unwrap_or_else(|| panic!("no row is named {name}"))
}

/// The families that judge a group by itself. Those across groups have laws of their own (`across*.rs`).
fn of_one_group() -> impl Iterator<Item = &'static MetricDef> {
    let across = [Family::Robustness, Family::Fairness, Family::Stability, Family::Sustainability];
    metric::metrics().filter(move |def| !def.families.iter().any(|family| across.contains(family)))
}

/// Whether falling silent can never better the metric.
fn is_undroppable(missing: Missing) -> bool {
    matches!(missing, Missing::CountsAsWrong | Missing::CountsAsGuess | Missing::ComesLast | Missing::IsCounted)
}

fn worse(before: &MetricValue, after: &MetricValue) -> f64 {
    match before.better {
        Better::Higher => before.value - after.value,
        Better::Lower => after.value - before.value,
        Better::Neither => (before.value - after.value).abs(),
    }
}

/// Checks one metric before and after; tells whether it reacted.
fn check(def: &MetricDef, before: &MetricValue, after: Option<&MetricValue>, place: &str) -> bool {
    let changed = after.is_none_or(|after| after.value != before.value || after.n != before.n);
    let still = || after.unwrap_or_else(|| panic!("{place} vanished"));
    match def.missing {
        Missing::CountsAsWrong | Missing::CountsForNoLabel { .. } | Missing::CountsAsGuess | Missing::ComesLast => {
            assert_eq!(still().n, before.n, "{place}: the record is still counted");
            assert!(worse(before, still()) >= -1e-12, "{place}: {before:?} became better: {after:?}");
        }
        Missing::CountsAsOwnAnswer { .. } | Missing::CountsForTheOther { .. } | Missing::CountsAsChange => {
            assert_eq!(still().n, before.n, "{place}: the record is still counted");
        }
        Missing::LeftOut { .. } => {
            assert!(after.is_none_or(|after| after.n <= before.n), "{place}: n tells how many were looked at");
            assert!(
                after.is_none_or(|after| after.n < before.n || after.value == before.value),
                "{place}: left out and not told: {before:?} {after:?}"
            );
        }
        Missing::IsCounted => {}
        Missing::CountsAlike => assert!(!changed, "{place}: {before:?} {after:?}"),
    }
    changed
}

#[test]
fn every_metric_does_with_a_failed_answer_what_its_row_says() {
    let mut reacted = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for run in runs() {
        let before = scores(&run);
        for index in right(&run) {
            for outcome in FAILURES {
                let after = scores(&failed(&run, index, outcome));
                for (key, value) in &before {
                    // What other groups say is theirs; only pair_swap is told against another group.
                    let own = key.1 == run.records[index].perturbation;
                    let (def, _) = metric::resolve(&key.0).expect("a metric of the table");
                    let place = format!("{} ({:?}), record {index} {outcome}", key.0, key.1);
                    seen.insert(def.name);
                    if own || def.name == "swap_consistency" || def.name == "accuracy_both_orders" {
                        if check(def, value, after.get(key), &place) {
                            reacted.insert(def.name);
                        }
                    } else {
                        assert_eq!(after.get(key), Some(value), "{place}: another group");
                    }
                }
            }
        }
    }
    let table: BTreeSet<&str> = of_one_group().map(|def| def.name).collect();
    assert_eq!(seen, table, "every metric of the table was held to its row");
    let silent = of_one_group().filter(|def| def.missing != Missing::CountsAlike && !reacted.contains(def.name));
    // That a request failed is what this one counts; the next test takes it.
    let silent: Vec<&str> = silent.map(|def| def.name).filter(|name| *name != "outcome.backend_failed").collect();
    assert!(silent.is_empty(), "these never reacted to a failure: {silent:?}");
}

#[test]
fn a_metric_that_can_profit_from_silence_names_one_that_cannot() {
    for def in of_one_group() {
        match def.missing {
            Missing::LeftOut { beside, twin } => {
                assert_eq!(named(beside).missing, Missing::IsCounted, "{}: {beside} counts the answers", def.name);
                assert!(is_undroppable(named(twin).missing), "{}: {twin} can profit from silence", def.name);
            }
            Missing::CountsAsOwnAnswer { beside }
            | Missing::CountsForNoLabel { beside }
            | Missing::CountsForTheOther { beside } => {
                assert_eq!(named(beside).missing, Missing::CountsAsWrong, "{}: {beside}", def.name);
            }
            Missing::CountsAsWrong
            | Missing::CountsAsGuess
            | Missing::ComesLast
            | Missing::CountsAsChange
            | Missing::IsCounted
            | Missing::CountsAlike => {}
        }
    }
}

#[test]
fn what_a_row_says_to_read_beside_it_stands_in_the_table_and_looks_at_every_record() {
    for def in metric::metrics() {
        let others = match def.missing {
            Missing::LeftOut { beside, twin } => vec![beside, twin],
            Missing::CountsAsOwnAnswer { beside }
            | Missing::CountsForNoLabel { beside }
            | Missing::CountsForTheOther { beside } => vec![beside],
            _ => Vec::new(),
        };
        for other in others {
            assert!(!matches!(named(other).missing, Missing::LeftOut { .. }), "{}: {other}", def.name);
        }
    }
}

/// What tells of all records, or learns from the right answers of all instances, whether they were asked or not.
fn looks_beyond(name: &str) -> bool {
    let prefixes = ["outcome.", "backend_failure_rate", "n_predictions", "standardised", "guess_", "mae_imputed"];
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

#[test]
fn a_failed_request_scores_as_if_it_had_not_been_made_and_makes_the_run_incomparable() {
    for run in runs() {
        for index in right(&run) {
            let mut without = run.clone();
            without.records.remove(index);
            let mut gone = failed(&run, index, Outcome::BackendFailed);
            gone.records[index].completions.clear();
            let report = metric::compute(&gone.task, &gone.records, &gone.options).expect("the records fit the task");
            assert!(!report.comparable, "record {index}");
            let (expected, found) = (scores(&without), scores(&gone));
            for (key, value) in expected.iter().filter(|(key, _)| !looks_beyond(&key.0)) {
                let other = found.get(key).unwrap_or_else(|| panic!("{key:?} vanished"));
                assert_eq!((other.value, other.n), (value.value, value.n), "{key:?}, record {index}");
            }
        }
    }
}

#[test]
fn upstreams_way_scores_an_unread_answer_as_if_it_had_not_been_asked() {
    for mut run in runs() {
        run.options.missing = MissingAnswers::Dropped;
        for index in right(&run) {
            let mut without = run.clone();
            without.records.remove(index);
            let (expected, found) = (scores(&without), scores(&failed(&run, index, Outcome::Unparsed)));
            for name in ["f1_macro", "accuracy", "per_class.Minor.recall", "mcc", "mae", "r2", "pred_25", "ece", "aurc"]
            {
                for key in expected.keys().filter(|key| key.0 == name) {
                    assert_eq!(found.get(key).map(|value| value.value), Some(expected[key].value), "{key:?}");
                }
            }
            assert!(found.iter().any(|(key, value)| key.0 == "parse_failure_rate" && value.value > 0.0));
        }
    }
}

/// Records from (right answer, given answer, confidence in percent); answers beyond the labels could not be read.
fn graded(labels: &[&str], graded: &[(usize, usize, u32)]) -> Vec<JobRecord> {
    let golds: Vec<&str> = graded.iter().map(|(gold, ..)| labels[*gold]).collect();
    let answers: Vec<Option<&str>> = graded.iter().map(|(_, answer, _)| labels.get(*answer).copied()).collect();
    let mut records = Records::new(&golds, &answers).records;
    for (record, (_, _, percent)) in records.iter_mut().zip(graded) {
        record.confidence = record.answer.is_some().then_some(f64::from(*percent) / 100.0);
    }
    records
}

/// Silences each right record of `run` and checks every metric.
fn no_silence_helps(run: &Run) {
    let before = scores(run);
    let answered = run.records.iter().filter(|record| record.answer.is_some()).count();
    for index in right(run) {
        let after = scores(&failed(run, index, Outcome::Truncated));
        for (key, value) in &before {
            let (def, name) = metric::resolve(&key.0).expect("a metric of the table");
            let place = format!("{name}, record {index}");
            if is_undroppable(def.missing) && def.missing != Missing::IsCounted {
                // Without a single answer there is no order of confidence, and nobody is ranked by it.
                if def.missing == Missing::ComesLast && answered == 1 {
                    continue;
                }
                let after = after.get(key).unwrap_or_else(|| panic!("{place} vanished"));
                assert!(worse(value, after) >= -1e-12, "{place}: {value:?} became better: {after:?}");
            }
            // Below 0 the agreement is worse than chance, and an answer unlike the others comes closer to chance.
            if ["cohen_kappa", "quadratic_weighted_kappa"].contains(&name.as_str()) && value.value >= 0.0 {
                assert!(worse(value, &after[key]) >= -1e-12, "{place}: {value:?} became better: {:?}", after[key]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_label_scores_better_for_falling_silent_where_it_was_right(
        answers in prop::collection::vec((0usize..3, 0usize..4, 0u32..=20), 1..14),
    ) {
        let labels = ["Critical", "Major", "Minor"];
        let records = graded(&labels, &answers);
        no_silence_helps(&Run { task: Task::classification(labels), options: no_resampling(), records });
    }

    #[test]
    fn no_number_scores_better_for_falling_silent_where_it_was_right(
        // With one instance there is nothing to guess from, and so nothing to put in the place of an answer.
        answers in prop::collection::vec((0usize..4, 0usize..5, 0u32..=20), 2..14),
    ) {
        let deck = ["1", "3", "8", "40"];
        no_silence_helps(&Run { task: Task::regression(deck), options: no_resampling(), records: graded(&deck, &answers) });
    }
}

fn no_resampling() -> Options {
    let mut options = Options::default();
    options.bootstrap.resamples = 0;
    options
}
