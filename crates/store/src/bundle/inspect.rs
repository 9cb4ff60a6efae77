//! A bundle from the first byte to the last, with everything that is wrong with it.

use super::bounded::{Bounded, Hashing, next_line};
use super::check;
use super::error::BundleError;
use super::manifest::{FORMAT, Hashes, Manifest, MemberRow, VERSION};
use super::member::{ARCHIVE_LIMIT_BYTES, LINE_LIMIT_BYTES, Member, WINDOW_LOG};
use super::write::RunMember;
use puma_core::measure::SessionMeasurement;
use puma_core::{InstanceRow, JobRecord, RecordedRun};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::io::{BufRead, BufReader, Read};

/// The first bytes of every zstd frame (RFC 8878, 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// How many findings are kept; a hostile file could have one a line.
const KEPT: usize = 100;

/// One thing that is wrong with a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The member it is in; `None` for the file as a whole.
    pub member: Option<String>,
    /// Which part of the member: `line 17`, `job …`.
    pub place: Option<String>,
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.member, &self.place) {
            (Some(member), Some(place)) => write!(f, "{member}, {place}: {}", self.what),
            (Some(member), None) => write!(f, "{member}: {}", self.what),
            (None, _) => f.write_str(&self.what),
        }
    }
}

/// Everything that was seen of a bundle.
#[derive(Debug, Default)]
pub struct Inspection {
    /// `None` if it could not be read.
    pub manifest: Option<Manifest>,
    /// The members as they are, the manifest included, as far as they could be read.
    pub members: Vec<MemberRow>,
    /// What is wrong, in the order in which it was met; nothing for a sound bundle.
    pub findings: Vec<Finding>,
    /// How many findings more there were than are kept.
    pub omitted: usize,
    /// The fingerprints that the bundle states. Recomputing two of them is `eval`'s business: see
    /// [`hash_differences`](super::hash_differences).
    pub hashes: Option<Hashes>,
    /// The run, if every member could be read.
    pub run: Option<RecordedRun>,
}

impl Inspection {
    /// Adds what somebody else found.
    pub fn add(&mut self, finding: Finding) {
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        } else {
            self.omitted += 1;
        }
    }

    fn found(&mut self, member: Option<Member>, place: Option<String>, what: impl Into<String>) {
        self.add(Finding { member: member.map(|member| member.name().to_owned()), place, what: what.into() });
    }
}

/// What the members hold, while they come in.
#[derive(Default)]
struct Parts {
    run: Option<RunMember<'static>>,
    instances: Vec<InstanceRow>,
    records: Vec<JobRecord>,
    sessions: Vec<SessionMeasurement>,
}

/// Stops the reading: the finding that says why is kept already.
struct Stop;

/// Whether a file that begins so may be a bundle.
pub fn is_bundle(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(&MAGIC)
}

/// The run in a sound bundle.
///
/// # Errors
/// Something is wrong with it.
pub fn read(reader: impl Read) -> Result<(Manifest, RecordedRun), BundleError> {
    let Inspection { manifest, findings, omitted, run, .. } = inspect(reader);
    let mut findings = findings.into_iter();
    match (findings.next(), manifest, run) {
        (None, Some(manifest), Some(run)) => Ok((manifest, run)),
        (first, ..) => {
            let nothing = || Finding { member: None, place: None, what: "it holds no run".to_owned() };
            let first = first.unwrap_or_else(nothing);
            Err(BundleError::Unsound { first, others: findings.len() + omitted })
        }
    }
}

/// Reads a bundle of any origin. It takes no more memory than the run in it, and never fails: what is wrong is found.
pub fn inspect(reader: impl Read) -> Inspection {
    let mut inspection = Inspection::default();
    let mut parts = Parts::default();
    if scan(BufReader::new(reader), &mut inspection, &mut parts).is_ok()
        && let Some(run) = assembled(parts)
    {
        check::check(&mut inspection, &run);
        inspection.run = Some(run);
    }
    inspection
}

