//! The HTTP backends against real servers. Each test runs where its environment variable says that the server is there:
//!
//! - `PUMA_TEST_LLAMA_SERVER` (path of the binary) and `PUMA_TEST_MODEL` (a GGUF file): llama-server, started here.
//! - `PUMA_TEST_OLLAMA` (address), `PUMA_TEST_OLLAMA_MODEL` (default `smollm2:135m`): see `scripts/servers/ollama.sh`.
//! - `PUMA_TEST_TRANSFORMERS` (address) and `PUMA_TEST_TRANSFORMERS_MODEL`: `transformers serve`.
//! - `PUMA_TEST_LLAMA_CPP_PYTHON` (address): the server of llama-cpp-python.
//!
//! A missing server is said on stderr; with `PUMA_EXPECT_SERVERS` set (to a list of these names, or `all`) it fails.

use puma_backends::endpoint::Endpoint;
use puma_backends::http::TimeLimits;
use puma_backends::ollama::{Api, OllamaBackend, OllamaOptions};
use puma_backends::openai::{OpenAiBackend, OpenAiOptions, preset};
use puma_backends::sources::ModelDigest;
use puma_core::canon::sha256_hex;
use puma_core::{Backend, BackendErrorKind, Cancel, Completion, Failure, FinishReason, Forgotten, Message, Request};
use puma_testkit::expected::is_expected;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The value of `name`, or `None` after saying that its test is skipped.
fn needed(name: &str) -> Option<String> {
    if let Ok(value) = std::env::var(name) {
        return Some(value);
    }
    assert!(!is_expected(name), "PUMA_EXPECT_SERVERS expects this server, but {name} is not set");
    // Straight to the handle: the test harness would swallow `eprintln!`.
    let _ = writeln!(std::io::stderr(), "skipped: set {name} to run this test against a real server");
    None
}

fn request(model: &str, prompt: &str) -> Request {
    Request {
        model: model.into(),
        messages: vec![Message::user(prompt)],
        max_tokens: 24,
        temperature: 0.0,
        seed: 42,
        stop: vec![],
        logprobs: true,
        top_logprobs: 5,
        context_length: None,
        format: None,
        choices: None,
    }
}

const PROMPT: &str = "Classify the priority of this issue as Critical, Major, Minor or Trivial. Answer with one word.\n\n\
    The scheduler deletes every user's files when the disk is full.";

fn complete(backend: &dyn Backend, request: Request) -> Result<Completion, Failure> {
    let mut answer = None;
    backend.complete(&[request], &Cancel::default(), &mut |_, result| answer = Some(result));
    answer.expect("the request is reported")
}

/// What holds for every completion of every server.
fn assert_sound(done: &Completion, request: &Request) {
    assert!(!done.text.is_empty());
    assert!(done.usage.prompt_tokens > Some(10), "{:?}", done.usage);
    assert!((Some(1)..=Some(request.max_tokens + 1)).contains(&done.usage.generated_tokens), "{:?}", done.usage);
    assert!(done.phases.total_ms.0 > 0.0);
    assert_eq!(done.attempts.len(), 1);
    if done.finish == FinishReason::Length {
        assert!(done.usage.generated_tokens >= Some(request.max_tokens));
    }
}

fn assert_logprobs_sound(done: &Completion, alternatives: usize) {
    assert_eq!(done.tokens.iter().map(|token| token.token.as_str()).collect::<String>(), done.text);
    for token in &done.tokens {
        assert!(token.logprob <= 0.0 && token.top.len() == alternatives, "{token:?}");
        // Greedy: the token is the most probable one.
        assert_eq!((&token.top[0].token, token.top[0].logprob), (&token.token, token.logprob));
        let mass: f32 = token.top.iter().map(|top| top.logprob.exp()).sum();
        assert!(mass <= 1.0 + 1e-4, "{token:?}");
    }
}

/// A llama-server of our own, killed when dropped.
struct LlamaServer {
    process: Mutex<Child>,
    endpoint: Endpoint,
    digests: tempfile::TempDir,
}

