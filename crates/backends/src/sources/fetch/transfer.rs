//! A download that survives: it streams into a part file, hashes as it goes, resumes after a cut, stops on request.

use super::http::{Offer, offer};
use super::part::{PartFile, discard};
use super::space;
use crate::sources::digest::ModelDigest;
use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::progress::{Phase, Progress, PullProgress};
use crate::sources::pull::PullOptions;
use puma_core::Cancel;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use ureq::Body;
use ureq::http::Response;

/// Something that serves one file over HTTP.
pub(crate) trait Remote: Send + Sync + 'static {
    /// Asks for the file from `offset` on (no `Range` header when 0), on condition of `if_range` if given.
    ///
    /// # Errors
    /// No answer came ([`SourceErrorKind::Network`]), or authorisation failed.
    fn open(&self, offset: u64, if_range: Option<&str>) -> Result<Response<Body>, SourceError>;

    /// For messages; scheme and host are shown.
    fn url(&self) -> &str;
}

/// What is to be downloaded where.
pub(crate) struct Wanted<'a> {
    pub(crate) part: &'a Path,
    /// Shown with progress.
    pub(crate) label: &'a str,
    /// What makes two downloads the same content when no digest is known: the address.
    pub(crate) address: &'a str,
    pub(crate) digest: Option<&'a ModelDigest>,
    pub(crate) size_bytes: Option<u64>,
}

/// A complete, verified part file.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) digest: ModelDigest,
    pub(crate) size_bytes: u64,
    /// Bytes of the file that an earlier, interrupted download had left.
    pub(crate) resumed_from_bytes: u64,
    pub(crate) downloaded_bytes: u64,
}

/// Downloads `wanted` from `remote`. On success the part file holds exactly the wanted bytes. Its note stays until the
/// file has its final name, so that a failure in between costs no second download.
///
/// # Errors
/// The connection broke more often in a row than allowed, the server refused, the disk is full (in these cases the
/// part file stays for the next try), the bytes have another digest (the part file is deleted), or `cancel` was set.
pub(crate) fn fetch(
    remote: &Arc<dyn Remote>,
    wanted: &Wanted<'_>,
    options: &PullOptions,
    progress: &mut dyn Progress,
    cancel: &Cancel,
) -> Result<Fetched, SourceError> {
    let mut fetched = complete(remote, wanted, options, progress, cancel)?;
    let is_wrong = |fetched: &Fetched| wanted.digest.is_some_and(|expected| *expected != fetched.digest);
    if is_wrong(&fetched) && fetched.resumed_from_bytes > 0 {
        // The half that lay on the disk may be the bad one, and then the source is not to blame.
        discard(wanted.part);
        fetched = complete(remote, wanted, options, progress, cancel)?;
    }
    match wanted.digest {
        Some(expected) if is_wrong(&fetched) => {
            discard(wanted.part);
            Err(wrong_digest(wanted.label, expected, &fetched.digest))
        }
        _ => Ok(fetched),
    }
}

/// Downloads until the part file is as long as it should be, however often the connection breaks in between.
fn complete(
    remote: &Arc<dyn Remote>,
    wanted: &Wanted<'_>,
    options: &PullOptions,
    progress: &mut dyn Progress,
    cancel: &Cancel,
) -> Result<Fetched, SourceError> {
    let identity = wanted.digest.map_or_else(|| wanted.address.to_owned(), ModelDigest::to_string);
    let mut part = PartFile::open(wanted.part, &identity, progress, cancel)?;
    let mut download = Download { wanted, options, progress, cancel, downloaded_bytes: 0 };
    let mut failures_in_a_row = 0;
    while wanted.size_bytes.is_none_or(|size| part.len() != size) {
        let before = download.downloaded_bytes;
        match download.round(remote, &mut part) {
            Ok(()) => break,
            Err(error) if error.kind == SourceErrorKind::Network => {
                failures_in_a_row = if download.downloaded_bytes > before { 1 } else { failures_in_a_row + 1 };
                if failures_in_a_row > options.retries {
                    return Err(error);
                }
                download.pause(failures_in_a_row, part.len())?;
            }
            Err(error) => return Err(error),
        }
    }
    let (size_bytes, downloaded_bytes) = (part.len(), download.downloaded_bytes);
    let digest = part.hasher().clone().finish();
    Ok(Fetched {
        digest,
        size_bytes,
        resumed_from_bytes: size_bytes.saturating_sub(downloaded_bytes),
        downloaded_bytes,
    })
}