fn assembled(parts: Parts) -> Option<RecordedRun> {
    let Parts { run, instances, records, sessions } = parts;
    let RunMember { header, status, finished_at, resumed_count, origin } = run?;
    let header = header.into_owned();
    Some(RecordedRun { header, instances, records, status, finished_at, resumed_count, origin, sessions })
}

fn scan(mut reader: impl BufRead, inspection: &mut Inspection, parts: &mut Parts) -> Result<(), Stop> {
    match reader.fill_buf() {
        Ok(first) if is_bundle(first) => {}
        Ok([]) => return Err(stop(inspection, None, "the file is empty")),
        Ok(_) => return Err(stop(inspection, None, "this is no bundle: it does not begin as a zstd frame does")),
        Err(error) => return Err(stop(inspection, None, format!("the file cannot be read: {error}"))),
    }
    let decoder = zstd::Decoder::with_buffer(reader).and_then(|mut decoder| {
        decoder.window_log_max(WINDOW_LOG)?;
        Ok(decoder.single_frame())
    });
    let decoder = decoder.map_err(|error| stop(inspection, None, format!("zstd cannot be started: {error}")))?;
    let mut archive = tar::Archive::new(Bounded::new(decoder, ARCHIVE_LIMIT_BYTES));
    members(&mut archive, inspection, parts)?;
    let mut rest = archive.into_inner();
    nothing_but_zeros(&mut rest).map_err(|what| stop(inspection, None, format!("behind the last member, {what}")))?;
    let mut reader = rest.into_inner().finish();
    match reader.fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) => Err(stop(inspection, None, "the file goes on after the end of the bundle")),
        Err(error) => Err(stop(inspection, None, format!("the end of the file cannot be read: {error}"))),
    }
}

fn stop(inspection: &mut Inspection, member: Option<Member>, what: impl Into<String>) -> Stop {
    inspection.found(member, None, what);
    Stop
}

/// The two empty blocks that end an archive, and the filling of its last record. Reading them also lets zstd compare
/// its checksum.
fn nothing_but_zeros(rest: &mut impl Read) -> Result<(), String> {
    let mut buffer = [0; 512];
    loop {
        match rest.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) if buffer[..read].iter().all(|byte| *byte == 0) => {}
            Ok(_) => return Err("the archive goes on".to_owned()),
            Err(error) => return Err(damaged(&error)),
        }
    }
}

fn damaged(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the file ends too early".to_owned(),
        _ => format!("the file is damaged ({error})"),
    }
}

fn members<R: Read>(archive: &mut tar::Archive<R>, inspection: &mut Inspection, parts: &mut Parts) -> Result<(), Stop> {
    let mut wanted = Member::ALL.into_iter();
    // Raw, so that no long names or sparse files are put together for us.
    let entries = archive.entries().map_err(|error| stop(inspection, None, damaged(&error)))?.raw(true);
    for entry in entries {
        let Some(member) = wanted.next() else {
            return Err(stop(inspection, None, "the archive has more members than a bundle"));
        };
        let entry = entry.map_err(|error| stop(inspection, Some(member), damaged(&error)))?;
        if entry.path_bytes().as_ref() != member.name().as_bytes() {
            let name = String::from_utf8_lossy(&entry.path_bytes()).chars().take(40).collect::<String>();
            return Err(stop(inspection, Some(member), format!("in its place stands `{}`", name.escape_debug())));
        }
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(stop(inspection, Some(member), "it is no plain file"));
        }
        let size_bytes = entry.size();
        if size_bytes > member.limit_bytes() {
            let limit_bytes = member.limit_bytes();
            return Err(stop(inspection, Some(member), format!("it has {size_bytes} bytes, {limit_bytes} at most")));
        }
        one_member(member, entry, size_bytes, inspection, parts)?;
    }
    match wanted.next() {
        None => Ok(()),
        Some(missing) => Err(stop(inspection, Some(missing), "it is missing")),
    }
}

