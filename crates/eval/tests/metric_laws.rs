//! Laws every report obeys, and the numbers upstream PUMA published.

mod metric_records;

use metric_records::{Records, assert_close, runs};
use proptest::prelude::*;
use puma_core::{JobId, JobRecord, Millis, Outcome};
use puma_eval::metric::{self, Family, MetricReport, MissingAnswers, Options, Task, paired_correctness};
use puma_eval::stats::{Bootstrap, PairedCounts, SplitMix64};
use std::collections::BTreeSet;

const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

fn options(resamples: u32) -> Options {
    Options { bootstrap: Bootstrap { resamples, seed: 42, confidence: 0.95 }, ..Options::default() }
}

fn compute(task: &Task, records: &[JobRecord], resamples: u32) -> MetricReport {
    metric::compute(task, records, &options(resamples)).expect("the records fit the task")
}

fn value(report: &MetricReport, name: &str) -> Option<f64> {
    report.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
}

/// Records whose confusion matrix is `matrix`.
fn from_matrix(matrix: [[usize; 4]; 4]) -> Vec<JobRecord> {
    let (mut golds, mut answers) = (Vec::new(), Vec::new());
    for (gold, row) in LABELS.iter().zip(matrix) {
        for (answer, count) in LABELS.iter().zip(row) {
            golds.extend(std::iter::repeat_n(*gold, count));
            answers.extend(std::iter::repeat_n(Some(*answer), count));
        }
    }
    Records::new(&golds, &answers).records
}

/// Classification records from pairs of (gold, answer); an answer of 4 could not be read.
fn from_pairs(pairs: &[(usize, usize)]) -> Vec<JobRecord> {
    let golds: Vec<&str> = pairs.iter().map(|(gold, _)| LABELS[*gold]).collect();
    let answers: Vec<Option<&str>> = pairs.iter().map(|(_, answer)| LABELS.get(*answer).copied()).collect();
    Records::new(&golds, &answers).records
}

#[test]
fn the_published_submission_comes_out_to_the_last_bit() {
    // TP/FP/FN of upstream's one published submission: 48/40/2, 17/30/33, 27/37/23, 1/0/49. Any matrix with these
    // margins has the same scores.
    let mut records = from_matrix([[48, 0, 2, 0], [0, 17, 33, 0], [23, 0, 27, 0], [17, 30, 2, 1]]);
    let task = Task::classification(LABELS);
    let report = compute(&task, &records, 0);
    assert_eq!(value(&report, "f1_macro"), Some(0.389_766_883_657_848_73));
    assert_eq!(value(&report, "accuracy"), Some(0.465));

    // Upstream dropped what it could not read; so does its compatibility mode, and only that.
    let mut unread = Records::new(&["Minor"; 7], &[None::<&str>; 7]).records;
    for (index, record) in unread.iter_mut().enumerate() {
        record.instance_id = puma_core::InstanceId::new(format!("unread-{index}"));
    }
    records.extend(unread);
    let dropped = Options { missing: MissingAnswers::Dropped, ..options(0) };
    let as_upstream = metric::compute(&task, &records, &dropped).expect("labels fit");
    assert_eq!(value(&as_upstream, "f1_macro"), Some(0.389_766_883_657_848_73));
    assert_eq!(value(&as_upstream, "accuracy"), Some(0.465));
    assert_eq!(value(&as_upstream, "parse_failure_rate"), Some(7.0 / 207.0));
    assert_eq!(value(&as_upstream, "n_samples"), Some(200.0));
    assert_eq!(value(&compute(&task, &records, 0), "accuracy"), Some(93.0 / 207.0));
}

#[test]
fn upstreams_live_smoke_run_comes_out_to_the_last_bit() {
    let records = from_matrix([[3, 0, 0, 0], [0, 2, 0, 0], [1, 0, 2, 0], [0, 0, 2, 0]]);
    let report = compute(&Task::classification(LABELS), &records, 0);
    assert_eq!(value(&report, "f1_macro"), Some(0.607_142_857_142_857_2));
    assert_eq!(value(&report, "f1_weighted"), Some(0.628_571_428_571_428_6));
    assert_eq!(value(&report, "accuracy"), Some(0.7));
}

