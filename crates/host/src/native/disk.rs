//! How much room a disk has. The answer is a JSON number: bytes that an ordinary user can still write.

use crate::source::{Answer, Unanswered};
use std::path::{Path, PathBuf};

/// Asks for the nearest folder above `path` that exists, because what will be written there may not be there yet.
pub(super) fn free_bytes(path: &str) -> Answer {
    let mut folder = PathBuf::from(path);
    while !folder.exists() {
        match folder.parent().map(Path::to_path_buf) {
            Some(parent) if parent != folder && !parent.as_os_str().is_empty() => folder = parent,
            _ => return Err(Unanswered::Absent),
        }
    }
    let facts = rustix::fs::statvfs(&folder).map_err(|error| Unanswered::Failed(error.to_string()))?;
    Ok(facts.f_bavail.saturating_mul(facts.f_frsize).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_yet_to_be_made_lies_on_the_disk_of_its_parent() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("models/blobs");
        let bytes =
            |path: &Path| free_bytes(&path.display().to_string()).map(|text| text.parse::<u64>().expect("bytes"));
        let (Ok(there), Ok(not_yet)) = (bytes(folder.path()), bytes(&missing)) else { panic!("no answer") };
        assert!(there > 0 && not_yet > 0);
        assert_eq!(free_bytes(""), Err(Unanswered::Absent));
    }
}
