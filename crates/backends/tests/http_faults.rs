//! Both HTTP backends against a real TCP server that misbehaves in every way we know: no failure ever becomes an answer.

use puma_backends::endpoint::Endpoint;
use puma_backends::http::{ApiKey, TimeLimits};
use puma_backends::ollama::{Api, OllamaBackend, OllamaOptions};
use puma_backends::openai::{OpenAiBackend, OpenAiOptions, preset};
use puma_backends::retry::RetryPolicy;
use puma_core::{
    Backend, BackendErrorKind, Cancel, Completion, Failure, FinishReason, Forgotten, Message, Millis, Request,
};
use puma_testkit::fault_server::{Answers, Behaviour, Fault, FaultServer};
use std::time::{Duration, Instant};

const MODEL: &str = "smollm2:135m";

fn request(prompt: &str) -> Request {
    Request {
        model: MODEL.into(),
        messages: vec![Message::user(prompt)],
        max_tokens: 16,
        temperature: 0.0,
        seed: 42,
        stop: vec![],
        logprobs: true,
        top_logprobs: 3,
        context_length: None,
        format: None,
        choices: None,
    }
}

/// Three attempts with hardly any waiting, and a time limit that a silent server soon reaches.
fn quick() -> (RetryPolicy, TimeLimits) {
    let policy = RetryPolicy {
        base: Duration::from_millis(2),
        cap: Duration::from_millis(4),
        retry_after_cap: Duration::from_millis(120),
        ..RetryPolicy::default()
    };
    (policy, TimeLimits { request: Duration::from_secs(20), ..TimeLimits::default() })
}

fn endpoint(server: &FaultServer) -> Endpoint {
    Endpoint::parse(&server.url(), 0).expect("the server's own address")
}

fn ollama_options(server: &FaultServer) -> OllamaOptions {
    let (retry, limits) = quick();
    OllamaOptions { retry, limits, ..OllamaOptions::new(endpoint(server)) }
}

fn openai_options(server: &FaultServer, name: &str) -> OpenAiOptions {
    let (retry, limits) = quick();
    OpenAiOptions { retry, limits, ..OpenAiOptions::new(preset(name).expect("in the table"), Some(endpoint(server))) }
}

/// Every way to ask: both Ollama APIs, and OpenAI with and without streaming.
fn backends(
    server: &FaultServer,
    change: impl Fn(&mut TimeLimits, &mut usize),
) -> Vec<(&'static str, Box<dyn Backend>)> {
    let ollama = |api| {
        let mut options = OllamaOptions { api, ..ollama_options(server) };
        change(&mut options.limits, &mut options.concurrency);
        Box::new(OllamaBackend::new(options)) as Box<dyn Backend>
    };
    let openai = |name| {
        let mut options = openai_options(server, name);
        change(&mut options.limits, &mut options.concurrency);
        Box::new(OpenAiBackend::new(options)) as Box<dyn Backend>
    };
    vec![
        ("ollama chat", ollama(Api::Chat)),
        ("ollama generate", ollama(Api::Generate)),
        ("openai streamed", openai("llama-server")),
        ("openai whole", openai("openai")),
    ]
}

fn same(_: &mut TimeLimits, _: &mut usize) {}

fn complete_all(backend: &dyn Backend, requests: &[Request], cancel: &Cancel) -> Vec<Result<Completion, Failure>> {
    let mut results: Vec<Option<Result<Completion, Failure>>> = vec![None; requests.len()];
    backend.complete(requests, cancel, &mut |index, result| {
        assert!(results[index].replace(result).is_none(), "request {index} was reported twice");
    });
    results.into_iter().map(|result| result.expect("every request is reported")).collect()
}

fn complete(backend: &dyn Backend, prompt: &str) -> Result<Completion, Failure> {
    complete_all(backend, &[request(prompt)], &Cancel::default()).remove(0)
}

