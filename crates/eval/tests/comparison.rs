//! Two runs side by side: what is paired, what is called comparable, what is said of the differences.

mod comparison_support;

use comparison_support::{LABELS, by_model, by_strategy, estimation_run, gold, joined, model, triage, triage_run};
use proptest::prelude::*;
use puma_core::{Outcome, RecordedRun};
use puma_eval::comparison::{
    Bearing, Change, Comparison, Dimension, Favour, Matched, Selection, Side, Subject, Verdict, between, compare,
    correct, within,
};
use puma_eval::metric::{self, Options, Scorer, Task};
use puma_eval::stats::{Bootstrap, mcnemar_exact};

fn options() -> Options {
    Options { bootstrap: Bootstrap { resamples: 200, seed: 42, confidence: 0.95 }, ..Options::default() }
}

fn compared_as(task: &Task, first: &RecordedRun, second: &RecordedRun) -> Comparison {
    let any = Selection::default();
    let Matched { pairs, .. } = between((first, &any), (second, &any)).expect("one side each");
    let [(left, right)] = pairs.as_slice() else { panic!("{} pairs", pairs.len()) };
    let mut comparisons = vec![compare(task, left, right, &options()).expect("right answers fit")];
    correct(&mut comparisons);
    comparisons.remove(0)
}

fn compared(first: &RecordedRun, second: &RecordedRun) -> Comparison {
    compared_as(&triage(), first, second)
}

fn delta<'a>(comparison: &'a Comparison, name: &str) -> &'a puma_eval::comparison::Delta {
    comparison.deltas.iter().find(|delta| delta.name == name).unwrap_or_else(|| panic!("there is no {name}"))
}

/// Right on the first `right` of `n` instances, one label too far on the others.
fn answers(n: usize, right: impl Fn(usize) -> bool) -> Vec<Option<&'static str>> {
    (0..n).map(|index| Some(if right(index) { gold(index) } else { gold(index + 1) })).collect()
}

#[test]
fn a_run_beside_itself_is_one_run_without_any_difference() {
    let run = triage_run("A", &answers(20, |index| index % 3 == 0));
    let found = compared(&run, &run);
    assert_eq!(found.comparability.verdict, Verdict::SameExperiment);
    assert_eq!(found.comparability.sentence, "One and the same run.");
    assert!(found.comparability.differences.is_empty() && found.flips.is_empty());
    assert_eq!((found.pairs.pairs, found.pairs.prompts_equal, found.pairs.same_answer), (20, 20, 20));
    for delta in &found.deltas {
        assert_eq!(delta.difference, Some(0.0), "{}", delta.name);
        assert_eq!(delta.favours, None, "{}", delta.name);
    }
    assert_eq!(found.significance.tests[0].p_value, 1.0);
}

#[test]
fn another_model_on_the_same_prompts_is_a_comparison_of_models() {
    let first = triage_run("A", &answers(40, |index| index < 10));
    let mut second = by_model(triage_run("B", &answers(40, |index| index < 30)), "m2", "sha256:bb");
    second.header.models[0].quantization = Some("Q8_0".to_owned());
    second.header.models[0].context_length = Some(8192);
    let found = compared(&first, &second);
    assert_eq!(found.comparability.verdict, Verdict::OneDifference);
    assert_eq!(found.comparability.compared, [Subject::Model], "quantisation and window belong to the model");
    assert_eq!(
        found.comparability.sentence,
        "A comparison of models on 40 instances with the same prompts; nothing else that matters differs."
    );
    let accuracy = delta(&found, "accuracy");
    assert_eq!((accuracy.first, accuracy.second, accuracy.favours), (Some(0.25), Some(0.75), Some(Favour::Second)));
    let test = &found.significance.tests[0];
    assert_eq!((test.test.as_str(), test.p_value), ("mcnemar_exact", mcnemar_exact(0, 20)));
    assert_eq!(test.p_holm, Some(test.p_value), "a family of one");
}

