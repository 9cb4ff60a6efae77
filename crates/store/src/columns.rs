//! Values as JSON columns. Exact: what is written is read back equal, to the last bit of every float.
//!
//! `logprobs_json` has upstream PUMA's shape (`[{token, logprob, top_logprobs: [{token, logprob}]}]`) and holds the
//! tokens of a job's last completion; `completions_json` holds everything else, so no token is stored twice.

use puma_core::completion::logprob_json;
use puma_core::{Attempt, Completion, FinishReason, Phases, ScoredAnswer, TokenLogprob, TopLogprob, Usage};
use serde::{Deserialize, Serialize};

/// A [`Completion`] as the database and the cache spell it.
#[derive(Serialize, Deserialize)]
struct CompletionColumn {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reasoning: Option<String>,
    finish: FinishReason,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<TokenColumn>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scores: Vec<ScoredAnswer>,
    usage: Usage,
    phases: Phases,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt>,
    #[serde(default)]
    from_cache: bool,
}

/// A [`TokenLogprob`] under upstream's names.
#[derive(Serialize, Deserialize)]
struct TokenColumn {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    token: String,
    #[serde(with = "logprob_json")]
    logprob: f32,
    #[serde(default)]
    top_logprobs: Vec<TopColumn>,
}

#[derive(Serialize, Deserialize)]
struct TopColumn {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    token: String,
    #[serde(with = "logprob_json")]
    logprob: f32,
}

impl From<&TokenLogprob> for TokenColumn {
    fn from(token: &TokenLogprob) -> Self {
        let TokenLogprob { id, token, logprob, top } = token.clone();
        let top_logprobs = top.into_iter().map(|TopLogprob { id, token, logprob }| TopColumn { id, token, logprob });
        Self { id, token, logprob, top_logprobs: top_logprobs.collect() }
    }
}

impl From<TokenColumn> for TokenLogprob {
    fn from(column: TokenColumn) -> Self {
        let TokenColumn { id, token, logprob, top_logprobs } = column;
        let top = top_logprobs.into_iter().map(|TopColumn { id, token, logprob }| TopLogprob { id, token, logprob });
        Self { id, token, logprob, top: top.collect() }
    }
}

impl CompletionColumn {
    fn new(completion: &Completion, with_tokens: bool) -> Self {
        let Completion { text, reasoning, finish, tokens, scores, usage, phases, attempts, from_cache } = completion;
        Self {
            text: text.clone(),
            reasoning: reasoning.clone(),
            finish: *finish,
            tokens: if with_tokens { tokens.iter().map(TokenColumn::from).collect() } else { Vec::new() },
            scores: scores.clone(),
            usage: *usage,
            phases: *phases,
            attempts: attempts.clone(),
            from_cache: *from_cache,
        }
    }
}

impl From<CompletionColumn> for Completion {
    fn from(column: CompletionColumn) -> Self {
        let CompletionColumn { text, reasoning, finish, tokens, scores, usage, phases, attempts, from_cache } = column;
        let tokens = tokens.into_iter().map(TokenLogprob::from).collect();
        Self { text, reasoning, finish, tokens, scores, usage, phases, attempts, from_cache }
    }
}

/// One completion as JSON, for the cache.
pub(crate) fn completion_to_json(completion: &Completion) -> serde_json::Result<String> {
    serde_json::to_string(&CompletionColumn::new(completion, true))
}

pub(crate) fn completion_from_json(json: &str) -> serde_json::Result<Completion> {
    serde_json::from_str::<CompletionColumn>(json).map(Completion::from)
}

/// `completions_json` and `logprobs_json` of a job; the latter is `None` where the last completion has no tokens.
pub(crate) fn completions_to_json(completions: &[Completion]) -> serde_json::Result<(String, Option<String>)> {
    let last = completions.len().saturating_sub(1);
    let columns: Vec<_> =
        completions.iter().enumerate().map(|(index, c)| CompletionColumn::new(c, index != last)).collect();
    let logprobs = match completions.last() {
        Some(completion) if !completion.tokens.is_empty() => Some(tokens_to_json(&completion.tokens)?),
        _ => None,
    };
    Ok((serde_json::to_string(&columns)?, logprobs))
}

pub(crate) fn completions_from_json(json: &str, logprobs: Option<&str>) -> serde_json::Result<Vec<Completion>> {
    let columns: Vec<CompletionColumn> = serde_json::from_str(json)?;
    let mut completions: Vec<Completion> = columns.into_iter().map(Completion::from).collect();
    if let (Some(json), Some(completion)) = (logprobs, completions.last_mut()) {
        completion.tokens = tokens_from_json(json)?;
    }
    Ok(completions)
}

/// Every completion with its tokens in one text, for a failed job that keeps no `logprobs_json`.
pub(crate) fn completions_with_tokens_to_json(completions: &[Completion]) -> serde_json::Result<String> {
    serde_json::to_string(&completions.iter().map(|c| CompletionColumn::new(c, true)).collect::<Vec<_>>())
}

fn tokens_to_json(tokens: &[TokenLogprob]) -> serde_json::Result<String> {
    serde_json::to_string(&tokens.iter().map(TokenColumn::from).collect::<Vec<_>>())
}

/// Reads `logprobs_json`, ours or upstream's.
pub(crate) fn tokens_from_json(json: &str) -> serde_json::Result<Vec<TokenLogprob>> {
    let columns: Vec<TokenColumn> = serde_json::from_str(json)?;
    Ok(columns.into_iter().map(TokenLogprob::from).collect())
}