/// Bytes that are not the promised ones.
pub(super) fn wrong_digest(label: &str, expected: &ModelDigest, actual: &ModelDigest) -> SourceError {
    SourceError::new(
        SourceErrorKind::DigestMismatch,
        format!("{label} delivered other bytes than promised: expected {expected}, got {actual}; they were deleted"),
    )
    .with_hint("try again; if it happens twice, the source serves another file: choose another one with --source")
}

/// Does `work`, short requests that may hang, in a thread of its own, and leaves it behind when `cancel` is set.
pub(crate) fn interruptible<T: Send + 'static>(
    label: &str,
    cancel: &Cancel,
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let (sender, answers) = sync_channel(1);
    std::thread::spawn(move || sender.send(work()));
    loop {
        if cancel.is_cancelled() {
            return Err(SourceError::cancelled(&format!("asking {label}")));
        }
        match answers.recv_timeout(TICK) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(SourceError::new(SourceErrorKind::Network, format!("asking {label} failed unexpectedly")));
            }
        }
    }
}

struct Download<'a, 'b> {
    wanted: &'a Wanted<'a>,
    options: &'a PullOptions,
    progress: &'b mut dyn Progress,
    cancel: &'a Cancel,
    downloaded_bytes: u64,
}

/// What the reading thread tells.
enum Message {
    Started { start: u64, total_bytes: Option<u64>, etag: Option<String> },
    Bytes(Vec<u8>),
    End,
    Nothing { total_bytes: Option<u64> },
    Failed(SourceError),
}

const CHUNK_BYTES: usize = 256 << 10;
/// How often a wait looks at the cancel flag.
const TICK: Duration = Duration::from_millis(50);

impl Download<'_, '_> {
    /// One request. `Ok` means that the file is complete.
    fn round(&mut self, remote: &Arc<dyn Remote>, part: &mut PartFile) -> Result<(), SourceError> {
        let offset = part.len();
        // Bytes with a known digest may come from any copy of the file; only without one must it be the same copy.
        let if_range = part.note.etag.clone().filter(|_| self.wanted.digest.is_none());
        if offset > 0 && if_range.is_none() && self.wanted.digest.is_none() {
            part.restart()?;
        }
        let offset = part.len();
        let (sender, messages) = sync_channel(8);
        let remote_for_thread = Arc::clone(remote);
        // The thread is not joined: a read that never returns must not hold up Ctrl-C. It ends with its next send.
        std::thread::spawn(move || read_all(&*remote_for_thread, offset, if_range.as_deref(), &sender));
        self.receive(&messages, part, remote.url())
    }

