//! Downloads survive whatever a server does: the final file is the promised one, or there is none.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sources_support;

use proptest::prelude::*;
use puma_backends::sources::{
    ModelDigest, PullOptions, PullProgress, Pulled, SourceError, SourceErrorKind, Verification,
};
use puma_core::Cancel;
use sources_support::http_server::{Asked, HttpServer, Reply};
use sources_support::{files, gguf_bytes, library, quick};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const NAME: &str = "hf:org/repo/model-q8_0.gguf";
const PATH: &str = "/org/repo/resolve/main/model-q8_0.gguf";

/// A hub that serves one file, as huggingface.co does: the digest in the first answer, then the bytes elsewhere.
fn hub(
    content: Vec<u8>,
    announce: bool,
    answer: impl Fn(&Asked, Reply) -> Reply + Send + Sync + 'static,
) -> HttpServer {
    let digest = ModelDigest::of_bytes(&content);
    HttpServer::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("HEAD", PATH) if announce => Reply::new(302, "")
            .header("location", "/cdn/file")
            .header("x-linked-etag", format!("\"{}\"", digest.hex()))
            .header("x-linked-size", content.len().to_string()),
        ("HEAD", PATH) => Reply::new(200, "").header("content-length", content.len().to_string()),
        ("GET", PATH) => Reply::new(302, "").header("location", "/cdn/file"),
        ("GET", "/cdn/file") => answer(asked, Reply::ranged(asked, &content, Some("\"v1\""))),
        _ => Reply::new(404, ""),
    })
}

fn options(server: &HttpServer) -> PullOptions {
    PullOptions { hugging_face_endpoint: server.url(), ..quick() }
}

fn pull(folder: &Path, options: &PullOptions) -> Result<Pulled, SourceError> {
    library(folder).pull(NAME, options, &mut puma_backends::sources::NoProgress, &Cancel::default())
}

fn body_requests(server: &HttpServer) -> Vec<Option<usize>> {
    server.asked().iter().filter(|asked| asked.path == "/cdn/file").map(Asked::range_start).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cuts_at_any_points_give_the_same_file(
        len in 5_usize..600_000,
        seed in any::<u64>(),
        announce in any::<bool>(),
        fractions in prop::collection::vec(0.0_f64..1.0, 0..5),
    ) {
        let content = gguf_bytes(len, seed);
        let cuts: Mutex<VecDeque<f64>> = Mutex::new(fractions.into_iter().collect());
        let server = hub(content.clone(), announce, move |_, reply| {
            let cut_after = cuts.lock().unwrap().pop_front().map(|f| (f * reply.body.len() as f64) as usize);
            Reply { cut_after, ..reply }
        });
        let folder = tempfile::tempdir().unwrap();
        let pulled = pull(folder.path(), &options(&server)).unwrap();
        prop_assert_eq!(std::fs::read(&pulled.model.path).unwrap(), content.clone());
        prop_assert_eq!(&pulled.model.digest, &ModelDigest::of_bytes(&content));
        prop_assert_eq!(pulled.downloaded_bytes, content.len() as u64, "no byte travels twice");
        let expected = if announce { Verification::Announced } else { Verification::Recorded };
        prop_assert_eq!(pulled.verification, expected);
        prop_assert!(!files(folder.path()).iter().any(|file| file.contains("puma-part")));
    }

    #[test]
    fn a_pull_that_gave_up_is_continued_by_the_next_one(len in 100_usize..400_000, at in 0.01_f64..0.99) {
        let content = gguf_bytes(len, 7);
        let cut = (len as f64 * at) as usize;
        let requests = AtomicUsize::new(0);
        let server = hub(content.clone(), true, move |_, reply| match requests.fetch_add(1, Ordering::SeqCst) {
            0 => Reply { cut_after: Some(cut), ..reply },
            _ => reply,
        });
        let folder = tempfile::tempdir().unwrap();
        let error = pull(folder.path(), &PullOptions { retries: 0, ..options(&server) }).unwrap_err();
        prop_assert_eq!(error.kind, SourceErrorKind::Network);
        prop_assert!(library(folder.path()).resolve(NAME).is_err(), "half a file is no model");
        let pulled = pull(folder.path(), &options(&server)).unwrap();
        prop_assert_eq!(std::fs::read(&pulled.model.path).unwrap(), content);
        prop_assert_eq!((pulled.resumed_from_bytes, pulled.downloaded_bytes), (cut as u64, (len - cut) as u64));
    }
}

