//! One job's answers, token by token.
//!
//! Two logprobs can be compared where both models had the same text before them: at every position up to and including
//! the first one at which they chose differently. Behind it the contexts differ and nothing is compared.

use super::distribution::Differences;
use super::pairing::Pair;
use crate::strategy;
use puma_core::{Completion, FinishReason, ScoredAnswer, TokenLogprob};

/// Characters of generated text shown before a fork.
const CONTEXT: usize = 60;

/// What tells that two answers are the same, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Evidence {
    /// Vocabulary ids.
    Ids,
    /// The tokens' spelling, where a server gives no ids.
    Spelling,
    /// The answers' text: one side or both gave no tokens.
    Text,
}

/// Where two answers to one question part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fork {
    /// Which of the job's completions, from 0.
    pub(super) completion: usize,
    /// Index of the token within the completion; `None` where only text is known.
    pub(super) position: Option<usize>,
    /// Characters that both texts of the completion share.
    pub(super) characters: usize,
    /// `None` where the answer ended there, or no tokens are known.
    pub(super) left: Option<String>,
    pub(super) right: Option<String>,
    pub(super) left_margin: Option<f64>,
    pub(super) right_margin: Option<f64>,
    /// The end of the text both generated before it.
    pub(super) context: String,
}

/// How the answers of one job compare.
#[derive(Clone, Debug)]
pub(super) struct Compared {
    /// The weakest over the completions that were compared.
    pub(super) evidence: Evidence,
    /// The first, if any.
    pub(super) fork: Option<Fork>,
    /// Whether everything reported has the same bits; `None` where one side has no logprobs.
    pub(super) bits_equal: Option<bool>,
    /// The generated token's logprob, where both generated the same.
    pub(super) chosen: Differences,
    /// Every token that both sides list, before any fork.
    pub(super) listed: Differences,
    /// Of these the ones between which the choice lay: the two best of either side.
    pub(super) contenders: Differences,
    /// The same at the fork itself.
    pub(super) at_fork: Differences,
    /// Positions at which the sides list another number of alternatives.
    pub(super) uneven_lists: usize,
}

/// Compares the completions of a pair in order. Turns of one conversation share a context, so that nothing after the first
/// fork is compared; votes are independent and each is compared for itself.
pub(super) fn compare(pair: Pair<'_>) -> Compared {
    let (left, right) = (&pair.left.completions, &pair.right.completions);
    let votes = strategy::find(&pair.left.strategy).is_some_and(|strategy| strategy.turns == 1);
    let mut found = Compared {
        evidence: Evidence::Ids,
        fork: None,
        bits_equal: Some(true),
        chosen: Differences::default(),
        listed: Differences::default(),
        contenders: Differences::default(),
        at_fork: Differences::default(),
        uneven_lists: 0,
    };
    for completion in 0..left.len().max(right.len()) {
        let fork = match (left.get(completion), right.get(completion)) {
            (Some(left), Some(right)) => compare_completions(left, right, &mut found),
            (left, right) => {
                found.bits_equal = found.bits_equal.map(|_| false);
                let text = |side: Option<&Completion>| side.map(|completion| completion.text.clone());
                Some(Fork { left: text(left), right: text(right), ..Fork::at(None, 0) })
            }
        };
        if let Some(fork) = fork {
            found.fork.get_or_insert(Fork { completion, ..fork });
            if !votes {
                break;
            }
        }
    }
    found
}

impl Fork {
    fn at(position: Option<usize>, characters: usize) -> Self {
        Self {
            completion: 0,
            position,
            characters,
            left: None,
            right: None,
            left_margin: None,
            right_margin: None,
            context: String::new(),
        }
    }
}

