//! Reads `tests/parse/*.md`: each heading is a sentence, followed by a fenced model answer and the expected lines.
//!
//! ````text
//! ## a sentence
//! ```
//! the model's text
//! ```
//! answer: Critical
//! rule: first_line
//! ````
//! `answer: -` expects none; `answer: ambiguous` expects several. `reads: label|story_points|choice` holds for all that
//! follows, `mode: first-match` for the file.

use proptest::prelude::*;
use puma_eval::parse::{A_OR_B, Parsed, choice, label, story_points};
use puma_eval::spec::ParserMode;
use std::fs;
use std::path::Path;

const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

fn read(kind: &str, text: &str, mode: ParserMode) -> Parsed {
    match kind {
        "label" => label(text, &LABELS, mode),
        "story_points" => story_points(text, mode),
        "choice" => choice(text, &A_OR_B, mode),
        other => panic!("unknown kind of answer `{other}`"),
    }
}

struct Case {
    name: String,
    text: String,
    answer: String,
    rule: Option<String>,
}

fn check(file: &str, kind: &str, mode: ParserMode, case: &Case) -> Option<String> {
    let parsed = read(kind, &case.text, mode);
    let answer = match (&parsed.answer, parsed.ambiguous) {
        (Some(answer), false) => answer.clone(),
        (None, true) => "ambiguous".to_owned(),
        (None, false) => "-".to_owned(),
        (Some(_), true) => panic!("{file}: {}: an answer cannot be ambiguous", case.name),
    };
    let rule_differs = case.rule.as_ref().is_some_and(|rule| rule != parsed.rule);
    (answer != case.answer || rule_differs).then(|| {
        format!(
            "{file}: {}\n  expected {} by {}\n  got      {answer} by {}",
            case.name,
            case.answer,
            case.rule.as_deref().unwrap_or("any rule"),
            parsed.rule
        )
    })
}

/// Failures of one file and the number of its cases.
fn run_file(file: &str, content: &str) -> (Vec<String>, usize) {
    let (mut kind, mut mode) = (String::new(), ParserMode::FinalAnswer);
    let (mut name, mut text, mut answer, mut rule) = (String::new(), None::<String>, None::<String>, None);
    let (mut failures, mut cases) = (Vec::new(), 0);
    let mut lines = content.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(value) = line.strip_prefix("reads: ") {
            value.clone_into(&mut kind);
        } else if line == "mode: first-match" {
            mode = ParserMode::FirstMatch;
        } else if let Some(value) = line.strip_prefix("## ") {
            value.clone_into(&mut name);
        } else if line.starts_with("````") || line.starts_with("```") {
            let fence: String = line.chars().take_while(|c| *c == '`').collect();
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != fence).collect();
            text = Some(body.join("\n"));
        } else if let Some(value) = line.strip_prefix("answer: ") {
            answer = Some(value.to_owned());
        } else if let Some(value) = line.strip_prefix("rule: ") {
            rule = Some(value.to_owned());
        }
        let done = lines.peek().is_none_or(|next| next.starts_with("## "));
        if done && answer.is_some() {
            let case = Case {
                name: name.clone(),
                text: text.take().unwrap_or_else(|| panic!("{file}: {name}: no fenced text")),
                answer: answer.take().expect("checked above"),
                rule: rule.take(),
            };
            cases += 1;
            failures.extend(check(file, &kind, mode, &case));
        }
    }
    (failures, cases)
}

#[test]
fn every_markdown_case_is_read_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parse");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut failures, mut cases) = (Vec::new(), 0);
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let (failed, count) = run_file(&file, &fs::read_to_string(&path).unwrap());
        assert!(count > 0, "{file} holds no case");
        failures.extend(failed);
        cases += count;
    }
    assert!(failures.is_empty(), "{} of {cases} cases fail:\n{}", failures.len(), failures.join("\n"));
    assert!(cases >= 150, "only {cases} cases");
}

/// Words that the rules look at, so that random texts reach them.
const PIECES: [&str; 44] = [
    "Critical",
    "major",
    "MINOR",
    "trivial",
    "A",
    "B",
    "a",
    "5",
    "3-5",
    "13.",
    "2.5",
    "-1",
    "1. ",
    "five",
    "not ",
    "rather than",
    " or ",
    ", ",
    "/",
    ". ",
    "\n",
    "\n\n",
    "**",
    "`",
    "\"",
    "Final answer: ",
    "priority is ",
    "Issue ",
    "{\"priority\": \"",
    "\"}",
    "{",
    "}",
    "\\boxed{",
    "<think>",
    "</think>",
    " story points",
    "Story Points:",
    "é",
    "😀",
    "’",
    "Example 2\n",
    "Title: ",
    "%",
    "9999999999999999999999999",
];

fn check_laws(text: &str) -> Result<(), TestCaseError> {
    for kind in ["label", "story_points", "choice"] {
        for mode in [ParserMode::FinalAnswer, ParserMode::FirstMatch] {
            let parsed = read(kind, text, mode);
            prop_assert!(!(parsed.ambiguous && parsed.answer.is_some()));
            prop_assert_eq!(parsed.answer.is_some(), parsed.span.is_some());
            if let (Some(answer), Some(span)) = (&parsed.answer, parsed.span.clone()) {
                prop_assert!(parsed.candidates.contains(answer));
                prop_assert!(text.get(span).is_some(), "the span is no piece of the text");
                match kind {
                    "label" => prop_assert!(LABELS.contains(&answer.as_str())),
                    "choice" => prop_assert!(answer == "A" || answer == "B"),
                    _ => prop_assert!(answer.parse::<f64>().is_ok_and(|value| value.is_finite() && value >= 0.0)),
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_at_all_is_read_without_a_panic(text in "\\PC{0,200}") {
        check_laws(&text)?;
    }

    #[test]
    fn any_arrangement_of_telling_pieces_is_read_without_a_panic(
        pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..25)
    ) {
        check_laws(&pieces.concat())?;
    }

    #[test]
    fn a_label_alone_in_any_dress_is_that_label(
        label in 0usize..4, open in "[ \n*_\"'`(\\[]{0,3}", close in "[ \n*_\"'`)\\].]{0,3}", upper: bool,
    ) {
        let word = if upper { LABELS[label].to_uppercase() } else { LABELS[label].to_lowercase() };
        let text = format!("{open} {word} {close}");
        let parsed = read("label", &text, ParserMode::FinalAnswer);
        prop_assert_eq!(parsed.answer.as_deref(), Some(LABELS[label]));
    }

    #[test]
    fn a_number_alone_is_that_number(whole in 0u32..=1000, half: bool) {
        let number = if half && whole < 1000 { format!("{whole}.5") } else { whole.to_string() };
        let parsed = read("story_points", &number, ParserMode::FinalAnswer);
        prop_assert_eq!(parsed.answer.as_deref(), Some(number.as_str()));
    }
}