#[test]
fn a_server_that_ignores_ranges_makes_the_download_start_over() {
    let content = gguf_bytes(300_000, 1);
    let (full, requests) = (content.clone(), AtomicUsize::new(0));
    let server = hub(content.clone(), true, move |_, reply| match requests.fetch_add(1, Ordering::SeqCst) {
        0 => Reply { cut_after: Some(100_000), ..reply },
        _ => Reply::new(200, full.clone()),
    });
    let folder = tempfile::tempdir().unwrap();
    let pulled = pull(folder.path(), &options(&server)).unwrap();
    assert_eq!(std::fs::read(&pulled.model.path).unwrap(), content);
    assert_eq!(body_requests(&server), [None, Some(100_000)]);
    assert_eq!(pulled.downloaded_bytes, 400_000);
}

#[test]
fn a_file_that_changed_on_the_server_is_not_glued_to_the_old_half() {
    let (old, new) = (gguf_bytes(300_000, 1), gguf_bytes(300_000, 2));
    let (fresh, requests) = (new.clone(), AtomicUsize::new(0));
    let server = hub(old, false, move |asked, reply| match requests.fetch_add(1, Ordering::SeqCst) {
        0 => Reply { cut_after: Some(100_000), ..reply },
        _ => Reply::ranged(asked, &fresh, Some("\"v2\"")),
    });
    let folder = tempfile::tempdir().unwrap();
    let pulled = pull(folder.path(), &options(&server)).unwrap();
    assert_eq!(std::fs::read(&pulled.model.path).unwrap(), new);
    assert_eq!(server.asked().last().unwrap().header("if-range"), Some("\"v1\""));
}

#[test]
fn a_server_without_the_rest_makes_the_download_start_over() {
    let content = gguf_bytes(300_000, 1);
    let requests = AtomicUsize::new(0);
    let server = hub(content.clone(), true, move |_, reply| match requests.fetch_add(1, Ordering::SeqCst) {
        0 => Reply { cut_after: Some(100_000), ..reply },
        1 => Reply::new(416, "").header("content-range", "bytes */5"),
        _ => reply,
    });
    let folder = tempfile::tempdir().unwrap();
    let pulled = pull(folder.path(), &options(&server)).unwrap();
    assert_eq!(std::fs::read(&pulled.model.path).unwrap(), content);
    assert_eq!(body_requests(&server), [None, Some(100_000), None]);
}

#[test]
fn wrong_bytes_are_deleted_and_both_digests_named() {
    let content = gguf_bytes(50_000, 1);
    let other = gguf_bytes(50_000, 2);
    let (served, wrong) = (other.clone(), ModelDigest::of_bytes(&other));
    let server = hub(content.clone(), true, move |asked, _| Reply::ranged(asked, &served, None));
    let folder = tempfile::tempdir().unwrap();
    let error = pull(folder.path(), &options(&server)).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::DigestMismatch);
    for digest in [ModelDigest::of_bytes(&content), wrong] {
        assert!(error.message.contains(&digest.to_string()), "{error}");
    }
    assert!(!files(folder.path()).iter().any(|file| file.contains("model-q8_0") && !file.ends_with(".puma-lock")));
}

#[test]
fn a_digest_the_user_expects_is_compared_before_anything_is_downloaded() {
    let server = hub(gguf_bytes(50_000, 1), true, |_, reply| reply);
    let folder = tempfile::tempdir().unwrap();
    let expected = Some(ModelDigest::of_bytes(b"something else"));
    let error = pull(folder.path(), &PullOptions { expected, ..options(&server) }).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::DigestMismatch);
    assert!(body_requests(&server).is_empty());
}