fn one_member(
    member: Member,
    entry: impl Read,
    size_bytes: u64,
    inspection: &mut Inspection,
    parts: &mut Parts,
) -> Result<(), Stop> {
    let mut hashing = Hashing::new(entry);
    let unreadable = match member {
        Member::Manifest => manifest(&mut hashing, inspection)?,
        Member::Run => kept(document(&mut hashing), &mut parts.run),
        Member::Hashes => kept(document(&mut hashing), &mut inspection.hashes),
        Member::Instances => lines(&mut hashing, &mut parts.instances),
        Member::Predictions => lines(&mut hashing, &mut parts.records),
        Member::Sessions => lines(&mut hashing, &mut parts.sessions),
    };
    let (read_bytes, sha256) = hashing.finish();
    for (place, what) in &unreadable {
        inspection.found(Some(member), place.clone(), what.clone());
    }
    if unreadable.is_empty() && read_bytes < size_bytes {
        return Err(stop(inspection, Some(member), "the file ends in the middle of it"));
    }
    // Bytes behind a value that cannot be read were not hashed.
    if !unreadable.is_empty() {
        return Err(Stop);
    }
    let row = MemberRow { name: member.name().to_owned(), size_bytes, sha256 };
    compare(member, &row, inspection);
    inspection.members.push(row);
    Ok(())
}

/// What a member is against what the manifest says of it.
fn compare(member: Member, row: &MemberRow, inspection: &mut Inspection) {
    let Some(manifest) = inspection.manifest.as_ref().filter(|_| member != Member::Manifest) else { return };
    let what = match manifest.members.iter().find(|listed| listed.name == row.name) {
        Some(listed) if listed == row => return,
        None => "the manifest does not list it".to_owned(),
        Some(listed) if listed.size_bytes != row.size_bytes => {
            format!("it has {} bytes, and the manifest says {}", row.size_bytes, listed.size_bytes)
        }
        Some(listed) => format!("its SHA-256 is {}, and the manifest says {}", row.sha256, listed.sha256),
    };
    inspection.found(Some(member), None, what);
}

/// Places and reasons of what cannot be read.
type Unreadable = Vec<(Option<String>, String)>;

fn kept<T>(document: Result<T, String>, place: &mut Option<T>) -> Unreadable {
    match document {
        Ok(value) => {
            *place = Some(value);
            Vec::new()
        }
        Err(what) => vec![(None, what)],
    }
}

fn document<T: DeserializeOwned>(reader: &mut impl Read) -> Result<T, String> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("it cannot be read: {error}"))
}

/// The manifest, its version first: the rest of another version's has another shape.
fn manifest(reader: &mut impl Read, inspection: &mut Inspection) -> Result<Unreadable, Stop> {
    let value: Value = match document(reader) {
        Ok(value) => value,
        Err(what) => return Ok(vec![(None, what)]),
    };
    if value["format"] != FORMAT {
        return Err(stop(inspection, Some(Member::Manifest), "it is not that of a PUMA bundle"));
    }
    if value["version"] != VERSION {
        let version = &value["version"];
        let what = format!("the bundle has version {version} of the format, and this program reads version {VERSION}");
        return Err(stop(inspection, Some(Member::Manifest), what));
    }
    let manifest = serde_json::from_value(value).map_err(|error| format!("it cannot be read: {error}"));
    Ok(kept(manifest, &mut inspection.manifest))
}

/// Every line that can be read into `values`; the others' places, as many as are kept.
fn lines<T: DeserializeOwned>(reader: &mut impl Read, values: &mut Vec<T>) -> Unreadable {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let mut line = Vec::new();
    let mut unreadable = Vec::new();
    for number in 1_u64.. {
        let place = || Some(format!("line {number}"));
        match next_line(&mut reader, &mut line, LINE_LIMIT_BYTES) {
            Ok(None) => break,
            Ok(Some(text)) => match serde_json::from_slice(text) {
                Ok(value) => values.push(value),
                Err(error) => unreadable.push((place(), format!("it cannot be read: {error}"))),
            },
            Err(error) => {
                unreadable.push((place(), damaged(&error)));
                break;
            }
        }
        if unreadable.len() == KEPT {
            break;
        }
    }
    unreadable
}