impl LlamaServer {
    fn start(binary: &str, model: &str, window: u32) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|probe| probe.local_addr()).expect("a free port").port();
        let process = Command::new(binary)
            .args(["--model", model, "--host", "127.0.0.1", "--port", &port.to_string(), "--parallel", "1"])
            .args(["--threads", "1", "--ctx-size", &window.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("PUMA_TEST_LLAMA_SERVER is a program");
        let digests = tempfile::tempdir().expect("a folder for this test");
        Self { process: Mutex::new(process), endpoint: Endpoint::loopback(port), digests }
    }

    fn kill(&self) {
        let mut process = self.process.lock().expect("no test thread panics while it holds this");
        let _ = process.kill();
        let _ = process.wait();
    }

    fn backend(&self) -> OpenAiBackend {
        let preset = preset("llama-server").expect("in the table");
        let digests = Some(self.digests.path().to_owned());
        OpenAiBackend::new(OpenAiOptions { digests, ..OpenAiOptions::new(preset, Some(self.endpoint.clone())) })
    }
}

impl Drop for LlamaServer {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn llama_server_is_identified_answers_with_logprobs_and_repeats_itself() {
    let (Some(binary), Some(model)) = (needed("PUMA_TEST_LLAMA_SERVER"), needed("PUMA_TEST_MODEL")) else { return };
    let server = LlamaServer::start(&binary, &model, 1024);
    let backend = server.backend();
    // The server is still loading: `prepare` waits for it, but only once it listens.
    let start = Instant::now();
    let identity = loop {
        match backend.prepare("any") {
            Ok(identity) => break identity,
            Err(error) if error.kind == BackendErrorKind::Unreachable && start.elapsed() < Duration::from_secs(60) => {}
            Err(error) => panic!("{error:?}"),
        }
    };
    assert!(backend.identity().version.is_some_and(|version| version.starts_with('b')));
    let file = model.rsplit('/').next().expect("a path has a last part");
    assert_eq!(identity.source, Some(format!("llama-server: {file}")));
    assert_eq!((identity.context_length, identity.logprobs), (Some(1024), Some(true)));
    let bytes = std::fs::read(&model).expect("the server reads it, so this test can");
    assert_eq!(identity.digest, Some(ModelDigest::of_bytes(&bytes).to_string()), "the file lies on this machine");
    assert!(identity.parameters.is_some() && identity.size_bytes.is_some() && identity.template_hash.is_some());

    let asked = request("any", PROMPT);
    let first = complete(&backend, asked.clone()).expect("answers");
    assert_sound(&first, &asked);
    assert_logprobs_sound(&first, 5);
    assert!(first.tokens.iter().all(|token| token.id.is_some()), "llama-server tells token ids");
    assert!(
        first.phases.prompt_ms.is_some()
            && first.phases.generation_ms.is_some()
            && first.phases.first_token_ms.is_some()
    );
    let second = complete(&backend, asked.clone()).expect("answers");
    assert_eq!((&second.text, &second.tokens), (&first.text, &first.tokens), "the same question, other bits");
    assert_eq!(second.usage.cached_tokens, Some(0), "cache_prompt: false was not honoured");

    let short = complete(&backend, Request { max_tokens: 2, logprobs: false, ..asked.clone() }).expect("answers");
    assert_eq!((short.finish, short.usage.generated_tokens, short.tokens.len()), (FinishReason::Length, Some(2), 0));
    let stopped =
        complete(&backend, Request { stop: vec![first.tokens[1].token.clone()], ..asked.clone() }).expect("answers");
    assert_eq!((stopped.finish, stopped.text.as_str()), (FinishReason::Stop, first.tokens[0].token.as_str()));

    let long = complete(&backend, request("any", &"word ".repeat(3000))).expect_err("3000 words exceed 1024 tokens");
    assert_eq!((long.error.kind, long.attempts.len()), (BackendErrorKind::ContextExceeded, 1), "{}", long.error);