#[test]
fn an_interrupt_stops_soon_keeps_the_part_and_the_next_pull_continues() {
    let content = gguf_bytes(2_000_000, 1);
    let requests = AtomicUsize::new(0);
    let server = hub(content.clone(), true, move |_, reply| match requests.fetch_add(1, Ordering::SeqCst) {
        0 => Reply { cut_after: Some(1_000_000), stall: true, ..reply },
        _ => reply,
    });
    let folder = tempfile::tempdir().unwrap();
    let cancel = Cancel::default();
    let (flag, mut stopped_at) = (cancel.clone(), None);
    let mut stop = |progress: &PullProgress<'_>| {
        if progress.done_bytes == 1_000_000 {
            stopped_at = Some(Instant::now());
            flag.cancel();
        }
    };
    let error = library(folder.path()).pull(NAME, &options(&server), &mut stop, &cancel).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Cancelled);
    assert!(stopped_at.unwrap().elapsed() < Duration::from_secs(1), "a silent server must not hold up Ctrl-C");
    let pulled = pull(folder.path(), &options(&server)).unwrap();
    assert_eq!((pulled.resumed_from_bytes, pulled.downloaded_bytes), (1_000_000, 1_000_000));
    assert_eq!(std::fs::read(&pulled.model.path).unwrap(), content);
}

#[test]
fn a_silent_server_counts_as_a_cut() {
    let content = gguf_bytes(500_000, 1);
    let requests = AtomicUsize::new(0);
    let server = hub(content.clone(), true, move |_, reply| match requests.fetch_add(1, Ordering::SeqCst) {
        0 => Reply { cut_after: Some(200_000), stall: true, ..reply },
        _ => reply,
    });
    let folder = tempfile::tempdir().unwrap();
    let stall_limit = Duration::from_millis(300);
    let pulled = pull(folder.path(), &PullOptions { stall_limit, ..options(&server) }).unwrap();
    assert_eq!(std::fs::read(&pulled.model.path).unwrap(), content);
    assert_eq!(body_requests(&server), [None, Some(200_000)]);
}

#[test]
fn too_little_disk_space_is_said_before_the_download_with_both_figures() {
    let server = hub(gguf_bytes(5_000_000, 1), true, |_, reply| reply);
    let folder = tempfile::tempdir().unwrap();
    let full = PullOptions { free_space: |_| Ok(20_000_000), ..options(&server) };
    let error = pull(folder.path(), &full).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::NoSpace);
    assert!(error.message.contains("38.5 MB needed, 20.0 MB free"), "{error}");
    assert!(error.hint.unwrap().contains("PUMA_MODELS"));
    assert!(library(folder.path()).resolve(NAME).is_err());
    assert!(pull(folder.path(), &options(&server)).is_ok(), "the same pull works once there is room");
}

#[test]
fn a_server_in_trouble_is_asked_again_and_then_given_up_with_its_answer() {
    let content = gguf_bytes(1000, 1);
    let requests = AtomicUsize::new(0);
    let server = hub(content, true, move |_, reply| match requests.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Reply::new(503, "busy"),
        _ => reply,
    });
    let folder = tempfile::tempdir().unwrap();
    assert!(pull(folder.path(), &options(&server)).is_ok());
    let down = hub(gguf_bytes(1000, 1), true, |_, _| Reply::new(503, "busy"));
    let folder = tempfile::tempdir().unwrap();
    let error = pull(folder.path(), &PullOptions { retries: 2, ..options(&down) }).unwrap_err();
    assert!(error.kind == SourceErrorKind::Network && error.message.contains("503"), "{error}");
    assert_eq!(body_requests(&down).len(), 3);
}