fn compare_completions(left: &Completion, right: &Completion, found: &mut Compared) -> Option<Fork> {
    let nothing_said = [left, right].iter().all(|side| side.tokens.is_empty() && side.text.is_empty());
    if !nothing_said && (left.tokens.is_empty() || right.tokens.is_empty()) {
        found.evidence = Evidence::Text;
        found.bits_equal = None;
        return compare_texts(left, right);
    }
    // The tokens of a scored answer are those of its score, which are compared with all others here.
    let scored = !left.scores.is_empty() && !right.scores.is_empty();
    if scored {
        compare_scores(&left.scores, &right.scores, found);
    }
    for (position, (ours, theirs)) in left.tokens.iter().zip(&right.tokens).enumerate() {
        if ours.id.is_none() || theirs.id.is_none() {
            found.evidence = found.evidence.max(Evidence::Spelling);
        }
        let same = generated(ours).is_same(&generated(theirs));
        let mut known = Differences::default();
        let differences = match (scored, same) {
            (true, _) => &mut known,
            (false, true) => &mut found.listed,
            (false, false) => &mut found.at_fork,
        };
        let equal = compare_position(ours, theirs, differences, &mut found.uneven_lists);
        if same {
            found.chosen.add(ours.logprob, theirs.logprob);
            compare_contenders(ours, theirs, &mut found.contenders);
        }
        let equal = equal && same && ours.logprob.to_bits() == theirs.logprob.to_bits();
        found.bits_equal = found.bits_equal.map(|all| all && equal);
        if !same {
            return Some(fork(left, right, position));
        }
    }
    let ended_alike = left.finish == right.finish && left.tokens.len() == right.tokens.len();
    // A limit that cut both is no choice of either model, even where they name it differently.
    if ended_alike || left.tokens.len() == right.tokens.len() && is_cut(left) && is_cut(right) {
        return None;
    }
    found.bits_equal = found.bits_equal.map(|_| false);
    Some(fork(left, right, left.tokens.len().min(right.tokens.len())))
}

/// Compares every answer that both sides scored, token by token. Each follows the same text on both sides, whichever answer
/// won.
fn compare_scores(left: &[ScoredAnswer], right: &[ScoredAnswer], found: &mut Compared) {
    let mut equal = left.len() == right.len();
    for ours in left {
        let Some(theirs) = right.iter().find(|theirs| theirs.answer == ours.answer) else {
            equal = false;
            continue;
        };
        equal &= ours.tokens.len() == theirs.tokens.len() && ours.ending.is_some() == theirs.ending.is_some();
        let tokens = ours.tokens.iter().zip(&theirs.tokens).map(|(ours, theirs)| (ours.logprob, theirs.logprob));
        let endings = ours.ending.zip(theirs.ending).map(|(ours, theirs)| (ours.0, theirs.0));
        for (ours, theirs) in tokens.chain(endings) {
            found.listed.add(ours, theirs);
            equal &= ours.to_bits() == theirs.to_bits();
        }
    }
    found.bits_equal = found.bits_equal.map(|all| all && equal);
}

/// How much more probable the best scored answer is than the second, in nats.
fn score_margin(scores: &[ScoredAnswer]) -> Option<f64> {
    let mut logprobs: Vec<f64> = scores.iter().map(ScoredAnswer::logprob).collect();
    logprobs.sort_by(|one, other| other.total_cmp(one));
    Some(logprobs.first()? - logprobs.get(1)?).filter(|gap| gap.is_finite())
}

fn is_cut(completion: &Completion) -> bool {
    matches!(completion.finish, FinishReason::Length | FinishReason::Cancelled)
}

/// What both sides show at `position`, which they reached with the same tokens.
fn fork(left: &Completion, right: &Completion, position: usize) -> Fork {
    let token = |side: &Completion| side.tokens.get(position).map(|token| token.token.clone());
    let margin = |side: &Completion| match side.scores[..] {
        [] => side.tokens.get(position).and_then(margin),
        _ => score_margin(&side.scores),
    };
    let before: String = left.tokens[..position].iter().map(|token| token.token.as_str()).collect();
    let length = before.chars().count();
    Fork {
        left: token(left),
        right: token(right),
        left_margin: margin(left),
        right_margin: margin(right),
        context: before.chars().skip(length.saturating_sub(CONTEXT)).collect(),
        ..Fork::at(Some(position), length)
    }
}

