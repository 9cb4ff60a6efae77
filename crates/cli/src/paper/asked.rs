//! What a spec asked for, as far as it says. Upstream's specs lack our keys, and older ones lack newer keys; what is
//! there is told all the same.

use puma_eval::spec::AnswerMode;
use serde_json::Value;

/// The parts of a spec that a paper tells. `None` is not recorded.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) sample_size: Option<u64>,
    pub(super) seed: Option<u64>,
    pub(super) temperature: Option<f64>,
    pub(super) max_tokens: Option<u64>,
    pub(super) logprobs: Option<bool>,
    pub(super) top_logprobs: Option<u64>,
    pub(super) format: Option<Value>,
    /// Whether allowed answers were scored instead of one generated.
    pub(super) scored: bool,
    pub(super) repeat: Option<u64>,
    pub(super) perturbations: Vec<String>,
    pub(super) parser: Option<String>,
    pub(super) compat: Option<String>,
}

impl Asked {
    pub(super) fn of(spec: &Value) -> Self {
        let at = |pointer: &str| spec.pointer(pointer).filter(|value| !value.is_null());
        let count = |pointer: &str| at(pointer).and_then(Value::as_u64);
        let text = |pointer: &str| at(pointer).and_then(Value::as_str).map(str::to_owned);
        Self {
            sample_size: count("/sample_size"),
            seed: count("/inference/seed"),
            temperature: at("/inference/temperature").and_then(Value::as_f64),
            max_tokens: count("/inference/max_tokens"),
            logprobs: at("/inference/logprobs").and_then(Value::as_bool),
            top_logprobs: count("/inference/top_logprobs"),
            format: at("/inference/format").cloned(),
            scored: text("/inference/answer").as_deref() == Some(AnswerMode::ScoreLabels.as_str()),
            repeat: count("/repeat"),
            perturbations: at("/perturbations")
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
            parser: text("/parser"),
            compat: text("/compat"),
        }
    }

    /// Whether jobs were asked more than once.
    pub(super) fn repeats(&self) -> bool {
        self.repeat.is_some_and(|times| times > 1)
    }
}
