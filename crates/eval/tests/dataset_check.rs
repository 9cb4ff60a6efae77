//! The checks of datasets: each flaw is found where it was planted, and chance is not called a flaw.

#[path = "dataset_files/mod.rs"]
mod dataset_files;

use proptest::prelude::*;
use puma_eval::dataset::{self, Examined, ReadOptions};
use puma_eval::dataset_check::{Check, CheckInput, CheckReport, Finding, Severity, check, similar_pairs};
use puma_eval::scenario;
use puma_eval::stats::SplitMix64;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

fn checked(csv: &[u8], scenario: &str) -> CheckReport {
    let options = ReadOptions::named("crafted").for_scenario(scenario);
    let as_exported = ReadOptions { keep_artefact_quotes: true, ..options.clone() };
    let examined = dataset::examine(csv, options).expect("the file can be read");
    let as_exported = dataset::examine(csv, as_exported).expect("the file can be read").dataset;
    of(&examined, &as_exported, scenario)
}

fn of(examined: &Examined, as_exported: &dataset::Dataset, scenario: &str) -> CheckReport {
    let scenario = scenario::find(scenario).expect("a scenario");
    let input = CheckInput { examined, as_exported, scenario, instances: 100, seed: 42, context_tokens: 2048 };
    check(input).expect("the scenario can sample")
}

fn found(report: &CheckReport, check: Check) -> Option<&Finding> {
    report.findings.iter().find(|finding| finding.check == check)
}

#[track_caller]
fn the(report: &CheckReport, check: Check) -> &Finding {
    found(report, check).unwrap_or_else(|| panic!("no {check:?} among {:#?}", report.findings))
}

/// Issues of random words in random order with `labels` labels; `text` and `key` may say more.
struct Issues {
    random: SplitMix64,
    csv: String,
}

impl Issues {
    fn new(columns: &str, seed: u64) -> Self {
        Self { random: SplitMix64::new(seed), csv: format!("{columns}\n") }
    }

    fn below(&mut self, bound: u32) -> usize {
        self.random.below(bound) as usize
    }

    fn words(&mut self, count: usize) -> String {
        let words: Vec<String> = (0..count).map(|_| format!("w{}", self.random.below(300))).collect();
        words.join(" ")
    }

    fn row(&mut self, cells: &[&str]) {
        let _ = writeln!(self.csv, "{}", cells.join(","));
    }
}

fn random_issues(count: usize, seed: u64) -> String {
    let mut issues = Issues::new("key,title,description,priority", seed);
    for number in 0..count {
        let (title, description) = (issues.words(5), issues.words(20));
        let label = LABELS[issues.below(4)];
        issues.row(&[&format!("K-{number}"), &title, &description, label]);
    }
    issues.csv
}

#[test]
fn random_words_with_random_labels_raise_no_alarm_beyond_the_level_of_the_tests() {
    let mut alarms = 0;
    for seed in 0..20 {
        let report = checked(random_issues(120, seed).as_bytes(), "triage_jira");
        assert_eq!(report.errors, 0, "{:#?}", report.findings);
        alarms += report.findings.len();
    }
    // Five tests at 1 to 5 % in each of twenty files: three alarms are expected, more than nine are not.
    assert!(alarms <= 9, "{alarms} alarms in 20 files without a flaw");
}

#[test]
fn a_word_that_gives_the_answer_away_is_named_with_what_it_tells() {
    let mut issues = Issues::new("key,title,description,priority", 7);
    for number in 0..120 {
        let label = issues.below(4);
        let mark = if label == 0 && number % 2 == 0 { "outage" } else { "" };
        let (title, description) = (issues.words(5), issues.words(20));
        issues.row(&[&format!("K-{number}"), &title, &format!("{description} {mark}"), LABELS[label]]);
    }
    let report = checked(issues.csv.as_bytes(), "triage_jira");
    let words = the(&report, Check::Words);
    assert_eq!((words.severity, words.numbers["giving_away"]), (Severity::Warning, 1.0), "{words:#?}");
    assert!(words.message.contains("`outage`"), "{}", words.message);
    assert!(words.examples[0].text.starts_with("`outage`: "), "{:?}", words.examples);
}

#[test]
fn the_name_of_the_answer_in_the_text_is_found_where_it_is_more_than_chance() {
    let named = |own: bool| {
        let mut issues = Issues::new("key,title,description,priority", 3);
        for number in 0..80 {
            let label = issues.below(4);
            let other = issues.below(4);
            let name = LABELS[if own { label } else { other }].to_lowercase();
            let title = issues.words(6);
            issues.row(&[&format!("K-{number}"), &title, &format!("this is {name}"), LABELS[label]]);
        }
        checked(issues.csv.as_bytes(), "triage_jira")
    };
    let report = named(true);
    assert_eq!(the(&report, Check::AnswerInText).numbers["naming_own"], 80.0);
    assert_eq!(found(&named(false), Check::AnswerInText), None);

    let mut issues = Issues::new("key,title,description,story points", 3);
    for number in 0..60 {
        let points = ["1", "2", "3", "5", "8"][issues.below(5)];
        let title = issues.words(6);
        let said = if number < 12 { format!("Estimate: {points}") } else { String::new() };
        issues.row(&[&format!("K-{number}"), &title, &said, points]);
    }
    let report = checked(issues.csv.as_bytes(), "estimation_tawos");
    assert_eq!(the(&report, Check::AnswerInText).numbers["naming_own"], 12.0);
}

