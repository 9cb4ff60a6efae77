//! Archives that depend on nothing but the files in them.

use flate2::{Compression, GzBuilder};
use std::io::Write as _;

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Below the archive's one folder, with `/`.
    pub(crate) path: String,
    pub(crate) is_executable: bool,
    pub(crate) content: Vec<u8>,
}

impl Entry {
    pub(crate) fn plain(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Entry {
        Entry { path: path.into(), is_executable: false, content: content.into() }
    }

    pub(crate) fn executable(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Entry {
        Entry { path: path.into(), is_executable: true, content: content.into() }
    }
}

/// A `.tar.gz` of the entries, all below `folder`: sorted by path, owned by root, all of one time (seconds since 1970).
///
/// # Errors
/// A path is no path of an archive.
pub(crate) fn tar_gz(folder: &str, entries: &[Entry], time: u64) -> Result<Vec<u8>, String> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    // Neither a name nor a time of its own.
    let gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for entry in sorted {
        let mut header = tar::Header::new_ustar();
        header.set_size(entry.content.len() as u64);
        header.set_mode(if entry.is_executable { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(time);
        let path = format!("{folder}/{}", entry.path);
        tar.append_data(&mut header, &path, entry.content.as_slice())
            .map_err(|error| format!("{path} cannot be put into the archive: {error}"))?;
    }
    let unwritten = |error: std::io::Error| format!("the archive cannot be finished: {error}");
    let mut gzip = tar.into_inner().map_err(unwritten)?;
    gzip.flush().map_err(unwritten)?;
    gzip.finish().map_err(unwritten)
}

#[cfg(test)]
mod tests {
    use super::{Entry, tar_gz};
    use std::process::Command;

    const TIME: u64 = 1_700_000_000;

    fn entries() -> Vec<Entry> {
        vec![
            Entry::executable("puma", vec![7; 100_000]),
            Entry::plain("README.md", "read"),
            Entry::plain("man/puma.1", "man"),
        ]
    }

    #[test]
    fn the_order_of_the_files_does_not_matter() {
        let mut reversed = entries();
        reversed.reverse();
        let archive = tar_gz("puma-1", &entries(), TIME).expect("written");
        assert_eq!(archive, tar_gz("puma-1", &reversed, TIME).expect("written"));
        assert_ne!(archive, tar_gz("puma-1", &entries(), TIME + 1).expect("written"));
        // RFC 1952: bytes 4 to 7 are the time, which is not told; bit 3 of byte 3 announces a name.
        assert_eq!((&archive[4..8], archive[3]), (&[0, 0, 0, 0][..], 0));
    }

    /// The `tar` of the machine is the oracle.
    #[test]
    fn tar_unpacks_what_was_packed() {
        let folder = tempfile::tempdir().expect("a folder for a test");
        let path = folder.path().join("puma.tar.gz");
        std::fs::write(&path, tar_gz("puma-1", &entries(), TIME).expect("written")).expect("written");
        let tar = |words: &[&str]| {
            let mut tar = Command::new("tar");
            let output = tar.args(words).arg(&path).current_dir(folder.path()).env("TZ", "UTC").output().expect("tar");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("UTF-8")
        };
        assert_eq!(tar(&["-tzf"]), "puma-1/README.md\npuma-1/man/puma.1\npuma-1/puma\n");
        tar(&["-xzf"]);
        for entry in entries() {
            let unpacked = folder.path().join("puma-1").join(&entry.path);
            assert_eq!(std::fs::read(&unpacked).expect("unpacked"), entry.content);
            let metadata = std::fs::metadata(&unpacked).expect("unpacked");
            let age = metadata.modified().expect("known").duration_since(std::time::UNIX_EPOCH).expect("after 1970");
            assert_eq!(age.as_secs(), TIME);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(metadata.permissions().mode() & 0o111 != 0, entry.is_executable, "{}", entry.path);
            }
        }
    }
}