#[test]
fn model_and_strategy_at_once_cannot_be_told_apart() {
    let first = triage_run("A", &answers(8, |_| true));
    let second = by_strategy(by_model(triage_run("B", &answers(8, |_| true)), "m2", "sha256:bb"), "rcoif");
    let found = compared(&first, &second);
    assert_eq!(found.comparability.verdict, Verdict::Confounded);
    assert_eq!(found.comparability.compared, [Subject::Model, Subject::Strategy]);
    assert_eq!(found.pairs.prompts_equal, 0);
}

#[test]
fn what_the_numerics_contract_leaves_free_is_no_difference_of_scores() {
    let first = triage_run("A", &answers(8, |_| true));
    let mut second = triage_run("B", &answers(8, |_| true));
    second.header.backend.threads = Some(16);
    second.header.backend.simd = Some("neon".to_owned());
    second.header.backend.version = Some("0.2.0".to_owned());
    second.header.machine = serde_json::json!({"os": "macos", "arch": "aarch64", "cpu": "Apple M3"});
    let found = compared(&first, &second).comparability;
    assert_eq!(found.verdict, Verdict::SameExperiment, "{found:?}");
    let mut on_server = [first, second];
    for run in &mut on_server {
        run.header.backend.kind = "ollama".to_owned();
        run.header.backend.numerics = None;
    }
    let found = compared(&on_server[0], &on_server[1]).comparability;
    assert_eq!(found.compared, [Subject::Engine, Subject::Machine], "a server promises nothing");
}

