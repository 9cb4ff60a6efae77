//! The read-only endpoint of `puma agent`: one path, one token, one answer.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use puma_core::Cancel;
use sha2::{Digest, Sha256};
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How soon the server notices that it should end.
const TICK: Duration = Duration::from_millis(100);

/// Makes the answer: a JSON text.
type Answer = Box<dyn FnMut() -> String + Send>;

#[derive(Clone)]
struct Shared {
    token_sha256: [u8; 32],
    answer: Arc<Mutex<Answer>>,
}

/// Serves `GET path` on `listener` until `cancel`: the JSON text of `answer` to who knows `token`
/// (`Authorization: Bearer …`), 401 to who does not. Everything else is 404 or 405.
///
/// # Errors
/// The runtime or the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    path: &str,
    token: &str,
    answer: impl FnMut() -> String + Send + 'static,
    cancel: &Cancel,
) -> io::Result<()> {
    let shared = Shared { token_sha256: sha256(token), answer: Arc::new(Mutex::new(Box::new(answer))) };
    let router = Router::new().route(path, get(reply)).with_state(shared);
    let cancel = cancel.clone();
    let ended = async move {
        while !cancel.is_cancelled() {
            tokio::time::sleep(TICK).await;
        }
    };
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::select! {
            served = axum::serve(listener, router).into_future() => served,
            () = ended => Ok(()),
        }
    });
    // A meter that hangs must not keep the program alive.
    runtime.shutdown_background();
    served
}

async fn reply(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if !knows_token(&headers, &shared.token_sha256) {
        return (StatusCode::UNAUTHORIZED, "the token is missing or wrong\n").into_response();
    }
    // Reading a meter may take a while; other connections go on meanwhile.
    let read = tokio::task::spawn_blocking(move || {
        let mut answer = shared.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer()
    });
    match read.await {
        Ok(json) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, json).into_response()
        }
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the meters could not be read\n").into_response(),
    }
}

/// Compares hashes, whose time says nothing of the token.
fn knows_token(headers: &HeaderMap, token_sha256: &[u8; 32]) -> bool {
    let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    said.and_then(|text| text.strip_prefix("Bearer ")).is_some_and(|token| sha256(token) == *token_sha256)
}

fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