#[test]
fn a_sound_server_is_read_in_full_by_every_path() {
    let server = FaultServer::start(Behaviour {
        answers: Answers::from_fn(|prompt| format!("Critical: «{prompt}» 東京")),
        reasoning: Some("let me think".into()),
        ..Behaviour::default()
    });
    for (name, backend) in backends(&server, same) {
        let done = complete(backend.as_ref(), "disk full").expect(name);
        assert_eq!(done.text, "Critical: «disk full» 東京", "{name}");
        assert_eq!(done.reasoning.as_deref(), Some("let me think"), "{name}");
        assert_eq!((done.finish, done.attempts.len()), (FinishReason::Stop, 1), "{name}");
        assert_eq!(done.tokens.iter().map(|token| token.token.as_str()).collect::<String>(), done.text, "{name}");
        assert!(done.tokens.iter().all(|token| token.top.len() == 3 && token.top[0].token == token.token), "{name}");
        assert_eq!(done.usage.generated_tokens.map(|count| count as usize), Some(done.tokens.len()), "{name}");
        assert_eq!(done.usage.prompt_tokens, Some(3), "{name}");
        let is_ollama = name.starts_with("ollama");
        assert_eq!(done.phases.prompt_ms, Some(Millis(if is_ollama { 20.0 } else { 20.5 })), "{name}");
        assert_eq!(done.phases.load_ms, is_ollama.then_some(Millis(1.0)), "{name}");
        assert_eq!(done.phases.first_token_ms.is_some(), name != "openai whole", "{name}");
        assert_eq!(done.usage.cached_tokens, if is_ollama { None } else { Some(3) }, "{name}");
    }
}

#[test]
fn an_answer_cut_at_any_byte_is_either_whole_or_no_answer() {
    // The hardest cut: no length was announced, so only the content can tell that something is missing.
    let server = FaultServer::start(Behaviour::default());
    let once = |server: &FaultServer| -> [Box<dyn Backend>; 3] {
        let retry = RetryPolicy { max_attempts: 1, ..quick().0 };
        let openai = |name| OpenAiBackend::new(OpenAiOptions { retry, ..openai_options(server, name) });
        [
            Box::new(OllamaBackend::new(OllamaOptions { retry, ..ollama_options(server) })),
            Box::new(openai("llama-server")),
            Box::new(openai("openai")),
        ]
    };
    for backend in once(&server) {
        server.behave(Behaviour::default());
        let whole = complete(backend.as_ref(), "issue").expect("sound");
        let (mut failed, mut answered) = (0, 0);
        for bytes in (0..6000).step_by(23) {
            server.behave(Behaviour::always(Fault::CutAfter { bytes }));
            match complete(backend.as_ref(), "issue") {
                Ok(done) => {
                    assert_eq!((&done.text, &done.tokens), (&whole.text, &whole.tokens), "cut after {bytes} bytes");
                    assert_eq!((done.usage, done.finish), (whole.usage, whole.finish), "cut after {bytes} bytes");
                    answered += 1;
                }
                Err(failure) => {
                    assert_eq!(failure.error.kind, BackendErrorKind::Protocol, "{}", failure.error);
                    failed += 1;
                }
            }
        }
        assert!(failed > 10 && answered > 10, "{failed} failed, {answered} answered: the cuts missed the answer");
    }
}

#[test]
fn an_answer_that_comes_byte_by_byte_is_read_the_same() {
    let server = FaultServer::start(Behaviour::default());
    for (name, backend) in backends(&server, same) {
        server.behave(Behaviour::default());
        let whole = complete(backend.as_ref(), name).expect(name);
        server.behave(Behaviour::always(Fault::Drip { byte_ms: 0 }));
        let dripped = complete(backend.as_ref(), name).expect(name);
        assert_eq!((dripped.text, dripped.tokens, dripped.usage), (whole.text, whole.tokens, whole.usage), "{name}");
    }
}

#[test]
fn what_may_pass_is_tried_again_and_every_attempt_is_kept() {
    let mut faults = vec![
        Fault::CutMidBody,
        Fault::CutChunked,
        Fault::HalfJson,
        Fault::LengthTooShort,
        Fault::MidStreamError,
        Fault::EmptyBody,
        Fault::HangUp,
    ];
    faults.extend(puma_backends::retry::RETRYABLE_STATUSES.map(Fault::Status));
    for fault in faults {
        let server = FaultServer::start(Behaviour::first(2, fault.clone()));
        for (name, backend) in backends(&server, same) {
            // A prompt of its own for each backend, as the server counts how often a request came.
            let done =
                complete(backend.as_ref(), name).unwrap_or_else(|failure| panic!("{name}, {fault:?}: {failure:?}"));
            assert!(["Critical", "Major", "Minor", "Trivial"].contains(&done.text.as_str()), "{name}, {fault:?}");
            assert_eq!(
                done.attempts.iter().map(|a| a.error.is_some()).collect::<Vec<_>>(),
                [true, true, false],
                "{fault:?}"
            );
            assert_eq!(done.attempts.iter().map(|a| a.number).collect::<Vec<_>>(), [1, 2, 3], "{name}, {fault:?}");
            if let Fault::Status(status) = fault {
                assert_eq!(done.attempts[0].http_status, Some(status), "{name}");
            }
        }
    }
}