#[test]
fn upstreams_formulas_for_latency_and_calibration_hold() {
    // Worked out from upstream's formulas on fixed numbers.
    let latencies = [162.5, 170.0, 158.25, 201.0, 28_800.0, 164.0, 166.75, 159.5, 163.0, 175.5];
    let confidences = [0.99, 0.95, 0.8, 0.55, 0.4, 1.0, 0.72, 0.33, 0.61, 0.88];
    let right = [true, true, false, true, false, true, true, false, false, true];
    let answers: Vec<Option<&str>> = right.iter().map(|right| Some(if *right { "A" } else { "B" })).collect();
    let mut records = Records::new(&["A"; 10], &answers).with_latencies(&latencies).records;
    records.iter_mut().zip(confidences).for_each(|(record, c)| record.confidence = Some(c));
    let report = compute(&Task::pairwise(), &records, 0);
    for (name, expected) in [
        ("latency.p50", 165.375),
        ("latency.p95", 15_930.449_999_999_97),
        ("latency.p99", 26_226.090_000_000_004),
        ("ece", 0.305),
        ("ece_10", 0.281),
        ("brier", 0.157_89),
    ] {
        assert_close(value(&report, name).expect(name), expected, name);
    }
}

#[test]
fn each_outcome_counts_for_what_the_policy_says() {
    for (outcome, missing, accuracy) in [
        (Outcome::Answered, MissingAnswers::Wrong, Some(1.0)),
        (Outcome::Unparsed, MissingAnswers::Wrong, Some(0.5)),
        (Outcome::Ambiguous, MissingAnswers::Wrong, Some(0.5)),
        (Outcome::Truncated, MissingAnswers::Wrong, Some(0.5)),
        (Outcome::Empty, MissingAnswers::Wrong, Some(0.5)),
        (Outcome::BackendFailed, MissingAnswers::Wrong, Some(1.0)),
        (Outcome::Empty, MissingAnswers::Dropped, Some(1.0)),
        (Outcome::BackendFailed, MissingAnswers::Dropped, Some(1.0)),
    ] {
        let mut records = from_pairs(&[(0, 0), (1, 1)]);
        records[1].outcome = outcome;
        if outcome != Outcome::Answered {
            records[1].answer = None;
        }
        let options = Options { missing, ..options(0) };
        let report = metric::compute(&Task::classification(LABELS), &records, &options).expect("labels fit");
        assert_eq!(value(&report, "accuracy"), accuracy, "{outcome} {missing:?}");
        assert_eq!(report.comparable, outcome != Outcome::BackendFailed);
        assert_eq!(report.groups[0].comparable, report.comparable);
        assert_eq!(report.outcomes.of(outcome), if outcome == Outcome::Answered { 2 } else { 1 });
        assert_eq!(value(&report, &format!("outcome.{outcome}")).map(|share| share > 0.0), Some(true));
    }
}

#[test]
fn a_run_in_which_nothing_was_completed_has_no_scores_at_all() {
    let mut records = from_pairs(&[(0, 4), (1, 4)]);
    records.iter_mut().for_each(|record| record.outcome = Outcome::BackendFailed);
    let report = compute(&Task::classification(LABELS), &records, 50);
    assert_eq!(value(&report, "f1_macro"), None);
    assert_eq!(value(&report, "parse_failure_rate"), None);
    assert_eq!(value(&report, "backend_failure_rate"), Some(1.0));
    assert!(!report.comparable);
}

#[test]
fn nothing_is_pooled() {
    let mut records = from_pairs(&[(0, 0), (1, 1), (2, 2), (3, 3)]);
    records[1].model = "another".to_owned();
    records[2].strategy = "few-shot-3".to_owned();
    records[3].perturbation = Some("typos_5pct".to_owned());
    let report = compute(&Task::classification(LABELS), &records, 0);
    assert_eq!(report.groups.len(), 4);
    let n: Vec<usize> = report.metrics.iter().filter(|m| m.name == "accuracy").map(|m| m.n).collect();
    assert_eq!(n, [1, 1, 1, 1]);
}

#[test]
fn jobs_with_a_cached_completion_give_no_times_and_are_told() {
    let mut records = Records::new(&["A"; 3], &[Some("A"); 3]).with_latencies(&[10.0, 20.0, 9000.0]).records;
    records[2].completions[0].from_cache = true;
    let report = compute(&Task::pairwise(), &records, 0);
    assert_eq!(value(&report, "latency.max"), Some(20.0));
    assert_eq!(report.groups[0].cached_completions, 1);
}