#[test]
fn what_is_no_gguf_never_gets_the_final_name() {
    let server = hub(b"<!doctype html> sorry".to_vec(), true, |_, reply| reply);
    let folder = tempfile::tempdir().unwrap();
    let error = pull(folder.path(), &options(&server)).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::UnusableFile);
    assert!(files(folder.path()).iter().all(|file| !file.ends_with(".gguf") && !file.contains("puma-part")));
}

#[test]
fn a_token_goes_to_the_hub_and_not_to_where_it_redirects() {
    let content = gguf_bytes(1000, 1);
    let elsewhere = {
        let content = content.clone();
        HttpServer::start(move |asked| Reply::ranged(asked, &content, None))
    };
    let location = format!("http://localhost:{}/signed", elsewhere.port);
    let digest = ModelDigest::of_bytes(&content);
    let hub = HttpServer::start(move |asked| match asked.header("authorization") {
        Some("Bearer secret") => {
            Reply::new(302, "").header("location", location.clone()).header("x-linked-etag", digest.hex())
        }
        _ => Reply::new(401, ""),
    });
    let folder = tempfile::tempdir().unwrap();
    let error = pull(folder.path(), &options(&hub)).unwrap_err();
    assert!(error.hint.unwrap().contains("HF_TOKEN"));
    let with_token = PullOptions { hugging_face_token: Some("secret".to_owned()), ..options(&hub) };
    assert_eq!(pull(folder.path(), &with_token).unwrap().model.digest, ModelDigest::of_bytes(&content));
    assert!(elsewhere.asked().iter().all(|asked| asked.header("authorization").is_none()));
}

#[test]
fn a_quantisation_picks_the_file_from_the_listing() {
    let content = gguf_bytes(1000, 1);
    let served = content.clone();
    let hub = HttpServer::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/api/models/org/repo") => Reply::new(
            200,
            r#"{"siblings":[{"rfilename":"README.md"},{"rfilename":"m-Q4_K_M.gguf"},{"rfilename":"m-Q8_0.gguf"},
                {"rfilename":"m-F16-00001-of-00002.gguf"},{"rfilename":"m-F16-00002-of-00002.gguf"}]}"#,
        ),
        (_, "/org/repo/resolve/main/m-Q8_0.gguf") => {
            Reply::ranged(asked, &served, Some("\"x\"")).header("x-repo-commit", "c0ffee")
        }
        ("GET", "/org/repo/resolve/c0ffee/m-Q8_0.gguf") => Reply::ranged(asked, &served, Some("\"x\"")),
        _ => Reply::new(404, ""),
    });
    let folder = tempfile::tempdir().unwrap();
    let pull = |name: &str| {
        library(folder.path()).pull(name, &options(&hub), &mut puma_backends::sources::NoProgress, &Cancel::default())
    };
    let pulled = pull("hf.co/org/repo:q8_0").unwrap();
    assert_eq!(pulled.model.quantization.as_deref(), Some("Q8_0"));
    assert_eq!(pulled.model.origin, "hf:org/repo/m-Q8_0.gguf");
    assert!(hub.asked().iter().any(|asked| asked.path.contains("c0ffee")), "the commit is pinned");
    assert!(pull("hf:org/repo:Q2_K").unwrap_err().hint.unwrap().contains("Q4_K_M, Q8_0"));
    assert!(pull("hf:org/repo").unwrap_err().message.contains("several files"));
    assert_eq!(pull("hf:org/repo:F16").unwrap_err().kind, SourceErrorKind::UnusableFile);
    assert_eq!(library(folder.path()).resolve("hf.co/org/repo:q8_0").unwrap().path, pulled.model.path);
}

#[test]
fn two_pulls_of_one_model_at_once_download_it_once() {
    let content = gguf_bytes(3_000_000, 1);
    let server = Arc::new(hub(content, true, |_, reply| {
        std::thread::sleep(Duration::from_millis(300));
        reply
    }));
    let folder = tempfile::tempdir().unwrap();
    let pulls: Vec<Pulled> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..3).map(|_| scope.spawn(|| pull(folder.path(), &options(&server)).unwrap())).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    assert_eq!(body_requests(&server).len(), 1);
    assert_eq!(pulls.iter().filter(|pulled| pulled.already_there).count(), 2);
}

