//! OpenAI's shapes, as recorded from llama-server 0c1e570.

use super::behaviour::Behaviour;
use super::exchange::Answer;
use super::server::{Said, prompt_tokens};
use serde_json::{Value, json};

/// `/v1/chat/completions`.
pub(super) fn complete(behaviour: &Behaviour, body: &Value, said: &Said) -> Answer {
    let with_logprobs = behaviour.logprobs && body["logprobs"] == true;
    let top = body["top_logprobs"].as_u64().unwrap_or(0);
    let entries: Vec<Value> = said.tokens.iter().map(|token| token.logprob_entry(top)).collect();
    let usage = json!({"prompt_tokens": prompt_tokens(body), "completion_tokens": said.tokens.len(),
        "prompt_tokens_details": {"cached_tokens": 3}});
    let timings = json!({"cache_n": 3, "prompt_n": 10, "prompt_ms": 20.5, "predicted_n": 3, "predicted_ms": 9.25});
    if body["stream"] != true {
        let text: String = said.tokens.iter().map(|token| token.text.as_str()).collect();
        let mut message = json!({"role": "assistant", "content": text});
        if let Some(reasoning) = &behaviour.reasoning {
            message["reasoning_content"] = json!(reasoning);
        }
        let mut choice = json!({"index": 0, "finish_reason": said.finish, "message": message});
        if with_logprobs {
            choice["logprobs"] = json!({"content": entries});
        }
        let answer = json!({"object": "chat.completion", "model": body["model"], "choices": [choice], "usage": usage, "timings": timings});
        return Answer::json(200, &answer);
    }
    let chunk = |delta: Value, finish: Value| json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "finish_reason": finish, "delta": delta}]});
    let mut chunks = vec![chunk(json!({"role": "assistant", "content": null}), Value::Null)];
    if let Some(reasoning) = &behaviour.reasoning {
        chunks.push(chunk(json!({"reasoning_content": reasoning}), Value::Null));
    }
    for (token, entry) in said.tokens.iter().zip(entries) {
        let mut part = chunk(json!({"content": token.text}), Value::Null);
        if with_logprobs {
            part["choices"][0]["logprobs"] = json!({"content": [entry]});
        }
        chunks.push(part);
    }
    chunks.push(chunk(json!({}), json!(said.finish)));
    if body.pointer("/stream_options/include_usage") == Some(&json!(true)) {
        chunks.push(json!({"choices": [], "usage": usage, "timings": timings}));
    }
    let mut parts: Vec<String> = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    parts.push("data: [DONE]\n\n".to_owned());
    Answer { status: 200, content_type: "text/event-stream", parts }
}

/// An error as it comes in the middle of a stream.
pub(super) fn error_part() -> String {
    "data: {\"error\":{\"code\":500,\"message\":\"the backend ran out of memory\",\"type\":\"server_error\"}}\n\n"
        .to_owned()
}

pub(super) fn models(behaviour: &Behaviour) -> Value {
    let entry =
        |name: &String| json!({"id": name, "object": "model", "meta": {"n_params": 134_515_008, "size": 96_576_768}});
    json!({"object": "list", "data": behaviour.models.iter().map(entry).collect::<Vec<_>>()})
}

pub(super) fn props(behaviour: &Behaviour) -> Value {
    json!({
        "default_generation_settings": {"n_ctx": 4096}, "total_slots": 1, "model_ftype": "Q4_1", "chat_template": "T",
        "model_path": "/somewhere/private/tiny.gguf", "build_info": format!("b1-{}", behaviour.version),
    })
}