#[test]
fn keys_columns_and_lengths_that_predict_the_answer_are_told() {
    let mut issues = Issues::new("key,project,title,description,priority", 5);
    for number in 0..120 {
        let label = issues.below(4);
        let (title, description) = (issues.words(4), issues.words(5 + 12 * label));
        let project = if number % 5 == 0 { "ANY".to_owned() } else { format!("P{}", label / 2) };
        issues.row(&[&format!("{}-{number}", LABELS[label]), &project, &title, &description, LABELS[label]]);
    }
    let report = checked(issues.csv.as_bytes(), "triage_jira");
    let keys = the(&report, Check::Keys);
    assert_eq!((keys.severity, keys.numbers["accuracy"]), (Severity::Warning, 1.0));
    assert_eq!(the(&report, Check::Columns).severity, Severity::Note);
    let length = the(&report, Check::TextLength);
    assert_eq!(length.severity, Severity::Warning, "{length:#?}");
    assert!(length.numbers["accuracy"] > 0.8);
}

#[test]
fn rows_sorted_by_answer_are_told_and_shuffled_ones_are_not() {
    let sorted = |csv: &str| {
        let mut lines: Vec<&str> = csv.lines().skip(1).collect();
        lines.sort_by_key(|line| line.rsplit(',').next().map(str::to_owned));
        format!("key,title,description,priority\n{}\n", lines.join("\n"))
    };
    let csv = random_issues(100, 11);
    let report = checked(sorted(&csv).as_bytes(), "triage_jira");
    let order = the(&report, Check::Order);
    assert_eq!((order.severity, order.numbers["blocks"]), (Severity::Warning, 4.0));
    assert_eq!(found(&checked(csv.as_bytes(), "triage_jira"), Check::Order), None);
}

#[test]
fn every_row_that_cannot_be_read_is_told_with_its_line() {
    let mut csv = random_issues(30, 1);
    csv += "K-5,again,the key is used,Major\nX-1,too,few\nX-2,a priority,nobody knows,Enormous\nX-3,,,Minor\n";
    csv += "X-4,a priority,nobody knows,Gigantic\n";
    let report = checked(csv.as_bytes(), "triage_jira");
    let unreadable: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.check == Check::Unreadable).collect();
    let counted: Vec<(f64, Vec<Option<u64>>)> = unreadable
        .iter()
        .map(|finding| (finding.numbers["rows"], finding.examples.iter().map(|example| example.line).collect()))
        .collect();
    assert_eq!(counted, [(1.0, vec![Some(33)]), (1.0, vec![Some(32)]), (2.0, vec![Some(34), Some(36)])]);
    assert_eq!((report.errors, report.rows), (3, 30));
    assert_eq!(the(&report, Check::LeftOut).examples[0].line, Some(35));
    // Reading for a run still stops.
    let error = dataset::read(csv.as_bytes(), ReadOptions::named("crafted").for_scenario("triage_jira"));
    assert_eq!(error.expect_err("the file is broken").line, Some(33));
}

#[test]
fn twins_contradictions_and_judged_issues_among_the_examples_are_told() {
    let mut issues = Issues::new("key,title,description,priority,split_mark", 9);
    let long = issues.words(60);
    for number in 0..60 {
        let (title, description) = (issues.words(6), issues.words(20));
        let split = if number < 20 { "train" } else { "test" };
        issues.row(&[&format!("K-{number}"), &title, &description, LABELS[number % 4], split]);
    }
    issues.row(&["D-1", "Login Fails!", "when I try", "Major", "train"]);
    issues.row(&["D-2", "login fails", "When I try.", "Minor", "test"]);
    issues.row(&["N-1", "A long story", &long, "Major", "train"]);
    issues.row(&["N-2", "A long story", &format!("{long} indeed"), "Major", "test"]);
    let report = checked(issues.csv.as_bytes(), "triage_jira");
    assert_eq!(the(&report, Check::Duplicates).numbers["issues"], 1.0);
    assert_eq!(the(&report, Check::NearDuplicates).numbers["pairs"], 1.0);
    let contradiction = the(&report, Check::Contradictions);
    assert_eq!((contradiction.numbers["pairs"], contradiction.examples[0].line), (1.0, Some(62)));
    let contamination = the(&report, Check::Contamination);
    assert_eq!(contamination.numbers["issues"], 2.0, "{contamination:#?}");
    assert!(contamination.message.contains("marked `train`"), "{}", contamination.message);
    assert_eq!(the(&report, Check::Splits).numbers["test"], 42.0);
}

#[test]
fn versions_that_differ_in_a_digit_are_no_twins() {
    let csv = "key,title,priority\nA-1,Create version 5.1.0,Minor\nA-2,Create version 6.1.0,Minor\n";
    assert_eq!(found(&checked(csv.as_bytes(), "triage_jira"), Check::Duplicates), None);
}

