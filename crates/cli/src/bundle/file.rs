//! The file of a bundle: written whole or not at all, read with everything that is wrong said.

use super::hashes::hashes;
use super::hidden::without_texts;
use super::neutral::neutral;
use crate::context::Context;
use crate::environment;
use crate::exit::ExitKind;
use crate::failure::Failure;
use puma_core::RecordedRun;
use puma_host::source::Names;
use puma_store::bundle::{self, BundleError, Contents, Inspection, Manifest};
use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;

/// How names of bundles end.
pub(crate) const ENDING: &str = ".puma-bundle";

/// A bundle that was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub manifest: Manifest,
    pub size_bytes: u64,
}

/// Whether `wanted` names a bundle and not a run: by its ending, or because a file is there that begins like one.
pub(crate) fn is_bundle(wanted: &str) -> bool {
    let mut first = [0; 4];
    wanted.ends_with(ENDING)
        || (Path::new(wanted).is_file()
            && File::open(wanted).and_then(|mut file| file.read_exact(&mut first)).is_ok()
            && bundle::is_bundle(&first))
}

/// `run` without what tells whose machine it was made on, as far as this machine and its user can tell, and what was
/// replaced.
///
/// # Errors
/// What was measured cannot be written as JSON.
pub(crate) fn neutral_here(run: RecordedRun, context: &Context) -> Result<(RecordedRun, Vec<String>), Failure> {
    neutral(run, &Names::ask(context.host.as_ref()), environment::get("HOME").as_deref())
}

/// Writes `run` without what tells whose machine it was made on, and without its texts unless they are wanted.
///
/// # Errors
/// The target exists, the run cannot be kept exactly, or the file cannot be written.
pub(crate) fn write(run: RecordedRun, texts: bool, target: &Path, context: &Context) -> Result<Written, Failure> {
    if target.exists() {
        return Err(Failure::operation(format!("{} exists already", target.display()))
            .hint("name another file with `-o FILE`, or move this one away"));
    }
    let (run, mut neutralised) = neutral_here(run, context)?;
    let hashes = hashes(&run);
    let run = if texts {
        run
    } else {
        neutralised.push("issue texts and prompts are left out, answers and tokens are keyed fingerprints".to_owned());
        without_texts(run)
    };
    let contents =
        Contents { run: &run, texts, neutralised, hashes, puma_version: env!("CARGO_PKG_VERSION").to_owned() };
    let mut part = target.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let written = write_file(contents, part).and_then(|manifest| {
        std::fs::rename(part, target)?;
        Ok(Written { manifest, size_bytes: std::fs::metadata(target)?.len() })
    });
    written.map_err(|error| {
        // What is left of it is of no use, and may be gone already.
        let _ = std::fs::remove_file(part);
        Failure::operation(format!("the bundle {} was not written: {error}", target.display()))
    })
}

fn write_file(contents: Contents<'_>, path: &Path) -> Result<Manifest, BundleError> {
    let mut out = BufWriter::new(File::create(path)?);
    let manifest = bundle::write(contents, &mut out)?;
    out.flush()?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(manifest)
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        Failure::invalid(format!("the bundle {} cannot be opened: {error}", path.display()))
            .hint("`puma bundle export RUN` makes one")
    })
}

/// Everything that is wrong with a bundle, its fingerprints computed again included.
///
/// # Errors
/// There is no such file.
pub(crate) fn check(path: &Path) -> Result<Inspection, Failure> {
    let mut inspection = bundle::inspect(open(path)?);
    if let (Some(run), Some(stated), Some(manifest)) = (&inspection.run, &inspection.hashes, &inspection.manifest) {
        let differences = bundle::hash_differences(stated, &hashes(run), manifest.texts);
        differences.into_iter().for_each(|finding| inspection.add(finding));
    }
    Ok(inspection)
}

/// The run in a sound bundle.
///
/// # Errors
/// There is no such file, or something is wrong with it.
pub(crate) fn read(path: &Path) -> Result<(Manifest, RecordedRun), Failure> {
    let Inspection { manifest, findings, omitted, run, .. } = check(path)?;
    if let (Some(manifest), Some(run), []) = (manifest, run, findings.as_slice()) {
        return Ok((manifest, run));
    }
    let first = findings.first().map_or_else(|| "it holds no run".to_owned(), ToString::to_string);
    let others = match findings.len() + omitted {
        0 | 1 => String::new(),
        more => format!(" (and {} more)", more - 1),
    };
    Err(Failure::new(ExitKind::OperationFailed, format!("the bundle {} is not sound: {first}{others}", path.display()))
        .hint(format!("`puma bundle verify {}` says everything that is wrong", path.display())))
}
