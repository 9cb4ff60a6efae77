//! Finds out what an OpenAI-compatible server runs: version, weights, window, template, as far as it tells.

use super::presets::{Described, Preset};
use crate::http::{HttpClient, Reply, TimeLimits};
use crate::retry::AttemptError;
use puma_core::canon::sha256_hex;
use puma_core::{BackendError, BackendErrorKind, ModelIdentity};
use serde_json::Value;

/// What a server tells about itself and one model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) version: Option<String>,
    pub(super) identity: ModelIdentity,
    /// Path of the weights as the server sees it; it may be on another machine.
    pub(super) model_path: Option<String>,
}

/// Asks the server what it is and what `model` is on it.
///
/// # Errors
/// The server cannot be reached, or does not have the model.
pub(super) fn ask(
    client: &HttpClient,
    limits: &TimeLimits,
    preset: &Preset,
    model: &str,
) -> Result<Told, AttemptError> {
    let get = |path: &str| client.get(path, limits.inquiry).and_then(Reply::json);
    let listed = match get("/v1/models") {
        Ok(listed) => listed,
        // Some servers fail to list, such as transformers without a download cache, and yet answer.
        Err(failed) if failed.error.http_status.is_some() && !preset.lists_all_models => Value::Null,
        Err(failed) => return Err(failed),
    };
    let entry = entry_of(&listed, model);
    if entry.is_none() && preset.lists_all_models {
        return Err(not_listed(preset, model, &listed).into());
    }
    let mut told = Told {
        identity: ModelIdentity {
            name: model.to_owned(),
            source: Some(preset.server.to_owned()),
            ..ModelIdentity::default()
        },
        ..Told::default()
    };
    if let Some(path) = preset.version_path {
        told.version = get(path)?.get("version").and_then(Value::as_str).map(str::to_owned);
    }
    match preset.described {
        Described::Props => read_props(&mut told, &get("/props")?, first_entry(&listed), preset),
        // An older LM Studio lacks this list; everything in it is optional.
        Described::LmStudio => read_lm_studio(&mut told, &get("/api/v0/models").unwrap_or_default(), model),
        Described::Models => {
            let length = entry.and_then(|entry| entry.get("max_model_len")).and_then(Value::as_u64);
            told.identity.context_length = length.and_then(|length| u32::try_from(length).ok());
        }
    }
    Ok(told)
}

fn ids(listed: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let entries = listed.get("data").and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|entry| Some((entry.get("id")?.as_str()?, entry)))
}

fn entry_of<'a>(listed: &'a Value, model: &str) -> Option<&'a Value> {
    ids(listed).find(|(id, _)| *id == model).map(|(_, entry)| entry)
}

fn first_entry(listed: &Value) -> Option<&Value> {
    ids(listed).next().map(|(_, entry)| entry)
}

fn not_listed(preset: &Preset, model: &str, listed: &Value) -> BackendError {
    let names: Vec<&str> = ids(listed).map(|(id, _)| id).collect();
    let there = if names.is_empty() { "no model at all".to_owned() } else { names.join(", ") };
    BackendError::new(
        BackendErrorKind::ModelNotFound,
        format!("{} does not serve a model `{model}`; it serves {there}", preset.server),
    )
    .with_hint("pass one of these names to --model, or start the server with that model")
}

/// llama-server: one process, one file. Only the file's name is kept: its folder belongs to a person.
fn read_props(told: &mut Told, props: &Value, entry: Option<&Value>, preset: &Preset) {
    let text = |key: &str| props.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let meta = |key: &str| entry.and_then(|entry| entry.pointer(&format!("/meta/{key}")));
    told.version = text("build_info").map(str::to_owned);
    told.model_path = text("model_path").map(str::to_owned);
    let identity = &mut told.identity;
    if let Some(path) = text("model_path") {
        let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
        identity.source = Some(format!("{}: {file}", preset.server));
    }
    let ftype = text("model_ftype").or_else(|| meta("ftype").and_then(Value::as_str));
    identity.quantization = ftype.map(str::to_owned);
    identity.parameters = meta("n_params").and_then(Value::as_u64);
    identity.size_bytes = meta("size").and_then(Value::as_u64);
    let window = props.pointer("/default_generation_settings/n_ctx").and_then(Value::as_u64);
    identity.context_length = window.and_then(|length| u32::try_from(length).ok());
    identity.template_hash = text("chat_template").map(|template| sha256_hex(template.as_bytes()));
}

fn read_lm_studio(told: &mut Told, listed: &Value, model: &str) {
    let Some(entry) = entry_of(listed, model) else { return };
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    told.identity.quantization = text("quantization");
    told.identity.architecture = text("arch");
    let window = entry.get("loaded_context_length").and_then(Value::as_u64);
    told.identity.context_length = window.and_then(|length| u32::try_from(length).ok());
}

#[cfg(test)]
mod tests {
    use super::super::presets::preset;
    use super::*;
    use serde_json::json;

    #[test]
    fn llama_servers_own_words_become_an_identity_without_folders() {
        // Shape recorded from llama-server 0c1e570.
        let props = json!({
            "default_generation_settings": {"n_ctx": 4096}, "model_path": "/home/someone/models/Smol-Q4_1.gguf",
            "model_ftype": "Q4_1", "build_info": "b1-0c1e570", "chat_template": "T"
        });
        let entry = json!({"id": "x", "meta": {"n_params": 134_515_008, "size": 96_576_768}});
        let mut told = Told::default();
        read_props(&mut told, &props, Some(&entry), preset("llama-server").expect("in the table"));
        assert_eq!(told.version.as_deref(), Some("b1-0c1e570"));
        assert_eq!(told.identity.source.as_deref(), Some("llama-server: Smol-Q4_1.gguf"));
        assert_eq!(told.identity.context_length, Some(4096));
        assert_eq!((told.identity.parameters, told.identity.size_bytes), (Some(134_515_008), Some(96_576_768)));
        assert_eq!(told.identity.digest, None);
    }

    #[test]
    fn what_lm_studio_does_not_tell_stays_unknown() {
        let listed =
            json!({"data": [{"id": "a", "arch": "qwen2", "quantization": "Q4_K_M", "loaded_context_length": 4096}]});
        let (mut known, mut unknown) = (Told::default(), Told::default());
        read_lm_studio(&mut known, &listed, "a");
        read_lm_studio(&mut unknown, &listed, "b");
        assert_eq!(
            (known.identity.architecture.as_deref(), known.identity.context_length),
            (Some("qwen2"), Some(4096))
        );
        assert_eq!(unknown, Told::default());
    }
}
