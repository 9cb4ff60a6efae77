//! The listening thread, the request log, and what is said before it gets a server's shape.

use super::behaviour::{Behaviour, Fault, Pull, hash, unit};
use super::exchange::{Answer, Asked, read_request, send, send_broken, send_chunks};
use super::{ollama, openai};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// One request as the server saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    pub method: String,
    pub path: String,
    pub authorization: Option<String>,
    /// `Null` for no body or one that is not JSON.
    pub body: Value,
    /// The fault it met.
    pub fault: Option<Fault>,
}

/// A running server; dropping it stops it.
pub struct FaultServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    log: Mutex<Vec<Logged>>,
    arrivals: Mutex<BTreeMap<u64, u32>>,
    /// Models it was told to let go of and was not asked for since.
    unloaded: Mutex<BTreeSet<String>>,
    in_flight: Mutex<(usize, usize)>,
    is_over: AtomicBool,
}

impl FaultServer {
    /// Starts a server on a free port of loopback.
    pub fn start(behaviour: Behaviour) -> Self {
        Self::start_at("127.0.0.1:0", behaviour).expect("loopback has a free port")
    }

    /// Starts a server on this `HOST:PORT`.
    ///
    /// # Errors
    /// The address is taken or not one of this machine's.
    pub fn start_at(address: &str, behaviour: Behaviour) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            log: Mutex::default(),
            arrivals: Mutex::default(),
            unloaded: Mutex::default(),
            in_flight: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let listener = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if of_thread.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&of_thread);
                // A client that goes away mid-answer is nothing to report.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Ok(Self { address, shared, listener: Some(listener) })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Every request so far, in the order in which they were read.
    pub fn log(&self) -> Vec<Logged> {
        lock(&self.shared.log).clone()
    }

    /// The completion requests of the log.
    pub fn completions(&self) -> Vec<Logged> {
        self.log().into_iter().filter(|logged| is_completion(&logged.path, &logged.body)).collect()
    }

    /// Most completion requests that were worked on at one time, before their answer was sent.
    pub fn most_in_flight(&self) -> usize {
        lock(&self.shared.in_flight).1
    }

    /// Behaves differently from now on; the log and the count of arrivals stay.
    pub fn behave(&self, behaviour: Behaviour) {
        *lock(&self.shared.behaviour) = behaviour;
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener out of `accept`.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let asked = read_request(&stream)?;
        let behaviour = lock(&self.behaviour).clone();
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
        let is_completion = is_completion(&asked.path, &body);
        let fault = is_completion.then(|| self.draw_fault(&behaviour, &asked)).flatten();
        lock(&self.log).push(Logged {
            method: asked.method.clone(),
            path: asked.path.clone(),
            authorization: asked.authorization.clone(),
            body: body.clone(),
            fault: fault.clone(),
        });
        self.note_unloading(&behaviour, &asked.path, &body, is_completion);
        if asked.path == "/api/pull" {
            return self.pull(&mut stream, &behaviour.pull, &body);
        }
        if !is_completion {
            let unloaded = lock(&self.unloaded).clone();
            return send(&mut stream, &inquiry(&behaviour, &asked, &body, &unloaded));
        }
        let counted = InFlight::enter(&self.in_flight);
        self.wait(if fault == Some(Fault::NeverAnswers) { Duration::MAX } else { behaviour.delay });
        // Before the last byte: the client may ask again before this thread gets to run once more.
        drop(counted);
        let (answer, error_part) = completion(&behaviour, &asked.path, &body, fault.as_ref());
        match fault {
            None => send(&mut stream, &answer),
            Some(fault) => send_broken(&mut stream, answer, &fault, error_part),
        }
    }

    /// Remembers which models are loaded: `keep_alive` 0 without a prompt unloads, everything else that names one loads.
    fn note_unloading(&self, behaviour: &Behaviour, path: &str, body: &Value, is_completion: bool) {
        let Some(model) = body["model"].as_str() else { return };
        if path == "/api/generate" && !is_completion && body["keep_alive"] == 0 {
            if !behaviour.keeps_models {
                lock(&self.unloaded).insert(model.to_owned());
            }
        } else if is_completion || path == "/api/generate" {
            lock(&self.unloaded).remove(model);
        }
    }

    fn pull(&self, stream: &mut TcpStream, pull: &Pull, body: &Value) -> io::Result<()> {
        let (mut parts, rest) = ollama::pulling();
        match pull {
            Pull::Succeeds => {
                parts.extend(rest);
                let name = body["model"].as_str().unwrap_or_default().to_owned();
                lock(&self.behaviour).models.push(name);
            }
            Pull::Fails(error) => parts.push(format!("{}\n", json!({"error": error}))),
            Pull::Breaks | Pull::FallsSilent => {}
        }
        let answer = Answer { status: 200, content_type: "application/x-ndjson", parts };
        match pull {
            Pull::Succeeds | Pull::Fails(_) => send(stream, &answer),
            Pull::Breaks => send_chunks(stream, &answer),
            Pull::FallsSilent => {
                send_chunks(stream, &answer)?;
                self.wait(Duration::MAX);
                Ok(())
            }
        }
    }

    fn draw_fault(&self, behaviour: &Behaviour, asked: &Asked) -> Option<Fault> {
        let body_hash = hash(&asked.body);
        let mut arrivals = lock(&self.arrivals);
        let arrival = arrivals.entry(body_hash).and_modify(|count| *count += 1).or_insert(1);
        behaviour.fault_for(body_hash, *arrival).cloned()
    }

    fn wait(&self, duration: Duration) {
        const SLICE: Duration = Duration::from_millis(10);
        let mut left = duration;
        while !left.is_zero() && !self.is_over.load(Ordering::SeqCst) {
            std::thread::sleep(left.min(SLICE));
            left = left.saturating_sub(SLICE);
        }
    }
}

