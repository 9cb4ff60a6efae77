//! Reading the metadata keys of one architecture.

use crate::error::EngineError;
use crate::gguf::{Metadata, Value};
use std::ops::RangeInclusive;

/// Keys that ask for a computation the engine does not have, unless their value is 0 or false, and what they ask for.
const REFUSED: [(&str, &str); 6] = [
    ("attention.clamp_kqv", "clamped queries, keys and values"),
    ("attention.max_alibi_bias", "positions by ALiBi"),
    ("attention.kv_lora_rank", "compressed keys and values (MLA)"),
    ("expert_group_count", "experts chosen by groups"),
    ("rope.dimension_sections", "positions of several dimensions"),
    ("use_parallel_residual", "blocks side by side"),
];

/// What to do with a sound file that the engine cannot run.
const ELSEWHERE: &str = "run it on a server (ollama, llama-server)";

/// The keys of one architecture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys<'a> {
    pub(super) metadata: &'a Metadata,
    pub(super) prefix: &'static str,
}

impl Keys<'_> {
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }

    pub(super) fn error(&self, key: &str, message: impl std::fmt::Display) -> EngineError {
        EngineError::Model {
            file: self.metadata.file().to_owned(),
            message: format!("{message} (metadata key {})", self.name(key)),
            hint: None,
        }
    }

    /// As [`error`](Self::error), where the file is sound and other programs may run it.
    pub(super) fn unsupported(&self, key: &str, message: impl std::fmt::Display) -> EngineError {
        match self.error(key, message) {
            EngineError::Model { file, message, .. } => {
                EngineError::Model { file, message, hint: Some(ELSEWHERE.to_owned()) }
            }
            other => other,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.get(&self.name(key))
    }

    pub(super) fn optional(&self, key: &str) -> Result<Option<u32>, EngineError> {
        Ok(self.metadata.u32(&self.name(key))?)
    }

    pub(super) fn bool(&self, key: &str) -> Result<Option<bool>, EngineError> {
        Ok(self.metadata.bool(&self.name(key))?)
    }

    /// A finite float.
    pub(super) fn float(&self, key: &str) -> Result<Option<f32>, EngineError> {
        let value = self.metadata.f32(&self.name(key))?;
        match value {
            Some(value) if !value.is_finite() => Err(self.error(key, format!("{value} is no usable number"))),
            value => Ok(value),
        }
    }

    /// A float above 0; absent, or 0, which llama.cpp takes for absent, is `None`.
    pub(super) fn positive(&self, key: &str) -> Result<Option<f32>, EngineError> {
        match self.float(key)?.filter(|&value| value != 0.0) {
            Some(value) if value < 0.0 => Err(self.error(key, format!("{value} is below 0"))),
            value => Ok(value),
        }
    }

    pub(super) fn ranged(&self, key: &str, range: RangeInclusive<usize>) -> Result<Option<usize>, EngineError> {
        let Some(value) = self.optional(key)? else { return Ok(None) };
        let value = value as usize;
        if !range.contains(&value) {
            let message = format!("{value} is outside {} to {}", range.start(), range.end());
            return Err(self.error(key, message));
        }
        Ok(Some(value))
    }

    pub(super) fn required(&self, key: &str, range: RangeInclusive<usize>) -> Result<usize, EngineError> {
        self.metadata.required_u32(&self.name(key))?;
        Ok(self.ranged(key, range)?.expect("presence was just checked"))
    }

    /// Fails on keys that ask for something the engine would silently leave out.
    pub(super) fn refuse_unknown_computations(&self) -> Result<(), EngineError> {
        for (key, what) in REFUSED {
            if self.get(key).is_some_and(|value| !is_neutral(value)) {
                return Err(
                    self.unsupported(key, format!("the model asks for {what}, which the engine does not compute"))
                );
            }
        }
        if self.bool("attention.causal")? == Some(false) {
            let message = "the model attends to later tokens too; it is an encoder and not a language model";
            return Err(self.unsupported("attention.causal", message));
        }
        Ok(())
    }
}

fn is_neutral(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => !flag,
        Value::F32(number) => *number == 0.0,
        Value::F64(number) => *number == 0.0,
        Value::Integers(numbers) => numbers.iter().all(|&number| number == 0),
        other => other.integer() == Some(0),
    }
}
