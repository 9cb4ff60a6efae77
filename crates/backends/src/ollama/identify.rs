//! Finds out which weights a name stands for, and makes them ready: version, digest, template, placement, abilities.

use super::request::keep_alive;
use crate::http::{HttpClient, Reply, TimeLimits, reported_error};
use crate::retry::AttemptError;
use puma_core::canon::sha256_hex;
use puma_core::{BackendError, BackendErrorKind, ModelIdentity};
use serde_json::{Value, json};

/// Context window, in tokens, when neither the request nor the user names one: the model's own, but at most this, for
/// a server reserves memory for all of it.
pub const CONTEXT_CAP: u32 = 8192;

/// A model that the server has on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct InstalledModel {
    pub name: String,
    /// `sha256:…` of the manifest: weights, template, parameters and licence together.
    pub digest: Option<String>,
    pub size_bytes: Option<u64>,
    pub quantization: Option<String>,
    pub family: Option<String>,
    /// As the server writes it, `134.52M`.
    pub parameter_size: Option<String>,
}

/// What `/api/show` tells about a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shown {
    pub(super) architecture: Option<String>,
    pub(super) parameters: Option<u64>,
    pub(super) quantization: Option<String>,
    /// Longest context the model was trained for, in tokens.
    pub(super) context_length: Option<u32>,
    pub(super) template_hash: Option<String>,
    pub(super) can_think: bool,
}

/// What `/api/ps` tells about a loaded model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Placement {
    pub(super) gpu_share: Option<f64>,
    pub(super) context_length: Option<u32>,
}

/// The server's version.
///
/// # Errors
/// The server cannot be reached or is no Ollama.
pub(super) fn version(client: &HttpClient, limits: &TimeLimits) -> Result<String, AttemptError> {
    let body = client.get("/api/version", limits.inquiry).and_then(Reply::json)?;
    body.get("version").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
        let message =
            format!("the server at {} answers /api/version without a version: is it Ollama?", client.endpoint());
        let error = BackendError::new(BackendErrorKind::Protocol, message);
        error.with_hint("for llama-server, LM Studio, vLLM and their like use the openai backend").into()
    })
}

/// Every model the server has.
///
/// # Errors
/// The server cannot be reached.
pub(super) fn installed(client: &HttpClient, limits: &TimeLimits) -> Result<Vec<InstalledModel>, AttemptError> {
    let body = client.get("/api/tags", limits.inquiry).and_then(Reply::json)?;
    let entries = body.get("models").and_then(Value::as_array).into_iter().flatten();
    Ok(entries.filter_map(read_installed).collect())
}

fn read_installed(entry: &Value) -> Option<InstalledModel> {
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let details = entry.get("details").unwrap_or(&Value::Null);
    Some(InstalledModel {
        name: text(entry, "name").or_else(|| text(entry, "model"))?,
        digest: text(entry, "digest").map(|digest| match digest.strip_prefix("sha256:") {
            Some(_) => digest,
            None => format!("sha256:{digest}"),
        }),
        size_bytes: entry.get("size").and_then(Value::as_u64),
        quantization: text(details, "quantization_level"),
        family: text(details, "family"),
        parameter_size: text(details, "parameter_size"),
    })
}

/// The installed model that `name` stands for: Ollama adds `:latest` to a name without a tag and ignores case.
///
/// # Errors
/// No such model; the message lists what is there and the hint how to get it.
pub(super) fn find(installed: &[InstalledModel], name: &str) -> Result<InstalledModel, BackendError> {
    let full = full_name(name);
    if let Some(found) = installed.iter().find(|model| full_name(&model.name) == full) {
        return Ok(found.clone());
    }
    let names: Vec<&str> = installed.iter().map(|model| model.name.as_str()).collect();
    let there =
        if names.is_empty() { "it has no models yet".to_owned() } else { format!("it has {}", names.join(", ")) };
    Err(model_not_found(name, &there))
}

/// A missing model, with the commands that fetch it.
pub(super) fn model_not_found(name: &str, there: &str) -> BackendError {
    BackendError::new(BackendErrorKind::ModelNotFound, format!("Ollama has no model `{name}` ({there})"))
        .with_hint(format!("run `ollama pull {name}`, or `puma models pull {name}` for the embedded engine"))
}

/// A name as Ollama compares it.
fn full_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit('/').next().unwrap_or(&name);
    if last.contains(':') { name } else { format!("{name}:latest") }
}

/// What the server knows about the model's inside.
///
/// # Errors
/// The server cannot be reached or does not know the model.
pub(super) fn show(client: &HttpClient, limits: &TimeLimits, name: &str) -> Result<Shown, AttemptError> {
    let body = client.post("/api/show", &json!({"model": name}), limits.inquiry).and_then(Reply::json)?;
    Ok(read_show(&body))
}

fn read_show(body: &Value) -> Shown {
    let info = |key: &str| body.get("model_info").and_then(|info| info.get(key));
    let architecture = info("general.architecture").and_then(Value::as_str).map(str::to_owned);
    let context_length = architecture
        .as_ref()
        .and_then(|name| info(&format!("{name}.context_length")))
        .and_then(Value::as_u64)
        .and_then(|length| u32::try_from(length).ok());
    let template = body.get("template").and_then(Value::as_str).filter(|template| !template.is_empty());
    let capabilities = body.get("capabilities").and_then(Value::as_array);
    Shown {
        parameters: info("general.parameter_count").and_then(Value::as_u64),
        quantization: body.pointer("/details/quantization_level").and_then(Value::as_str).map(str::to_owned),
        context_length,
        template_hash: template.map(|template| sha256_hex(template.as_bytes())),
        can_think: capabilities.is_some_and(|all| all.iter().any(|one| one == "thinking")),
        architecture,
    }
}

