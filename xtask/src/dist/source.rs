//! The commit an archive is made from: its version, its time and its files.

use super::archive::Entry;
use crate::{command, workspace};

/// Files of the repository that belong into every archive, as patterns of `git ls-files`.
const PATTERNS: &[&str] = &[
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs",
    "start_puma.sh",
    "stop_puma_native.sh",
    "compose.yaml",
    "compose.*.yaml",
];

/// The version of the package puma.
///
/// # Errors
/// Cargo cannot read the workspace.
pub(crate) fn version() -> Result<String, String> {
    let metadata = workspace::metadata()?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let puma = packages.iter().find(|package| package["name"] == "puma");
    let version = puma.and_then(|package| package["version"].as_str());
    version.map(str::to_owned).ok_or_else(|| "`cargo metadata` names no package puma".to_owned())
}

/// The time of every file in an archive, in seconds since 1970: `SOURCE_DATE_EPOCH`, or that of the last commit.
///
/// # Errors
/// The variable is no number, or there is no commit.
pub(crate) fn time() -> Result<u64, String> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => git(&["log", "-1", "--format=%ct"])?,
    };
    text.trim().parse().map_err(|_| format!("the archive's time is no number of seconds since 1970: {text:?}"))
}

/// The tracked files that differ from the commit. An archive made with them is not the commit's.
///
/// # Errors
/// This is no checkout.
pub(crate) fn changed_files() -> Result<Vec<String>, String> {
    Ok(git(&["status", "--porcelain", "--untracked-files=no"])?.lines().map(str::to_owned).collect())
}

/// The files of the repository that are handed out as they are.
///
/// # Errors
/// This is no checkout, or a file cannot be read.
pub(crate) fn files() -> Result<Vec<Entry>, String> {
    let mut arguments = vec!["ls-files", "--stage", "--"];
    arguments.extend(PATTERNS);
    let listed = git(&arguments)?;
    listed.lines().map(file).collect()
}

/// One line of `git ls-files --stage`: mode, object, stage, a tab, the path.
fn file(line: &str) -> Result<Entry, String> {
    let (facts, path) = line.split_once('\t').ok_or_else(|| format!("git listed {line:?}"))?;
    let content =
        std::fs::read(workspace::root().join(path)).map_err(|error| format!("{path} cannot be read: {error}"))?;
    Ok(Entry { path: path.to_owned(), is_executable: facts.starts_with("100755"), content })
}

fn git(arguments: &[&str]) -> Result<String, String> {
    let root = workspace::root().to_string_lossy();
    command::output("git", &[&["-C", &*root], arguments].concat())
}

#[cfg(test)]
mod tests {
    use super::{files, version};

    #[test]
    fn the_version_has_three_numbers() {
        assert_eq!(version().expect("the workspace has a package puma").split('.').count(), 3);
    }

    #[test]
    fn documents_and_scripts_are_among_the_files_and_the_scripts_can_be_started() {
        let files = files().expect("tests run in a checkout");
        for script in ["start_puma.sh", "stop_puma_native.sh"] {
            assert!(files.iter().any(|file| file.path == script && file.is_executable), "{script}");
        }
        for name in ["LICENSE", "README.md", "CHANGELOG.md", "docs/README.md", "compose.yaml", "compose.gpu.yaml"] {
            assert!(files.iter().any(|file| file.path == name && !file.content.is_empty()), "{name}");
        }
    }
}
