//! Scoring: how probable given continuations of a prompt are. Nothing is chosen, so nothing has to be read from a text.

use crate::error::EngineError;
use crate::score_run;
use crate::session::{Engine, Timing};

/// One prompt and the continuations to score after it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreRequest {
    /// Token ids, special tokens included.
    pub prompt: Vec<u32>,
    /// Token ids of each continuation. Common beginnings are computed once; an empty one is the prompt's own end.
    pub continuations: Vec<Vec<u32>>,
    /// Ids of which one must follow a continuation; empty asks for no ending.
    pub endings: Vec<u32>,
}

/// How probable one continuation is.
#[derive(Clone, Debug, PartialEq)]
pub struct ContinuationScore {
    /// Natural logarithm of each token's probability after everything before it, at temperature 1.
    pub logprobs: Vec<f32>,
    /// Natural logarithm of the probability that one of the request's endings follows; `None` where none was asked for.
    pub ending: Option<f32>,
}

impl ContinuationScore {
    /// Natural logarithm of the continuation's probability: its logprobs and then its ending, added in this order.
    pub fn sum(&self) -> f64 {
        self.logprobs.iter().chain(&self.ending).fold(0.0, |sum, &logprob| sum + f64::from(logprob))
    }
}

/// The scores of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Scoring {
    /// In the order of the request's continuations.
    pub scores: Vec<ContinuationScore>,
    /// Tokens in the prompt.
    pub prompt_tokens: usize,
    /// Prompt tokens whose computation was reused.
    pub cached_tokens: usize,
    /// Tokens of continuations that were computed for this request; shared ones count once, last ones without an ending
    /// not at all.
    pub continuation_tokens: usize,
    /// What continuations took counts as generation; nothing is generated, so there is no first token.
    pub timing: Timing,
}

impl Engine {
    /// Scores the continuations of every request, and reports each request through `done` when it is finished, once.
    ///
    /// The tokens of all requests form one tree: what prompts share, and what continuations share, is computed once, in
    /// steps that mix requests as [`generate`](Self::generate) does. No score depends on that: each is the one that
    /// computing its tokens alone, one after the other, would give. `cancelled` is asked before every step; once true,
    /// the rest ends with [`EngineError::Cancelled`]. A request that cannot run ends alone, with an error.
    pub fn score(
        &mut self,
        requests: &[ScoreRequest],
        cancelled: &dyn Fn() -> bool,
        done: &mut dyn FnMut(usize, Result<Scoring, EngineError>),
    ) {
        score_run::run(self, requests, cancelled, done);
    }
}
