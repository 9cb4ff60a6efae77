//! Where answers part, and whether a near tie explains it.
//!
//! A greedy choice can only change where the two best tokens lie closer together than the noise can move them: by at most
//! its size each, so by twice its size. The noise is what the two runs differ by where they still agree: the 99th percentile
//! over the tokens between which the choice lay (the two best of either side), before any fork, so that no fork explains
//! itself. Improbable alternatives would make it larger than what moves a choice. That low-margin steps are the ones that
//! flip is what MarginGate (arXiv 2605.30218) found for batches.

use super::distribution::Distribution;
use super::pairing::Pair;
use super::tokens::{Compared, Evidence, Fork};
use crate::metric::{Task, is_correct};
use puma_core::JobRecord;
use serde::Serialize;

/// The first place at which the answers of one job part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Divergence {
    pub instance_id: String,
    pub repeat: u32,
    /// Which completion of the job (vote or turn), from 0.
    pub completion: usize,
    /// Index of the token in the completion, from 0; `None` where no tokens are known.
    pub position: Option<usize>,
    /// Characters that both completions share.
    pub shared_characters: usize,
    /// The end of what both generated before it.
    pub context: String,
    /// `None` where the answer ended. Where no tokens are known, the text that follows.
    pub left_token: Option<String>,
    pub right_token: Option<String>,
    /// How much more probable the generated token was than the next best one listed, in nats.
    pub left_gap: Option<f64>,
    pub right_gap: Option<f64>,
    /// Whether the smaller gap is at most twice the noise; `None` where a gap or the noise is unknown, or the choice was
    /// not greedy.
    pub near_tie: Option<bool>,
    /// Whether the parsed answers differ as well.
    pub flips: bool,
}

/// A job whose parsed answers differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flip {
    pub instance_id: String,
    pub repeat: u32,
    pub gold: String,
    /// `None` where no answer could be read.
    pub left_answer: Option<String>,
    pub right_answer: Option<String>,
    pub left_correct: bool,
    pub right_correct: bool,
    /// Of the job's first divergence.
    pub position: Option<usize>,
    pub left_gap: Option<f64>,
    pub right_gap: Option<f64>,
    pub near_tie: Option<bool>,
}

/// How much of the disagreement near ties explain.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NearTies {
    /// 99th percentile of the absolute differences of the two best tokens before any fork, in nats; `None` without any.
    pub noise: Option<f64>,
    /// Twice the noise: a gap up to this may close.
    pub threshold: Option<f64>,
    pub divergences: usize,
    pub divergences_explained: usize,
    /// Divergences of which nothing can be said.
    pub divergences_unknown: usize,
    pub flips: usize,
    pub flips_explained: usize,
    pub flips_unknown: usize,
    /// Explained flips among those of which something can be said; `None` without any.
    pub share_of_flips_explained: Option<f64>,
}

/// What the answers of a group show.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TokenReport {
    /// Jobs whose answers are known as tokens on both sides, and those known as text alone.
    pub pairs_by_tokens: usize,
    pub pairs_by_text: usize,
    /// Jobs whose tokens carry no vocabulary ids on one side, so that spelling was compared.
    pub pairs_by_spelling: usize,
    pub same_tokens: usize,
    /// Generated tokens at places that both reached with the same text and where both chose alike.
    pub chosen: Distribution,
    /// Every token that both sides list (generated or alternative) at those places and at the first that differs.
    pub listed: Distribution,
    /// Positions at which the sides list another number of alternatives; the shorter list was compared.
    pub uneven_lists: usize,
    /// Pairs of logprobs that could not be subtracted because one is no finite number.
    pub not_finite: usize,
    pub near_ties: NearTies,
    /// In the order of the instances.
    pub divergences: Vec<Divergence>,
    pub flips: Vec<Flip>,
}

