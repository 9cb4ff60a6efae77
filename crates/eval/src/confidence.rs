//! Label probabilities from token paths: how probable the model found each possible answer where it gave one.
//!
//! The probability of a label is the sum over the token paths that spell it, as far as the completion shows them: along
//! the generated path, its tokens multiplied; at every step the alternatives listed there, if they can only become one
//! label. Mass that could become several labels, or none, belongs to no label, so the values sum to at most 1 and are
//! not normalised. Deliberately absent: guesses about alternatives nobody listed.

use crate::stats::exp;
use puma_core::{Completion, TokenLogprob};
use std::collections::BTreeMap;
use std::ops::Range;

/// Probability of each of `labels` at the place where the completion answers.
///
/// `answer` is the answer's place in bytes of `completion.text`. `exact_case` says that `a` is not `A`. Units: natural
/// probabilities, 0 to 1. `None` without logprobs, or if the tokens do not spell the text (then nothing is known about
/// which token is the answer).
///
/// An alternative that begins exactly one label ("Crit") counts in full for it, because its continuations were never
/// computed; a complete label that also begins another ("1" of "13") is told apart by the token after it.
pub fn label_probabilities(
    completion: &Completion,
    answer: Range<usize>,
    labels: &[&str],
    exact_case: bool,
) -> Option<BTreeMap<String, f64>> {
    let tokens = &completion.tokens;
    let first = first_token(completion, answer)?;
    let spelling = Spelling { labels, exact_case };
    let mut probabilities: BTreeMap<String, f64> = labels.iter().map(|label| ((*label).to_owned(), 0.0)).collect();
    // Probability and text of the generated path from the answer's first token on.
    let mut path = 1.0;
    let mut spelled = String::new();
    for token in &tokens[first..] {
        let (own, alternatives) = step(token);
        for (text, probability) in alternatives {
            let candidate = format!("{spelled}{text}");
            if let Fate::Only(label) = spelling.fate(&candidate) {
                add(&mut probabilities, label, path * probability);
            }
        }
        path *= own;
        spelled.push_str(&token.token);
        match spelling.fate(&spelled) {
            // More tokens may still be part of the label, or of another one that this one begins.
            Fate::Only(label) if spelling.is_complete(&spelled) => {
                add(&mut probabilities, label, path);
                return Some(probabilities);
            }
            Fate::Never => return Some(probabilities),
            Fate::Only(_) | Fate::Open => {}
        }
    }
    // The text ended: what it spells exactly is what it says.
    if let Some(label) = spelling.exactly(&spelled) {
        add(&mut probabilities, label, path);
    }
    Some(probabilities)
}

fn add(probabilities: &mut BTreeMap<String, f64>, label: &str, probability: f64) {
    if let Some(sum) = probabilities.get_mut(label) {
        *sum += probability;
    }
}

/// The token in which the answer begins, or an earlier one if only spaces and emphasis lie between.
fn first_token(completion: &Completion, answer: Range<usize>) -> Option<usize> {
    let mut ends = Vec::with_capacity(completion.tokens.len());
    let mut joined = String::new();
    for token in &completion.tokens {
        joined.push_str(&token.token);
        ends.push(joined.len());
    }
    // Backends may trim the text, or report reasoning apart; the tokens keep everything, and the text comes last.
    let offset = if completion.text.is_empty() { None } else { joined.rfind(&completion.text) }?;
    let start = answer.start + offset;
    let mut first = ends.iter().position(|end| *end > start)?;
    // What precedes the answer in its own token must not be part of another word.
    let before = joined.get(first.checked_sub(1).map_or(0, |previous| ends[previous])..start)?;
    if !before.chars().all(is_decoration) {
        return None;
    }
    while let Some(previous) = first.checked_sub(1) {
        let text = &completion.tokens[previous].token;
        let opens_the_text = joined[..ends[previous]].chars().all(is_decoration);
        let same_line = !text.contains('\n') && !text.is_empty();
        if text.chars().all(is_decoration) && (opens_the_text || same_line) {
            first = previous;
        } else {
            break;
        }
    }
    Some(first)
}

fn is_decoration(c: char) -> bool {
    c.is_whitespace() || "*_\"'`([{$▁Ġ".contains(c)
}

/// Probability of the generated token, and text and probability of every other token listed at its place. However odd
/// the logprobs a server sends, the probabilities sum to at most 1.
fn step(token: &TokenLogprob) -> (f64, Vec<(&str, f64)>) {
    let probability = |logprob: f32| match exp(f64::from(logprob)) {
        value if value.is_finite() => value.clamp(0.0, 1.0),
        _ => 0.0,
    };
    let own = probability(token.logprob);
    let mut left = 1.0 - own;
    let mut alternatives: Vec<(&str, f64)> = Vec::with_capacity(token.top.len());
    for (position, top) in token.top.iter().enumerate() {
        let is_own = match (top.id, token.id) {
            (Some(top), Some(own)) => top == own,
            _ => top.token == token.token,
        };
        let repeated = token.top[..position].iter().any(|other| match (other.id, top.id) {
            (Some(other), Some(top)) => other == top,
            _ => other.token == top.token,
        });
        if !is_own && !repeated {
            let share = probability(top.logprob).min(left);
            left -= share;
            alternatives.push((&top.token, share));
        }
    }
    (own, alternatives)
}

/// What a text at the answer's place can still become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate<'a> {
    /// Exactly this label.
    Only(&'a str),
    /// More than one label.
    Open,
    /// No label.
    Never,
}

struct Spelling<'a> {
    labels: &'a [&'a str],
    exact_case: bool,
}

impl<'a> Spelling<'a> {
    fn fold(&self, text: &str) -> String {
        let bare = text.trim_start_matches(is_decoration);
        if self.exact_case { bare.to_owned() } else { bare.to_lowercase() }
    }

    /// Nothing but decoration can become anything; a beginning can become every label it begins; a label followed by
    /// something that ends a word is that label.
    fn fate(&self, text: &str) -> Fate<'a> {
        let text = self.fold(text);
        let mut possible = self.labels.iter().filter(|label| {
            let label = self.fold(label);
            match text.strip_prefix(label.as_str()) {
                Some(rest) => rest.is_empty() || ends_word(&label, rest),
                None => label.starts_with(text.as_str()),
            }
        });
        match (possible.next(), possible.next()) {
            (Some(label), None) => Fate::Only(label),
            (Some(_), Some(_)) => Fate::Open,
            (None, _) => Fate::Never,
        }
    }

    /// The label is fully spelled.
    fn is_complete(&self, text: &str) -> bool {
        let text = self.fold(text);
        self.labels.iter().any(|label| text.starts_with(&self.fold(label)))
    }

    fn exactly(&self, text: &str) -> Option<&'a str> {
        let text = self.fold(text);
        let text = text.trim_end();
        self.labels.iter().find(|label| self.fold(label) == text).copied()
    }
}

/// Whether `rest`, right after `label`, ends the word: "Critical." but not "Criticality", "5." but not "5.5".
fn ends_word(label: &str, rest: &str) -> bool {
    let mut rest = rest.chars();
    let (Some(first), second) = (rest.next(), rest.next()) else { return true };
    let is_number = label.ends_with(|c: char| c.is_ascii_digit());
    let goes_on = first.is_alphanumeric()
        || is_number && matches!(first, '.' | ',') && second.is_some_and(|c| c.is_ascii_digit());
    !goes_on
}
