//! Answers from completions recorded earlier: scores a run again without a model.

use crate::http_request::request_hash;
use puma_core::backend::OnDone;
use puma_core::{
    Backend, BackendError, BackendErrorKind, BackendIdentity, Cancel, Completion, Forgotten, ModelIdentity, Request,
};
use std::collections::BTreeMap;

/// Answers each request with what was recorded for exactly that request, and nothing else.
#[derive(Clone, Debug, Default)]
pub struct ReplayBackend {
    recorded: BTreeMap<String, Completion>,
    models: BTreeMap<String, ModelIdentity>,
}

impl ReplayBackend {
    /// Answers from `recorded`, keyed by [`request_hash`]; knows `models` by name.
    pub fn new(recorded: BTreeMap<String, Completion>, models: impl IntoIterator<Item = ModelIdentity>) -> Self {
        Self { recorded, models: models.into_iter().map(|model| (model.name.clone(), model)).collect() }
    }

    /// Adds one answer.
    pub fn record(&mut self, request: &Request, completion: Completion) {
        self.recorded.insert(request_hash(request), completion);
    }
}

impl Backend for ReplayBackend {
    fn identity(&self) -> BackendIdentity {
        BackendIdentity { kind: "replay".to_owned(), ..BackendIdentity::default() }
    }

    fn prepare(&self, model: &str) -> Result<ModelIdentity, BackendError> {
        self.models.get(model).cloned().ok_or_else(|| {
            BackendError::new(BackendErrorKind::ModelNotFound, format!("nothing was recorded for the model `{model}`"))
                .with_hint("record it first: run the spec with a real backend")
        })
    }

    fn forget(&self, _model: &str) -> Result<Forgotten, BackendError> {
        Ok(Forgotten::Nothing)
    }

    fn capacity(&self) -> usize {
        usize::MAX
    }

    fn complete(&self, requests: &[Request], cancel: &Cancel, done: OnDone<'_>) {
        for (index, request) in requests.iter().enumerate() {
            let result = if cancel.is_cancelled() {
                Err(crate::retry::cancelled().into())
            } else {
                self.recorded.get(&request_hash(request)).cloned().ok_or_else(|| missing(request).into())
            };
            done(index, result);
        }
    }
}

fn missing(request: &Request) -> BackendError {
    let start: String = request.messages.last().map_or("", |message| &message.content).chars().take(60).collect();
    BackendError::new(
        BackendErrorKind::Unsupported,
        format!("no answer of `{}` was recorded for the request that ends `{start}…`", request.model),
    )
    .with_hint("prompt, options and model must be those of the recorded run")
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_core::{FinishReason, Phases, Usage};
    use puma_testkit::question::question;

    #[test]
    fn only_the_recorded_request_is_answered() {
        let answer = Completion {
            text: "Major".into(),
            reasoning: None,
            finish: FinishReason::Stop,
            tokens: vec![],
            scores: Vec::new(),
            usage: Usage::default(),
            phases: Phases::default(),
            attempts: vec![],
            from_cache: false,
        };
        let mut backend = ReplayBackend::default();
        backend.record(&question("known"), answer.clone());
        let mut results = BTreeMap::new();
        let asked = [question("known"), question("unknown"), Request { seed: 43, ..question("known") }];
        backend.complete(&asked, &Cancel::default(), &mut |index, result| {
            results.insert(index, result);
        });
        assert_eq!(results[&0], Ok(answer));
        for index in [1, 2] {
            assert_eq!(results[&index].as_ref().expect_err("not recorded").error.kind, BackendErrorKind::Unsupported);
        }
        assert_eq!(backend.prepare("m").expect_err("no identity given").kind, BackendErrorKind::ModelNotFound);
    }
}