#[test]
fn what_lasts_is_asked_once_and_explained() {
    use BackendErrorKind::{Http, Protocol};
    let elsewhere = FaultServer::start(Behaviour::default());
    for (fault, kind) in [
        (Fault::NotJson, Protocol),
        (Fault::NotHttp, Protocol),
        (Fault::HugeBody { bytes: 80 << 20 }, Protocol),
        (Fault::Status(400), Http),
        (Fault::Status(401), Http),
        (Fault::Redirect(elsewhere.url()), Http),
    ] {
        let server = FaultServer::start(Behaviour::always(fault.clone()));
        for (name, backend) in backends(&server, same) {
            let before = server.completions().len();
            let failure = complete(backend.as_ref(), name).expect_err(name);
            assert_eq!(failure.error.kind, kind, "{name}, {fault:?}: {}", failure.error);
            assert_eq!((failure.attempts.len(), server.completions().len() - before), (1, 1), "{name}, {fault:?}");
            assert!(failure.error.message.contains("127.0.0.1"), "{name}, {fault:?}: {}", failure.error);
            assert!(failure.error.hint.is_some() || fault == Fault::Status(400), "{name}, {fault:?}");
        }
    }
    assert_eq!(elsewhere.log(), [], "a redirect was followed");
}

#[test]
fn the_last_attempt_is_followed_by_no_wait() {
    let server = FaultServer::start(Behaviour::always(Fault::RetryAfter { status: 429, value: "3600".into() }));
    for (name, backend) in backends(&server, same) {
        let start = Instant::now();
        let failure = complete(backend.as_ref(), name).expect_err(name);
        let waits: Vec<f64> = failure.attempts.iter().map(|attempt| attempt.waited_ms.0).collect();
        // The server asks for an hour; the policy of this test honours 120 ms of it, twice.
        assert!(waits[0] == 0.0 && waits[1] >= 120.0 && waits[2] >= 120.0, "{name}: {waits:?}");
        assert!(start.elapsed() < Duration::from_secs(60), "{name}");
        assert_eq!((failure.attempts.len(), failure.error.http_status), (3, Some(429)), "{name}");
    }
}

#[test]
fn silence_and_endless_slowness_end_at_the_time_limit() {
    for fault in [Fault::NeverAnswers, Fault::Drip { byte_ms: 100 }] {
        let server = FaultServer::start(Behaviour::always(fault.clone()));
        for (name, backend) in backends(&server, |limits, _| limits.request = Duration::from_millis(150)) {
            let start = Instant::now();
            let failure = complete(backend.as_ref(), name).expect_err(name);
            assert_eq!(
                (failure.error.kind, failure.attempts.len()),
                (BackendErrorKind::Timeout, 3),
                "{name}, {fault:?}"
            );
            assert!(start.elapsed() < Duration::from_secs(10), "{name}, {fault:?}: {:?}", start.elapsed());
        }
    }
}

#[test]
fn a_models_own_time_limit_wins() {
    let server = FaultServer::start(Behaviour::always(Fault::NeverAnswers));
    let own = |limits: &mut TimeLimits, _: &mut usize| {
        limits.request = Duration::from_secs(3600);
        limits.per_model.insert(MODEL.into(), Duration::from_millis(50));
    };
    for (name, backend) in backends(&server, own) {
        assert_eq!(complete(backend.as_ref(), name).expect_err(name).error.kind, BackendErrorKind::Timeout, "{name}");
    }
}