/// How much more probable the chosen token was than the best other one that is listed, in nats: the top-2 gap of a
/// greedy choice. `None` if no other token is listed.
fn margin(token: &TokenLogprob) -> Option<f64> {
    let own = generated(token);
    let others = alternatives(token).filter(|other| !other.is_same(&own) && other.logprob.is_finite());
    let best = others.map(|other| f64::from(other.logprob)).reduce(f64::max)?;
    Some((f64::from(token.logprob) - best).abs()).filter(|gap| gap.is_finite())
}

/// A token with its logprob, generated or listed as an alternative.
#[derive(Clone, Copy)]
struct Listed<'a> {
    id: Option<u32>,
    token: &'a str,
    logprob: f32,
}

impl Listed<'_> {
    fn is_same(&self, other: &Listed<'_>) -> bool {
        match (self.id, other.id) {
            (Some(id), Some(other)) => id == other,
            _ => self.token == other.token,
        }
    }
}

fn generated(token: &TokenLogprob) -> Listed<'_> {
    Listed { id: token.id, token: &token.token, logprob: token.logprob }
}

fn alternatives(token: &TokenLogprob) -> impl Iterator<Item = Listed<'_>> {
    token.top.iter().map(|top| Listed { id: top.id, token: &top.token, logprob: top.logprob })
}

/// Every token a side tells the logprob of, the generated one first, each once.
fn listed(token: &TokenLogprob) -> Vec<Listed<'_>> {
    let mut all = vec![generated(token)];
    for candidate in alternatives(token) {
        if !all.iter().any(|known| known.is_same(&candidate)) {
            all.push(candidate);
        }
    }
    all
}

/// Takes the difference of every token that both list; true if the lists have the same tokens and bits as far as both go.
fn compare_position(
    left: &TokenLogprob,
    right: &TokenLogprob,
    differences: &mut Differences,
    uneven_lists: &mut usize,
) -> bool {
    *uneven_lists += usize::from(left.top.len() != right.top.len());
    let right_listed = listed(right);
    for ours in listed(left) {
        if let Some(theirs) = right_listed.iter().find(|theirs| theirs.is_same(&ours)) {
            differences.add(ours.logprob, theirs.logprob);
        }
    }
    alternatives(left)
        .zip(alternatives(right))
        .all(|(ours, theirs)| ours.is_same(&theirs) && ours.logprob.to_bits() == theirs.logprob.to_bits())
}

/// Takes the difference of the two best tokens of either side, where both list them.
fn compare_contenders(left: &TokenLogprob, right: &TokenLogprob, differences: &mut Differences) {
    let (ours, theirs) = (listed(left), listed(right));
    let mut contenders = best_two(&ours);
    for token in best_two(&theirs) {
        if !contenders.iter().any(|known| known.is_same(&token)) {
            contenders.push(token);
        }
    }
    for token in contenders {
        let find = |side: &[Listed<'_>]| side.iter().find(|one| one.is_same(&token)).map(|one| one.logprob);
        if let (Some(ours), Some(theirs)) = (find(&ours), find(&theirs)) {
            differences.add(ours, theirs);
        }
    }
}

/// The generated token and the most probable other one.
fn best_two<'a>(all: &[Listed<'a>]) -> Vec<Listed<'a>> {
    let other = all.iter().skip(1).copied().reduce(|best, one| if one.logprob > best.logprob { one } else { best });
    all.first().copied().into_iter().chain(other).collect()
}

fn compare_texts(left: &Completion, right: &Completion) -> Option<Fork> {
    let same_end = left.finish == right.finish || is_cut(left) && is_cut(right);
    if left.text == right.text && same_end {
        return None;
    }
    let shared = left.text.chars().zip(right.text.chars()).take_while(|(ours, theirs)| ours == theirs).count();
    let context = left.text.chars().take(shared).skip(shared.saturating_sub(CONTEXT)).collect();
    let rest = |text: &str| -> Option<String> {
        let rest: String = text.chars().skip(shared).take(CONTEXT).collect();
        (!rest.is_empty()).then_some(rest)
    };
    Some(Fork { left: rest(&left.text), right: rest(&right.text), context, ..Fork::at(None, shared) })
}
