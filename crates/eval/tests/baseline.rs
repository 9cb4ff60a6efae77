//! Baselines against scikit-learn (`scripts/golden/baselines.py`), and what a trained judge may know.

#[path = "dataset_files/mod.rs"]
mod dataset_files;

use proptest::prelude::*;
use puma_core::InstanceId;
use puma_core::event::BaselineAnswers;
use puma_eval::Instance;
use puma_eval::baseline::text::{ridge, tfidf::Corpus};
use puma_eval::baseline::{BASELINES, Baseline, Golds, baselines, learned_answers};
use puma_eval::dataset::{self, Dataset, ReadOptions};
use puma_eval::metric::{Options, Task};
use puma_eval::scenario;
use puma_eval::stats::Bootstrap;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

fn cases(name: &str) -> Vec<Value> {
    let golden: Value = serde_json::from_str(include_str!("golden/baselines.json")).expect("the golden file is JSON");
    golden[name].as_array().expect("a list of cases").clone()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

#[track_caller]
fn assert_near(found: f64, expected: f64, margin: f64, place: &str) {
    assert!((found - expected).abs() <= margin, "{place}: {found}, not {expected}");
}

fn options(resamples: u32) -> Options {
    Options { bootstrap: Bootstrap { resamples, ..Options::default().bootstrap }, ..Options::default() }
}

#[test]
fn word_weights_are_those_of_scikit_learn() {
    let cases = cases("weights");
    assert!(cases.len() >= 50, "{}", cases.len());
    for (index, case) in cases.iter().enumerate() {
        let texts = texts(&case["texts"]);
        let trained: Vec<usize> = (0..case["trained"].as_u64().expect("a count") as usize).collect();
        let corpus = Corpus::new(texts.iter().map(String::as_str));
        let all: Vec<usize> = (0..texts.len()).collect();
        let rows = corpus.rows(&all, &corpus.weights(&trained));
        for (at, expected) in case["rows"].as_array().expect("a list").iter().enumerate() {
            let found: BTreeMap<&str, f64> =
                rows.row(at).iter().map(|(word, value)| (corpus.words[*word as usize].as_str(), *value)).collect();
            let expected = expected.as_object().expect("words and weights");
            assert_eq!(found.len(), expected.len(), "case {index}, text {at}: {found:?}");
            for (word, weight) in expected {
                assert_near(found[word.as_str()], weight.as_f64().expect("a number"), 1e-12, word);
            }
        }
    }
}

#[test]
fn fitted_values_are_those_of_scikit_learns_ridge() {
    let cases = cases("ridge");
    assert!(cases.len() >= 40, "{}", cases.len());
    for (index, case) in cases.iter().enumerate() {
        let texts = texts(&case["texts"]);
        let corpus = Corpus::new(texts.iter().map(String::as_str));
        let all: Vec<usize> = (0..texts.len()).collect();
        let rows = corpus.rows(&all, &corpus.weights(&all));
        let alpha = case["alpha"].as_f64().expect("a number");
        let model = ridge::fit(&rows, corpus.words.len(), &numbers(&case["targets"]), alpha);
        for (row, expected) in rows.rows().zip(numbers(&case["fitted"])) {
            assert_near(model.of(row), expected, 1e-8, &format!("case {index}"));
        }
    }
}

fn learned(scenario: &str, dataset: &Dataset, count: usize) -> (Vec<Instance>, Vec<BaselineAnswers>) {
    let scenario = scenario::find(scenario).expect("a scenario");
    let instances = scenario.instances(dataset, count, 42).expect("instances");
    let answers = learned_answers(scenario, dataset, &instances);
    (instances, answers)
}

fn of<'a>(answers: &'a [BaselineAnswers], name: &str) -> &'a BaselineAnswers {
    answers.iter().find(|judge| judge.name == name).unwrap_or_else(|| panic!("no {name} among {answers:?}"))
}

fn sample(scenario: &str) -> Dataset {
    dataset::embedded(scenario).expect("an embedded set")
}

