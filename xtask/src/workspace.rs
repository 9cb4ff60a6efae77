//! Where the repository is and what lies in it.

use crate::command;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The repository's root folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository's root")
}

/// What `cargo metadata` says about the workspace's own packages.
///
/// # Errors
/// Cargo cannot read the workspace.
pub(crate) fn metadata() -> Result<Value, String> {
    let manifest = root().join("Cargo.toml");
    let manifest = manifest.to_string_lossy();
    let text =
        command::output("cargo", &["metadata", "--no-deps", "--format-version=1", "--manifest-path", &manifest])?;
    serde_json::from_str(&text).map_err(|error| format!("`cargo metadata` printed no JSON: {error}"))
}

/// Where Cargo builds.
///
/// # Errors
/// Cargo cannot read the workspace.
pub(crate) fn target_directory() -> Result<PathBuf, String> {
    let metadata = metadata()?;
    let path = metadata["target_directory"].as_str().ok_or("`cargo metadata` names no target folder")?;
    Ok(PathBuf::from(path))
}

/// Every file below `folder` of the repository, as sorted paths from the root with `/`. Build results, version control
/// and test runs' leftovers are no files of the project.
///
/// # Errors
/// A folder cannot be read.
pub(crate) fn files(folder: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let start = root().join(folder);
    if start.exists() {
        collect(&start, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<String>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && (name == ".git" || name == "proptest-regressions" || name.starts_with("target")) {
            continue;
        }
        if is_folder {
            collect(&path, found)?;
        } else if let Ok(relative) = path.strip_prefix(root()) {
            found.push(relative.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}

/// The text of a file of the repository; `None` if it is no UTF-8.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn text(path: &str) -> Result<Option<String>, String> {
    let bytes = std::fs::read(root().join(path)).map_err(|error| format!("{path} cannot be read: {error}"))?;
    Ok(String::from_utf8(bytes).ok())
}