/// A change to the second run, the name of the difference it makes, and what that is worth.
type Case = (fn(&mut RecordedRun), &'static str, Bearing);

#[test]
fn every_difference_is_named_with_what_it_means() {
    let cases: [Case; 16] = [
        (|run| run.header.scenario = "estimation_tawos".into(), "scenario", Bearing::Incomparable),
        (|run| run.records[1].outcome = Outcome::BackendFailed, "completeness", Bearing::Incomparable),
        (|run| drop(run.records.pop()), "completeness", Bearing::Incomparable),
        (|run| run.records[1].gold = "Trivial".into(), "right answers", Bearing::Incomparable),
        (|run| run.instances[0].fields["title"] = "Other".into(), "content of instances", Bearing::Incomparable),
        (|run| run.header.dataset.sha256 = "cc".repeat(32), "dataset", Bearing::Harmless),
        (|run| run.header.models[0].digest = Some("sha256:bb".into()), "model digest", Bearing::Compared),
        (|run| run.header.models[0].digest = None, "model digest", Bearing::Unknown),
        (|run| run.header.models[0].template_hash = Some("x".into()), "chat template", Bearing::Unknown),
        (|run| run.records[2].prompt_hash = "other".into(), "prompts", Bearing::Compared),
        (|run| run.header.spec["inference"]["temperature"] = 0.7.into(), "temperature", Bearing::Compared),
        (|run| run.header.spec["inference"]["seed"] = 7.into(), "seed", Bearing::Harmless),
        (|run| run.header.spec["parser"] = "first-match".into(), "parser", Bearing::Compared),
        (|run| run.header.backend.kind = "ollama".into(), "engine", Bearing::Compared),
        (|run| run.header.backend.numerics = Some("N2".into()), "numerics contract", Bearing::Compared),
        (|run| run.header.puma_version = "9.9.9".into(), "PUMA version", Bearing::Unknown),
    ];
    for (change, what, bearing) in cases {
        let first = triage_run("A", &answers(8, |_| true));
        let mut second = triage_run("B", &answers(8, |_| true));
        change(&mut second);
        for found in [compared(&first, &second), compared(&second, &first)] {
            let named: Vec<_> = found.comparability.differences.iter().map(|d| (d.what.as_str(), d.bearing)).collect();
            assert!(named.contains(&(what, bearing)), "{what}: {named:?}");
            assert_eq!(found.comparability.is_comparable(), bearing != Bearing::Incomparable, "{what}");
        }
    }
}

#[test]
fn a_sampling_strategy_makes_the_seed_count() {
    let runs = ["A", "B"].map(|id| by_strategy(triage_run(id, &answers(8, |_| true)), "self-consistency"));
    let [first, mut second] = runs;
    second.header.spec["inference"]["seed"] = 7.into();
    assert_eq!(compared(&first, &second).comparability.compared, [Subject::Decoding]);
}

#[test]
fn only_shared_instances_are_compared_and_the_others_counted() {
    let first = triage_run("A", &answers(12, |_| true));
    let mut second = triage_run("B", &answers(10, |_| false));
    second.records.retain(|record| record.instance_id.as_str() != "KEY-000");
    second.instances.remove(0);
    let found = compared(&first, &second);
    assert_eq!((found.pairs.pairs, found.pairs.only_first, found.pairs.only_second), (9, 3, 0));
    assert!(found.comparability.is_comparable());
    assert_eq!(delta(&found, "accuracy").n_first, 9);
    assert_eq!(found.comparability.differences[0].bearing, Bearing::Restricts);
}

#[test]
fn a_failed_request_is_counted_and_an_unreadable_answer_is_wrong() {
    let first = triage_run("A", &answers(8, |_| true));
    let mut second = triage_run("B", &answers(8, |_| true));
    second.records[0].outcome = Outcome::BackendFailed;
    second.records[1].outcome = Outcome::Truncated;
    second.records[1].answer = None;
    let found = compared(&first, &second);
    assert_eq!((found.pairs.pairs, found.pairs.failed_first, found.pairs.failed_second), (7, 0, 1));
    assert_eq!((found.pairs.answered_both, found.pairs.answered_only_first), (6, 1));
    assert_eq!(delta(&found, "accuracy").second, Some(6.0 / 7.0));
    let agreement = found.significance.agreement.expect("labels");
    assert_eq!((agreement.both_right, agreement.only_first_right), (6, 1));
    assert_eq!((found.flips[0].change, found.flips[0].second.outcome), (Change::RightToNone, Outcome::Truncated));
    assert_eq!(found.flips[0].title, "Title 1");
}

#[test]
fn every_kind_of_change_is_told_apart() {
    let first = triage_run("A", &[Some("Critical"), Some("Minor"), Some("Major"), None, None, Some("Minor"), None]);
    let second =
        triage_run("B", &[Some("Major"), Some("Major"), Some("Trivial"), Some("Trivial"), Some("Minor"), None, None]);
    let found = compared(&first, &second);
    let changes: Vec<(&str, Change)> = found.flips.iter().map(|f| (f.instance_id.as_str(), f.change)).collect();
    assert_eq!(
        changes,
        [
            ("KEY-000", Change::RightToWrong),
            ("KEY-001", Change::WrongToRight),
            ("KEY-002", Change::WrongToOtherWrong),
            ("KEY-005", Change::WrongToNone),
            ("KEY-003", Change::NoneToRight),
            ("KEY-004", Change::NoneToWrong),
        ]
    );
    assert_eq!(found.pairs.same_answer, 1, "no answer twice is the same");
    let row = &found.confusion.expect("labels").rows[0];
    assert_eq!(row, &[-1, 1, 1, 0, -1], "Critical: one right became Major, one missing became Minor");
}

#[test]
fn the_margin_is_the_gap_between_the_two_likeliest_labels() {
    let first = triage_run("A", &answers(2, |_| true));
    let mut second = triage_run("B", &answers(2, |index| index > 0));
    second.records[0].label_probabilities =
        LABELS.map(str::to_owned).into_iter().zip([0.30, 0.45, 0.05, 0.1]).collect();
    second.records[0].confidence = Some(0.45);
    let flips = compared(&first, &second).flips;
    assert_eq!(flips[0].second.margin.map(|margin| (margin * 100.0).round()), Some(15.0));
    assert_eq!((flips[0].first.margin, flips[0].second.confidence), (None, Some(0.45)));
}

#[test]
fn numbers_are_tested_on_every_pair_and_missing_ones_judged_as_guesses() {
    let task = Task::regression(Vec::<String>::new());
    let golds = ["1", "2", "3", "5", "8", "13", "2", "3"];
    let near = ["2", "2", "3", "5", "5", "8", "3", "3"].map(Some);
    let mut far = ["5", "8", "8", "13", "2", "2", "8", "8"].map(Some);
    far[3] = None;
    let first = estimation_run("A", &golds, &near);
    let second = by_model(estimation_run("B", &golds, &far), "m2", "sha256:bb");
    let found = compared_as(&task, &first, &second);
    let mae = delta(&found, "mae");
    assert_eq!((mae.n_first, mae.n_second), (7, 7), "only where both answered");
    assert_eq!(mae.favours, Some(Favour::First));
    let imputed = found.significance.imputed.expect("numbers");
    // The golds other than 5: 1, 2, 3, 8, 13, 2, 3 lie 4, 3, 2, 3, 8, 3, 2 away.
    let guess = 25.0 / 7.0;
    let errors = [4.0, 6.0, 5.0, guess, 6.0, 11.0, 6.0, 5.0];
    assert_eq!((imputed.first, imputed.second), (0, 1));
    assert!((imputed.mae_second.expect("eight pairs") - errors.iter().sum::<f64>() / 8.0).abs() < 1e-12);
    let all = delta(&found, "mae_imputed");
    assert_eq!((all.n_first, all.n_second), (8, 8));
    let close = |a: Option<f64>, b: Option<f64>| (a.expect("it is known") - b.expect("it is known")).abs() < 1e-12;
    assert!(close(all.first, imputed.mae_first) && close(all.second, imputed.mae_second), "{all:?} {imputed:?}");
    assert!(all.ci_low.is_some_and(|low| low > 0.0));
    let names: Vec<(&str, bool, usize)> =
        found.significance.tests.iter().map(|test| (test.test.as_str(), test.primary, test.n)).collect();
    assert_eq!(names, [("wilcoxon_signed_rank", true, 8), ("paired_permutation", false, 8)]);
    assert!(found.significance.effects.iter().all(|effect| effect.value.is_some_and(|value| value > 0.0)));
    let changes: Vec<Change> = found.flips.iter().map(|flip| flip.change).collect();
    assert!(changes.contains(&Change::RightToNone) && changes.contains(&Change::Farther), "{changes:?}");
}

#[test]
fn the_same_number_in_another_spelling_is_no_flip() {
    let task = Task::regression(Vec::<String>::new());
    let first = estimation_run("A", &["5", "3"], &[Some("5"), Some("2")]);
    let second = estimation_run("B", &["5.0", "3"], &[Some("5.0"), Some("2.0")]);
    let found = compared_as(&task, &first, &second);
    assert_eq!((found.pairs.pairs, found.pairs.same_answer, found.flips.len()), (2, 2, 0));
}

#[test]
fn repetitions_do_not_pass_for_more_evidence() {
    let repeated = |mut run: RecordedRun| {
        run.header.spec["repeat"] = 5.into();
        let once = run.records.clone();
        run.records = once
            .iter()
            .flat_map(|record| (0..5).map(|repeat| puma_core::JobRecord { repeat, ..record.clone() }))
            .collect();
        run
    };
    let first = triage_run("A", &answers(12, |index| index >= 6));
    let second = by_model(triage_run("B", &answers(12, |_| true)), "m2", "sha256:bb");
    let once = compared(&first, &second);
    let five_times = compared(&repeated(first), &repeated(second));
    let [alone, among] = [&once, &five_times].map(|found| &found.significance.tests[0]);
    assert_eq!((alone.test.as_str(), alone.n), ("mcnemar_exact", 12));
    assert_eq!((among.test.as_str(), among.n), ("paired_permutation", 12));
    assert!((alone.p_value - among.p_value).abs() < 1e-12, "{} {}", alone.p_value, among.p_value);
    let [alone, among] = [&once, &five_times].map(|found| delta(found, "f1_macro"));
    assert_eq!((alone.ci_low, alone.ci_high), (among.ci_low, among.ci_high));
    let methods = [&once, &five_times].map(|found| delta(found, "accuracy").method.as_deref());
    assert_eq!(methods, [Some("newcombe"), Some("bca")], "repetitions are no trials of their own");
}

#[test]
fn projects_and_classes_are_told_apart() {
    let first = triage_run("A", &answers(24, |_| true));
    let second =
        by_model(triage_run("B", &answers(24, |index| index % 3 != 0 && gold(index) != "Minor")), "m2", "sha256:b");
    let found = compared(&first, &second);
    let projects: Vec<(&str, usize, Option<f64>)> =
        found.by_project.iter().map(|p| (p.project.as_str(), p.pairs, p.value.difference)).collect();
    assert_eq!(projects, [("ALPHA", 8, Some(-1.0)), ("BETA", 16, Some(-0.25))]);
    let minor = found.by_class.iter().find(|class| class.label == "Minor").expect("a class");
    assert_eq!((minor.support, minor.right_first, minor.right_second), (6, 6, 0));
    assert_eq!((minor.recall.difference, minor.recall.ci_high), (Some(-1.0), Some(-1.0)));
}

#[test]
fn groups_are_matched_by_name_and_single_ones_with_each_other() {
    let base = triage_run("A", &answers(4, |_| true));
    let two = joined(base.clone(), &by_strategy(base.clone(), "rcoif"));
    let other_model = by_model(two.clone(), "m2", "sha256:bb");
    let any = Selection::default();
    let matched = between((&two, &any), (&other_model, &any)).expect("strategies match");
    let names: Vec<[&str; 4]> = matched.pairs.iter().map(|(a, b)| [a.model, a.strategy, b.model, b.strategy]).collect();
    assert_eq!(names, [["m1", "zero-shot", "m2", "zero-shot"], ["m1", "rcoif", "m2", "rcoif"]]);
    let matched = between((&two, &any), (&base, &any)).expect("one strategy matches");
    assert_eq!((matched.pairs.len(), matched.only_first.len(), matched.only_second.len()), (1, 1, 0));
    assert_eq!(matched.only_first[0].strategy, "rcoif");
}

#[test]
fn several_strangers_are_an_error_that_names_them_until_one_is_chosen() {
    let base = triage_run("A", &answers(4, |_| true));
    let models = |id: &str, [one, other]: [&str; 2]| {
        let mut run = joined(by_model(base.clone(), one, one), &by_model(base.clone(), other, other));
        run.header.run_id = puma_core::RunId::new(id);
        run
    };
    let (first, second) = (models("A", ["m1", "m2"]), models("B", ["m3", "m4"]));
    let any = Selection::default();
    let error = between((&first, &any), (&second, &any)).expect_err("nobody knows").to_string();
    assert_eq!(error, "it is not clear which model to compare with which: A has m1, m2, B has m3, m4");
    let chosen = |model: &str| Selection { model: Some(model.to_owned()), ..Selection::default() };
    let matched = between((&first, &chosen("m2")), (&second, &chosen("m3"))).expect("one each");
    assert_eq!((matched.pairs[0].0.model, matched.pairs[0].1.model), ("m2", "m3"));
    let error = between((&first, &chosen("m9")), (&second, &any)).expect_err("there is none").to_string();
    assert!(error.contains("m1 zero-shot; m2 zero-shot"), "{error}");
}

#[test]
fn one_run_can_be_compared_with_itself_by_strategy() {
    let base = triage_run("A", &answers(16, |_| true));
    let mut all = base.clone();
    for strategy in ["rcoif", "one-shot"] {
        all = joined(all, &by_strategy(base.clone(), strategy));
    }
    let any = Selection::default();
    let with_first = within(&all, &any, Dimension::Strategy, false).expect("three strategies");
    let names: Vec<[&str; 2]> = with_first.pairs.iter().map(|(a, b)| [a.strategy, b.strategy]).collect();
    assert_eq!(names, [["zero-shot", "rcoif"], ["zero-shot", "one-shot"]]);
    assert_eq!(within(&all, &any, Dimension::Strategy, true).expect("three strategies").pairs.len(), 3);
    let error = within(&all, &any, Dimension::Model, false).expect_err("one model").to_string();
    assert_eq!(error, "run A has only one model, m1, so there is nothing to compare by model");
    let found = compare(&triage(), &with_first.pairs[0].0, &with_first.pairs[0].1, &options()).expect("it fits");
    assert_eq!(found.comparability.compared, [Subject::Strategy]);
}

#[test]
fn the_family_is_every_comparison_made_together() {
    let first = triage_run("A", &answers(40, |index| index < 20));
    let better = by_model(triage_run("B", &answers(40, |index| index < 28)), "m2", "sha256:bb");
    let equal = by_model(triage_run("C", &answers(40, |index| index < 20)), "m3", "sha256:cc");
    let any = Selection::default();
    let mut comparisons: Vec<Comparison> = [&better, &equal]
        .map(|second| between((&first, &any), (second, &any)).expect("one each").pairs.remove(0))
        .iter()
        .map(|(left, right)| compare(&triage(), left, right, &options()).expect("it fits"))
        .collect();
    correct(&mut comparisons);
    let test = &comparisons[0].significance.tests[0];
    assert_eq!((test.p_value, test.p_holm), (mcnemar_exact(0, 8), Some(2.0 * mcnemar_exact(0, 8))));
    assert_eq!(comparisons[1].significance.tests[0].p_holm, Some(1.0));
}

#[test]
fn what_could_have_been_seen_grows_with_the_family_and_shrinks_with_the_noise() {
    let first = triage_run("A", &answers(80, |index| index % 2 == 0));
    let one_in = |step: usize| {
        let right = move |index: usize| index.is_multiple_of(2) != index.is_multiple_of(step);
        by_model(triage_run("B", &answers(80, right)), "m2", "sha256:bb")
    };
    let seen = |found: &Comparison| found.significance.detectable.expect("it was tested");
    let noisy = compared(&first, &one_in(2));
    let quiet = compared(&first, &one_in(5));
    assert_eq!((seen(&noisy).spread, seen(&quiet).spread, seen(&noisy).n), (0.5, 0.2, 80));
    assert!(seen(&noisy).effect > seen(&quiet).effect && seen(&quiet).effect > Some(0.05), "{:?}", seen(&quiet));
    let mut family = vec![quiet.clone(), quiet.clone()];
    correct(&mut family);
    assert_eq!(seen(&family[0]).alpha, 0.025);
    assert!(seen(&family[0]).effect > seen(&quiet).effect, "{:?}", seen(&family[0]));
    assert_eq!(seen(&compared(&first, &first)).effect, None, "without any noise nothing is known of it");
}

#[test]
fn a_pair_in_the_other_order_is_the_same_question() {
    let task = Task::pairwise();
    let mut run = triage_run("A", &[Some("A"), Some("A"), Some("B"), None]);
    run.header.scenario = "prioritization_jira".to_owned();
    for (record, gold) in run.records.iter_mut().zip(["A", "B", "B", "A"]) {
        record.gold = gold.to_owned();
    }
    let mut swapped = run.clone();
    // Chooses the first place again, then the same issue, then no more, then still nothing.
    for (record, answer) in swapped.records.iter_mut().zip([Some("A"), Some("B"), None, None]) {
        record.perturbation = Some("pair_swap".to_owned());
        record.gold = if record.gold == "A" { "B" } else { "A" }.to_owned();
        record.answer = answer.map(str::to_owned);
        record.outcome = if answer.is_some() { Outcome::Answered } else { Outcome::Unparsed };
    }
    let both = joined(run, &swapped);
    let pairs = within(&both, &Selection::default(), Dimension::Perturbation, false).expect("two perturbations").pairs;
    let found = compare(&task, &pairs[0].0, &pairs[0].1, &options()).expect("right answers fit");
    assert_eq!((found.pairs.pairs, found.pairs.gold_differs, found.pairs.same_answer), (4, 0, 2));
    let changes: Vec<(&str, Change)> = found.flips.iter().map(|f| (f.instance_id.as_str(), f.change)).collect();
    assert_eq!(changes, [("KEY-000", Change::RightToWrong), ("KEY-002", Change::RightToNone)]);
    assert_eq!(found.comparability.compared, [Subject::Perturbation]);
    assert_eq!(delta(&found, "accuracy").second, Some(0.0));
}

#[test]
fn a_metric_that_one_side_lacks_stands_where_the_table_has_it() {
    let first = triage_run("A", &[Some("Critical"), None]);
    let second = by_model(triage_run("B", &[None, None]), "m2", "sha256:bb");
    let names = |found: &Comparison| found.deltas.iter().map(|delta| delta.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&compared(&first, &second)), names(&compared(&second, &first)));
}