    let schema = serde_json::json!({"type": "object", "required": ["priority"], "additionalProperties": false,
        "properties": {"priority": {"enum": ["Critical", "Major", "Minor", "Trivial"]}}});
    let constrained = complete(&backend, Request { format: Some(schema), ..asked }).expect("answers");
    let value: serde_json::Value = serde_json::from_str(&constrained.text).expect("constrained to JSON");
    assert!(value["priority"].is_string(), "{value}");
}

#[test]
fn a_llama_server_killed_in_the_middle_leaves_failures_and_true_answers_only() {
    let (Some(binary), Some(model)) = (needed("PUMA_TEST_LLAMA_SERVER"), needed("PUMA_TEST_MODEL")) else { return };
    let server = LlamaServer::start(&binary, &model, 1024);
    let backend = server.backend();
    let start = Instant::now();
    while backend.prepare("any").is_err() {
        assert!(start.elapsed() < Duration::from_secs(60), "the server does not come up");
    }
    let requests: Vec<Request> = (0..6).map(|n| request("any", &format!("Count to {n}."))).collect();
    let (mut answered, mut failed) = (0, 0);
    backend.complete(&requests, &Cancel::default(), &mut |_, result| match result {
        Ok(done) => {
            assert!(!done.text.is_empty());
            answered += 1;
            if answered == 2 {
                server.kill();
            }
        }
        Err(failure) => {
            let kind = failure.error.kind;
            assert!(matches!(kind, BackendErrorKind::Unreachable | BackendErrorKind::Protocol), "{:?}", failure.error);
            assert_eq!(failure.attempts.len(), 3);
            failed += 1;
        }
    });
    // The third may have been finished before the kill was felt.
    assert!((2..=3).contains(&answered) && answered + failed == 6, "{answered} answered, {failed} failed");
}

#[test]
fn a_cancel_stops_a_real_generation() {
    let (Some(binary), Some(model)) = (needed("PUMA_TEST_LLAMA_SERVER"), needed("PUMA_TEST_MODEL")) else { return };
    let server = LlamaServer::start(&binary, &model, 4096);
    let backend = server.backend();
    let start = Instant::now();
    while backend.prepare("any").is_err() {
        assert!(start.elapsed() < Duration::from_secs(60), "the server does not come up");
    }
    let cancel = Cancel::default();
    let later = cancel.clone();
    let timer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(400));
        later.cancel();
    });
    let endless =
        Request { max_tokens: 3500, logprobs: false, ..request("any", "Write a very long story about a puma.") };
    let start = Instant::now();
    let mut kinds = Vec::new();
    backend.complete(&[endless.clone(), endless], &cancel, &mut |_, result| {
        kinds.push(result.err().map(|failure| failure.error.kind));
    });
    timer.join().expect("the timer does not panic");
    assert_eq!(kinds, [Some(BackendErrorKind::Cancelled); 2]);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn ollama_is_identified_answers_and_refuses_what_it_would_cut() {
    let Some(address) = needed("PUMA_TEST_OLLAMA") else { return };
    let model = std::env::var("PUMA_TEST_OLLAMA_MODEL").unwrap_or_else(|_| "smollm2:135m".to_owned());
    let endpoint = Endpoint::parse(&address, 11434).expect("an address");
    let options = OllamaOptions { context_length: Some(2048), ..OllamaOptions::new(endpoint.clone()) };
    let backend = OllamaBackend::new(options.clone());
    let installed = backend.installed().expect("the server is there");
    assert!(installed.iter().any(|one| one.name == model), "{installed:?}");

    let identity = backend.prepare(&model).expect("the model is there");
    let version = backend.identity().version.expect("known after prepare");
    let digest = identity.digest.expect("a digest");
    assert!(digest.len() == 71 && digest.starts_with("sha256:"), "{digest}");
    assert!(identity.quantization.is_some() && identity.architecture.is_some() && identity.parameters.is_some());
    assert!(identity.template_hash.is_some_and(|hash| hash != sha256_hex(b"")));
    assert_eq!(identity.context_length, Some(2048));
    assert!(identity.gpu_share.is_some_and(|share| (0.0..=1.0).contains(&share)));
    let knows_logprobs = version_at_least(&version, [0, 12, 11]);
    assert_eq!(identity.logprobs, Some(knows_logprobs), "version {version}");

    for api in [Api::Chat, Api::Generate] {
        let backend = OllamaBackend::new(OllamaOptions { api, ..options.clone() });
        backend.prepare(&model).expect("the model is there");
        let asked = request(&model, PROMPT);
        let first = complete(&backend, asked.clone()).expect("answers");
        assert_sound(&first, &asked);
        let phases = first.phases;
        assert!(phases.prompt_ms.is_some() && phases.generation_ms.is_some() && phases.first_token_ms.is_some());
        assert!(phases.load_ms.is_some_and(|load| load.0 < 500.0), "loaded again: {phases:?}");
        if knows_logprobs {
            assert_logprobs_sound(&first, 5);
        } else {
            assert_eq!(first.tokens, []);
        }
        let short = complete(&backend, Request { max_tokens: 2, ..asked.clone() }).expect("answers");
        assert_eq!((short.finish, short.usage.generated_tokens), (FinishReason::Length, Some(2)));
        let stop = first.text.chars().skip(2).take(3).collect::<String>();
        let stopped = complete(&backend, Request { stop: vec![stop.clone()], ..asked.clone() }).expect("answers");
        assert!(stopped.finish == FinishReason::Stop && !stopped.text.contains(&stop), "{:?}", stopped.text);

        let long = complete(&backend, Request { context_length: Some(256), ..request(&model, &"word ".repeat(300)) });
        let long = long.expect_err("300 words exceed 256 tokens");
        assert_eq!((long.error.kind, long.attempts.len()), (BackendErrorKind::ContextExceeded, 1), "{}", long.error);
    }
    assert_eq!(backend.forget(&model), Ok(Forgotten::Model));
    let again = complete(&backend, request(&model, PROMPT)).expect("loads again");
    assert!(again.phases.load_ms.is_some_and(|load| load.0 > 0.0), "{:?}", again.phases);
    let missing = backend.prepare("no-such-model").expect_err("not there");
    assert_eq!(missing.kind, BackendErrorKind::ModelNotFound);
    let missing = complete(&backend, request("no-such-model", "x")).expect_err("not there");
    assert_eq!((missing.error.kind, missing.error.http_status), (BackendErrorKind::ModelNotFound, Some(404)));
    assert!(missing.error.hint.expect("a hint").contains("ollama pull no-such-model"));
}