#[test]
fn a_cancel_breaks_off_silent_requests_at_once_and_reports_all_the_rest() {
    let server = FaultServer::start(Behaviour::always(Fault::NeverAnswers));
    let long = |limits: &mut TimeLimits, concurrency: &mut usize| {
        limits.request = Duration::from_secs(3600);
        *concurrency = 2;
    };
    for (name, backend) in backends(&server, long) {
        let requests: Vec<Request> = (0..6).map(|n| request(&format!("{name} {n}"))).collect();
        let cancel = Cancel::default();
        let later = cancel.clone();
        let timer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150));
            later.cancel();
        });
        let start = Instant::now();
        let results = complete_all(backend.as_ref(), &requests, &cancel);
        timer.join().expect("the timer does not panic");
        assert!(start.elapsed() < Duration::from_secs(10), "{name}: {:?}", start.elapsed());
        for result in results {
            assert_eq!(result.expect_err(name).error.kind, BackendErrorKind::Cancelled, "{name}");
        }
    }
    assert!(server.completions().len() <= 8, "cancelled requests were still sent");
}

#[test]
fn a_backend_works_again_after_a_cancel() {
    let server = FaultServer::start(Behaviour::default());
    for (name, backend) in backends(&server, same) {
        let cancel = Cancel::default();
        cancel.cancel();
        let refused = complete_all(backend.as_ref(), &[request("x")], &cancel).remove(0).expect_err(name);
        assert_eq!(refused.error.kind, BackendErrorKind::Cancelled, "{name}");
        complete(backend.as_ref(), "x").expect(name);
    }
}

#[test]
fn concurrency_is_used_and_bounded() {
    for limit in [1, 3] {
        let server = FaultServer::start(Behaviour { delay: Duration::from_millis(100), ..Behaviour::default() });
        for (name, backend) in backends(&server, |_, concurrency| *concurrency = limit) {
            assert_eq!(backend.capacity(), limit);
            let requests: Vec<Request> = (0..6).map(|n| request(&format!("{name} {n}"))).collect();
            assert!(complete_all(backend.as_ref(), &requests, &Cancel::default()).iter().all(Result::is_ok), "{name}");
        }
        assert_eq!(server.most_in_flight(), limit);
    }
}

#[test]
fn with_thirty_percent_failures_no_failure_becomes_an_answer() {
    // The faultless twin says what each prompt's answer is.
    let (sound, faulty) =
        (FaultServer::start(Behaviour::default()), FaultServer::start(Behaviour::share(0.3, 11, Fault::Status(500))));
    let requests: Vec<Request> = (0..200).map(|n| request(&format!("issue {n}"))).collect();
    let four = |_: &mut TimeLimits, concurrency: &mut usize| *concurrency = 4;
    for ((name, twin), (_, backend)) in backends(&sound, four).into_iter().zip(backends(&faulty, four)) {
        let before = faulty.completions().len();
        let expected = complete_all(twin.as_ref(), &requests, &Cancel::default());
        let results = complete_all(backend.as_ref(), &requests, &Cancel::default());
        let (mut failed, mut attempts) = (0, 0);
        for (result, expected) in results.iter().zip(&expected) {
            match result {
                Ok(done) => {
                    assert_eq!(done.text, expected.as_ref().expect("sound").text, "{name}");
                    attempts += done.attempts.len();
                }
                Err(failure) => {
                    assert_eq!((failure.error.http_status, failure.attempts.len()), (Some(500), 3), "{name}");
                    (failed, attempts) = (failed + 1, attempts + 3);
                }
            }
        }
        assert_eq!(attempts, faulty.completions().len() - before, "{name}: an attempt was made but not recorded");
        // 0.3³ of 200 is 5.4 requests; none or 20 would be a broken draw.
        assert!((1..20).contains(&failed), "{name}: {failed} failed");
    }
}

#[test]
fn empty_and_truncated_answers_are_told_apart_from_failures() {
    for (fault, finish) in [(Fault::EmptyAnswer, FinishReason::Stop), (Fault::Truncated, FinishReason::Length)] {
        let server = FaultServer::start(Behaviour::always(fault.clone()));
        for (name, backend) in backends(&server, same) {
            let done = complete(backend.as_ref(), name).expect(name);
            assert_eq!((done.finish, done.text.is_empty()), (finish, fault == Fault::EmptyAnswer), "{name}, {fault:?}");
        }
    }
    let server =
        FaultServer::start(Behaviour { answers: Answers::from_fn(|_| "x".repeat(400)), ..Behaviour::default() });
    for (name, backend) in backends(&server, same) {
        let done = complete(backend.as_ref(), name).expect(name);
        assert_eq!((done.finish, done.usage.generated_tokens), (FinishReason::Length, Some(16)), "{name}");
    }
}