#[test]
fn time_is_split_into_phases_and_missing_phases_are_not_zero() {
    let mut records = Records::new(&["A"; 2], &[Some("A"); 2]).with_latencies(&[100.0, 300.0]).records;
    assert_eq!(value(&compute(&Task::pairwise(), &records, 0), "tokens_per_second"), None);
    for (record, (load, prompt, generation)) in records.iter_mut().zip([(7.0, 40.0, 50.0), (0.0, 60.0, 150.0)]) {
        let completion = &mut record.completions[0];
        completion.phases.load_ms = Some(Millis(load));
        completion.phases.prompt_ms = Some(Millis(prompt));
        completion.phases.generation_ms = Some(Millis(generation));
        completion.phases.first_token_ms = Some(Millis(prompt + 1.0));
        completion.usage.prompt_tokens = Some(120);
        completion.usage.cached_tokens = Some(20);
        completion.usage.generated_tokens = Some(10);
    }
    let report = compute(&Task::pairwise(), &records, 0);
    for (name, expected) in [
        ("load_ms.total", 7.0),
        ("prompt_ms.mean", 50.0),
        ("generation_ms.mean", 100.0),
        ("first_token_ms.p50", 51.0),
        ("tokens_per_second", 100.0),
        ("prompt_tokens_per_second", 2000.0),
        ("generated_tokens.mean", 10.0),
        ("prompt_tokens.mean", 120.0),
    ] {
        assert_eq!(value(&report, name), Some(expected), "{name}");
    }
}

#[test]
fn loading_is_no_part_of_a_latency_unless_upstreams_numbers_are_wanted() {
    let mut records = Records::new(&["A"; 3], &[Some("A"); 3]).with_latencies(&[5100.0, 100.0, 100.0]).records;
    // A server counts loading into the request that caused it.
    let server = &mut records[0].completions[0].phases;
    (server.load_ms, server.prompt_ms, server.generation_ms) =
        (Some(Millis(5000.0)), Some(Millis(40.0)), Some(Millis(50.0)));
    // The embedded engine loads before it counts.
    let embedded = &mut records[1].completions[0].phases;
    (embedded.load_ms, embedded.prompt_ms, embedded.generation_ms) =
        (Some(Millis(700.0)), Some(Millis(40.0)), Some(Millis(60.0)));
    let report = compute(&Task::pairwise(), &records, 0);
    assert_eq!((value(&report, "latency.max"), value(&report, "load_ms.total")), (Some(100.0), Some(5700.0)));
    let upstream = Options { missing: MissingAnswers::Dropped, ..options(0) };
    let report = metric::compute(&Task::pairwise(), &records, &upstream).expect("the records fit the task");
    assert_eq!(value(&report, "latency.max"), Some(5100.0));
}

#[test]
fn pairs_show_a_preference_for_a_place() {
    let golds = ["A", "B", "A", "B"];
    let records = Records::new(&golds, &[Some("A"), Some("A"), Some("A"), None]).records;
    let report = compute(&Task::pairwise(), &records, 0);
    assert_eq!(value(&report, "accuracy"), Some(0.5));
    assert_eq!(value(&report, "position_share_a"), Some(1.0));
    let floors: Vec<(&str, f64)> = report.baselines.iter().map(|b| (b.name.as_str(), b.value)).collect();
    assert_eq!(floors, [("always_a", 0.5), ("uniform", 0.5)]);
}

#[test]
fn numbers_are_compared_by_value() {
    let mut records = Records::new(&["5", "8"], &[Some("5.0"), Some("5")]).records;
    records.iter_mut().for_each(|record| record.confidence = Some(1.0));
    let report = compute(&Task::regression(["5", "8"]), &records, 0);
    assert_eq!(value(&report, "brier"), Some(0.5));
    assert_eq!(value(&report, "mae"), Some(1.5));
}

#[test]
fn a_right_answer_that_does_not_fit_is_named() {
    let records = Records::new(&["Blocker"], &[Some("Minor")]).records;
    let error = metric::compute(&Task::classification(LABELS), &records, &options(0)).expect_err("no such label");
    assert_eq!(
        error.to_string(),
        "instance I-00000: its right answer \"Blocker\" is none of the labels Critical, Major, Minor, Trivial"
    );
    let error = metric::compute(&Task::regression(["5"]), &records, &options(0)).expect_err("no number");
    assert_eq!(error.to_string(), "instance I-00000: its right answer \"Blocker\" is no finite number");
    let trained = Options { train_gold: vec!["Blocker".to_owned()], ..options(0) };
    assert!(metric::compute(&Task::classification(LABELS), &[], &trained).is_err());
}

