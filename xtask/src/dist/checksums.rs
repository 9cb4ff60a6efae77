//! `SHA256SUMS`, as `sha256sum --check` and `shasum -a 256 --check` read it.

use sha2::{Digest, Sha256};
use std::path::Path;

/// The file's name.
pub(crate) const NAME: &str = "SHA256SUMS";
const ENDING: &str = ".tar.gz";

/// Writes the checksums of every archive in a folder, those of earlier calls too, and returns them.
///
/// # Errors
/// The folder or an archive cannot be read, or the file not written.
pub(crate) fn write(folder: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(ENDING) {
            files.push((name, std::fs::read(entry.path()).map_err(unreadable)?));
        }
    }
    files.sort();
    let lines: String = files.iter().map(|(name, content)| line(name, content)).collect();
    let path = folder.join(NAME);
    std::fs::write(&path, &lines).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    Ok(lines)
}

fn line(name: &str, content: &[u8]) -> String {
    let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest}  {name}\n")
}

#[cfg(test)]
mod tests {
    use super::{line, write};
    use std::process::Command;

    #[test]
    fn a_line_is_the_digest_two_spaces_and_the_name() {
        // FIPS 180-4, example of the one-block message.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc.tar.gz\n";
        assert_eq!(line("abc.tar.gz", b"abc"), known);
    }

    #[test]
    fn the_machines_own_tool_accepts_the_file_and_finds_a_changed_archive() {
        let folder = tempfile::tempdir().expect("a folder for a test");
        for (name, content) in [("b.tar.gz", "two"), ("a.tar.gz", "one"), ("notes.txt", "not listed")] {
            std::fs::write(folder.path().join(name), content).expect("written");
        }
        let lines = write(folder.path()).expect("written");
        let names: Vec<_> = lines.lines().filter_map(|line| line.split("  ").nth(1)).collect();
        assert_eq!(names, ["a.tar.gz", "b.tar.gz"]);
        let program = if cfg!(target_os = "macos") { &["shasum", "-a", "256"][..] } else { &["sha256sum"] };
        let check = || {
            let mut tool = Command::new(program[0]);
            tool.args(&program[1..]).args(["--check", super::NAME]).current_dir(folder.path());
            tool.output().expect("every system has it").status.success()
        };
        assert!(check());
        std::fs::write(folder.path().join("b.tar.gz"), "tw0").expect("written");
        assert!(!check());
    }
}