#[test]
fn the_judge_of_text_answers_as_scikit_learn_does_on_the_sample_sets() {
    let golden = &cases("answers")[0];
    let (_, answers) = learned("triage_jira", &sample("triage_jira"), usize::MAX);
    let judge = of(&answers, "tfidf_linear");
    assert_eq!((judge.basis.as_str(), answers.len()), ("train split of 20", 1));
    let labels: BTreeMap<&str, &str> = judge.answers.iter().map(|(id, label)| (id.as_str(), label.as_str())).collect();
    assert_eq!(serde_json::json!(labels), golden["labels"]);

    let (_, answers) = learned("estimation_tawos", &sample("estimation_tawos"), usize::MAX);
    let points = golden["points"].as_object().expect("keys and numbers");
    assert_eq!(answers[0].answers.len(), points.len());
    for (id, points) in points {
        let found: f64 = answers[0].answers[&InstanceId::new(id.as_str())].parse().expect("a number");
        assert_near(found, points.as_f64().expect("a number"), 0.000_051, id);
    }

    let (instances, answers) = learned("prioritization_jira", &sample("prioritization_jira"), 64);
    let judge = of(&answers, "tfidf_linear");
    for instance in &instances {
        let (a, b) = instance.id.as_str().split_once('|').expect("two keys");
        let urgency = |key: &str| golden["urgency"][key].as_f64().expect("a number");
        let expected = if urgency(a) >= urgency(b) { "A" } else { "B" };
        assert_eq!(judge.answers[&instance.id], expected, "{}", instance.id);
    }
    assert_eq!(of(&answers, "longer_text").answers.len(), instances.len());
}

fn golds(values: &[String]) -> Vec<(InstanceId, String)> {
    values.iter().enumerate().map(|(at, gold)| (InstanceId::new(format!("I-{at:05}")), gold.clone())).collect()
}

fn map(golds: &[(InstanceId, String)]) -> Golds<'_> {
    golds.iter().map(|(id, gold)| (id, gold.as_str())).collect()
}

fn value(rows: &[Baseline], name: &str, metric: &str) -> f64 {
    let row = rows.iter().find(|row| row.name == name && row.metric == metric);
    row.unwrap_or_else(|| panic!("no {name} {metric} in {rows:?}")).value
}

#[test]
fn constants_and_draws_are_scored_as_scikit_learns_dummies() {
    for (index, case) in cases("constants").iter().enumerate() {
        let numbers = |name: &str| numbers(&case[name]).iter().map(ToString::to_string).collect::<Vec<_>>();
        let labelled = golds(&texts(&case["gold"]));
        let pointed = golds(&numbers("points"));
        let trained = |train_gold| Options { train_gold, ..options(0) };
        let mut rows = baselines(&Task::classification(LABELS), &map(&labelled), &trained(texts(&case["train"])));
        let task = Task::regression(Vec::<String>::new());
        rows.extend(baselines(&task, &map(&pointed), &trained(numbers("train_points"))));
        for (name, expected) in case.as_object().expect("an object") {
            if let Some((name, metric)) = name.split_once(' ') {
                let expected = expected.as_f64().expect("a number");
                assert_near(value(&rows, name, metric), expected, 1e-12, &format!("case {index}, {name} {metric}"));
            }
        }
    }
}

#[test]
fn every_baseline_of_the_table_is_computed_and_no_other() {
    let mut seen = BTreeSet::new();
    for scenario in scenario::SCENARIOS {
        let (instances, baseline_answers) = learned(scenario.name(), &sample(scenario.name()), 30);
        let golds: Golds<'_> = instances.iter().map(|instance| (&instance.id, instance.gold.as_str())).collect();
        let options = Options { baseline_answers, ..options(50) };
        for row in baselines(&scenario.task(), &golds, &options) {
            let def = BASELINES.iter().find(|def| def.name == row.name).expect("it stands in the table");
            assert!(def.kinds.contains(&scenario.kind()), "{} for {}", row.name, scenario.name());
            assert_eq!(row.n, 30);
            assert!(row.ci_low <= row.ci_high, "{row:?}");
            seen.insert(row.name);
        }
    }
    let table: BTreeSet<String> = BASELINES.iter().map(|def| def.name.to_owned()).collect();
    assert_eq!(seen, table);
}