struct InFlight<'a>(&'a Mutex<(usize, usize)>);

impl<'a> InFlight<'a> {
    fn enter(counts: &'a Mutex<(usize, usize)>) -> Self {
        let mut now_and_most = lock(counts);
        now_and_most.0 += 1;
        now_and_most.1 = now_and_most.1.max(now_and_most.0);
        drop(now_and_most);
        Self(counts)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        lock(self.0).0 -= 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_completion(path: &str, body: &Value) -> bool {
    match path {
        "/api/chat" | "/v1/chat/completions" => true,
        // Without a prompt it only loads the model.
        "/api/generate" => body["prompt"].as_str().is_some_and(|prompt| !prompt.is_empty()),
        _ => false,
    }
}

/// Versions, lists, loading.
fn inquiry(behaviour: &Behaviour, asked: &Asked, body: &Value, unloaded: &BTreeSet<String>) -> Answer {
    let is_known = || is_known(behaviour, body);
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/api/version" | "/version") => Answer::json(200, &json!({"version": behaviour.version})),
        ("GET", "/api/tags") => Answer::json(200, &ollama::tags(behaviour)),
        ("GET", "/api/ps") => Answer::json(200, &ollama::ps(behaviour, unloaded)),
        ("POST", "/api/show" | "/api/generate") if !is_known() => unknown_model(body),
        ("POST", "/api/show") => Answer::json(200, &ollama::show(behaviour)),
        ("POST", "/api/generate") => ollama::loaded(body),
        ("GET", "/v1/models" | "/api/v0/models") => Answer::json(200, &openai::models(behaviour)),
        ("GET", "/props") => Answer::json(200, &openai::props(behaviour)),
        ("GET", "/health") => Answer::json(200, &json!({"status": "ok"})),
        _ => Answer { status: 404, content_type: "text/plain", parts: vec!["404 page not found".to_owned()] },
    }
}

fn is_known(behaviour: &Behaviour, body: &Value) -> bool {
    behaviour.models.iter().any(|name| body["model"] == name.as_str())
}

fn unknown_model(body: &Value) -> Answer {
    let name = body["model"].as_str().unwrap_or("");
    Answer::json(404, &json!({"error": format!("model '{name}' not found")}))
}

/// The right answer, and the error that its stream would carry.
fn completion(behaviour: &Behaviour, path: &str, body: &Value, fault: Option<&Fault>) -> (Answer, String) {
    let is_openai = path.starts_with("/v1/");
    let error_part = if is_openai { openai::error_part() } else { ollama::error_part() };
    if !is_known(behaviour, body) {
        return (unknown_model(body), error_part);
    }
    let said = Said::to(behaviour, body, fault);
    let answer = if is_openai {
        openai::complete(behaviour, body, &said)
    } else {
        ollama::complete(behaviour, body, &said, path == "/api/chat")
    };
    // Outside a stream the error is a body of its own.
    let is_stream = answer.content_type == "text/event-stream";
    let error_part = if is_stream { error_part } else { error_part.trim_start_matches("data: ").to_owned() };
    (answer, error_part)
}

/// An answer before it gets a shape.
pub(super) struct Said {
    pub(super) tokens: Vec<SaidToken>,
    pub(super) finish: &'static str,
}

pub(super) struct SaidToken {
    pub(super) text: String,
    logprob: f64,
}

impl Said {
    fn to(behaviour: &Behaviour, body: &Value, fault: Option<&Fault>) -> Self {
        let prompt = last_user_text(body);
        let text = if fault == Some(&Fault::EmptyAnswer) { String::new() } else { behaviour.answer(&prompt) };
        let limit = ["/options/num_predict", "/max_tokens"].iter().find_map(|pointer| body.pointer(pointer));
        let limit = usize::try_from(limit.and_then(Value::as_u64).unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let mut tokens = tokens_of(&text, &prompt);
        let is_cut = fault == Some(&Fault::Truncated) || tokens.len() > limit;
        tokens.truncate(limit);
        Self { tokens, finish: if is_cut { "length" } else { "stop" } }
    }
}

impl SaidToken {
    /// An entry as servers write it, with `top` alternatives, the token itself first.
    pub(super) fn logprob_entry(&self, top: u64) -> Value {
        let entry = |text: &str, logprob: f64| json!({"token": text, "logprob": logprob, "bytes": text.as_bytes()});
        let mut own = entry(&self.text, self.logprob);
        let alternatives: Vec<Value> = (0..top)
            .map(|rank| match rank {
                0 => entry(&self.text, self.logprob),
                _ => entry(&format!("other{rank}"), self.logprob - 2.0 - rank as f64),
            })
            .collect();
        own["top_logprobs"] = json!(alternatives);
        own
    }
}

/// Pieces of up to four characters, each with a probability of at least one half that depends on prompt and piece.
fn tokens_of(text: &str, prompt: &str) -> Vec<SaidToken> {
    let characters: Vec<char> = text.chars().collect();
    let pieces = characters.chunks(4).map(|piece| piece.iter().collect::<String>());
    let logprob = |piece: &str| (0.5 + 0.5 * unit(hash(format!("{prompt}\u{0}{piece}").as_bytes()))).ln();
    pieces.map(|piece| SaidToken { logprob: logprob(&piece), text: piece }).collect()
}

fn last_user_text(body: &Value) -> String {
    if let Some(prompt) = body["prompt"].as_str() {
        return prompt.to_owned();
    }
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let last = messages.iter().rev().find(|message| message["role"] == "user");
    last.and_then(|message| message["content"].as_str()).unwrap_or("").to_owned()
}

/// About four characters a token over all messages, and at least one.
pub(super) fn prompt_tokens(body: &Value) -> u64 {
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let texts = messages.iter().filter_map(|message| message["content"].as_str()).chain(body["prompt"].as_str());
    texts.map(|text| text.chars().count() as u64).sum::<u64>() / 4 + 1
}
