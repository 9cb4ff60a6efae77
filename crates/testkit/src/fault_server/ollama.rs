//! Ollama's shapes, as recorded from version 0.9.3, with the logprobs of 0.12.11.

use super::behaviour::{Behaviour, hash};
use super::exchange::Answer;
use super::server::{Said, prompt_tokens};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What every model of this server was trained for, in tokens.
const LONGEST_WINDOW: u64 = 8192;

/// `/api/chat` and `/api/generate`.
pub(super) fn complete(behaviour: &Behaviour, body: &Value, said: &Said, is_chat: bool) -> Answer {
    let model = body["model"].clone();
    let with_logprobs = behaviour.logprobs && body["logprobs"] == true;
    let message = |content: &str, thinking: Option<&str>| {
        let mut part = json!({"model": model, "created_at": "2026-01-01T00:00:00Z", "done": false});
        let text = if is_chat { json!({"role": "assistant", "content": content}) } else { json!(content) };
        part[if is_chat { "message" } else { "response" }] = text;
        if let Some(thinking) = thinking {
            let holder = if is_chat { &mut part["message"] } else { &mut part };
            holder["thinking"] = json!(thinking);
        }
        part
    };
    let mut parts = Vec::new();
    if let Some(reasoning) = &behaviour.reasoning {
        parts.push(message("", Some(reasoning)));
    }
    for token in &said.tokens {
        let mut part = message(&token.text, None);
        if with_logprobs {
            part["logprobs"] = json!([token.logprob_entry(body["top_logprobs"].as_u64().unwrap_or(0))]);
        }
        parts.push(part);
    }
    let window = body.pointer("/options/num_ctx").and_then(Value::as_u64).unwrap_or(4096).min(LONGEST_WINDOW);
    let counted = prompt_tokens(body);
    let mut last = message("", None);
    last["done"] = json!(true);
    last["done_reason"] = json!(said.finish);
    last["total_duration"] = json!(30_000_000);
    last["load_duration"] = json!(1_000_000);
    last["prompt_eval_count"] = json!(if behaviour.cuts_prompts { counted.min(window) } else { counted });
    last["prompt_eval_duration"] = json!(20_000_000);
    last["eval_count"] = json!(said.tokens.len());
    last["eval_duration"] = json!(9_000_000);
    parts.push(last);
    if body["stream"] == false {
        return Answer::json(200, &whole(parts, is_chat));
    }
    let parts = parts.iter().map(|part| format!("{part}\n")).collect();
    Answer { status: 200, content_type: "application/x-ndjson", parts }
}

/// All parts as the one object that `stream: false` gives.
fn whole(parts: Vec<Value>, is_chat: bool) -> Value {
    let (mut text, mut logprobs, mut last) = (String::new(), Vec::new(), Value::Null);
    for part in parts {
        let piece = if is_chat { &part["message"]["content"] } else { &part["response"] };
        text.push_str(piece.as_str().unwrap_or(""));
        logprobs.extend(part["logprobs"].as_array().cloned().unwrap_or_default());
        last = part;
    }
    if is_chat {
        last["message"]["content"] = json!(text);
    } else {
        last["response"] = json!(text);
    }
    if !logprobs.is_empty() {
        last["logprobs"] = json!(logprobs);
    }
    last
}

/// An error as it comes in the middle of a stream.
pub(super) fn error_part() -> String {
    "{\"error\":\"llama runner process no longer running\"}\n".to_owned()
}

/// An answer to `/api/generate` without a prompt, which only loads the model.
pub(super) fn loaded(body: &Value) -> Answer {
    Answer::json(200, &json!({"model": body["model"], "response": "", "done": true, "done_reason": "load"}))
}

/// What `/api/pull` says until half of the second layer is there, and what it says after that.
pub(super) fn pulling() -> (Vec<String>, Vec<String>) {
    let layer = |digest: &str, total: u64, completed: u64| json!({"status": format!("pulling {digest}"), "digest": format!("sha256:{digest}"), "total": total, "completed": completed});
    let status = |text: &str| json!({"status": text});
    let lines = |parts: Vec<Value>| parts.iter().map(|part| format!("{part}\n")).collect();
    let first = vec![status("pulling manifest"), layer("aa", 900, 300), layer("aa", 900, 900), layer("bb", 100, 50)];
    let rest =
        vec![layer("bb", 100, 100), status("verifying sha256 digest"), status("writing manifest"), status("success")];
    (lines(first), lines(rest))
}

pub(super) fn tags(behaviour: &Behaviour) -> Value {
    json!({"models": behaviour.models.iter().map(|name| entry(name)).collect::<Vec<_>>()})
}

pub(super) fn ps(behaviour: &Behaviour, unloaded: &BTreeSet<String>) -> Value {
    let loaded = behaviour.models.iter().filter(|name| !unloaded.contains(*name)).map(|name| {
        let mut entry = entry(name);
        entry["size"] = json!(200_000_000);
        entry["size_vram"] = json!(50_000_000);
        entry["context_length"] = json!(LONGEST_WINDOW);
        entry
    });
    json!({"models": loaded.collect::<Vec<_>>()})
}

fn entry(name: &str) -> Value {
    let digest = format!("{:016x}", hash(name.as_bytes())).repeat(4);
    json!({"name": name, "model": name, "size": 98_363_019, "digest": digest,
        "details": {"format": "gguf", "family": "llama", "parameter_size": "134.52M", "quantization_level": "Q4_1"}})
}

pub(super) fn show(behaviour: &Behaviour) -> Value {
    let mut capabilities = vec!["completion"];
    if behaviour.reasoning.is_some() {
        capabilities.push("thinking");
    }
    json!({
        "template": "{{ .Prompt }}", "capabilities": capabilities,
        "details": {"family": "llama", "quantization_level": "Q4_1"},
        "model_info": {"general.architecture": "llama", "general.parameter_count": 134_515_008, "llama.context_length": LONGEST_WINDOW},
    })
}
