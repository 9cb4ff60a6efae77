//! What differs from layer to layer.

use super::keys::Keys;
use crate::error::EngineError;
use crate::gguf::Value;

/// One layer's own choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerConfig {
    /// Positions a token sees, its own included; `None` sees all before it.
    pub window: Option<usize>,
    /// Which of the model's rotary embeddings turns queries and keys; `None` leaves them alone.
    pub rope: Option<usize>,
}

impl LayerConfig {
    /// Sees everything and takes the first rotary embedding.
    pub const PLAIN: Self = Self { window: None, rope: Some(0) };
}

/// Which layers have a window: the file's own list, or of every `pattern` layers all but the last.
///
/// `attention.sliding_window_pattern` may be a list or the number; without it the number is `default_pattern`.
pub(super) fn windowed(keys: &Keys<'_>, layers: usize, default_pattern: usize) -> Result<Vec<bool>, EngineError> {
    const KEY: &str = "attention.sliding_window_pattern";
    let list: Option<Vec<bool>> = match keys.get(KEY) {
        Some(Value::Bools(flags)) => Some(flags.clone()),
        Some(Value::Integers(numbers)) => Some(numbers.iter().map(|&number| number != 0).collect()),
        _ => None,
    };
    if let Some(list) = list {
        if list.len() < layers {
            return Err(keys.error(KEY, format!("{} entries are too few for {layers} layers", list.len())));
        }
        return Ok(list[..layers].to_vec());
    }
    let pattern = keys.ranged(KEY, 0..=1024)?.unwrap_or(default_pattern);
    Ok((0..layers).map(|layer| pattern == 0 || layer % pattern < pattern - 1).collect())
}
