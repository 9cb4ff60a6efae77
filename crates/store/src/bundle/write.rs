//! A run into one file. Equal runs give equal bytes: order, times, level and number of threads are fixed.

use super::error::BundleError;
use super::manifest::{Counts, FORMAT, Hashes, Manifest, MemberRow, VERSION};
use super::member::{ARCHIVE_LIMIT_BYTES, Member, WINDOW_LOG};
use puma_core::canon::sha256_hex;
use puma_core::{Origin, RecordedRun, RunHeader, RunStatus, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::Write;

/// zstd's level. Higher ones save few per cent and take several times as long.
const LEVEL: i32 = 9;

/// What goes into a bundle. The run must be free of what may not leave the machine: nothing is taken out here.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    pub run: &'a RecordedRun,
    /// Whether issue texts, prompts and the models' words are still in `run`.
    pub texts: bool,
    /// What was taken out or replaced, a sentence each.
    pub neutralised: Vec<String>,
    pub hashes: Hashes,
    /// Version of the program that writes.
    pub puma_version: String,
}

/// `run.json`: the run without its lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunMember<'a> {
    pub(super) header: Cow<'a, RunHeader>,
    pub(super) status: RunStatus,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) resumed_count: u32,
    pub(super) origin: Origin,
}

/// Writes the bundle of a run and returns its manifest.
///
/// # Errors
/// The run holds a number that JSON cannot keep, is larger than a bundle may be, or cannot be written.
pub fn write(contents: Contents<'_>, out: impl Write) -> Result<Manifest, BundleError> {
    let Contents { run, texts, neutralised, hashes, puma_version } = contents;
    let state = RunMember {
        header: Cow::Borrowed(&run.header),
        status: run.status,
        finished_at: run.finished_at,
        resumed_count: run.resumed_count,
        origin: run.origin,
    };
    let members = [
        (Member::Run, document(&state, "the header")?),
        (Member::Instances, lines(&run.instances, |row| format!("instance {}", row.instance_id))?),
        (Member::Predictions, lines(&run.records, |record| format!("job {}", record.job_id))?),
        (Member::Sessions, lines(&run.sessions, |session| format!("the session of {}", session.started_at.rfc3339()))?),
        (Member::Hashes, document(&hashes, "the hashes")?),
    ];
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        puma_version,
        run_id: run.header.run_id.clone(),
        status: run.status,
        origin: run.origin,
        numerics: run.header.backend.numerics.clone(),
        texts,
        counts: Counts::of(run),
        neutralised,
        members: members.iter().map(|(member, bytes)| row(*member, bytes)).collect(),
    };
    let first = document(&manifest, "the manifest")?;
    let size_bytes = first.len() as u64 + manifest.members.iter().map(|row| row.size_bytes).sum::<u64>();
    // Headers and padding of the archive take less than a mebibyte.
    let limit_bytes = ARCHIVE_LIMIT_BYTES - (1 << 20);
    if size_bytes > limit_bytes {
        return Err(BundleError::TooLarge { size_bytes, limit_bytes });
    }
    let mut archive = tar::Builder::new(compressor(out)?);
    append(&mut archive, Member::Manifest, &first)?;
    for (member, bytes) in &members {
        append(&mut archive, *member, bytes)?;
    }
    archive.into_inner()?.finish()?.flush()?;
    Ok(manifest)
}

fn row(member: Member, bytes: &[u8]) -> MemberRow {
    MemberRow { name: member.name().to_owned(), size_bytes: bytes.len() as u64, sha256: sha256_hex(bytes) }
}

fn compressor<W: Write>(out: W) -> std::io::Result<zstd::Encoder<'static, W>> {
    let mut encoder = zstd::Encoder::new(out, LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.window_log(WINDOW_LOG)?;
    Ok(encoder)
}

fn append(archive: &mut tar::Builder<impl Write>, member: Member, bytes: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    archive.append_data(&mut header, member.name(), bytes)
}

/// Indented JSON and a line feed, read back to be sure.
fn document<T: Serialize + DeserializeOwned + PartialEq>(value: &T, what: &str) -> Result<Vec<u8>, BundleError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| inexact(what, &error))?;
    require_equal(value, &bytes, what)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// One compact object a line, each read back to be sure.
fn lines<T: Serialize + DeserializeOwned + PartialEq>(
    values: &[T],
    name: impl Fn(&T) -> String,
) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    for value in values {
        let start = bytes.len();
        serde_json::to_writer(&mut bytes, value).map_err(|error| inexact(&name(value), &error))?;
        require_equal(value, &bytes[start..], &name(value))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

fn inexact(what: &str, error: &serde_json::Error) -> BundleError {
    BundleError::Inexact(format!("{what} is no JSON ({error})"))
}

/// JSON knows no infinities and no NaN, so a value with one comes back as another.
fn require_equal<T: DeserializeOwned + PartialEq>(value: &T, bytes: &[u8], what: &str) -> Result<(), BundleError> {
    match serde_json::from_slice::<T>(bytes) {
        Ok(back) if back == *value => Ok(()),
        Ok(_) => Err(BundleError::Inexact(format!("{what} holds a number that JSON cannot keep"))),
        Err(error) => Err(inexact(what, &error)),
    }
}
