//! What became of a job: its outcome, its answer and how sure the model was.

use crate::confidence::label_probabilities;
use crate::metric::TaskKind;
use crate::parse::{Parsed, outcome, shortest_decimal};

use crate::scenario::Scenario;
use crate::spec::ParserMode;
use crate::strategy::{self, Strategy};
use puma_core::{Completion, JobRecord, Outcome};
use std::collections::BTreeMap;

/// The judgement of one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// Present exactly when the outcome is `Answered`.
    pub answer: Option<String>,
    pub rule: Option<String>,
    /// Probability of the answer; `None` without logprobs.
    pub confidence: Option<f64>,
    pub label_probabilities: BTreeMap<String, f64>,
}

/// Judges the completions of one job: turns of a conversation (the last one counts) or votes (the majority counts,
/// the median for numbers; ties go to the answer that was given first).
pub fn judge(scenario: &dyn Scenario, mode: ParserMode, strategy: &Strategy, completions: &[Completion]) -> Verdict {
    let verdicts: Vec<Verdict> = match strategy.turns {
        1 => completions.iter().map(|completion| judge_one(scenario, mode, strategy, completion)).collect(),
        _ => completions.last().map(|last| judge_one(scenario, mode, strategy, last)).into_iter().collect(),
    };
    match <[Verdict; 1]>::try_from(verdicts) {
        Ok([verdict]) => verdict,
        Err(votes) => judge_votes(scenario.kind(), &votes),
    }
}

fn judge_one(scenario: &dyn Scenario, mode: ParserMode, strategy: &Strategy, completion: &Completion) -> Verdict {
    let parsed = scenario.parse(&completion.text, mode);
    let outcome = outcome(completion, &parsed, strategy.reasoning);
    let mut probabilities = probabilities(scenario, completion, &parsed);
    let answer = parsed.answer.filter(|_| outcome == Outcome::Answered);
    // Scale numbers nobody mentioned say nothing.
    probabilities.retain(|_, probability| *probability > 0.0);
    Verdict {
        outcome,
        confidence: answer.as_ref().and_then(|answer| probabilities.get(answer).copied()),
        rule: answer.is_some().then(|| parsed.rule.to_owned()),
        label_probabilities: probabilities,
        answer,
    }
}

fn probabilities(scenario: &dyn Scenario, completion: &Completion, parsed: &Parsed) -> BTreeMap<String, f64> {
    let (Some(span), Some(answer)) = (&parsed.span, &parsed.answer) else {
        return BTreeMap::new();
    };
    let mut answers: Vec<&str> = scenario.answer_texts().to_vec();
    if !answers.contains(&answer.as_str()) {
        answers.push(answer);
    }
    // A lower-case "a" is an article, so letters are compared as they are.
    let exact_case = scenario.kind() == TaskKind::Pairwise;
    label_probabilities(completion, span.clone(), &answers, exact_case).unwrap_or_default()
}

fn judge_votes(kind: TaskKind, votes: &[Verdict]) -> Verdict {
    let answers: Vec<&str> = votes.iter().filter_map(|vote| vote.answer.as_deref()).collect();
    let answer = match kind {
        TaskKind::Regression => median(&answers),
        TaskKind::Classification | TaskKind::Pairwise => most_frequent(&answers).map(|answer| (*answer).to_owned()),
    };
    let outcomes: Vec<Outcome> = votes.iter().map(|vote| vote.outcome).collect();
    let outcome = match answer {
        Some(_) => Outcome::Answered,
        None => most_frequent(&outcomes).copied().unwrap_or(Outcome::Empty),
    };
    let mut label_probabilities: BTreeMap<String, f64> = BTreeMap::new();
    for (label, probability) in votes.iter().flat_map(|vote| &vote.label_probabilities) {
        *label_probabilities.entry(label.clone()).or_default() += probability / votes.len() as f64;
    }
    let rule = match kind {
        TaskKind::Regression => "median of votes",
        TaskKind::Classification | TaskKind::Pairwise => "majority of votes",
    };
    Verdict {
        outcome,
        rule: answer.is_some().then(|| rule.to_owned()),
        confidence: answer.as_ref().and_then(|answer| label_probabilities.get(answer).copied()),
        label_probabilities,
        answer,
    }
}

/// The most frequent of `items`; the one that came first among equals.
fn most_frequent<T: PartialEq>(items: &[T]) -> Option<&T> {
    let count = |item: &T| items.iter().filter(|other| *other == item).count();
    items.iter().rev().max_by_key(|item| count(item))
}

fn median(answers: &[&str]) -> Option<String> {
    let mut numbers: Vec<f64> = answers.iter().filter_map(|answer| answer.parse().ok()).collect();
    numbers.sort_by(f64::total_cmp);
    let upper = *numbers.get(numbers.len() / 2)?;
    let lower = numbers[(numbers.len() - 1) / 2];
    Some(shortest_decimal((lower + upper) / 2.0))
}

/// Reads the stored completions of `record` again, for another parser or a mended one. A job that failed in the backend
/// stays as it is. `None` if the record's strategy is unknown.
pub fn rescore(record: &JobRecord, scenario: &dyn Scenario, mode: ParserMode) -> Option<JobRecord> {
    let strategy = strategy::find(&record.strategy)?;
    let mut record = record.clone();
    if record.outcome != Outcome::BackendFailed && !record.completions.is_empty() {
        // A record made with `compat` has fewer turns than its strategy.
        let turns = if record.completions.len() == 1 { 1 } else { strategy.turns };
        let verdict = judge(scenario, mode, &Strategy { turns, ..strategy }, &record.completions);
        record.outcome = verdict.outcome;
        record.answer = verdict.answer;
        record.rule = verdict.rule;
        record.confidence = verdict.confidence;
        record.label_probabilities = verdict.label_probabilities;
    }
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_between_votes_go_to_the_answer_given_first() {
        assert_eq!(most_frequent(&["Minor", "Major", "Major", "Minor"]), Some(&"Minor"));
        assert_eq!(most_frequent(&["Minor", "Major", "Major"]), Some(&"Major"));
        assert_eq!(most_frequent::<u8>(&[]), None);
    }

    #[test]
    fn the_median_of_an_even_number_of_votes_lies_between() {
        assert_eq!(median(&["3", "8", "5"]).as_deref(), Some("5"));
        assert_eq!(median(&["3", "8", "5", "2"]).as_deref(), Some("4"));
        assert_eq!(median(&["3", "2"]).as_deref(), Some("2.5"));
        assert_eq!(median(&[]), None);
    }
}
