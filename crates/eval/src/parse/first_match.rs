//! Upstream's way of reading answers: the first mention counts, whatever surrounds it.
//!
//! Kept exact, defects included, for published numbers: a negated label, the number of a list item and the English
//! article "a" all count. Source: upstream v4.0 as described in its parser tests.

use super::choice::ChoiceNames;
use super::parsed::{Parsed, Standing, shortest_decimal};
use super::reasoning::{Visible, visible_as_upstream};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

const RULE: &str = "first_match";
const SCALE: [f64; 7] = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0];

static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[0-9]+\.?[0-9]*").expect("a valid pattern"));

fn found(visible: &Visible, answer: String, range: &Range<usize>) -> Parsed {
    Parsed {
        candidates: vec![answer.clone()],
        answer: Some(answer),
        rule: RULE,
        // Upstream counts whatever it can read.
        standing: Standing::Final,
        span: Some(visible.original(range)),
        reasoning_unfinished: visible.reasoning_unfinished,
        ..Parsed::default()
    }
}

fn nothing(visible: &Visible) -> Parsed {
    Parsed { rule: "none", reasoning_unfinished: visible.reasoning_unfinished, ..Parsed::default() }
}

/// The first label that stands as a word of its own, in any case.
pub(super) fn label(text: &str, labels: &[&str]) -> Parsed {
    let visible = visible_as_upstream(text);
    match super::label::first_label(&visible.text, labels) {
        Some((label, range)) => found(&visible, label.to_owned(), &range),
        None => nothing(&visible),
    }
}

/// The first number, moved to the nearest of the scale (the smaller one of two) if that is at most 1 away.
/// A number too large for a float is no answer.
pub(super) fn story_points(text: &str) -> Parsed {
    let visible = visible_as_upstream(text);
    let Some(number) = NUMBER.find(&visible.text) else { return nothing(&visible) };
    match number.as_str().parse::<f64>() {
        Ok(value) if value.is_finite() => found(&visible, shortest_decimal(snap(value)), &number.range()),
        _ => nothing(&visible),
    }
}

fn snap(value: f64) -> f64 {
    let mut nearest = SCALE[0];
    for step in SCALE {
        if (step - value).abs() < (nearest - value).abs() {
            nearest = step;
        }
    }
    if (nearest - value).abs() <= 1.0 { nearest } else { value }
}

/// The first of the two names that stands as a word of its own, in any case.
pub(super) fn choice(text: &str, names: &ChoiceNames) -> Parsed {
    let visible = visible_as_upstream(text);
    match names.mention.find(&visible.text) {
        Some(letter) => found(&visible, letter.as_str().to_ascii_uppercase(), &letter.range()),
        None => nothing(&visible),
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice::A_OR_B;
    use super::*;

    #[test]
    fn upstream_test_vectors_come_out_equal() {
        for (text, answer) in [
            ("4", Some("3")),
            ("6", Some("5")),
            ("7", Some("8")),
            ("10", Some("10")),
            ("2.5", Some("2")),
            ("0", Some("1")),
            ("", None),
            ("1. First consider the interface", Some("1")),
            ("-3", Some("3")),
            ("100", Some("100")),
            ("<think>8</think> 13 points", Some("13")),
        ] {
            assert_eq!(story_points(text).answer.as_deref(), answer, "{text}");
        }
        let labels = ["Critical", "Major", "Minor", "Trivial"];
        for (text, answer) in [
            ("<think>critical</think> Minor", Some("Minor")),
            ("<think>Major", None),
            ("It is not Critical; Minor", Some("Critical")),
            ("majority", None),
            ("MAJOR", Some("Major")),
        ] {
            assert_eq!(label(text, &labels).answer.as_deref(), answer, "{text}");
        }
        for (text, answer) in [("It is a bug in B", Some("A")), ("Issue B", Some("B")), ("Both", None)] {
            assert_eq!(choice(text, &A_OR_B).answer.as_deref(), answer, "{text}");
        }
    }
}