    fn receive(&mut self, messages: &Receiver<Message>, part: &mut PartFile, url: &str) -> Result<(), SourceError> {
        let mut total_bytes = self.wanted.size_bytes;
        let mut last_sign_of_life = Instant::now();
        loop {
            if self.cancel.is_cancelled() {
                return Err(SourceError::cancelled(&format!("the download from {}", self.wanted.label))
                    .with_hint("what was downloaded is kept: the same command goes on from there"));
            }
            let message = match messages.recv_timeout(TICK) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) if last_sign_of_life.elapsed() < self.options.stall_limit => continue,
                Err(_) => return Err(self.cut(url, part.len(), total_bytes, "no data came any more")),
            };
            last_sign_of_life = Instant::now();
            match message {
                Message::Started { start, total_bytes: announced, etag } => {
                    self.begin(part, start, announced, etag)?;
                    total_bytes = total_bytes.or(announced);
                    self.report(Phase::Downloading, part.len(), total_bytes);
                }
                Message::Bytes(bytes) => {
                    part.append(&bytes)?;
                    self.downloaded_bytes += bytes.len() as u64;
                    if total_bytes.is_some_and(|total| part.len() > total) {
                        part.restart()?;
                        let message = format!("{} sent more bytes than it announced", super::http::host_of(url));
                        return Err(SourceError::new(SourceErrorKind::Server, message));
                    }
                    self.report(Phase::Downloading, part.len(), total_bytes);
                }
                Message::End if total_bytes.is_none_or(|total| part.len() == total) => return Ok(()),
                Message::End => return Err(self.cut(url, part.len(), total_bytes, "the connection closed")),
                Message::Nothing { total_bytes: total } if total == Some(part.len()) => return Ok(()),
                Message::Nothing { .. } => {
                    part.restart()?;
                    return Err(self.cut(url, 0, total_bytes, "the file there has changed"));
                }
                Message::Failed(error) => return Err(error),
            }
        }
    }

    /// Checks what the server is about to send against what is wanted and what fits.
    fn begin(
        &self,
        part: &mut PartFile,
        start: u64,
        announced: Option<u64>,
        etag: Option<String>,
    ) -> Result<(), SourceError> {
        if let (Some(wanted), Some(announced)) = (self.wanted.size_bytes, announced)
            && wanted != announced
        {
            return Err(SourceError::new(
                SourceErrorKind::DigestMismatch,
                format!("{} serves another file: {announced} bytes instead of {wanted}", self.wanted.label),
            )
            .with_hint("choose another source with --source"));
        }
        if start != part.len() {
            part.restart()?;
            if start != 0 {
                let message = format!("{} sent another part of the file than asked for", self.wanted.label);
                return Err(SourceError::new(SourceErrorKind::Network, message));
            }
        }
        if let Some(total) = announced.or(self.wanted.size_bytes) {
            let folder = self.wanted.part.parent().unwrap_or(self.wanted.part);
            space::require(folder, total.saturating_sub(part.len()), self.options.free_space)?;
        }
        part.set_etag(etag)
    }

    fn report(&mut self, phase: Phase, done_bytes: u64, total_bytes: Option<u64>) {
        self.progress.report(&PullProgress { phase, what: self.wanted.label, done_bytes, total_bytes });
    }

    fn cut(&self, url: &str, done: u64, total: Option<u64>, why: &str) -> SourceError {
        let total = total.map_or_else(|| "an unknown number of".to_owned(), |total| total.to_string());
        SourceError::new(
            SourceErrorKind::Network,
            format!("the download from {} stopped after {done} of {total} bytes: {why}", super::http::host_of(url)),
        )
        .with_hint("what was downloaded is kept: the same command goes on from there")
    }

    /// Waits before another try, longer each time, at most 30 s.
    fn pause(&mut self, failures_in_a_row: u32, done_bytes: u64) -> Result<(), SourceError> {
        self.report(Phase::Retrying, done_bytes, self.wanted.size_bytes);
        let factor = 1_u32 << (failures_in_a_row - 1).min(6);
        let wait = (self.options.retry_wait * factor).min(Duration::from_secs(30));
        let start = Instant::now();
        while start.elapsed() < wait {
            if self.cancel.is_cancelled() {
                return Err(SourceError::cancelled(&format!("the download from {}", self.wanted.label)));
            }
            std::thread::sleep(TICK.min(wait));
        }
        Ok(())
    }
}

/// The reading thread: one request, its bytes sent on in chunks. A closed channel ends it.
fn read_all(remote: &dyn Remote, offset: u64, if_range: Option<&str>, sender: &SyncSender<Message>) {
    let offered = remote.open(offset, if_range).and_then(|response| offer(remote.url(), response));
    let mut body = match offered {
        Ok(Offer::Bytes { start, total_bytes, etag, body }) => {
            if sender.send(Message::Started { start, total_bytes, etag }).is_err() {
                return;
            }
            body
        }
        Ok(Offer::Nothing { total_bytes }) => {
            let _ = sender.send(Message::Nothing { total_bytes });
            return;
        }
        Err(error) => {
            let _ = sender.send(Message::Failed(error));
            return;
        }
    };
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let message = match body.read(&mut chunk) {
            Ok(0) => Message::End,
            Ok(read) => {
                chunk.truncate(read);
                Message::Bytes(chunk)
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => Message::Failed(SourceError::new(
                SourceErrorKind::Network,
                format!("the connection to {} broke: {error}", super::http::host_of(remote.url())),
            )),
        };
        let last = !matches!(message, Message::Bytes(_));
        if sender.send(message).is_err() || last {
            return;
        }
    }
}
