//! Ranked tables: who stands together, who is left out, what the letters promise.

mod comparison_support;

use comparison_support::{by_model, by_strategy, estimation_run, gold, joined, triage_run};
use proptest::prelude::*;
use puma_core::{Outcome, RecordedRun, RunId, Timestamp};
use puma_eval::leaderboard::{Board, BoardError, Options, compact_letters, leaderboard, rank_intervals};

/// A run of model `name` that is right on `right` of `n` instances.
fn run_of(name: &str, n: usize, right: impl Fn(usize) -> bool) -> RecordedRun {
    let answers: Vec<Option<&str>> =
        (0..n).map(|index| Some(if right(index) { gold(index) } else { gold(index + 1) })).collect();
    by_model(triage_run(&format!("run-{name}"), &answers), name, &format!("sha256:{name}"))
}

fn board(runs: &[RecordedRun]) -> Board {
    leaderboard(runs, &Options::default()).expect("the headline ranks")
}

fn by(metric: &str) -> Options {
    Options { metric: Some(metric.to_owned()), ..Options::default() }
}

#[test]
fn the_best_stands_first_with_letters_and_ranks() {
    let runs = [
        run_of("poor", 80, |index| index % 4 == 0),
        run_of("good", 80, |index| index % 8 != 0),
        run_of("fair", 80, |index| index % 8 != 0 && index % 40 != 1),
    ];
    let found = board(&runs);
    assert_eq!((found.tables.len(), found.left_out.len()), (1, 0));
    let table = &found.tables[0];
    assert_eq!((table.instances, table.metric.as_str(), table.tests), (80, "f1_macro", 3));
    let rows: Vec<(&str, Option<&str>, usize, usize, usize)> = table
        .entries
        .iter()
        .map(|e| (e.model.as_str(), e.letters.as_deref(), e.rank, e.rank_low, e.rank_high))
        .collect();
    assert_eq!(rows, [("good", Some("a"), 1, 1, 2), ("fair", Some("a"), 2, 1, 2), ("poor", Some("b"), 3, 3, 3)]);
}

#[test]
fn a_model_below_a_trivial_judge_says_so() {
    let found = board(&[run_of("bad", 40, |_| false)]);
    let entry = &found.tables[0].entries[0];
    assert!(!found.tables[0].baselines.is_empty());
    assert_eq!(entry.beaten_by.len(), found.tables[0].baselines.len(), "{:?}", entry.beaten_by);
}

#[test]
fn other_instances_are_another_table() {
    let mut other = run_of("m2", 20, |_| true);
    other.records.pop();
    other.instances.pop();
    let mut other_data = run_of("m3", 20, |_| true);
    other_data.header.dataset.sha256 = "aa".repeat(32);
    let mut compat = run_of("m4", 20, |_| true);
    compat.header.spec["compat"] = "puma-4".into();
    let found = board(&[run_of("m1", 20, |_| true), other, other_data, compat]);
    assert_eq!(found.tables.iter().map(|table| table.entries.len()).collect::<Vec<_>>(), [1, 1, 1, 1]);
}

#[test]
fn unfinished_and_repeated_runs_are_left_out_with_the_reason() {
    let mut failed = run_of("m1", 8, |_| true);
    failed.records[3].outcome = Outcome::BackendFailed;
    let mut missing = run_of("m2", 8, |_| true);
    missing.records.pop();
    let old = run_of("m3", 8, |_| true);
    let mut new = old.clone();
    new.header.run_id = RunId::new("run-m3-again");
    new.header.started_at = Timestamp(5_000);
    let runs = [failed, missing, old, new];
    let found = board(&runs);
    let mut reasons: Vec<(&str, &str)> =
        found.left_out.iter().map(|left| (left.run_id.as_str(), left.reason.as_str())).collect();
    reasons.sort_unstable();
    assert_eq!(
        reasons,
        [
            ("run-m1", "1 jobs failed in the backend"),
            ("run-m2", "1 jobs are missing (done)"),
            ("run-m3", "a newer run repeats it")
        ]
    );
    assert_eq!(found.tables[0].entries[0].run_id, "run-m3-again");
    let all = leaderboard(&runs, &Options { all: true, ..Options::default() }).expect("the headline ranks");
    assert_eq!(all.tables[0].entries.len(), 2);
}

#[test]
fn perturbed_jobs_are_not_ranked_and_strategies_are() {
    let base = run_of("m1", 12, |_| true);
    let mut perturbed = base.clone();
    perturbed.records.iter_mut().for_each(|record| record.perturbation = Some("typos".to_owned()));
    let run = joined(joined(base.clone(), &by_strategy(base, "rcoif")), &perturbed);
    let table = &board(&[run]).tables[0];
    assert_eq!(table.entries.iter().map(|e| e.strategy.as_str()).collect::<Vec<_>>(), ["rcoif", "zero-shot"]);
    assert_eq!((table.entries[0].rank, table.entries[1].rank), (1, 1), "equal values share a rank");
}

#[test]
fn silence_does_not_win_an_estimation() {
    let golds: Vec<&str> = (0..24).map(|index| ["1", "2", "3", "5", "8", "13"][index % 6]).collect();
    let near: Vec<Option<&str>> = golds.iter().map(|gold| Some(if *gold == "5" { "8" } else { gold })).collect();
    let silent: Vec<Option<&str>> = golds.iter().map(|gold| Some(*gold).filter(|gold| *gold == "1")).collect();
    let runs = [
        by_model(estimation_run("silent", &golds, &silent), "silent", "sha256:aa"),
        by_model(estimation_run("near", &golds, &near), "near", "sha256:bb"),
    ];
    let found = board(&runs);
    let table = &found.tables[0];
    assert_eq!(table.metric, "mae_imputed");
    assert_eq!(table.entries[0].model, "near", "a mean over the easy ones is no victory");
    assert!(table.baselines.iter().any(|baseline| baseline.name == "median"), "{:?}", table.baselines);
    let plain = leaderboard(&runs, &by("mae")).expect("it ranks");
    assert_eq!(plain.tables[0].entries[0].model, "silent");
}

