//! Label probabilities against brute force over every path of a tiny language model.

use proptest::prelude::*;
use puma_core::{Completion, FinishReason, Phases, TokenLogprob, TopLogprob, Usage};
use puma_eval::confidence::label_probabilities;
use std::collections::{BTreeMap, BTreeSet};

const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

fn token(text: &str, probability: f64, top: &[(&str, f64)]) -> TokenLogprob {
    TokenLogprob {
        id: None,
        token: text.to_owned(),
        logprob: probability.ln() as f32,
        top: top
            .iter()
            .map(|(text, probability)| TopLogprob {
                id: None,
                token: (*text).to_owned(),
                logprob: probability.ln() as f32,
            })
            .collect(),
    }
}

fn completion(tokens: Vec<TokenLogprob>) -> Completion {
    Completion {
        text: tokens.iter().map(|token| token.token.as_str()).collect(),
        reasoning: None,
        finish: FinishReason::Stop,
        tokens,
        scores: Vec::new(),
        usage: Usage::default(),
        phases: Phases::default(),
        attempts: Vec::new(),
        from_cache: false,
    }
}

/// A language model small enough to write down: the text so far decides what may follow, and with which weight.
#[derive(Debug)]
struct Model {
    first: Vec<(&'static str, f64)>,
    major: f64,
}

const FIRST: [&str; 13] =
    ["Critical", " Critical", "Crit", "critical", " M", "M", "Maj", " Minor", "Min", "Triv", "The", " ", "**"];

impl Model {
    fn next(&self, text: &str) -> Vec<(&'static str, f64)> {
        let of = |tokens: &[(&'static str, f64)]| tokens.to_vec();
        match text {
            "" => self.first.clone(),
            // After a space or emphasis the choice is made again, without another one.
            " " | "**" => {
                let left: Vec<_> =
                    self.first.iter().copied().filter(|(token, _)| !matches!(*token, " " | "**")).collect();
                let sum: f64 = left.iter().map(|(_, weight)| weight).sum();
                left.into_iter().map(|(token, weight)| (token, weight / sum)).collect()
            }
            _ if text.ends_with("Crit") => of(&[("ical", 1.0)]),
            _ if text.ends_with("Triv") => of(&[("ial", 1.0)]),
            _ if text.ends_with("Maj") || text.ends_with("Min") => of(&[("or", 1.0)]),
            _ if text.ends_with('M') => of(&[("ajor", self.major), ("inor", 1.0 - self.major)]),
            _ if text.ends_with("The") => of(&[(" end", 1.0)]),
            _ => Vec::new(),
        }
    }

    /// Every finished text with its tokens and its probability.
    fn paths(&self) -> Vec<(Vec<&'static str>, f64)> {
        let mut open: Vec<(Vec<&'static str>, f64)> = vec![(Vec::new(), 1.0)];
        let mut finished = Vec::new();
        while let Some((tokens, probability)) = open.pop() {
            let next = self.next(&tokens.concat());
            if next.is_empty() {
                finished.push((tokens, probability));
                continue;
            }
            for (token, share) in next {
                let mut longer = tokens.clone();
                longer.push(token);
                open.push((longer, probability * share));
            }
        }
        finished
    }
}

fn said(tokens: &[&str]) -> Option<&'static str> {
    let text = tokens.concat();
    let text = text.trim_matches([' ', '*']);
    LABELS.into_iter().find(|label| label.eq_ignore_ascii_case(text))
}

fn model() -> impl Strategy<Value = Model> {
    (proptest::collection::vec(0.01f64..1.0, FIRST.len()), 0.05f64..0.95).prop_map(|(weights, major)| {
        let sum: f64 = weights.iter().sum();
        Model { first: FIRST.into_iter().zip(weights.into_iter().map(|weight| weight / sum)).collect(), major }
    })
}

proptest! {
    #[test]
    fn probabilities_equal_brute_force_over_all_token_paths(model in model(), choice in 0usize..1000) {
        let paths = model.paths();
        let answering: Vec<_> = paths.iter().filter(|(tokens, _)| said(tokens).is_some()).collect();
        let (generated, _) = answering[choice % answering.len()];

        // What a backend would return for the generated path, with the whole vocabulary listed.
        let mut tokens = Vec::new();
        for (position, text) in generated.iter().enumerate() {
            let next = model.next(&generated[..position].concat());
            let own = next.iter().find(|(token, _)| token == text).expect("the path follows the model").1;
            tokens.push(token(text, own, &next));
        }
        let completion = completion(tokens);
        let text = completion.text.clone();
        let start = text.len() - text.trim_start_matches([' ', '*']).len();
        let found = label_probabilities(&completion, start..text.len(), &LABELS, false).expect("logprobs are there");

        // Brute force: a path counts for its label if, where it leaves the generated one, nothing else can come of it.
        let mut expected: BTreeMap<&str, f64> = LABELS.into_iter().map(|label| (label, 0.0)).collect();
        let mut truth = expected.clone();
        for (tokens, probability) in &paths {
            let Some(label) = said(tokens) else { continue };
            *truth.get_mut(label).expect("a label") += probability;
            let shared = tokens.iter().zip(generated).take_while(|(left, right)| left == right).count();
            let leaves = &tokens[..tokens.len().min(shared + 1)];
            let outcomes: BTreeSet<Option<&str>> =
                paths.iter().filter(|(other, _)| other.starts_with(leaves)).map(|(other, _)| said(other)).collect();
            if tokens == generated || outcomes.len() == 1 {
                *expected.get_mut(label).expect("a label") += probability;
            }
        }
        for label in LABELS {
            prop_assert!((found[label] - expected[label]).abs() < 1e-5, "{label}: {} {}", found[label], expected[label]);
            prop_assert!(found[label] <= truth[label] + 1e-5);
        }
        prop_assert!(found.values().sum::<f64>() <= 1.0 + 1e-6);
    }

    #[test]
    fn whatever_a_server_sends_the_sum_stays_within_one(
        pieces in proptest::collection::vec(
            (0usize..FIRST.len(), -3.0f32..2.0, proptest::collection::vec((0usize..FIRST.len(), -3.0f32..2.0), 0..6)),
            1..6,
        ),
        start in 0usize..20,
        exact_case: bool,
    ) {
        let tokens = pieces
            .into_iter()
            .map(|(own, logprob, top)| TokenLogprob {
                id: None,
                token: FIRST[own].to_owned(),
                logprob,
                top: top
                    .into_iter()
                    .map(|(text, logprob)| TopLogprob { id: None, token: FIRST[text].to_owned(), logprob })
                    .collect(),
            })
            .collect();
        let completion = completion(tokens);
        let start = start.min(completion.text.len());
        if let Some(found) = label_probabilities(&completion, start..completion.text.len(), &LABELS, exact_case) {
            prop_assert!(found.values().all(|value| (0.0..=1.0 + 1e-6).contains(value)));
            prop_assert!(found.values().sum::<f64>() <= 1.0 + 1e-6);
        }
    }
}

#[test]
fn without_logprobs_or_with_another_text_nothing_is_known() {
    let mut known = completion(vec![token("Minor", 0.5, &[("Minor", 0.5), ("Major", 0.25)])]);
    assert!(label_probabilities(&known, 0..5, &LABELS, false).is_some());
    known.text = "Trivial".to_owned();
    assert_eq!(label_probabilities(&known, 0..7, &LABELS, false), None);
    known.tokens.clear();
    assert_eq!(label_probabilities(&known, 0..7, &LABELS, false), None);
}

#[test]
fn a_text_the_backend_trimmed_is_still_found_in_its_tokens() {
    let mut trimmed =
        completion(vec![token(" Min", 0.5, &[(" Maj", 0.3)]), token("or", 0.9, &[]), token("\n", 1.0, &[])]);
    trimmed.text = "Minor".to_owned();
    let found = label_probabilities(&trimmed, 0..5, &LABELS, false).unwrap();
    assert!((found["Minor"] - 0.45).abs() < 1e-6 && (found["Major"] - 0.3).abs() < 1e-6, "{found:?}");
}

#[test]
fn the_final_answer_after_reasoning_is_what_counts() {
    let reasoned = completion(vec![
        token("Critical", 0.9, &[("Minor", 0.1)]),
        token("? No.\nFinal answer:", 0.5, &[]),
        token(" ", 0.5, &[(" Major", 0.5)]),
        token("Minor", 0.6, &[("Major", 0.2), ("Critical", 0.1)]),
    ]);
    let start = reasoned.text.find("Minor").unwrap();
    let found = label_probabilities(&reasoned, start..start + 5, &LABELS, false).unwrap();
    assert!((found["Minor"] - 0.3).abs() < 1e-6);
    assert!((found["Major"] - 0.6).abs() < 1e-6, "an alternative to the space counts: {found:?}");
    assert!((found["Critical"] - 0.05).abs() < 1e-6);
}

#[test]
fn a_number_that_begins_another_is_told_apart_by_the_token_after_it() {
    let scale = ["1", "2", "3", "5", "8", "13", "21"];
    let one = completion(vec![
        token("1", 0.6, &[("1", 0.6), ("5", 0.3), ("2", 0.1)]),
        token("\n", 0.75, &[("\n", 0.75), ("3", 0.2)]),
    ]);
    let found = label_probabilities(&one, 0..1, &scale, false).unwrap();
    assert!((found["1"] - 0.45).abs() < 1e-6 && (found["13"] - 0.12).abs() < 1e-6, "{found:?}");
    assert!((found["5"] - 0.3).abs() < 1e-6);
    assert_eq!(found["2"], 0.0, "2 may become 21, so it belongs to neither");
    let thirteen = completion(vec![token("1", 0.6, &[("8", 0.4)]), token("3", 0.5, &[("\n", 0.5)])]);
    let found = label_probabilities(&thirteen, 0..2, &scale, false).unwrap();
    assert!((found["13"] - 0.3).abs() < 1e-6 && (found["1"] - 0.3).abs() < 1e-6, "{found:?}");
}

#[test]
fn an_article_is_no_choice_and_a_longer_word_no_label() {
    let letter = completion(vec![token("A", 0.5, &[("B", 0.2), ("a", 0.2), ("An", 0.1)])]);
    let found = label_probabilities(&letter, 0..1, &["A", "B"], true).unwrap();
    assert!((found["A"] - 0.5).abs() < 1e-6 && (found["B"] - 0.2).abs() < 1e-6);
    let word = completion(vec![token("Minor", 0.5, &[("Critically", 0.3), ("Critical.", 0.1)])]);
    let found = label_probabilities(&word, 0..5, &LABELS, false).unwrap();
    assert!((found["Critical"] - 0.1).abs() < 1e-6);
}

#[test]
fn tokens_are_told_apart_by_id_where_there_is_one() {
    // Byte pieces of different ids print alike; the generated token is listed under its id.
    let mut token = token("Minor", 0.5, &[("Minor", 0.5), ("Minor", 0.2)]);
    token.id = Some(7);
    token.top[0].id = Some(7);
    token.top[1].id = Some(8);
    let found = label_probabilities(&completion(vec![token]), 0..5, &LABELS, false).unwrap();
    assert!((found["Minor"] - 0.7).abs() < 1e-6);
}
