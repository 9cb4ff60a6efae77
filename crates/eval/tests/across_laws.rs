//! What must hold of robustness, fairness and stability whatever the answers are.

mod metric_records;

use metric_records::{Records, assert_close};
use proptest::prelude::*;
use puma_core::{InstanceId, JobRecord, Outcome};
use puma_eval::metric::{
    self, AcrossReport, MetricReport, MissingAnswers, Options, Replicates, RobustnessReport, ScoreChange, Task,
    is_correct, stability,
};
use puma_eval::stats::Bootstrap;

const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];
const FEMALE: &str = "gender_swap_prefix_female";
const MALE: &str = "gender_swap_prefix_male";

type Answers = Vec<Option<&'static str>>;

fn triage() -> Task {
    Task::classification(LABELS)
}

fn options(resamples: u32) -> Options {
    Options { bootstrap: Bootstrap { resamples, seed: 11, confidence: 0.95 }, ..Options::default() }
}

fn form(golds: &[&str], answers: &[Option<&str>], perturbation: Option<&str>) -> Vec<JobRecord> {
    let mut records = Records::new(golds, answers).records;
    records.iter_mut().for_each(|record| record.perturbation = perturbation.map(str::to_owned));
    records
}

fn compute(task: &Task, records: &[JobRecord]) -> MetricReport {
    metric::compute(task, records, &options(100)).expect("the right answers fit")
}

fn two_forms(golds: &[&str], base: &[Option<&str>], other: &[Option<&str>]) -> MetricReport {
    compute(&triage(), &[form(golds, base, None), form(golds, other, Some("typos_5pct"))].concat())
}

fn robustness(report: &MetricReport) -> &RobustnessReport {
    &report.across.robustness[0]
}

fn change<'a>(changes: &'a [ScoreChange], metric: &str) -> &'a ScoreChange {
    changes.iter().find(|change| change.metric == metric).expect("the score is followed")
}

fn value(report: &MetricReport, name: &str, perturbation: Option<&str>) -> Option<f64> {
    let all = report.metrics.iter().chain(&report.across.metrics);
    let mut found = all.filter(|metric| metric.name == name && metric.perturbation.as_deref() == perturbation);
    let value = found.next().map(|metric| metric.value);
    assert_eq!(found.next(), None, "{name} appears once");
    value
}

fn label() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&LABELS[..])
}

fn answer() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::weighted(0.8, label())
}