#[test]
fn unbalanced_missing_and_unmarked_answers_are_told() {
    let mut issues = Issues::new("key,title,description,priority,split_mark", 2);
    for number in 0..60 {
        let (title, description) = (issues.words(6), issues.words(20));
        let label = if number < 50 { "Major" } else { "Minor" };
        let split = if number % 10 == 3 { "holdout" } else { "test" };
        issues.row(&[&format!("K-{number}"), &title, &description, label, split]);
    }
    let report = checked(issues.csv.as_bytes(), "triage_jira");
    let balance: Vec<&str> =
        report.findings.iter().filter(|f| f.check == Check::Balance).map(|f| f.message.as_str()).collect();
    assert!(balance[0].contains("the answer Major"), "{balance:?}");
    assert!(balance[1].contains("Critical 0") && balance[1].contains("Trivial 0"), "{balance:?}");
    let splits: Vec<&Finding> = report.findings.iter().filter(|f| f.check == Check::Splits).collect();
    assert!(splits.iter().any(|f| f.numbers.get("rows") == Some(&6.0)), "{splits:#?}");
    assert!(splits.iter().any(|f| f.message.contains("only 0 rows are marked as train")), "{splits:#?}");
}

#[test]
fn empty_endless_and_broken_texts_are_told() {
    let mut issues = Issues::new("key,title,description,priority", 4);
    for number in 0..40 {
        let title = issues.words(6);
        let description = match number {
            0 => "x".repeat(9000),
            1 => "\"\"\"quoted as a whole\"\"\"".to_owned(),
            2 => "caf\u{c3}\u{a9} au lait".to_owned(),
            3 => "a &amp; b".to_owned(),
            4 => String::new(),
            _ => issues.words(10),
        };
        issues.row(&[&format!("K-{number}"), &title, &description, LABELS[number % 4]]);
    }
    let report = checked(issues.csv.as_bytes(), "triage_jira");
    assert_eq!(the(&report, Check::Length).examples[0].line, Some(2));
    assert_eq!(the(&report, Check::Empty).examples[0].line, Some(6));
    let artefacts: Vec<Option<u64>> =
        report.findings.iter().filter(|f| f.check == Check::Artefacts).map(|f| f.examples[0].line).collect();
    assert_eq!(artefacts, [Some(3), Some(4), Some(5)]);
}

#[test]
fn the_sample_sets_have_no_flaw_but_the_one_their_page_tells() {
    for scenario in ["triage_jira", "estimation_tawos", "prioritization_jira"] {
        let dataset = dataset::embedded(scenario).expect("an embedded set");
        let report = of(&Examined { dataset: dataset.clone(), problems: Vec::new() }, &dataset, scenario);
        let warned: Vec<Check> =
            report.findings.iter().filter(|f| f.severity != Severity::Note).map(|f| f.check).collect();
        let known: &[Check] = if scenario == "estimation_tawos" { &[] } else { &[Check::TextLength] };
        assert_eq!(warned, known, "{scenario}: {:#?}", report.findings);
    }
}

#[test]
fn upstreams_set_is_found_to_be_made_up_and_leaking() {
    let Some(bytes) = dataset_files::file("jira_balanced_200.csv") else { return };
    let report = checked(&bytes, "triage_jira");
    let warned: BTreeSet<Check> =
        report.findings.iter().filter(|f| f.severity == Severity::Warning).map(|f| f.check).collect();
    let expected = [Check::AnswerInText, Check::Words, Check::Keys, Check::TextLength, Check::Order];
    assert_eq!(warned, expected.into(), "{:#?}", report.findings);
    assert_eq!(the(&report, Check::Keys).numbers["accuracy"], 1.0);
    assert_eq!(the(&report, Check::Order).numbers["blocks"], 4.0);
}

fn brute_force(texts: &[&str], threshold: f64) -> Vec<(usize, usize)> {
    let shingles = |text: &str| -> BTreeSet<Vec<String>> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.windows(3.min(words.len()).max(1)).map(<[String]>::to_vec).collect()
    };
    let sets: Vec<BTreeSet<Vec<String>>> = texts.iter().map(|text| shingles(text)).collect();
    let mut pairs = Vec::new();
    for first in 0..sets.len() {
        for second in first + 1..sets.len() {
            let shared = sets[first].intersection(&sets[second]).count();
            let all = sets[first].union(&sets[second]).count();
            if shared > 0 && shared as f64 / all as f64 >= threshold {
                pairs.push((first, second));
            }
        }
    }
    pairs
}

proptest! {
    #[test]
    fn similar_pairs_are_those_that_comparing_all_would_find(
        texts in proptest::collection::vec("([abc] ){0,12}", 0..25),
        threshold in prop_oneof![Just(0.5), Just(0.8), Just(0.9), Just(1.0)],
    ) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found: Vec<(usize, usize)> = similar_pairs(&texts, threshold).iter().map(|(a, b, _)| (*a, *b)).collect();
        prop_assert_eq!(found, brute_force(&texts, threshold));
    }
}