#[test]
fn nobody_at_the_door_is_said_so_with_the_way_to_start_the_server() {
    let gone = {
        let server = FaultServer::start(Behaviour::default());
        server.port()
    };
    let (retry, limits) = quick();
    let ollama = OllamaBackend::new(OllamaOptions {
        retry,
        limits: limits.clone(),
        ..OllamaOptions::new(Endpoint::loopback(gone))
    });
    let vllm = preset("vllm").expect("in the table");
    let openai =
        OpenAiBackend::new(OpenAiOptions { retry, limits, ..OpenAiOptions::new(vllm, Some(Endpoint::loopback(gone))) });
    let backends: [(&dyn Backend, &str); 2] = [(&ollama, "ollama serve"), (&openai, "vllm serve")];
    for (backend, advice) in backends {
        let failure = complete(backend, "x").expect_err("nobody listens");
        for error in [failure.error, backend.prepare(MODEL).expect_err("nobody listens")] {
            assert_eq!(error.kind, BackendErrorKind::Unreachable);
            assert!(error.hint.as_ref().is_some_and(|hint| hint.contains(advice)), "{error:?}");
        }
        assert_eq!(failure.attempts.len(), 3);
    }
}

#[test]
fn a_missing_model_names_what_is_there_and_how_to_get_it() {
    let server = FaultServer::start(Behaviour::default());
    let ollama = OllamaBackend::new(ollama_options(&server));
    let error = ollama.prepare("qwen2.5:3b").expect_err("not there");
    assert_eq!(error.kind, BackendErrorKind::ModelNotFound);
    assert!(error.message.contains(MODEL), "{}", error.message);
    assert!(error.hint.expect("a hint").contains("ollama pull qwen2.5:3b"));
    let asked = Request { model: "qwen2.5:3b".into(), ..request("x") };
    let failure = complete_all(&ollama, &[asked], &Cancel::default()).remove(0).expect_err("not there");
    assert_eq!((failure.error.kind, failure.attempts.len()), (BackendErrorKind::ModelNotFound, 1));
    assert!(failure.error.hint.expect("a hint").contains("ollama pull qwen2.5:3b"));
    for name in ["vllm", "openai"] {
        let error = OpenAiBackend::new(openai_options(&server, name)).prepare("qwen").expect_err("not there");
        assert_eq!(error.kind, BackendErrorKind::ModelNotFound, "{name}: {error}");
    }
}

#[test]
fn a_silently_cut_prompt_is_an_error() {
    let server = FaultServer::start(Behaviour::default());
    let backend = OllamaBackend::new(OllamaOptions { context_length: Some(64), ..ollama_options(&server) });
    complete(&backend, "short enough").expect("fits");
    let failure = complete(&backend, &"word ".repeat(400)).expect_err("does not fit into 64 tokens");
    assert_eq!((failure.error.kind, failure.attempts.len()), (BackendErrorKind::ContextExceeded, 1));
    let roomy = Request { context_length: Some(4096), ..request(&"word ".repeat(400)) };
    complete_all(&backend, &[roomy], &Cancel::default()).remove(0).expect("fits into the window it asked for");
    // A server gives no wider window than the model was trained for (8192 here), whatever is asked.
    backend.prepare(MODEL).expect("there");
    let vain = Request { context_length: Some(100_000), ..request(&"word ".repeat(8000)) };
    let failure =
        complete_all(&backend, &[vain], &Cancel::default()).remove(0).expect_err("does not fit into 8192 tokens");
    assert_eq!(failure.error.kind, BackendErrorKind::ContextExceeded);
}

