//! Bodies for `/api/chat` and `/api/generate`: every option that can change an answer is sent, so that neither the
//! server's defaults nor a Modelfile's parameters decide.
//! Source: Ollama `api/types.go`; options unknown to an older server are ignored by it.

use crate::http_request::{refuse_choices, wire_seed};
use puma_core::{BackendError, BackendErrorKind, Request, Role};
use serde_json::{Map, Value, json};

/// Which of Ollama's two ways to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Api {
    /// `/api/chat`: messages with roles.
    #[default]
    Chat,
    /// `/api/generate`: one prompt, as upstream PUMA asks.
    Generate,
}

impl Api {
    /// `chat` or `generate`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Generate => "generate",
        }
    }

    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "/api/chat",
            Self::Generate => "/api/generate",
        }
    }
}

/// What the server and the model can do, and what the user settled for all requests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Terms {
    pub(super) api: Api,
    pub(super) keep_alive: String,
    /// `None` when the model cannot think, so that the option must not be sent.
    pub(super) think: Option<bool>,
    pub(super) logprobs: bool,
    /// Context window for requests that name none.
    pub(super) context_length: u32,
}

/// The body that asks `request`.
///
/// # Errors
/// `/api/generate` takes one user message and at most one system message; more is unsupported, and so is scoring.
pub(super) fn body(request: &Request, terms: &Terms) -> Result<Value, BackendError> {
    refuse_choices(request, "Ollama")?;
    let mut body = Map::new();
    body.insert("model".into(), json!(request.model));
    match terms.api {
        Api::Chat => {
            body.insert("messages".into(), json!(request.messages));
        }
        Api::Generate => add_prompt(&mut body, request)?,
    }
    body.insert("stream".into(), json!(true));
    body.insert("keep_alive".into(), keep_alive(&terms.keep_alive));
    // Servers that know these refuse a prompt that does not fit; older ones cut it silently, which `answer` detects.
    body.insert("truncate".into(), json!(false));
    body.insert("shift".into(), json!(false));
    if let Some(think) = terms.think {
        body.insert("think".into(), json!(think));
    }
    if request.logprobs && terms.logprobs {
        body.insert("logprobs".into(), json!(true));
        body.insert("top_logprobs".into(), json!(request.top_logprobs.min(20)));
    }
    if let Some(format) = &request.format {
        body.insert("format".into(), format.clone());
    }
    body.insert("options".into(), options(request, terms));
    Ok(Value::Object(body))
}

fn add_prompt(body: &mut Map<String, Value>, request: &Request) -> Result<(), BackendError> {
    let (mut prompt, mut system) = (None, None);
    for message in &request.messages {
        let slot = match message.role {
            Role::User => &mut prompt,
            Role::System => &mut system,
            Role::Assistant => return Err(only_one_turn()),
        };
        if slot.replace(message.content.as_str()).is_some() {
            return Err(only_one_turn());
        }
    }
    body.insert("prompt".into(), json!(prompt.ok_or_else(only_one_turn)?));
    if let Some(system) = system {
        body.insert("system".into(), json!(system));
    }
    Ok(())
}

fn only_one_turn() -> BackendError {
    BackendError::new(BackendErrorKind::Unsupported, "Ollama's /api/generate takes exactly one user message")
        .with_hint("ask through /api/chat, the default, for conversations")
}

/// Samplers are neutral: with temperature 0 only the most probable token is kept; otherwise the model's own
/// distribution is sampled, not cut to Ollama's default 40 candidates.
fn options(request: &Request, terms: &Terms) -> Value {
    let is_greedy = request.temperature == 0.0;
    let mut options = json!({
        "seed": wire_seed(request.seed),
        "temperature": request.temperature,
        "num_predict": request.max_tokens,
        "num_ctx": request.context_length.unwrap_or(terms.context_length),
        "top_k": i32::from(is_greedy),
        "top_p": 1.0,
        "min_p": 0.0,
        "repeat_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
    });
    if !request.stop.is_empty() {
        options["stop"] = json!(request.stop);
    }
    options
}

/// Ollama reads a duration text (`5m`) or a number of seconds; `-1` as a text is refused by it.
pub(super) fn keep_alive(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| json!(text), |seconds| json!(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_core::Message;
    use puma_testkit::question::question;

    fn request() -> Request {
        Request { max_tokens: 7, logprobs: true, top_logprobs: 5, ..question("hello") }
    }

    fn terms() -> Terms {
        Terms { api: Api::Chat, keep_alive: "5m".into(), think: None, logprobs: true, context_length: 4096 }
    }

    #[test]
    fn nothing_that_changes_an_answer_is_left_to_the_server() {
        let body = body(&request(), &terms()).expect("supported");
        assert_eq!(
            body,
            json!({
                "model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": true, "keep_alive": "5m",
                "truncate": false, "shift": false, "logprobs": true, "top_logprobs": 5,
                "options": {"seed": 42, "temperature": 0.0, "num_predict": 7, "num_ctx": 4096, "top_k": 1, "top_p": 1.0,
                    "min_p": 0.0, "repeat_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}
            })
        );
    }

    #[test]
    fn sampling_leaves_the_models_distribution_whole() {
        let body = body(&Request { temperature: 0.7, ..request() }, &terms()).expect("supported");
        assert_eq!((&body["options"]["top_k"], &body["options"]["temperature"]), (&json!(0), &json!(0.7)));
    }

    #[test]
    fn what_model_or_server_cannot_do_is_not_sent() {
        let body = body(&request(), &Terms { logprobs: false, ..terms() }).expect("supported");
        assert!(body.get("logprobs").is_none() && body.get("top_logprobs").is_none() && body.get("think").is_none());
    }

    #[test]
    fn generate_takes_one_turn_only() {
        let generate = Terms { api: Api::Generate, ..terms() };
        let one = body(&request(), &generate).expect("one user message");
        assert_eq!((one["prompt"].as_str(), one.get("messages")), (Some("hello"), None));
        for messages in [vec![], vec![Message::user("a"), Message::assistant("b"), Message::user("c")]] {
            let error = body(&Request { messages, ..request() }, &generate).expect_err("not one turn");
            assert_eq!(error.kind, BackendErrorKind::Unsupported);
        }
    }

    #[test]
    fn scoring_given_answers_is_refused_instead_of_generating_another() {
        let choices = Some(puma_core::Choices { answers: vec!["A".into()], closed: true });
        let error = body(&Request { choices, ..request() }, &terms()).expect_err("no scoring");
        assert_eq!(error.kind, BackendErrorKind::Unsupported);
        assert!(error.message.starts_with("Ollama") && error.hint.is_some());
    }

    #[test]
    fn keep_alive_numbers_are_sent_as_numbers() {
        assert_eq!((keep_alive("-1"), keep_alive("0"), keep_alive("10m")), (json!(-1), json!(0), json!("10m")));
    }
}
