//! A known state of the server before the first question: its answers may depend on what it was asked before.

use crate::failure::Failure;
use puma_core::{Backend, Forgotten, ModelIdentity};

/// The backend setting that says in which state a run began. Runs that were not asked for one have none.
pub(crate) const SETTING: &str = "state";

/// Makes `backend` forget what it computed for earlier prompts of every model; says how far it could.
///
/// # Errors
/// The server cannot be reached or keeps a model.
pub(crate) fn forget_all(backend: &dyn Backend, models: &[ModelIdentity]) -> Result<&'static str, Failure> {
    let mut weakest = Forgotten::Model;
    for model in models {
        weakest = weaker(weakest, backend.forget(&model.name)?);
    }
    Ok(word(weakest))
}

/// The one that promises less.
fn weaker(left: Forgotten, right: Forgotten) -> Forgotten {
    let rank = |forgotten| match forgotten {
        Forgotten::Model => 0,
        Forgotten::Nothing => 1,
        Forgotten::Unable => 2,
    };
    if rank(right) > rank(left) { right } else { left }
}

/// How a run's record tells it.
fn word(forgotten: Forgotten) -> &'static str {
    match forgotten {
        Forgotten::Model => "unloaded",
        Forgotten::Nothing => "computed-anew",
        Forgotten::Unable => "unknown",
    }
}

/// The same as a sentence for people.
pub(crate) fn sentence(word: Option<&str>) -> &'static str {
    match word {
        Some("unloaded") => "the model was unloaded before the first question, so no earlier prompt could matter",
        Some("computed-anew") => "every prompt was computed anew, so no earlier prompt could matter",
        Some(_) => "this server cannot be told to forget earlier prompts: restart it, then repeat",
        None => "nothing was done about earlier prompts: `--fresh` makes the server forget them first",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_as_fresh_as_its_least_fresh_model() {
        assert_eq!(weaker(Forgotten::Model, Forgotten::Unable), Forgotten::Unable);
        assert_eq!(weaker(Forgotten::Nothing, Forgotten::Model), Forgotten::Nothing);
        for forgotten in [Forgotten::Model, Forgotten::Nothing, Forgotten::Unable] {
            assert!(!sentence(Some(word(forgotten))).contains("--fresh"));
        }
    }
}
