//! Scoring the answers that a request allows, instead of generating one.

use super::answer::{count, spelled};
use super::backend::check_window;
use super::loaded::{Loaded, engine_error};
use puma_core::{
    BackendError, Choices, Completion, Failure, FinishReason, Logprob, Millis, Phases, Request, ScoredAnswer,
    TokenLogprob, Usage, backend::OnDone, most_probable,
};
use puma_engine::tokenizer::Tokenizer;
use puma_engine::{EngineError, ScoreRequest, Scoring};

/// A request with the answers it allows, and its index in the caller's batch.
pub(super) struct Asked<'a> {
    pub(super) index: usize,
    pub(super) request: &'a Request,
    pub(super) choices: &'a Choices,
}

/// Scores every request of `asked` and reports it. `load_ms` goes to the first.
pub(super) fn score(
    loaded: &mut Loaded,
    asked: &[Asked<'_>],
    mut load_ms: Option<f64>,
    cancelled: &dyn Fn() -> bool,
    done: OnDone<'_>,
) {
    let mut of_batch = Vec::with_capacity(asked.len());
    let mut batch = Vec::with_capacity(asked.len());
    for one in asked {
        match engine_request(loaded, one) {
            Ok(request) => {
                of_batch.push(one);
                batch.push(request);
            }
            Err(error) => done(one.index, Err(Failure::from(error))),
        }
    }
    let Loaded { engine, tokenizer, .. } = loaded;
    engine.score(&batch, cancelled, &mut |index, result: Result<Scoring, EngineError>| {
        let one = of_batch[index];
        let result = match result {
            Ok(scoring) => Ok(completion(one.choices, &batch[index], scoring, tokenizer, load_ms.take())),
            Err(error) => Err(Failure::from(engine_error(&error))),
        };
        done(one.index, result);
    });
}

/// The end of the turn is every token at which generating would have stopped.
fn engine_request(loaded: &Loaded, asked: &Asked<'_>) -> Result<ScoreRequest, BackendError> {
    check_window(loaded, asked.request)?;
    let answers: Vec<&str> = asked.choices.answers.iter().map(String::as_str).collect();
    let paths = loaded.answer_paths(&asked.request.messages, &answers)?;
    let endings = if asked.choices.closed { loaded.stop_tokens.clone() } else { Vec::new() };
    Ok(ScoreRequest { prompt: paths.prompt, continuations: paths.answers, endings })
}

/// Everything was read and nothing generated, so all tokens and all time are the prompt's.
fn completion(
    choices: &Choices,
    asked: &ScoreRequest,
    scoring: Scoring,
    tokenizer: &Tokenizer,
    load_ms: Option<f64>,
) -> Completion {
    let scores: Vec<ScoredAnswer> = choices
        .answers
        .iter()
        .zip(&asked.continuations)
        .zip(scoring.scores)
        .map(|((answer, ids), score)| ScoredAnswer {
            answer: answer.clone(),
            tokens: ids
                .iter()
                .zip(&score.logprobs)
                .map(|(&id, &logprob)| TokenLogprob {
                    id: Some(id),
                    token: spelled(tokenizer, id),
                    logprob,
                    top: Vec::new(),
                })
                .collect(),
            ending: score.ending.map(Logprob),
        })
        .collect();
    let best = most_probable(&scores);
    let total_ms = Millis(scoring.timing.prompt_ms + scoring.timing.generation_ms);
    Completion {
        text: best.map(|best| best.answer.clone()).unwrap_or_default(),
        reasoning: None,
        finish: FinishReason::Scored,
        tokens: best.map(|best| best.tokens.clone()).unwrap_or_default(),
        scores,
        usage: Usage {
            prompt_tokens: Some(count(scoring.prompt_tokens + scoring.continuation_tokens)),
            cached_tokens: Some(count(scoring.cached_tokens)),
            generated_tokens: Some(0),
        },
        phases: Phases {
            total_ms,
            load_ms: load_ms.map(Millis),
            prompt_ms: Some(total_ms),
            generation_ms: None,
            first_token_ms: None,
        },
        attempts: Vec::new(),
        from_cache: false,
    }
}
