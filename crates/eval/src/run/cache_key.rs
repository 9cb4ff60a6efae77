//! The key of the inference cache: everything that determines an answer, and nothing else.

use crate::plan::model_key;
use puma_core::canon::{python_json, sha256_hex};
use puma_core::{BackendIdentity, ModelIdentity, Request};
use serde_json::json;

/// SHA-256 over the request, the weights and the backend.
///
/// The instruction set and the number of threads stay out: where a numerics contract is named they change no bit, and
/// other backends do not tell them. Without a contract the server's address is part of the key, because machines differ.
pub fn cache_key(request: &Request, model: &ModelIdentity, backend: &BackendIdentity) -> String {
    let endpoint = if backend.numerics.is_some() { None } else { backend.endpoint.as_ref() };
    let mut request = json!(request);
    // The name is the user's; the weights are what answers.
    request["model"] = json!(model_key(model));
    let key = json!({
        "request": request,
        "quantization": model.quantization,
        "context_length": model.context_length,
        "template_hash": model.template_hash,
        "backend": backend.kind,
        "version": backend.version,
        "numerics": backend.numerics,
        "endpoint": endpoint,
        "settings": backend.settings,
    });
    sha256_hex(python_json(&key).as_bytes())
}