#[test]
fn accuracy_is_tested_exactly() {
    let runs = [run_of("m1", 40, |_| true), run_of("m2", 40, |index| index >= 5)];
    let table = &leaderboard(&runs, &by("accuracy")).expect("it ranks").tables[0];
    assert_eq!(table.test, "McNemar's exact test");
    // 5 to 0 is p = 0.0625: not yet enough.
    assert_eq!(table.entries[1].letters.as_deref(), Some("a"));
    let runs = [run_of("m1", 40, |_| true), run_of("m2", 40, |index| index >= 6)];
    let table = &leaderboard(&runs, &by("accuracy")).expect("it ranks").tables[0];
    assert_eq!(table.entries[1].letters.as_deref(), Some("b"));
}

#[test]
fn what_cannot_rank_is_an_error_and_what_cannot_be_tested_has_no_letters() {
    let runs = [run_of("m1", 8, |_| true), run_of("m2", 8, |_| false)];
    assert!(matches!(leaderboard(&runs, &by("f1_marco")), Err(BoardError::UnknownMetric(_))));
    assert!(matches!(leaderboard(&runs, &by("n_samples")), Err(BoardError::NoDirection { .. })));
    let table = &leaderboard(&runs, &by("parse_failure_rate")).expect("it ranks").tables[0];
    assert_eq!((table.test.as_str(), table.entries[0].letters.as_deref()), ("not tested", None));
    assert_eq!((table.entries[0].rank_low, table.entries[0].rank_high), (1, 2));
    let latency = leaderboard(&runs, &by("latency_p50")).expect("it ranks");
    assert_eq!((latency.tables.len(), latency.left_out.len()), (0, 2), "no job tells a time");
}

#[test]
fn every_pair_of_fifty_entries_is_tested_and_the_best_is_not_the_worst() {
    let right = |model: usize| move |index: usize| (index * 7 + model) % 60 > model;
    let runs: Vec<RecordedRun> = (0..50).map(|model| run_of(&format!("m{model:02}"), 200, right(model))).collect();
    let mut options = Options::default();
    options.score.bootstrap.resamples = 100;
    let table = leaderboard(&runs, &options).expect("the headline ranks").tables.remove(0);
    assert_eq!((table.entries.len(), table.tests), (50, 1225));
    let (best, worst) = (&table.entries[0], &table.entries[49]);
    assert!(best.rank_high < worst.rank_low, "{} {}", best.rank_high, worst.rank_low);
    // Beyond 26 letters names have two, set apart by spaces.
    let shared = |name: &str| worst.letters.iter().flat_map(|own| own.split(' ')).any(|other| other == name);
    assert!(!best.letters.iter().flat_map(|own| own.split(' ')).any(shared), "{:?} {:?}", best.letters, worst.letters);
}

/// Which of the pairs of `count` entries are told apart, from bits.
fn relation(count: usize, bits: &[bool]) -> impl Fn(usize, usize) -> bool + Copy {
    move |a: usize, b: usize| a != b && bits[a.min(b) * count + a.max(b)]
}

fn share(one: &str, other: &str) -> bool {
    one.chars().any(|letter| other.contains(letter))
}

proptest! {
    #[test]
    fn two_entries_share_a_letter_exactly_if_they_are_not_told_apart(
        count in 1_usize..10, bits in prop::collection::vec(any::<bool>(), 100)
    ) {
        let different = relation(count, &bits);
        let letters = compact_letters(count, different).expect("few entries");
        for a in 0..count {
            prop_assert!(!letters[a].is_empty());
            for b in 0..count {
                prop_assert_eq!(share(&letters[a], &letters[b]), !different(a, b), "{} {} {:?}", a, b, letters);
            }
        }
    }

    #[test]
    fn no_letter_can_be_spared(count in 1_usize..8, bits in prop::collection::vec(any::<bool>(), 64)) {
        let different = relation(count, &bits);
        let letters = compact_letters(count, different).expect("few entries");
        let used: std::collections::BTreeSet<char> = letters.iter().flat_map(|own| own.chars()).collect();
        for spared in used {
            let without: Vec<String> = letters.iter().map(|own| own.replace(spared, "")).collect();
            let still = (0..count).all(|a| (0..count).all(|b| share(&without[a], &without[b]) != different(a, b)));
            prop_assert!(!still, "{spared} says nothing in {letters:?}");
        }
    }

    #[test]
    fn ranks_hold_the_entry_and_shrink_with_knowledge(
        count in 1_usize..10, bits in prop::collection::vec(any::<bool>(), 100)
    ) {
        let different = relation(count, &bits);
        for (index, (low, high)) in rank_intervals(count, |a, b| a < b && different(a, b)).into_iter().enumerate() {
            prop_assert!(low <= index + 1 && index < high && high <= count);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_order_of_the_runs_does_not_matter(shift in 0_usize..5, flip in any::<bool>()) {
        let mut runs: Vec<RecordedRun> =
            (0..5_usize).map(|model| run_of(&format!("m{model}"), 30, |index| (index * 5 + model) % 7 > model)).collect();
        let expected = board(&runs);
        runs.rotate_left(shift);
        if flip {
            runs.reverse();
        }
        prop_assert_eq!(board(&runs), expected);
    }
}