#[test]
fn preparing_finds_out_everything_the_server_tells() {
    let server = FaultServer::start(Behaviour { reasoning: Some("hm".into()), ..Behaviour::default() });
    let ollama = OllamaBackend::new(ollama_options(&server));
    assert_eq!(ollama.identity().version, None);
    let model = ollama.prepare(MODEL).expect("there");
    assert_eq!(ollama.identity().version.as_deref(), Some("0.12.11"));
    assert!(model.digest.expect("a digest").starts_with("sha256:"));
    assert_eq!((model.quantization.as_deref(), model.architecture.as_deref()), (Some("Q4_1"), Some("llama")));
    assert_eq!((model.gpu_share, model.context_length, model.logprobs), (Some(0.25), Some(8192), Some(true)));
    let loading: Vec<_> = server.log().into_iter().filter(|logged| logged.path == "/api/generate").collect();
    assert_eq!(loading[0].body["options"]["num_ctx"], 8192, "the model must be loaded with the window of its jobs");
    complete(&ollama, "x").expect("sound");
    let sent = server.completions().pop().expect("a completion was asked").body;
    assert_eq!((&sent["think"], &sent["options"]["num_ctx"]), (&false.into(), &8192.into()));

    let digests = Some(std::env::temp_dir());
    let llama = OpenAiBackend::new(OpenAiOptions { digests, ..openai_options(&server, "llama-server") });
    let model = llama.prepare(MODEL).expect("there");
    assert_eq!(llama.identity().version.as_deref(), Some("b1-0.12.11"));
    assert_eq!(
        (model.source.as_deref(), model.digest),
        (Some("llama-server: tiny.gguf"), None),
        "the file is not on this machine"
    );
    assert_eq!((model.parameters, model.context_length, model.logprobs), (Some(134_515_008), Some(4096), Some(true)));
}

#[test]
fn where_logprobs_do_not_come_they_are_absent_and_no_longer_asked_for() {
    let server = FaultServer::start(Behaviour { logprobs: false, version: "0.9.3".into(), ..Behaviour::default() });
    for (name, backend) in backends(&server, same) {
        assert_eq!(backend.prepare(MODEL).expect(name).logprobs, Some(false), "{name}");
        assert_eq!(complete(backend.as_ref(), name).expect(name).tokens, [], "{name}");
        let sent = server.completions().pop().expect("a completion was asked").body;
        assert!(sent.get("logprobs").is_none() && sent.get("top_logprobs").is_none(), "{name}: {sent}");
    }
}

#[test]
fn an_api_key_reaches_the_server_and_nobody_else() {
    let server = FaultServer::start(Behaviour::always(Fault::Status(401)));
    let api_key = Some(ApiKey::new("sk-very-secret"));
    let options = OpenAiOptions { api_key, ..openai_options(&server, "vllm") };
    assert!(!format!("{options:?}").contains("very-secret"));
    let backend = OpenAiBackend::new(options);
    let failure = complete(&backend, "x").expect_err("401");
    assert!(!format!("{failure:?}").contains("very-secret"));
    assert!(failure.error.hint.expect("a hint").contains("API key"));
    assert_eq!(server.log()[0].authorization.as_deref(), Some("Bearer sk-very-secret"));
}

#[test]
fn a_model_that_ollama_is_told_to_forget_is_unloaded_and_a_server_that_keeps_it_is_named() {
    let server = FaultServer::start(Behaviour::default());
    let ollama = OllamaBackend::new(ollama_options(&server));
    ollama.prepare(MODEL).expect("there");
    assert_eq!(ollama.forget(MODEL), Ok(Forgotten::Model));
    let told = server.log().into_iter().rev().find(|logged| logged.path == "/api/generate").expect("it was told");
    assert_eq!((&told.body["keep_alive"], told.body.get("prompt")), (&0.into(), None));
    complete(&ollama, "x").expect("loads again");

    server.behave(Behaviour { keeps_models: true, ..Behaviour::default() });
    let options = ollama_options(&server);
    let limits = TimeLimits { inquiry: Duration::from_secs(1), ..options.limits.clone() };
    let kept =
        OllamaBackend::new(OllamaOptions { limits, ..options }).forget(MODEL).expect_err("the server still lists it");
    assert!(kept.message.contains("still has it loaded") && kept.hint.is_some(), "{kept}");

    server.behave(Behaviour { models: Vec::new(), ..Behaviour::default() });
    let gone = ollama.forget(MODEL).expect_err("the server has no such model");
    assert_eq!(gone.kind, BackendErrorKind::ModelNotFound, "{gone}");
}

#[test]
fn servers_that_compute_every_prompt_anew_have_nothing_to_forget_and_the_others_say_so() {
    let server = FaultServer::start(Behaviour::default());
    for (name, reuse_prompts, forgotten) in [
        ("llama-server", false, Forgotten::Nothing),
        ("llama-server", true, Forgotten::Unable),
        ("vllm", false, Forgotten::Unable),
    ] {
        let backend = OpenAiBackend::new(OpenAiOptions { reuse_prompts, ..openai_options(&server, name) });
        assert_eq!(backend.forget(MODEL), Ok(forgotten), "{name}");
    }
}