/// A CSV of issues, each with words of its own, and a twin of each under another key.
fn twins(count: usize) -> Dataset {
    let mut csv = "issue_key,title,description,priority\n".to_owned();
    for twin in ["A", "B"] {
        for number in 0..count {
            let label = LABELS[number % 2];
            csv += &format!("{twin}-{number},unique{number} word{number},Own{number} {number}th,{label}\n");
        }
    }
    dataset::read(csv.as_bytes(), ReadOptions::named("twins").for_scenario("triage_jira")).expect("a dataset")
}

#[test]
fn a_trained_judge_never_learns_from_a_text_that_it_judges() {
    // A judge that had seen the twins would be right every time; one that has not shares no word with them.
    let dataset = twins(40);
    for count in [16, 40, 80] {
        let (instances, answers) = learned("triage_jira", &dataset, count);
        let judge = of(&answers, "tfidf_linear");
        let right = instances.iter().filter(|instance| judge.answers[&instance.id] == instance.gold).count();
        assert!(right * 3 < instances.len() * 2, "{right} of {} ({})", instances.len(), judge.basis);
    }
}

#[test]
fn where_a_trained_judge_learned_is_said() {
    let basis = |count| of(&learned("triage_jira", &twins(40), count).1, "tfidf_linear").basis.clone();
    // Twins of the judged are left out.
    assert_eq!(basis(10), "60 rows that are not judged");
    let crossed = basis(80);
    assert!(
        crossed.starts_with("5-fold cross-fitting, at least ") && crossed.ends_with(" of 80 rows each"),
        "{crossed}"
    );
    let (_, answers) = learned("triage_jira", &twins(3), 6);
    assert_eq!(answers, [], "six rows teach nothing");
}

proptest! {
    #[test]
    fn the_order_of_the_file_changes_no_answer(shift in 1usize..80) {
        let dataset = twins(40);
        let mut turned = dataset.clone();
        turned.rows.rotate_left(shift);
        let scenario = scenario::find("triage_jira").expect("a scenario");
        let instances = scenario.instances(&dataset, 20, 42).expect("instances");
        let labels = |dataset: &Dataset| learned_answers(scenario, dataset, &instances);
        prop_assert_eq!(labels(&dataset), labels(&turned));
    }
}

#[test]
fn scores_on_real_data_are_those_scikit_learn_reaches() {
    // As `scripts/golden/baselines.py --deepse` prints them.
    for (file, [median, mean, text, guess]) in [
        ("mesos", [1.2202, 1.4106, 1.1047, 1.6779]),
        ("springxd", [1.7153, 2.0535, 1.5863, 2.4128]),
        ("talenddataquality", [3.2960, 4.5502, 3.1996, 3.2983]),
    ] {
        let Some(bytes) = dataset_files::file(&format!("deepse/{file}.csv")) else { return };
        let options_of_file = ReadOptions::named(file).for_scenario("estimation_tawos");
        let dataset = dataset::read(&bytes, options_of_file).expect("a Deep-SE file");
        let (instances, baseline_answers) = learned("estimation_tawos", &dataset, usize::MAX);
        let scenario = scenario::find("estimation_tawos").expect("a scenario");
        let train_gold = scenario.train_gold(&dataset).expect("right answers");
        let golds: Golds<'_> = instances.iter().map(|instance| (&instance.id, instance.gold.as_str())).collect();
        let rows = baselines(&scenario.task(), &golds, &Options { train_gold, baseline_answers, ..options(0) });
        for (name, expected) in [("median", median), ("mean", mean), ("tfidf_linear", text), ("random_guess", guess)] {
            assert_near(value(&rows, name, "mae"), expected, 0.000_06, &format!("{file} {name}"));
        }
    }
}

mod against {
    use super::{golds, options};
    use puma_core::event::BaselineAnswers;
    use puma_core::{InstanceId, JobId, JobRecord, Outcome, Timestamp};
    use puma_eval::baseline::{AgainstBaseline, AgainstVerdict, against_baselines};
    use puma_eval::metric::{Options, Task};