/// Reports on `pairs` and how their answers compare. `greedy` says that the most probable token was always taken.
pub(super) fn report(task: &Task, pairs: &[Pair<'_>], compared: &[Compared], greedy: bool) -> TokenReport {
    let gather = |part: fn(&Compared) -> &super::distribution::Differences| {
        let mut all = super::distribution::Differences::default();
        compared.iter().for_each(|one| all.append(part(one)));
        all
    };
    let (chosen, mut listed) = (gather(|one| &one.chosen), gather(|one| &one.listed));
    let noise = gather(|one| &one.contenders).distribution().p99_abs;
    listed.append(&gather(|one| &one.at_fork));
    let threshold = noise.map(|noise| 2.0 * noise);
    let near_tie = |fork: &Fork| {
        let gap = [fork.left_margin, fork.right_margin].into_iter().flatten().reduce(f64::min)?;
        Some(gap <= threshold?).filter(|_| greedy)
    };
    let mut divergences = Vec::new();
    let mut flips = Vec::new();
    for (pair, compared) in pairs.iter().zip(compared) {
        let near_tie = compared.fork.as_ref().and_then(near_tie);
        let flipped = !same_answer(pair);
        if let Some(fork) = &compared.fork {
            divergences.push(divergence(pair.left, fork, near_tie, flipped));
        }
        if flipped {
            flips.push(flip(task, pair, compared.fork.as_ref(), near_tie));
        }
    }
    let count = |evidence: Evidence| compared.iter().filter(|one| one.evidence == evidence).count();
    TokenReport {
        pairs_by_tokens: count(Evidence::Ids) + count(Evidence::Spelling),
        pairs_by_text: count(Evidence::Text),
        pairs_by_spelling: count(Evidence::Spelling),
        same_tokens: compared.iter().filter(|one| one.fork.is_none()).count(),
        chosen: chosen.distribution(),
        uneven_lists: compared.iter().map(|one| one.uneven_lists).sum(),
        not_finite: chosen.not_finite + listed.not_finite,
        listed: listed.distribution(),
        near_ties: near_ties(noise, threshold, &divergences, &flips),
        divergences,
        flips,
    }
}

/// Whether both runs read the same answer; two answers that could not be read are alike.
pub(super) fn same_answer(pair: &Pair<'_>) -> bool {
    let number = |answer: &Option<String>| answer.as_deref().and_then(|text| text.trim().parse::<f64>().ok());
    let (left, right) = (&pair.left.answer, &pair.right.answer);
    left == right || number(left).is_some() && number(left) == number(right)
}

fn divergence(record: &JobRecord, fork: &Fork, near_tie: Option<bool>, flips: bool) -> Divergence {
    Divergence {
        instance_id: record.instance_id.to_string(),
        repeat: record.repeat,
        completion: fork.completion,
        position: fork.position,
        shared_characters: fork.characters,
        context: fork.context.clone(),
        left_token: fork.left.clone(),
        right_token: fork.right.clone(),
        left_gap: fork.left_margin,
        right_gap: fork.right_margin,
        near_tie,
        flips,
    }
}

fn flip(task: &Task, pair: &Pair<'_>, fork: Option<&Fork>, near_tie: Option<bool>) -> Flip {
    Flip {
        instance_id: pair.left.instance_id.to_string(),
        repeat: pair.left.repeat,
        gold: pair.left.gold.clone(),
        left_answer: pair.left.answer.clone(),
        right_answer: pair.right.answer.clone(),
        left_correct: is_correct(task, pair.left) == Some(true),
        right_correct: is_correct(task, pair.right) == Some(true),
        position: fork.and_then(|fork| fork.position),
        left_gap: fork.and_then(|fork| fork.left_margin),
        right_gap: fork.and_then(|fork| fork.right_margin),
        near_tie,
    }
}

fn near_ties(noise: Option<f64>, threshold: Option<f64>, divergences: &[Divergence], flips: &[Flip]) -> NearTies {
    let flips_explained = flips.iter().filter(|flip| flip.near_tie == Some(true)).count();
    let flips_unknown = flips.iter().filter(|flip| flip.near_tie.is_none()).count();
    let known = flips.len() - flips_unknown;
    NearTies {
        noise,
        threshold,
        divergences: divergences.len(),
        divergences_explained: divergences.iter().filter(|one| one.near_tie == Some(true)).count(),
        divergences_unknown: divergences.iter().filter(|one| one.near_tie.is_none()).count(),
        flips: flips.len(),
        flips_explained,
        flips_unknown,
        share_of_flips_explained: (known > 0).then(|| flips_explained as f64 / known as f64),
    }
}
