//! Makes Ollama let go of a model, and with it of every prompt it has computed for it.

use super::identify::is_loaded;
use crate::http::{HttpClient, Reply, TimeLimits, reported_error};
use crate::retry::AttemptError;
use puma_core::{BackendError, BackendErrorKind};
use serde_json::json;
use std::thread::sleep;
use std::time::{Duration, Instant};

const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Tells the server to unload `name`. A model that is not loaded stays so.
///
/// # Errors
/// The server cannot be reached or refuses.
pub(super) fn unload(client: &HttpClient, limits: &TimeLimits, name: &str) -> Result<(), AttemptError> {
    let body = json!({"model": name, "stream": false, "keep_alive": 0});
    let reply = client.post("/api/generate", &body, limits.load)?.json()?;
    match reported_error(&reply) {
        Some(message) => {
            let message = format!("Ollama does not unload `{name}`: {message}");
            Err(BackendError::new(BackendErrorKind::Http, message).into())
        }
        None => Ok(()),
    }
}

/// Waits until the server no longer lists `name` among what it has loaded: it frees the memory after it has answered.
///
/// # Errors
/// It still does after a while, or cannot be reached.
pub(super) fn await_gone(client: &HttpClient, limits: &TimeLimits, name: &str) -> Result<(), BackendError> {
    let start = Instant::now();
    loop {
        let running = client.get("/api/ps", limits.inquiry).and_then(Reply::json).map_err(|failed| failed.error)?;
        if !is_loaded(&running, name) {
            return Ok(());
        }
        if start.elapsed() > limits.inquiry {
            let message = format!("Ollama was told to unload `{name}` and still has it loaded");
            return Err(BackendError::new(BackendErrorKind::Protocol, message)
                .with_hint("another program may be using the model: `ollama ps` shows it; stop that and try again"));
        }
        sleep(BETWEEN_LOOKS);
    }
}