    fn record(id: &InstanceId, gold: &str, answer: Option<&str>) -> JobRecord {
        JobRecord {
            job_id: JobId::new(format!("job-{id}")),
            instance_id: id.clone(),
            model: "m".to_owned(),
            strategy: "zero-shot".to_owned(),
            perturbation: None,
            repeat: 0,
            seed: 0,
            gold: gold.to_owned(),
            group: None,
            prompt: String::new(),
            prompt_hash: String::new(),
            outcome: if answer.is_some() { Outcome::Answered } else { Outcome::Unparsed },
            answer: answer.map(str::to_owned),
            rule: None,
            confidence: None,
            label_probabilities: std::collections::BTreeMap::new(),
            completions: Vec::new(),
            error: None,
            failed_attempts: Vec::new(),
            started_at: Timestamp(0),
            finished_at: Timestamp(0),
        }
    }

    fn rows(
        task: &Task,
        right: &[String],
        model: impl Fn(usize) -> Option<String>,
        text: impl Fn(usize) -> String,
    ) -> Vec<AgainstBaseline> {
        let golds = golds(right);
        let records: Vec<JobRecord> =
            golds.iter().enumerate().map(|(at, (id, gold))| record(id, gold, model(at).as_deref())).collect();
        let answers = golds.iter().enumerate().map(|(at, (id, _))| (id.clone(), text(at))).collect();
        let kept = BaselineAnswers { name: "tfidf_linear".to_owned(), basis: "elsewhere".to_owned(), answers };
        against_baselines(task, &records, &Options { baseline_answers: vec![kept], ..options(500) })
    }

    fn labels(n: usize) -> Vec<String> {
        (0..n).map(|at| ["Critical", "Major", "Minor", "Trivial"][at % 4].to_owned()).collect()
    }

    #[test]
    fn a_model_that_is_always_right_beats_chance_and_ties_with_another_that_is() {
        let right = labels(80);
        let task = Task::classification(["Critical", "Major", "Minor", "Trivial"]);
        let found = rows(&task, &right, |at| Some(right[at].clone()), |at| right[at].clone());
        let [trivial, text] = &found[..] else { panic!("{found:?}") };
        // With balanced labels, drawing beats any constant in macro F1.
        assert_eq!((trivial.baseline.as_str(), trivial.verdict), ("stratified", AgainstVerdict::Better));
        assert!((trivial.baseline_value - 0.25).abs() < 1e-12 && trivial.value == 1.0, "{trivial:?}");
        assert_eq!((text.difference, text.p_value, text.verdict), (0.0, Some(1.0), AgainstVerdict::Undecided));
    }

    #[test]
    fn unread_answers_lose_and_are_counted() {
        let right = labels(80);
        let task = Task::classification(["Critical", "Major", "Minor", "Trivial"]);
        let half = |at: usize| at.is_multiple_of(2).then(|| right[at].clone());
        let found = rows(&task, &right, half, |at| right[at].clone());
        assert_eq!((found[1].unanswered, found[1].n, found[1].verdict), (40, 80, AgainstVerdict::Worse));
        assert!(found[1].p_value.is_some_and(|p| p < 1e-9));
    }

    #[test]
    fn errors_are_compared_where_there_are_answers_and_silence_is_no_victory() {
        let right: Vec<String> = (0..60).map(|at| ["1", "3", "8"][at % 3].to_owned()).collect();
        let task = Task::regression(Vec::<String>::new());
        let off = |at: usize| (right[at].parse::<f64>().expect("a number") + 2.0).to_string();
        let found = rows(&task, &right, |at| Some(right[at].clone()), off);
        let text = found.iter().find(|row| row.baseline == "tfidf_linear").expect("the judge of text");
        assert_eq!((text.metric.as_str(), text.difference, text.verdict), ("mae", -2.0, AgainstVerdict::Better));
        // Right wherever it answers, but it answers one story in three: the interval alone would call that a victory.
        let found = rows(&task, &right, |at| at.is_multiple_of(3).then(|| right[at].clone()), off);
        let text = found.iter().find(|row| row.baseline == "tfidf_linear").expect("the judge of text");
        assert_eq!((text.n, text.unanswered, text.difference), (20, 40, -2.0));
        assert!(text.ci_high.is_some_and(|high| high < 0.0), "{text:?}");
        assert_ne!(text.verdict, AgainstVerdict::Better);
    }
}
