//! What an Ollama server tells of a model's inside, under GGUF's own keys.

use super::identify;
use crate::http::{HttpClient, Reply, TimeLimits};
use crate::retry::AttemptError;
use serde_json::{Map, Value, json};

/// A model on a server, as far as its memory goes.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedFacts {
    /// As the server spells it.
    pub name: String,
    /// All layers of the model: weights, template, parameters.
    pub size_bytes: Option<u64>,
    pub quantization: Option<String>,
    /// GGUF metadata without vocabulary.
    pub keys: Map<String, Value>,
    /// Empty where the server does not list them.
    pub tensors: Vec<ServedTensor>,
}

/// One tensor of a model on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedTensor {
    pub name: String,
    /// Length of each dimension, fastest first.
    pub shape: Vec<u64>,
    /// ggml's name of the type.
    pub kind: String,
}

/// Asks for one model.
///
/// # Errors
/// The server cannot be reached or does not have the model.
pub(super) fn facts(client: &HttpClient, limits: &TimeLimits, name: &str) -> Result<ServedFacts, AttemptError> {
    let installed = identify::find(&identify::installed(client, limits)?, name)?;
    let body = client.post("/api/show", &json!({"model": name}), limits.inquiry).and_then(Reply::json)?;
    let keys = body.get("model_info").and_then(Value::as_object).cloned().unwrap_or_default();
    let tensors = body.get("tensors").and_then(Value::as_array).into_iter().flatten();
    let tensors: Option<Vec<ServedTensor>> = tensors.map(read_tensor).collect();
    Ok(ServedFacts {
        name: installed.name,
        size_bytes: installed.size_bytes,
        quantization: installed.quantization,
        keys,
        // A list with a hole in it would pass for a smaller model.
        tensors: tensors.unwrap_or_default(),
    })
}

fn read_tensor(entry: &Value) -> Option<ServedTensor> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let shape = entry.get("shape")?.as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>()?;
    Some(ServedTensor { name: text("name")?, shape, kind: text("type")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_needs_name_shape_and_type() {
        let whole = json!({"name": "token_embd.weight", "type": "Q8_0", "shape": [576, 49152]});
        let read = read_tensor(&whole).expect("all is there");
        assert_eq!((read.shape.as_slice(), read.kind.as_str()), ([576, 49_152].as_slice(), "Q8_0"));
        for missing in ["name", "type", "shape"] {
            let mut cut = whole.clone();
            cut.as_object_mut().expect("an object").remove(missing);
            assert_eq!(read_tensor(&cut), None, "{missing}");
        }
    }
}