/// Loads the model with the window it will be used with, so that loading does not count as the first job's time.
///
/// # Errors
/// The model cannot be loaded.
pub(super) fn load(
    client: &HttpClient,
    limits: &TimeLimits,
    name: &str,
    alive: &str,
    window: u32,
) -> Result<(), AttemptError> {
    let body = json!({"model": name, "stream": false, "keep_alive": keep_alive(alive), "options": {"num_ctx": window}});
    let reply = client.post("/api/generate", &body, limits.load)?.json()?;
    match reported_error(&reply) {
        Some(message) => {
            Err(BackendError::new(BackendErrorKind::Http, format!("Ollama cannot load `{name}`: {message}")).into())
        }
        None => Ok(()),
    }
}

/// Asks for one token with logprobs: whether they come is the only reliable sign (they exist since version 0.12.11).
pub(super) fn probe_logprobs(
    client: &HttpClient,
    limits: &TimeLimits,
    name: &str,
    alive: &str,
    window: u32,
) -> Option<bool> {
    let body = json!({
        "model": name, "stream": false, "keep_alive": keep_alive(alive), "logprobs": true, "top_logprobs": 1,
        "messages": [{"role": "user", "content": "Hello"}],
        "options": {"num_ctx": window, "num_predict": 1, "temperature": 0, "seed": 0},
    });
    let reply = client.post("/api/chat", &body, limits.for_model(name)).and_then(Reply::json).ok()?;
    Some(reply.get("logprobs").and_then(Value::as_array).is_some_and(|entries| !entries.is_empty()))
}

/// Where the loaded model lies and how wide its window really is; nothing where the server does not tell.
pub(super) fn placement(client: &HttpClient, limits: &TimeLimits, name: &str) -> Placement {
    let Ok(body) = client.get("/api/ps", limits.inquiry).and_then(Reply::json) else {
        return Placement::default();
    };
    let Some(entry) = loaded_entry(&body, name) else { return Placement::default() };
    let number = |key: &str| entry.get(key).and_then(Value::as_f64);
    Placement {
        gpu_share: match (number("size_vram"), number("size")) {
            (Some(vram), Some(size)) if size > 0.0 => Some((vram / size).clamp(0.0, 1.0)),
            _ => None,
        },
        context_length: entry.get("context_length").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()),
    }
}

/// Whether `/api/ps` lists `name`.
pub(super) fn is_loaded(running: &Value, name: &str) -> bool {
    loaded_entry(running, name).is_some()
}

fn loaded_entry<'a>(running: &'a Value, name: &str) -> Option<&'a Value> {
    let full = full_name(name);
    let mut entries = running.get("models").and_then(Value::as_array).into_iter().flatten();
    entries.find(|entry| entry.get("name").and_then(Value::as_str).is_some_and(|name| full_name(name) == full))
}

/// Puts together what is stored with a run.
pub(super) fn identity(
    name: &str,
    model: InstalledModel,
    shown: &Shown,
    placement: &Placement,
    window: u32,
    logprobs: Option<bool>,
) -> ModelIdentity {
    ModelIdentity {
        name: name.to_owned(),
        digest: model.digest,
        quantization: model.quantization.or_else(|| shown.quantization.clone()),
        architecture: shown.architecture.clone().or(model.family),
        parameters: shown.parameters,
        size_bytes: model.size_bytes,
        context_length: Some(placement.context_length.unwrap_or(window)),
        template_hash: shown.template_hash.clone(),
        template_source: None,
        source: Some(format!("ollama: {}", model.name)),
        gpu_share: placement.gpu_share,
        logprobs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> InstalledModel {
        InstalledModel {
            name: name.into(),
            digest: None,
            size_bytes: None,
            quantization: None,
            family: None,
            parameter_size: None,
        }
    }

    #[test]
    fn a_name_without_a_tag_means_latest() {
        let there = [model("smollm2:135m"), model("Llama:latest"), model("registry:5000/x/y:latest")];
        for (asked, found) in
            [("smollm2:135m", 0), ("SmolLM2:135M", 0), ("llama", 1), ("llama:latest", 1), ("registry:5000/x/y", 2)]
        {
            assert_eq!(find(&there, asked).expect(asked), there[found]);
        }
        let error = find(&there, "smollm2").expect_err("no such tag");
        assert_eq!(error.kind, BackendErrorKind::ModelNotFound);
        assert!(error.message.contains("smollm2:135m"));
        assert!(
            error.hint.is_some_and(|hint| hint.contains("ollama pull smollm2") && hint.contains("puma models pull"))
        );
    }

    #[test]
    fn what_show_does_not_tell_stays_unknown() {
        assert_eq!(read_show(&json!({})), Shown::default());
        let shown = read_show(&json!({
            "template": "T", "capabilities": ["completion", "thinking"],
            "model_info": {"general.architecture": "qwen2", "qwen2.context_length": 32768, "general.parameter_count": 5}
        }));
        assert_eq!((shown.context_length, shown.parameters, shown.can_think), (Some(32768), Some(5), true));
        assert_eq!(shown.template_hash.as_deref(), Some(sha256_hex(b"T").as_str()));
    }
}