#[test]
fn a_draw_of_all_instances_reads_what_the_report_says() {
    let run = triage_run("A", &answers(30, |index| index % 7 < 3));
    let instances: Vec<Vec<&puma_core::JobRecord>> = run.records.iter().map(|record| vec![record]).collect();
    let mut scorer = Scorer::new(&triage(), &instances, metric::MissingAnswers::Wrong);
    let mut values = vec![f64::NAN; scorer.names().len()];
    scorer.read(&(0..30).collect::<Vec<u32>>(), &mut values);
    let report = metric::compute(&triage(), &run.records, &options()).expect("it fits");
    for (name, value) in scorer.names().iter().zip(values) {
        let reported = report.metrics.iter().find(|metric| metric.name == *name).map(|metric| metric.value);
        assert_eq!(reported, Some(value).filter(|value| !value.is_nan()), "{name}");
    }
}

fn any_answer() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), prop::sample::select(LABELS.to_vec()).prop_map(Some)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn turning_a_comparison_round_turns_every_sign(
        pairs in prop::collection::vec((any_answer(), any_answer()), 2..30)
    ) {
        let (left, right): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let first = triage_run("A", &left);
        let second = by_model(triage_run("B", &right), "m2", "sha256:bb");
        let (there, back) = (compared(&first, &second), compared(&second, &first));
        prop_assert_eq!(there.pairs.same_answer, back.pairs.same_answer);
        prop_assert_eq!(there.significance.tests[0].p_value, back.significance.tests[0].p_value);
        prop_assert_eq!(there.flips.len(), back.flips.len());
        for (one, other) in there.deltas.iter().zip(&back.deltas) {
            prop_assert_eq!(&one.name, &other.name);
            prop_assert_eq!(one.difference, other.difference.map(|difference| -difference));
            let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => (a + b).abs() < 1e-12,
                (a, b) => a == b,
            };
            prop_assert!(close(one.ci_low, other.ci_high) && close(one.ci_high, other.ci_low), "{}", one.name);
        }
    }

    #[test]
    fn flips_and_equal_answers_are_all_pairs(
        pairs in prop::collection::vec((any_answer(), any_answer()), 1..30)
    ) {
        let (left, right): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let (first, second) = (triage_run("A", &left), triage_run("B", &right));
        let found = compared(&first, &second);
        prop_assert_eq!(found.flips.len() + found.pairs.same_answer, found.pairs.pairs);
        prop_assert_eq!(found.changes.iter().map(|count| count.jobs).sum::<usize>(), found.flips.len());
        let difference = found.significance.agreement.map(|a| a.only_second_right as f64 - a.only_first_right as f64);
        let accuracy = delta(&found, "accuracy").difference.expect("pairs");
        prop_assert!((difference.expect("labels") / found.pairs.pairs as f64 - accuracy).abs() < 1e-12);
        let rows = found.confusion.expect("labels").rows;
        prop_assert!(rows.iter().all(|row| row.iter().sum::<i64>() == 0), "no right answer appears or vanishes");
    }

    #[test]
    fn the_order_of_records_does_not_matter(seed in 0u64..1000) {
        let first = triage_run("A", &answers(20, |index| (index as u64).wrapping_mul(seed + 3) % 5 < 2));
        let second = by_model(triage_run("B", &answers(20, |index| index % 3 == 0)), "m2", "sha256:bb");
        let mut shuffled = first.clone();
        shuffled.records.reverse();
        shuffled.records.rotate_left((seed % 20) as usize);
        prop_assert_eq!(compared(&first, &second), compared(&shuffled, &second));
    }
}

#[test]
fn sides_come_in_the_order_of_the_header() {
    let base = triage_run("A", &answers(4, |_| true));
    let mut run = joined(by_strategy(base.clone(), "rcoif"), &base);
    run.header.models = vec![model("m1", "sha256:aa")];
    let names: Vec<&str> = Side::all(&run).iter().map(|side| side.strategy).collect();
    assert_eq!(names, ["rcoif", "zero-shot"]);
}
