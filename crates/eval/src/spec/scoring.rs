//! What cannot stand beside `inference.answer: score-labels`, because it would do nothing or needs a text.

use super::error::{Place, Problem};
use super::schema::{AnswerMode, ParserMode, RunSpec};
use crate::strategy;

const KEY: &str = "inference.answer";

/// Notes every option of `spec` that does not go with scoring.
pub(super) fn check_scoring(spec: &RunSpec, place: Place, problems: &mut Vec<Problem>) {
    if spec.inference.answer != AnswerMode::ScoreLabels {
        return;
    }
    let mut refuse = |message: String, hint: &str| problems.push(Problem::new(place, KEY, message).hint(hint));
    let writes = |name: &&String| {
        strategy::find(name).is_some_and(|found| found.reasoning || found.turns > 1 || found.votes > 1)
    };
    if let Some(name) = spec.adaptation.strategy.iter().find(writes) {
        refuse(
            format!(
                "`score-labels` scores answers right after the prompt, but in `{name}` the model writes a text first"
            ),
            "drop the strategy, or let answers be generated (`generate`)",
        );
    }
    if spec.adaptation.cot.contains(&true) {
        refuse(
            "`score-labels` scores answers right after the prompt, but `adaptation.cot` lets the model reason first"
                .to_owned(),
            "remove `true` from `adaptation.cot`, or let answers be generated (`generate`)",
        );
    }
    // A temperature that is out of range is NaN here, and told already.
    if spec.inference.temperature > 0.0 {
        refuse(
            format!(
                "nothing is drawn under `score-labels`, so the temperature {} would do nothing",
                spec.inference.temperature
            ),
            "leave the temperature at 0",
        );
    }
    if spec.inference.format.is_some() {
        refuse(
            "nothing is written under `score-labels`, so `inference.format` would do nothing".to_owned(),
            "remove `format`",
        );
    }
    if spec.parser == ParserMode::FirstMatch {
        refuse(
            "nothing is read under `score-labels`, so `parser: first-match` would do nothing".to_owned(),
            "remove `parser`",
        );
    }
    if spec.compat.is_some() {
        refuse(
            "upstream PUMA generates every answer, so `compat` and `score-labels` exclude each other".to_owned(),
            "remove one of them",
        );
    }
}