#[test]
fn baselines_learn_from_the_training_data_when_there_is_some() {
    let records = from_pairs(&[(0, 0), (0, 0), (0, 0), (1, 1)]);
    let trained = Options { train_gold: vec!["Major".to_owned(); 3], ..options(0) };
    let report = metric::compute(&Task::classification(LABELS), &records, &trained).expect("labels fit");
    let majority = report.baselines.iter().find(|b| b.name == "most_frequent" && b.metric == "accuracy");
    let majority = majority.expect("there is a majority");
    assert_eq!((majority.value, majority.basis.as_str(), majority.n), (0.25, "train pool of 3", 4));
    // Guessing all labels alike is right once in four, whatever the data.
    let uniform = report.baselines.iter().find(|b| b.name == "uniform" && b.metric == "accuracy");
    assert_eq!(uniform.map(|b| b.value), Some(0.25));

    let records = Records::new(&["1", "5"], &[Some("1"), Some("1")]).records;
    let trained = Options { train_gold: vec!["3".to_owned(), "3".to_owned(), "9".to_owned()], ..options(0) };
    let report = metric::compute(&Task::regression(["1"]), &records, &trained).expect("numbers");
    let maes: Vec<(&str, f64)> =
        report.baselines.iter().filter(|b| b.metric == "mae").map(|b| (b.name.as_str(), b.value)).collect();
    assert_eq!(maes, [("median", 2.0), ("mean", 2.0), ("random_guess", 4.0)]);
}

#[test]
fn two_models_are_paired_by_instance() {
    let task = Task::classification(LABELS);
    let first = from_pairs(&[(0, 0), (1, 1), (2, 0), (3, 3)]);
    let mut second = from_pairs(&[(0, 0), (1, 4), (2, 2), (3, 0)]);
    second.reverse();
    second[0].outcome = Outcome::BackendFailed;
    let counts = paired_correctness(&task, &first, &second);
    assert_eq!(counts, PairedCounts { both_right: 1, only_first_right: 1, only_second_right: 1, both_wrong: 0 });
}

#[test]
fn repetitions_are_resampled_with_their_instance() {
    let once = from_pairs(&[(0, 0), (1, 0), (2, 2), (3, 0), (0, 0), (1, 1)]);
    let thrice: Vec<JobRecord> = once
        .iter()
        .flat_map(|record| {
            (0..3).map(|repeat| JobRecord {
                repeat,
                job_id: JobId::new(format!("{}-{repeat}", record.job_id)),
                ..record.clone()
            })
        })
        .collect();
    let task = Task::classification(LABELS);
    let (once, thrice) = (compute(&task, &once, 300), compute(&task, &thrice, 300));
    for name in ["accuracy", "f1_macro", "parse_failure_rate"] {
        let of = |report: &MetricReport| {
            let metric = report.metrics.iter().find(|m| m.name == name).expect(name).clone();
            (metric.value, metric.ci_low, metric.ci_high)
        };
        assert_eq!(of(&once), of(&thrice), "{name}");
    }
}

#[test]
fn every_row_of_the_table_is_computed_somewhere_and_nothing_else() {
    let mut found = BTreeSet::new();
    for run in runs() {
        for metric in metric::compute(&run.task, &run.records, &run.options).expect("the records fit").metrics {
            let (def, name) = metric::resolve(&metric.name).expect("a metric of the table");
            assert!(def.families.iter().any(|family| family.fits(run.task.kind)), "{name} in {:?}", run.task);
            assert_eq!(name, metric.name);
            found.insert(def.name);
        }
    }
    // Rows across groups have a test of their own in `across_rows.rs`.
    let across = [Family::Robustness, Family::Fairness, Family::Stability, Family::Sustainability];
    let within = metric::metrics().filter(|def| !def.families.iter().any(|family| across.contains(family)));
    let all: BTreeSet<&str> = within.map(|def| def.name).collect();
    assert_eq!(found, all);
}

/// The bounds that a row of the table gives in words.
fn bounds(range: &str) -> (f64, f64) {
    let number = |text: &str| text.parse::<f64>().unwrap_or_else(|_| panic!("{range:?} is no range"));
    match (range.split_once(" to "), range.strip_suffix(" or more"), range.strip_prefix("up to ")) {
        _ if range == "any number" => (f64::NEG_INFINITY, f64::INFINITY),
        (_, Some(low), _) => (number(low), f64::INFINITY),
        (_, _, Some(high)) => (f64::NEG_INFINITY, number(high)),
        (Some((low, high)), ..) => (number(low), number(high)),
        _ => panic!("{range:?} is no range"),
    }
}

