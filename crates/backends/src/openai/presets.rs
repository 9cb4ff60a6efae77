//! What each known OpenAI-compatible server can do. A table: a new server is a new row.
//!
//! Sources: the servers' own documentation and code as of 2026-11 (llama.cpp `tools/server/README.md`, LM Studio REST
//! API, mlx-lm `server.py`, transformers `serve`, vLLM OpenAI server). Tried against the real server: llama-server,
//! transformers, and llama-cpp-python's as `openai`; the other rows rest on documentation.

/// Where a server tells which model it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Described {
    /// llama-server: `/props` and the `meta` of `/v1/models`.
    Props,
    /// LM Studio: `/api/v0/models`.
    LmStudio,
    /// Only what `/v1/models` says.
    Models,
}

/// One kind of server.
#[derive(Debug, PartialEq)]
pub struct Preset {
    /// As given to `--backend`, and as stored with a run.
    pub name: &'static str,
    /// As shown in messages.
    pub server: &'static str,
    /// Advice when nothing answers.
    pub start: &'static str,
    pub default_port: u16,
    /// Whether chat answers can carry logprobs; where true, `prepare` still probes.
    pub logprobs: bool,
    /// Most alternatives a token.
    pub max_top_logprobs: u8,
    pub seed: bool,
    pub response_format: bool,
    /// Whether to stream, which gives the time of the first token; only where a stream also carries token counts.
    pub streams: bool,
    /// Whether the chat template takes `enable_thinking`.
    pub thinking_switch: bool,
    /// Whether it answers only for the models that `/v1/models` lists.
    pub lists_all_models: bool,
    pub described: Described,
    /// Where the version is, if anywhere.
    pub version_path: Option<&'static str>,
    /// Where it says that it is ready, if anywhere.
    pub health_path: Option<&'static str>,
    /// JSON object merged into every request: samplers that are not neutral by default.
    pub extra: &'static str,
    /// JSON object merged into every request unless the user wants prompts reused between requests.
    pub no_reuse: &'static str,
}

impl Preset {
    /// Whether a request can tell it to compute the whole prompt anew.
    pub fn can_compute_anew(&self) -> bool {
        self.no_reuse != "{}"
    }
}

/// Every known kind, `openai`, the rest, last.
pub static PRESETS: [Preset; 6] = [
    Preset {
        name: "llama-server",
        server: "llama-server",
        start: "is `llama-server -m MODEL.gguf --port 8080` running?",
        default_port: 8080,
        logprobs: true,
        max_top_logprobs: 20,
        seed: true,
        response_format: true,
        streams: true,
        thinking_switch: true,
        lists_all_models: false,
        described: Described::Props,
        version_path: None,
        health_path: Some("/health"),
        extra: r#"{"top_k": 0, "min_p": 0.0, "typical_p": 1.0, "repeat_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}"#,
        no_reuse: r#"{"cache_prompt": false}"#,
    },
    Preset {
        name: "lmstudio",
        server: "LM Studio",
        start: "is the local server of LM Studio on (`lms server start`)?",
        default_port: 1234,
        logprobs: false,
        max_top_logprobs: 0,
        seed: true,
        response_format: true,
        streams: true,
        thinking_switch: false,
        lists_all_models: true,
        described: Described::LmStudio,
        version_path: None,
        health_path: None,
        extra: r#"{"top_k": 0, "repeat_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}"#,
        no_reuse: "{}",
    },
    Preset {
        name: "mlx",
        server: "mlx_lm.server",
        start: "is `mlx_lm.server --model MODEL` running?",
        default_port: 8080,
        logprobs: true,
        max_top_logprobs: 11,
        seed: true,
        response_format: false,
        streams: true,
        thinking_switch: false,
        lists_all_models: false,
        described: Described::Models,
        version_path: None,
        health_path: Some("/health"),
        extra: r#"{"top_k": 0, "min_p": 0.0}"#,
        no_reuse: "{}",
    },
    Preset {
        name: "transformers",
        server: "transformers serve",
        start: "is `transformers serve --port 8000` running?",
        default_port: 8000,
        logprobs: false,
        max_top_logprobs: 0,
        seed: true,
        response_format: false,
        streams: true,
        thinking_switch: false,
        lists_all_models: false,
        described: Described::Models,
        version_path: None,
        health_path: Some("/health"),
        extra: "{}",
        no_reuse: "{}",
    },
    Preset {
        name: "vllm",
        server: "vLLM",
        start: "is `vllm serve MODEL` running?",
        default_port: 8000,
        logprobs: true,
        max_top_logprobs: 20,
        seed: true,
        response_format: true,
        streams: true,
        thinking_switch: true,
        lists_all_models: true,
        described: Described::Models,
        version_path: Some("/version"),
        health_path: Some("/health"),
        // vLLM takes its defaults from the model's generation_config.json, so all are named.
        extra: r#"{"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}"#,
        no_reuse: "{}",
    },
    Preset {
        name: "openai",
        server: "the OpenAI-compatible server",
        start: "is the server running? its address is set by --endpoint",
        default_port: 8000,
        logprobs: true,
        max_top_logprobs: 20,
        seed: true,
        response_format: true,
        streams: false,
        thinking_switch: false,
        lists_all_models: false,
        described: Described::Models,
        version_path: None,
        health_path: None,
        extra: "{}",
        no_reuse: "{}",
    },
];

/// The preset called `name`.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_row_is_sound() {
        for row in &PRESETS {
            for text in [row.extra, row.no_reuse] {
                assert!(serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object()), "{}", row.name);
            }
            assert_eq!(row.logprobs, row.max_top_logprobs > 0, "{}", row.name);
            assert!(row.max_top_logprobs <= 20 && row.start.contains('?'), "{}", row.name);
            assert_eq!(preset(row.name), Some(row));
        }
        assert_eq!(preset("ollama"), None);
    }
}
