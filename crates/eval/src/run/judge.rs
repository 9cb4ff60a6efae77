//! What became of a job: its outcome, its answer and how sure the model was.

use crate::confidence::label_probabilities;
use crate::metric::TaskKind;
use crate::parse::{Parsed, outcome, shortest_decimal};
use crate::perturb::label_names;
use crate::scenario::{LabelNames, Scenario};
use crate::scored::answer_probabilities;
use crate::spec::ParserMode;
use crate::strategy::{self, Strategy};
use puma_core::{Completion, JobRecord, Outcome, most_probable};
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
/// the median for numbers; ties go to the answer that was given first). `names` are those under which the prompt showed
/// the labels; answers and probabilities come out under the scenario's own.
pub fn judge(
    scenario: &dyn Scenario,
    mode: ParserMode,
    names: LabelNames,
    strategy: &Strategy,
    completions: &[Completion],
) -> Verdict {
    let asked = Asked { scenario, mode, names, strategy };
    let verdicts: Vec<Verdict> = match strategy.turns {
        1 => completions.iter().map(|completion| asked.judge_one(completion)).collect(),
        _ => completions.last().map(|last| asked.judge_one(last)).into_iter().collect(),
    };
    match <[Verdict; 1]>::try_from(verdicts) {
        Ok([verdict]) => verdict,
        Err(votes) => judge_votes(scenario.kind(), &votes),
    }
}

/// What a completion answers.
struct Asked<'a> {
    scenario: &'a dyn Scenario,
    mode: ParserMode,
    names: LabelNames,
    strategy: &'a Strategy,
}

/// The rule of answers that were scored: none read them out of a text.
pub const SCORED: &str = "scored";

impl Asked<'_> {
    fn judge_one(&self, completion: &Completion) -> Verdict {
        if let Some(verdict) = self.judge_scores(completion) {
            return verdict;
        }
        let parsed = self.scenario.parse_named(&completion.text, self.names, self.mode);
        let outcome = outcome(completion, &parsed, self.strategy.reasoning);
        let probabilities = self.probabilities(completion, &parsed);
        let answer = parsed.answer.filter(|_| outcome == Outcome::Answered).map(|name| self.own(&name));
        Verdict {
            outcome,
            confidence: answer.as_ref().and_then(|answer| probabilities.get(answer).copied()),
            rule: answer.is_some().then(|| parsed.rule.to_owned()),
            label_probabilities: probabilities,
            answer,
        }
    }

    /// The most probable of scored answers; `None` if the answer was generated.
    fn judge_scores(&self, completion: &Completion) -> Option<Verdict> {
        let best = most_probable(&completion.scores)?;
        let shares = answer_probabilities(&completion.scores).unwrap_or_default();
        let named = completion.scores.iter().map(|score| self.own(&score.answer)).zip(shares);
        let label_probabilities: BTreeMap<String, f64> = named.collect();
        let answer = self.own(&best.answer);
        Some(Verdict {
            outcome: Outcome::Answered,
            rule: Some(SCORED.to_owned()),
            confidence: label_probabilities.get(&answer).copied(),
            label_probabilities,
            answer: Some(answer),
        })
    }

    /// The answer that the prompt calls `name`.
    fn own(&self, name: &str) -> String {
        self.scenario.answer_named(name, self.names).to_owned()
    }

    /// The probability of every answer, by its own name.
    fn probabilities(&self, completion: &Completion, parsed: &Parsed) -> BTreeMap<String, f64> {
        let (Some(span), Some(answer)) = (&parsed.span, &parsed.answer) else {
            return BTreeMap::new();
        };
        let answers = self.scenario.answer_texts().iter();
        let mut shown: Vec<&str> = answers.map(|answer| self.scenario.name_of(answer, self.names)).collect();
        if !shown.contains(&answer.as_str()) {
            shown.push(answer);
        }
        // A lower-case "a" is an article, so letters are compared as they are.
        let exact_case = self.scenario.kind() == TaskKind::Pairwise;
        let probabilities = label_probabilities(completion, span.clone(), &shown, exact_case).unwrap_or_default();
        // Scale numbers nobody mentioned say nothing.
        let said = probabilities.into_iter().filter(|(_, probability)| *probability > 0.0);
        said.map(|(name, probability)| (self.own(&name), probability)).collect()
    }
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
        let names = label_names(record.perturbation.as_deref());
        // A record made with `compat` has fewer turns than its strategy.
        let turns = if record.completions.len() == 1 { 1 } else { strategy.turns };
        let verdict = judge(scenario, mode, names, &Strategy { turns, ..strategy }, &record.completions);
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
