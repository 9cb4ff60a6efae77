//! `spec_hash`: the identity of an experiment, equal to upstream's.

use super::schema::{ParserMode, RunSpec};
use puma_core::SpecHash;
use puma_core::canon::{python_json, short_hash};
use serde_json::Value;

/// First 16 hex digits of the SHA-256 of the spec's canonical JSON.
///
/// The JSON holds every field with its default filled in except `description`; keys sorted, written as Python's
/// `json.dumps(…, sort_keys=True)` does. `parser` and `compat`, which upstream does not know, enter only when they
/// differ from their defaults, so every upstream spec keeps upstream's hash; so does `inference.answer`, whose default is
/// not written at all.
pub fn spec_hash(spec: &RunSpec) -> SpecHash {
    SpecHash::new(short_hash(&python_json(&hashed_payload(spec))))
}

fn hashed_payload(spec: &RunSpec) -> Value {
    let mut payload = full_json(spec);
    if let Value::Object(fields) = &mut payload {
        fields.remove("description");
        if spec.parser == ParserMode::default() {
            fields.remove("parser");
        }
        if spec.compat.is_none() {
            fields.remove("compat");
        }
    }
    payload
}

/// The whole spec as JSON, defaults filled in: what a run stores.
pub fn full_json(spec: &RunSpec) -> Value {
    serde_json::to_value(spec).expect("a run spec holds only JSON types with text keys")
}
