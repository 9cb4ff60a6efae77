//! Bodies for `/v1/chat/completions`. What a server cannot do is left out, never sent in the hope that it is ignored.

use super::presets::Preset;
use crate::http_request::{refuse_choices, wire_seed};
use puma_core::{BackendError, BackendErrorKind, Request};
use serde_json::{Map, Value, json};

/// What is settled for all requests to one model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) preset: &'static Preset,
    pub(super) think: bool,
    pub(super) reuse_prompts: bool,
    pub(super) logprobs: bool,
}

/// The body that asks `request`.
///
/// # Errors
/// The request wants constrained output and the server has none, or it wants given answers scored.
pub(super) fn body(request: &Request, terms: &Terms) -> Result<Value, BackendError> {
    let preset = terms.preset;
    refuse_choices(request, preset.server)?;
    let mut body = Map::new();
    body.insert("model".into(), json!(request.model));
    body.insert("messages".into(), json!(request.messages));
    body.insert("max_tokens".into(), json!(request.max_tokens));
    body.insert("temperature".into(), json!(request.temperature));
    body.insert("top_p".into(), json!(1.0));
    body.insert("stream".into(), json!(preset.streams));
    if preset.streams {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    if preset.seed {
        body.insert("seed".into(), json!(wire_seed(request.seed)));
    }
    if !request.stop.is_empty() {
        body.insert("stop".into(), json!(request.stop));
    }
    if request.logprobs && terms.logprobs {
        body.insert("logprobs".into(), json!(true));
        // Always named: some servers fail when it is missing.
        body.insert("top_logprobs".into(), json!(request.top_logprobs.min(preset.max_top_logprobs)));
    }
    if let Some(format) = &request.format {
        body.insert("response_format".into(), response_format(format, preset)?);
    }
    if preset.thinking_switch {
        body.insert("chat_template_kwargs".into(), json!({"enable_thinking": terms.think}));
    }
    merge(&mut body, preset.extra);
    if !terms.reuse_prompts {
        merge(&mut body, preset.no_reuse);
    }
    Ok(Value::Object(body))
}

fn merge(body: &mut Map<String, Value>, object: &str) {
    let fields: Map<String, Value> = serde_json::from_str(object).expect("a test reads every row of the table");
    body.extend(fields);
}

fn response_format(format: &Value, preset: &Preset) -> Result<Value, BackendError> {
    if !preset.response_format {
        let message = format!("{} cannot constrain its output to a format", preset.server);
        return Err(BackendError::new(BackendErrorKind::Unsupported, message)
            .with_hint("leave the format out, or use Ollama, llama-server or vLLM"));
    }
    Ok(if format == "json" {
        json!({"type": "json_object"})
    } else {
        json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": format}})
    })
}

#[cfg(test)]
mod tests {
    use super::super::presets::{PRESETS, preset};
    use super::*;
    use puma_testkit::question::question;

    fn request() -> Request {
        Request { max_tokens: 7, stop: vec!["\n".into()], logprobs: true, top_logprobs: 20, ..question("hello") }
    }

    fn built(name: &str, request: &Request, logprobs: bool) -> Result<Value, BackendError> {
        let preset = preset(name).expect("in the table");
        body(request, &Terms { preset, think: false, reuse_prompts: false, logprobs })
    }

    #[test]
    fn llama_server_gets_neutral_samplers_and_no_reuse() {
        assert_eq!(
            built("llama-server", &request(), true).expect("supported"),
            json!({
                "model": "m", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 7, "temperature": 0.0,
                "top_p": 1.0, "stream": true, "stream_options": {"include_usage": true}, "seed": 42, "stop": ["\n"],
                "logprobs": true, "top_logprobs": 20, "chat_template_kwargs": {"enable_thinking": false},
                "top_k": 0, "min_p": 0.0, "typical_p": 1.0, "repeat_penalty": 1.0, "presence_penalty": 0.0,
                "frequency_penalty": 0.0, "cache_prompt": false
            })
        );
    }

    #[test]
    fn an_ability_that_is_missing_is_not_sent() {
        for row in &PRESETS {
            let body = built(row.name, &request(), row.logprobs).expect("supported");
            assert_eq!(body.get("logprobs").is_some(), row.logprobs, "{}", row.name);
            assert!(body["top_logprobs"].as_u64().unwrap_or(0) <= u64::from(row.max_top_logprobs), "{}", row.name);
            assert_eq!(body.get("stream_options").is_some(), row.streams, "{}", row.name);
        }
        let body = built("vllm", &request(), false).expect("supported");
        assert!(body.get("logprobs").is_none() && body.get("top_logprobs").is_none());
    }

    #[test]
    fn a_format_is_sent_or_refused_but_never_dropped_and_scoring_is_refused() {
        let schema = Request { format: Some(json!({"type": "object"})), ..request() };
        let sent = built("vllm", &schema, false).expect("supported");
        assert_eq!(sent["response_format"]["json_schema"]["schema"], json!({"type": "object"}));
        let json_mode = Request { format: Some(json!("json")), ..request() };
        let sent = built("openai", &json_mode, false).expect("supported");
        assert_eq!(sent["response_format"], json!({"type": "json_object"}));
        let error = built("transformers", &schema, false).expect_err("no formats");
        assert_eq!(error.kind, BackendErrorKind::Unsupported);
        let choices = Some(puma_core::Choices { answers: vec!["A".into()], closed: true });
        let error = built("vllm", &Request { choices, ..request() }, false).expect_err("no scoring");
        assert_eq!(error.kind, BackendErrorKind::Unsupported);
    }
}
