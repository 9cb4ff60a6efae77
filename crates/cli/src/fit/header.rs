//! From a model file's header, or a server's answer, to a shape.

use puma_backends::ollama::ServedFacts;
use puma_engine::gguf::{GgufHeader, Metadata, Value as GgufValue};
use puma_host::fit::{ModelShape, TensorFact, TensorType, shape_from_header};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The shape of the model in the file at `path`, from its header alone.
///
/// # Errors
/// A sentence: the file cannot be read, or is no language model's.
pub(crate) fn of_file(path: &Path) -> Result<ModelShape, String> {
    let header = GgufHeader::open(path).map_err(|error| error.to_string())?;
    let tensors: Vec<TensorFact> = header
        .tensors()
        .iter()
        .map(|tensor| TensorFact {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            kind: TensorType::from_id(tensor.type_id),
        })
        .collect();
    shape_from_header(&keys(header.metadata()), &tensors, Some(header.file_bytes()))
        .map_err(|problem| problem.to_string())
}

/// The shape of a model on a server.
///
/// # Errors
/// A sentence: the server does not tell enough.
pub(crate) fn of_served(served: &ServedFacts) -> Result<ModelShape, String> {
    let tensors: Vec<TensorFact> = served
        .tensors
        .iter()
        .map(|tensor| TensorFact {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            kind: TensorType::from_name(&tensor.kind),
        })
        .collect();
    shape_from_header(&served.keys, &tensors, served.size_bytes).map_err(|problem| problem.to_string())
}

/// The metadata that sizes depend on, as JSON; texts in lists and other long values are left out.
fn keys(metadata: &Metadata) -> Map<String, Value> {
    metadata.iter().filter_map(|(key, value)| Some((key.to_owned(), plain(value)?))).collect()
}

fn plain(value: &GgufValue) -> Option<Value> {
    Some(match value {
        GgufValue::U8(number) => json!(number),
        GgufValue::I8(number) => json!(number),
        GgufValue::U16(number) => json!(number),
        GgufValue::I16(number) => json!(number),
        GgufValue::U32(number) => json!(number),
        GgufValue::I32(number) => json!(number),
        GgufValue::U64(number) => json!(number),
        GgufValue::I64(number) => json!(number),
        GgufValue::F32(number) => json!(number),
        GgufValue::F64(number) => json!(number),
        GgufValue::Bool(flag) => json!(flag),
        GgufValue::String(text) => json!(text),
        GgufValue::Bools(flags) => json!(flags),
        GgufValue::Integers(numbers) => json!(numbers),
        GgufValue::Floats(_) | GgufValue::Strings(_) | GgufValue::Arrays(_) => return None,
    })
}