/// Values and intervals keep to the range of their row.
fn assert_in_range(report: &MetricReport) {
    for metric in &report.metrics {
        let (def, _) = metric::resolve(&metric.name).expect("a metric of the table");
        let (low, high) = bounds(def.range);
        let inside = |value: f64| low - 1e-12 <= value && value <= high + 1e-12;
        assert!(inside(metric.value), "{metric:?}: {}", def.range);
        if let (Some(from), Some(until)) = (metric.ci_low, metric.ci_high) {
            assert!(inside(from) && from <= until && inside(until), "{metric:?}: {}", def.range);
        }
    }
}

#[test]
fn every_metric_and_its_interval_keep_to_the_range_of_their_row() {
    for run in runs() {
        let mut resampled = run.options.clone();
        resampled.bootstrap.resamples = 200;
        assert_in_range(&metric::compute(&run.task, &run.records, &resampled).expect("the records fit"));
    }
}

#[test]
fn the_interval_of_accuracy_holds_the_truth_about_as_often_as_it_says() {
    let mut generator = SplitMix64::new(99);
    let trials = 300;
    let mut held = 0;
    for _ in 0..trials {
        let pairs: Vec<(usize, usize)> = (0..120).map(|_| (0, if generator.below(10) < 7 { 0 } else { 1 })).collect();
        let report = compute(&Task::classification(["Critical", "Major"]), &from_pairs(&pairs), 300);
        let accuracy = report.metrics.iter().find(|m| m.name == "accuracy").expect("accuracy");
        held += usize::from(accuracy.ci_low <= Some(0.7) && accuracy.ci_high >= Some(0.7));
    }
    // 95 % of 300 is 285; binomial noise is 3.8, and the percentile interval is known to be a little too short.
    assert!((270..=297).contains(&held), "{held} of {trials}");
}

proptest! {
    #[test]
    fn the_order_of_records_and_the_other_groups_change_no_bit(
        pairs in prop::collection::vec((0usize..4, 0usize..5), 2..40),
        seed in any::<u64>(),
    ) {
        let task = Task::classification(LABELS);
        let mut records = from_pairs(&pairs);
        let alone = compute(&task, &records, 30);
        let mut others = from_pairs(&pairs);
        others.iter_mut().for_each(|record| record.model = "zebra".to_owned());
        records.extend(others);
        let mut generator = SplitMix64::new(seed);
        for i in (1..records.len()).rev() {
            records.swap(i, generator.below(i as u32 + 1) as usize);
        }
        let shuffled = compute(&task, &records, 30);
        prop_assert_eq!(&shuffled.metrics[..alone.metrics.len()], &alone.metrics[..]);
        prop_assert_eq!(&shuffled.baselines, &alone.baselines);
    }

    #[test]
    fn scores_of_labels_keep_to_their_ranges(
        pairs in prop::collection::vec((0usize..4, 0usize..5), 1..40),
    ) {
        let report = compute(&Task::classification(LABELS), &from_pairs(&pairs), 40);
        assert_in_range(&report);
        let report_value = |name| value(&report, name).expect("defined with records");
        prop_assert!(report_value("f1_micro") + 1e-12 >= report_value("accuracy"));
        let silent = pairs.iter().filter(|(_, answer)| *answer == 4).count();
        prop_assert_eq!(report_value("parse_failure_rate"), silent as f64 / pairs.len() as f64);
    }

    #[test]
    fn renaming_labels_permutes_the_matrix_and_keeps_the_scores(
        pairs in prop::collection::vec((0usize..4, 0usize..5), 1..40),
    ) {
        let turned: Vec<(usize, usize)> =
            pairs.iter().map(|(g, a)| ((g + 1) % 4, if *a == 4 { 4 } else { (a + 1) % 4 })).collect();
        let task = Task::classification(LABELS);
        let (before, after) = (compute(&task, &from_pairs(&pairs), 0), compute(&task, &from_pairs(&turned), 0));
        for name in ["f1_macro", "f1_weighted", "f1_micro", "accuracy", "balanced_accuracy"] {
            let (a, b) = (value(&before, name).expect(name), value(&after, name).expect(name));
            prop_assert!((a - b).abs() < 1e-12, "{name}: {a} and {b}");
        }
    }
}
