//! Machines that answered elsewhere, or were written down from documentation: the files under `machines/`.
//!
//! They are handed out as text, because the crate that reads them is tested with them too.

use std::path::PathBuf;

const ENDING: &str = ".puma-host";

/// The folder of the recordings.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/machines"))
}

/// Where the recording `name` lies, to be given to `--host`.
pub fn path(name: &str) -> PathBuf {
    folder().join(format!("{name}{ENDING}"))
}

/// The text of the recording `name`, for `RecordedHost::parse`.
///
/// # Panics
/// There is no such recording.
pub fn load(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("no recorded machine `{name}` at {}: {error}", path.display()))
}

/// The names of all recordings, sorted.
///
/// # Panics
/// The folder cannot be listed.
pub fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the folder of the recorded machines is part of the repository");
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(ENDING)?.to_owned()))
        .collect();
    names.sort();
    names
}