fn forms(count: usize) -> impl Strategy<Value = (Vec<&'static str>, Vec<Answers>)> {
    (1..25_usize).prop_flat_map(move |n| {
        let answers = prop::collection::vec(prop::collection::vec(answer(), n), count);
        (prop::collection::vec(label(), n), answers)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_perturbation_that_changes_nothing_changes_no_number((golds, answers) in forms(1)) {
        let report = two_forms(&golds, &answers[0], &answers[0]);
        let pair = &robustness(&report).perturbations[0];
        for change in &pair.changes {
            prop_assert_eq!((change.delta, change.first), (Some(0.0), change.second));
            prop_assert!(change.ci_low.is_none_or(|low| low == 0.0) && change.ci_high.is_none_or(|high| high == 0.0));
        }
        prop_assert_eq!((pair.flips.flips, pair.flips.rate, pair.mcnemar_p), (0, Some(0.0), Some(1.0)));
        prop_assert_eq!(value(&report, "robustness.score.accuracy", Some("typos_5pct")), Some(1.0));
        prop_assert_eq!(robustness(&report).worst_case.as_ref().and_then(|worst| worst.value), pair.changes[0].first);
    }

    #[test]
    fn the_other_way_round_every_change_has_the_other_sign((golds, answers) in forms(2)) {
        let there = two_forms(&golds, &answers[0], &answers[1]);
        let back = two_forms(&golds, &answers[1], &answers[0]);
        let (there, back) = (&robustness(&there).perturbations[0], &robustness(&back).perturbations[0]);
        for (one, other) in there.changes.iter().zip(&back.changes) {
            prop_assert_eq!(one.delta, other.delta.map(|delta| -delta));
            prop_assert_eq!((one.first, one.second), (other.second, other.first));
        }
        prop_assert_eq!(there.flips.rate, back.flips.rate);
        prop_assert_eq!((there.flips.to_correct, there.flips.to_wrong), (back.flips.to_wrong, back.flips.to_correct));
        prop_assert_eq!(
            (there.flips.to_no_answer, there.flips.from_no_answer),
            (back.flips.from_no_answer, back.flips.to_no_answer)
        );
        prop_assert_eq!(there.mcnemar_p, back.mcnemar_p);
    }

    #[test]
    fn changes_are_the_differences_of_the_scores_each_form_has_alone((golds, answers) in forms(2)) {
        let report = two_forms(&golds, &answers[0], &answers[1]);
        for name in ["accuracy", "f1_macro", "coverage"] {
            let alone = value(&report, name, Some("typos_5pct")).unwrap() - value(&report, name, None).unwrap();
            let delta = value(&report, &format!("robustness.delta.{name}"), Some("typos_5pct")).unwrap();
            prop_assert!((alone - delta).abs() < 1e-12, "{}: {} against {}", name, delta, alone);
        }
    }

    #[test]
    fn the_worst_case_is_no_better_than_any_form((golds, answers) in forms(3)) {
        let records =
            [form(&golds, &answers[0], None), form(&golds, &answers[1], Some("a")), form(&golds, &answers[2], Some("b"))];
        let report = compute(&triage(), &records.concat());
        let worst = robustness(&report).worst_case.as_ref().and_then(|worst| worst.value).unwrap();
        for perturbation in [None, Some("a"), Some("b")] {
            prop_assert!(worst <= value(&report, "accuracy", perturbation).unwrap());
        }
        let deltas: Vec<f64> =
            robustness(&report).perturbations.iter().map(|pair| pair.changes[0].delta.unwrap()).collect();
        let mean = robustness(&report).mean_changes[0].delta.unwrap();
        prop_assert!((mean - (deltas[0] + deltas[1]) / 2.0).abs() < 1e-12);
        let lowest = deltas[0].min(deltas[1]);
        prop_assert_eq!(value(&report, "robustness.worst_delta.accuracy", None), Some(lowest));
    }

    #[test]
    fn the_order_of_the_records_does_not_matter((golds, answers) in forms(2), seed in 0..1000_usize) {
        let mut records = [form(&golds, &answers[0], None), form(&golds, &answers[1], Some(FEMALE))].concat();
        for (index, record) in records.iter_mut().enumerate() {
            record.group = Some(["XD", "TDQ"][index % 2].to_owned());
        }
        let before: AcrossReport = compute(&triage(), &records).across;
        let turns = seed % records.len();
        records.rotate_left(turns);
        records.reverse();
        prop_assert_eq!(before, compute(&triage(), &records).across);
    }

    #[test]
    fn equal_repetitions_are_stable_and_flips_between_them_are_not((golds, answers) in forms(2)) {
        let repeat = |answers: &Answers, repeat: u32| {
            let mut records = form(&golds, answers, None);
            records.iter_mut().for_each(|record| record.repeat = repeat);
            records
        };
        let equal = compute(&triage(), &[repeat(&answers[0], 0), repeat(&answers[0], 1)].concat()).across.stability.remove(0);
        prop_assert_eq!((equal.all_equal, equal.pairwise_agreement), (Some(1.0), Some(1.0)));
        prop_assert!(equal.alpha.is_none_or(|alpha| (alpha - 1.0).abs() < 1e-12));
        prop_assert!(equal.spreads.iter().all(|spread| spread.sd == 0.0 && spread.stability == 1.0));
        let other = compute(&triage(), &[repeat(&answers[0], 0), repeat(&answers[1], 1)].concat());
        let flips = two_forms(&golds, &answers[0], &answers[1]);
        let rate = robustness(&flips).perturbations[0].flips.rate.unwrap();
        prop_assert!((other.across.stability[0].all_equal.unwrap() - (1.0 - rate)).abs() < 1e-12);
        prop_assert_eq!(other.across.robustness.len(), 0, "nothing was perturbed");
    }
}

#[test]
fn a_perturbation_after_which_nothing_can_be_read_flips_every_answer() {
    let golds = ["Major", "Minor", "Critical", "Trivial"];
    let base = [Some("Major"), Some("Major"), Some("Critical"), None];
    let report = two_forms(&golds, &base, &[None; 4]);
    let pair = &robustness(&report).perturbations[0];
    assert_eq!((pair.pairs, pair.flips.flips, pair.flips.to_no_answer, pair.flips.to_wrong), (4, 3, 3, 2));
    assert_eq!(pair.flips.rate, Some(0.75), "no answer twice is no flip");
    assert_eq!(change(&pair.changes, "accuracy").delta, Some(-0.5));
    assert_eq!(change(&pair.changes, "coverage").delta, Some(-0.75));
    assert_eq!(robustness(&report).worst_case.as_ref().unwrap().value, Some(0.0));
}

#[test]
fn each_outcome_of_a_right_answer_counts_as_the_table_says() {
    let golds = ["Major"; 8];
    let base = form(&golds, &[Some("Major"); 8], None);
    for outcome in Outcome::ALL {
        let mut other = form(&golds, &[Some("Major"); 8], Some(FEMALE));
        if outcome != Outcome::Answered {
            (other[0].outcome, other[0].answer) = (outcome, None);
        }
        let report = compute(&triage(), &[base.clone(), other].concat());
        let pair = &robustness(&report).perturbations[0];
        let seen = (pair.pairs, pair.excluded, pair.flips.flips, change(&pair.changes, "accuracy").delta.unwrap());
        let worst = robustness(&report).worst_case.as_ref().unwrap();
        let (pairs, worst_case) = match outcome {
            Outcome::Answered => ((8, 0, 0, 0.0), (Some(1.0), 0)),
            Outcome::BackendFailed => ((7, 1, 0, 0.0), (Some(1.0), 1)),
            Outcome::Unparsed | Outcome::Ambiguous | Outcome::Truncated | Outcome::Empty => {
                ((8, 0, 1, -0.125), (Some(0.875), 0))
            }
        };
        assert_eq!(seen, pairs, "{outcome}");
        assert_eq!((worst.value, worst.excluded), worst_case, "{outcome}");
        assert_eq!(report.across.counterfactuals[0].pair.flips, pair.flips, "{outcome}");
    }
}

#[test]
fn compat_with_upstream_drops_no_answer_that_a_perturbation_made_unreadable() {
    let golds = ["Major", "Minor"];
    let records =
        [form(&golds, &[Some("Major"), Some("Minor")], None), form(&golds, &[Some("Major"), None], Some("case_upper"))];
    let options = Options { missing: MissingAnswers::Dropped, ..options(0) };
    let report = metric::compute(&triage(), &records.concat(), &options).unwrap();
    assert_eq!(robustness(&report).perturbations[0].changes[0].delta, Some(-0.5));
}

#[test]
fn a_form_that_swaps_the_options_must_swap_the_answer() {
    let base = form(&["A", "A", "B", "B"], &[Some("A"), Some("A"), Some("A"), None], None);
    // The same choice twice, the same place, the same place, and silence twice.
    let swapped = form(&["B", "B", "A", "A"], &[Some("B"), Some("A"), Some("A"), None], Some("pair_swap"));
    let report = compute(&Task::pairwise(), &[base, swapped].concat());
    let flips = &robustness(&report).perturbations[0].flips;
    assert_eq!((flips.flips, flips.to_correct, flips.to_wrong), (2, 1, 1));
}

#[test]
fn errors_are_compared_over_the_same_answered_instances() {
    let golds = ["1", "2", "3"];
    let base = form(&golds, &[Some("1"), Some("2"), Some("13")], None);
    let other = form(&golds, &[Some("2"), Some("2.0"), None], Some("typos_5pct"));
    let report = compute(&Task::regression(Vec::<String>::new()), &[base, other].concat());
    let pair = &robustness(&report).perturbations[0];
    let mae = change(&pair.changes, "mae");
    assert_eq!(
        (mae.first, mae.second, mae.delta, mae.n),
        (Some(0.0), Some(0.5), Some(0.5), 2),
        "the silent third has no error to lose"
    );
    assert_eq!((pair.mean_change, pair.flips.flips), (Some(0.5), 2), "2.0 is 2, and silence is a flip");
    let worst = robustness(&report).worst_case.as_ref().unwrap();
    // Errors 1 and 0, and of the third 10 against the 1.5 of a guess.
    assert_eq!((worst.value, worst.partly_unanswered), (Some(11.0 / 3.0), 1));
}

#[test]
fn the_interval_of_a_change_has_the_width_theory_gives() {
    // 40 of 400 pairs lose, 20 win: the mean change is -0.05, the variance of a pair's change 0.15 - 0.0025.
    let golds = vec!["Major"; 400];
    let answers = |right: &dyn Fn(usize) -> bool| -> Answers {
        (0..400).map(|i| Some(if right(i) { "Major" } else { "Minor" })).collect()
    };
    let (base, other) = (answers(&|i| i < 240), answers(&|i| (40..260).contains(&i)));
    let records = [form(&golds, &base, None), form(&golds, &other, Some("tech_noise"))].concat();
    let report = metric::compute(&triage(), &records, &options(4000)).unwrap();
    let accuracy = change(&robustness(&report).perturbations[0].changes, "accuracy").clone();
    let half = 1.959_964 * (0.1475_f64 / 400.0).sqrt();
    assert_close(accuracy.delta.unwrap(), -0.05, "the change of accuracy");
    let (low, high) = (accuracy.ci_low.unwrap(), accuracy.ci_high.unwrap());
    assert!((low - (-0.05 - half)).abs() < 0.004 && (high - (-0.05 + half)).abs() < 0.004, "{low} {high}, half {half}");
}

#[test]
fn counterfactuals_are_compared_with_each_other_and_with_the_original() {
    let golds = ["Major", "Major", "Minor", "Minor"];
    let records = [
        form(&golds, &[Some("Major"); 4], None),
        form(&golds, &[Some("Minor"), Some("Minor"), Some("Minor"), Some("Major")], Some(FEMALE)),
        form(&golds, &[Some("Major"), Some("Major"), Some("Minor"), Some("Minor")], Some(MALE)),
    ];
    let report = compute(&triage(), &records.concat());
    let seen: Vec<_> = report
        .across
        .counterfactuals
        .iter()
        .map(|found| {
            (found.pair.first.as_deref(), found.pair.second.as_deref(), found.disparity, found.pair.flips.flips)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Some(MALE), Some(FEMALE), Some(0.75), 3),
            (None, Some(MALE), Some(0.5), 2),
            (None, Some(FEMALE), Some(0.25), 3)
        ]
    );
    let between = report.across.metrics.iter().find(|metric| metric.name == "fairness.delta.accuracy").unwrap();
    assert_eq!(
        (between.perturbation.as_deref(), between.subgroup.as_deref(), between.value),
        (Some(FEMALE), Some(MALE), -0.75)
    );
}

#[test]
fn the_tests_of_a_model_are_corrected_as_one_family() {
    let golds = vec!["Major"; 12];
    let right =
        |count: usize| -> Answers { (0..12).map(|i| Some(if i < count { "Major" } else { "Minor" })).collect() };
    let records =
        [form(&golds, &right(12), None), form(&golds, &right(4), Some("a")), form(&golds, &right(10), Some("b"))]
            .concat();
    let report = compute(&triage(), &records);
    // Eight and two coins that all fall alike, each two-sided; the smaller p doubles.
    for (pair, (p, corrected)) in robustness(&report).perturbations.iter().zip([(0.007_812_5, 0.015_625), (0.5, 0.5)]) {
        assert_close(pair.mcnemar_p.unwrap(), p, "the p-value");
        assert_close(pair.p_holm.unwrap(), corrected, "corrected");
    }
}

#[test]
fn instances_are_divided_by_length_with_equal_lengths_together() {
    let golds = vec!["Major"; 30];
    let records = form(&golds, &vec![Some("Major"); 30], None);
    let mut options = options(0);
    options.text_lengths =
        (0..30).map(|i| (InstanceId::new(format!("I-{i:05}")), [10, 20, 20, 30, 40][i as usize % 5])).collect();
    let report = metric::compute(&triage(), &records, &options).unwrap();
    let division = report.across.fairness.iter().find(|division| division.division == "length").unwrap();
    let parts: Vec<_> =
        division.parts.iter().map(|part| (part.part.as_str(), part.characters, part.instances)).collect();
    assert_eq!(parts, [("short", Some((10, 10)), 6), ("medium", Some((20, 20)), 12), ("long", Some((30, 40)), 12)]);
    assert_eq!(
        (division.gap, division.worst.as_deref()),
        (Some(0.0), Some("medium")),
        "short has too few to set the gap"
    );
    options.text_lengths.values_mut().for_each(|length| *length = 7);
    let same = metric::compute(&triage(), &records, &options).unwrap();
    assert!(same.across.fairness.iter().all(|division| division.division != "length"), "one length cannot be divided");
}

#[test]
fn a_small_part_has_doubt_about_its_share_and_none_stated_about_its_errors() {
    let of = |task: &Task, gold: &str| {
        let golds = vec![gold; 12];
        let mut records = form(&golds, &[Some(gold); 12], None);
        for (index, record) in records.iter_mut().enumerate() {
            record.group = Some(if index < 10 { "XD" } else { "TDQ" }.to_owned());
        }
        let parts = compute(task, &records).across.fairness[0].parts.clone();
        parts.iter().map(|part| (part.in_gap, part.ci_low.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(of(&triage(), "Major"), [(false, true), (true, true)]);
    assert_eq!(of(&Task::regression(Vec::<String>::new()), "5"), [(false, false), (true, true)]);
}

#[test]
fn a_part_whose_every_request_failed_has_no_score_and_sets_no_gap() {
    let golds = vec!["Major"; 20];
    let mut records = form(&golds, &vec![Some("Major"); 20], None);
    for (index, record) in records.iter_mut().enumerate() {
        record.group = Some(if index < 10 { "XD" } else { "TDQ" }.to_owned());
        if index >= 10 {
            (record.outcome, record.answer) = (Outcome::BackendFailed, None);
        }
    }
    let report = compute(&triage(), &records);
    let division = &report.across.fairness[0];
    assert_eq!((division.overall, division.gap, division.worst.clone()), (Some(1.0), None, None));
    let failed = division.parts.iter().find(|part| part.part == "TDQ").unwrap();
    assert_eq!((failed.value, failed.coverage, failed.instances), (None, None, 0));
}

#[test]
fn runs_with_other_seeds_are_compared_over_the_instances_they_share() {
    let first = form(&["Major", "Minor", "Minor"], &[Some("Major"), Some("Minor"), Some("Major")], None);
    let mut second = form(&["Major", "Minor", "Minor"], &[Some("Major"), Some("Major"), Some("Minor")], None);
    second[2].instance_id = InstanceId::new("only here");
    let runs = [Replicates { name: "seed 1", records: &first }, Replicates { name: "seed 2", records: &second }];
    let report = stability(&triage(), &runs, &options(0)).remove(0);
    assert_eq!(report.replicates, ["seed 1", "seed 2"]);
    assert_eq!((report.instances, report.all_equal), (2, Some(0.5)));
    let accuracy = &report.spreads[0];
    assert_eq!((accuracy.metric.as_str(), accuracy.replicates.len(), accuracy.sd), ("accuracy", 2, 0.0));
    assert!(stability(&triage(), &runs[..1], &options(0)).is_empty(), "one run without repetitions says nothing");
}

#[test]
fn worst_case_accuracy_is_what_a_plain_count_gives() {
    let golds = ["Major", "Minor", "Minor"];
    let records = [
        form(&golds, &[Some("Major"), Some("Minor"), None], None),
        form(&golds, &[Some("Major"), Some("Major"), Some("Minor")], Some("a")),
        form(&golds, &[Some("Major"), Some("Minor"), Some("Minor")], Some("b")),
    ]
    .concat();
    let task = triage();
    let everywhere = (0..3).filter(|i| {
        let id = InstanceId::new(format!("I-{i:05}"));
        records.iter().filter(|record| record.instance_id == id).all(|record| is_correct(&task, record) == Some(true))
    });
    let expected = everywhere.count() as f64 / 3.0;
    assert_eq!(robustness(&compute(&task, &records)).worst_case.as_ref().unwrap().value, Some(expected));
}