#[test]
fn force_fetches_again_and_a_damaged_file_is_fetched_again_without_it() {
    let content = gguf_bytes(1000, 1);
    let server = hub(content.clone(), true, |_, reply| reply);
    let folder = tempfile::tempdir().unwrap();
    let first = pull(folder.path(), &options(&server)).unwrap();
    assert!(pull(folder.path(), &options(&server)).unwrap().already_there);
    assert!(!pull(folder.path(), &PullOptions { force: true, ..options(&server) }).unwrap().already_there);
    std::fs::write(&first.model.path, gguf_bytes(1001, 9)).unwrap();
    assert_eq!(library(folder.path()).resolve(NAME).unwrap_err().kind, SourceErrorKind::DigestMismatch);
    assert!(!pull(folder.path(), &options(&server)).unwrap().already_there);
    assert_eq!(std::fs::read(&first.model.path).unwrap(), content);
}

#[test]
fn a_download_that_could_not_be_put_in_place_is_not_repeated() {
    let content = gguf_bytes(400_000, 1);
    let server = hub(content.clone(), true, |_, reply| reply);
    let folder = tempfile::tempdir().unwrap();
    // A folder in the record's place: the download succeeds, the last step cannot.
    let blocked = folder.path().join("hf/org/repo/model-q8_0.gguf/hugging-face.json");
    std::fs::create_dir_all(blocked.join("in-the-way")).unwrap();
    assert_eq!(pull(folder.path(), &options(&server)).unwrap_err().kind, SourceErrorKind::Io);
    std::fs::remove_dir_all(blocked).unwrap();
    let pulled = pull(folder.path(), &options(&server)).unwrap();
    assert_eq!((pulled.resumed_from_bytes, pulled.downloaded_bytes), (400_000, 0));
    assert_eq!(body_requests(&server).len(), 1);
    assert_eq!(std::fs::read(&pulled.model.path).unwrap(), content);
}

#[test]
fn a_half_that_was_damaged_on_the_disk_is_fetched_again_from_the_start() {
    let content = gguf_bytes(400_000, 1);
    let requests = AtomicUsize::new(0);
    let server = hub(content.clone(), true, move |_, reply| match requests.fetch_add(1, Ordering::SeqCst) {
        0 => Reply { cut_after: Some(200_000), ..reply },
        _ => reply,
    });
    let folder = tempfile::tempdir().unwrap();
    pull(folder.path(), &PullOptions { retries: 0, ..options(&server) }).unwrap_err();
    let part = folder.path().join("hf/org/repo/model-q8_0.gguf/hugging-face.gguf.puma-part");
    let mut half = std::fs::read(&part).unwrap();
    half[1000] ^= 1;
    std::fs::write(&part, half).unwrap();
    let pulled = pull(folder.path(), &options(&server)).unwrap();
    assert_eq!(std::fs::read(&pulled.model.path).unwrap(), content);
    assert_eq!(body_requests(&server), [None, Some(200_000), None]);
    assert_eq!((pulled.resumed_from_bytes, pulled.downloaded_bytes), (0, 400_000));
}

#[test]
fn an_interrupt_does_not_wait_for_a_server_that_never_answers() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let cancel = Cancel::default();
    let flag = cancel.clone();
    std::thread::spawn(move || {
        let _silent = listener.accept().unwrap();
        flag.cancel();
        std::thread::sleep(Duration::from_secs(20));
    });
    let start = Instant::now();
    let silent = PullOptions { hugging_face_endpoint: format!("http://127.0.0.1:{port}"), ..quick() };
    let mut progress = puma_backends::sources::NoProgress;
    let error = library(folder.path()).pull(NAME, &silent, &mut progress, &cancel).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Cancelled);
    assert!(start.elapsed() < Duration::from_secs(2));
}