/// Whether `version` (`0.12.11`, `0.13.0-rc1`) is `floor` or later.
fn version_at_least(version: &str, floor: [u32; 3]) -> bool {
    let numbers: Vec<u32> = version.split(['.', '-']).map_while(|part| part.parse().ok()).collect();
    numbers.as_slice() >= floor.as_slice()
}

#[test]
fn transformers_serve_answers_without_logprobs() {
    let Some(address) = needed("PUMA_TEST_TRANSFORMERS") else { return };
    let Some(model) = needed("PUMA_TEST_TRANSFORMERS_MODEL") else { return };
    let endpoint = Endpoint::parse(&address, 8000).expect("an address");
    let backend = OpenAiBackend::new(OpenAiOptions::new(preset("transformers").expect("in the table"), Some(endpoint)));
    assert_eq!(backend.prepare(&model).expect("the model loads").logprobs, Some(false));
    let asked = request(&model, PROMPT);
    let first = complete(&backend, asked.clone()).expect("answers");
    assert_sound(&first, &asked);
    assert_eq!(first.tokens, []);
    let second = complete(&backend, asked).expect("answers");
    assert_eq!(second.text, first.text, "greedy, but another answer");
    assert!(first.phases.first_token_ms.is_some(), "it streams");
}

#[test]
fn the_server_of_llama_cpp_python_answers_as_a_generic_one() {
    let Some(address) = needed("PUMA_TEST_LLAMA_CPP_PYTHON") else { return };
    let endpoint = Endpoint::parse(&address, 8000).expect("an address");
    let limits = TimeLimits { request: Duration::from_secs(60), ..TimeLimits::default() };
    let options =
        OpenAiOptions { limits, ..OpenAiOptions::new(preset("openai").expect("in the table"), Some(endpoint)) };
    let backend = OpenAiBackend::new(options);
    let identity = backend.prepare("any").expect("answers");
    let asked = request("any", PROMPT);
    let done = complete(&backend, asked.clone()).expect("answers");
    assert_sound(&done, &asked);
    // Only with its `--logits_all` does it give logprobs.
    assert_eq!(done.tokens.is_empty(), identity.logprobs == Some(false));
}
