//! Typed access to the metadata keys of one architecture, with limits that no model exceeds.

use super::header::ShapeProblem;
use super::shape::Experts;
use serde_json::{Map, Value};

/// No hyperparameter of a language model is larger; more is a damaged header.
const LARGEST: u64 = 1 << 32;
/// Layers of the deepest models stay far below.
pub(super) const MOST_LAYERS: u64 = 4096;

/// The metadata of one file under its architecture's prefix.
pub(super) struct Keys<'a> {
    values: &'a Map<String, Value>,
    prefix: &'a str,
}

impl<'a> Keys<'a> {
    pub(super) fn new(values: &'a Map<String, Value>) -> Self {
        let prefix = values.get("general.architecture").and_then(Value::as_str).unwrap_or_default();
        Self { values, prefix }
    }

    pub(super) fn architecture(&self) -> Result<&'a str, ShapeProblem> {
        if self.prefix.is_empty() {
            return Err(ShapeProblem::Missing("general.architecture".to_owned()));
        }
        Ok(self.prefix)
    }

    pub(super) fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a Value> {
        self.values.get(&self.name(key)).filter(|value| !value.is_null())
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.value(key)?.as_bool()
    }

    /// A number under its full name, without the architecture's prefix.
    pub(super) fn plain(&self, key: &str) -> Result<Option<u64>, ShapeProblem> {
        match self.values.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => whole(value).map(Some).ok_or_else(|| absurd(key, value)),
        }
    }

    /// A number; an array counts as not said.
    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, ShapeProblem> {
        match self.value(key) {
            None | Some(Value::Array(_)) => Ok(None),
            Some(value) => self.checked(key, value).map(Some),
        }
    }

    pub(super) fn required(&self, key: &str) -> Result<u64, ShapeProblem> {
        self.number(key)?.ok_or_else(|| ShapeProblem::Missing(self.name(key)))
    }

    /// A number for each of `count` layers, said once for all or one by one; a shorter list repeats.
    pub(super) fn per_layer(&self, key: &str, count: usize) -> Result<Option<Vec<u64>>, ShapeProblem> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Array(items)) if items.is_empty() => Ok(None),
            Some(Value::Array(items)) => {
                let numbers: Vec<u64> = items.iter().map(|item| self.checked(key, item)).collect::<Result<_, _>>()?;
                Ok(Some(numbers.into_iter().cycle().take(count).collect()))
            }
            Some(value) => self.checked(key, value).map(|number| Some(vec![number; count])),
        }
    }

    /// The number, or the largest of a list.
    pub(super) fn largest(&self, key: &str) -> Result<Option<u64>, ShapeProblem> {
        match self.value(key) {
            Some(Value::Array(items)) => {
                let numbers = items.iter().map(|item| self.checked(key, item)).collect::<Result<Vec<_>, _>>()?;
                Ok(numbers.into_iter().max())
            }
            _ => self.number(key),
        }
    }

    pub(super) fn experts(&self) -> Result<Option<Experts>, ShapeProblem> {
        let (total, used) = (self.number("expert_count")?, self.number("expert_used_count")?);
        let (Some(total), Some(used)) = (total, used) else { return Ok(None) };
        if total == 0 {
            return Ok(None);
        }
        if used == 0 || used > total {
            return Err(ShapeProblem::Absurd { key: self.name("expert_used_count"), value: used.to_string() });
        }
        let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Some(Experts { total: narrow(total), used: narrow(used) }))
    }

    /// Weights of all routed experts: three matrices each, in every layer after the leading dense ones.
    pub(super) fn expert_parameters(&self, layers: u64) -> Result<Option<u64>, ShapeProblem> {
        let (count, width) = (self.number("expert_count")?, self.number("embedding_length")?);
        let inner = match self.number("expert_feed_forward_length")? {
            Some(inner) => Some(inner),
            None => self.number("feed_forward_length")?,
        };
        let sparse = layers.saturating_sub(self.number("leading_dense_block_count")?.unwrap_or(0));
        let product = |count: u64, width: u64, inner: u64| {
            sparse.checked_mul(3)?.checked_mul(count)?.checked_mul(width)?.checked_mul(inner)
        };
        Ok(match (count, width, inner) {
            (Some(count), Some(width), Some(inner)) => product(count, width, inner),
            _ => None,
        })
    }

    fn checked(&self, key: &str, value: &Value) -> Result<u64, ShapeProblem> {
        whole(value).filter(|&number| number <= LARGEST).ok_or_else(|| absurd(&self.name(key), value))
    }
}

fn absurd(key: &str, value: &Value) -> ShapeProblem {
    ShapeProblem::Absurd { key: key.to_owned(), value: value.to_string() }
}

/// A whole number that is not negative; booleans count as 0 and 1, as patterns are written both ways.
fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Bool(flag) => Some(u64::from(*flag)),
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be whole and small"
            )]
            let whole = (float >= 0.0 && float.fract() == 0.0 && float < 1e15).then_some(float as u64);
            whole
        }),
        _ => None,
    }
}
