//! Rules about text: how long files are, what they open with, and which names stay out of them.

use super::finding::Finding;

const LONGEST_FILE: usize = 500;
/// For tests, and for files whose opening words say that they are a table.
const LONGEST_TABLE: usize = 800;
const TABLE_MARK: &str = "This file is a table";

const WHY_LENGTH: &str = "a file has one subject; say \"This file is a table.\" in its opening words if it is one";
const WHY_DOC: &str = "a reader learns from the first line what a file is for";
const WHY_HOST: &str = "registries are found through the tools of the machine, which may use mirrors";
const WHY_PATH: &str = "a path of one machine does not exist on another";

/// Package registries, in two halves so that this file does not break its own rule.
const HOSTS: &[(&str, &str)] = &[
    ("index.crates", ".io"),
    ("static.crates", ".io"),
    ("py", "pi.org"),
    ("files.python", "hosted.org"),
    ("registry.npm", "js.org"),
    ("deb.debian", ".org"),
];

/// Folders of single machines, in two halves.
const FOLDERS: &[(&str, &str)] = &[("/wo", "rk/"), ("/ro", "ot/"), ("/var/", "tmp"), ("/tm", "p/"), ("/op", "t/")];

/// Paths of the kind above that mean the same on every machine of their kind.
const KNOWN_FOLDERS: &[&str] = &["/opt/homebrew", "/root/.ollama", "/opt/rocm"];

/// Endings of the files in which hosts and paths are looked for. Data may hold anything.
const READ_BY_PEOPLE: &[&str] =
    &[".rs", ".md", ".toml", ".yml", ".yaml", ".py", ".sh", ".j2", ".jinja", "/run", "LICENSE"];

/// What one file breaks.
pub(crate) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if path.ends_with(".rs") {
        length(path, text, &mut findings);
        opening(path, text, &mut findings);
    }
    if READ_BY_PEOPLE.iter().any(|ending| path.ends_with(ending)) {
        for (index, line) in text.lines().enumerate() {
            names(path, index + 1, line, &mut findings);
        }
    }
    findings
}

fn length(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let table = text.lines().take(10).any(|line| line.starts_with("//!") && line.contains(TABLE_MARK));
    let limit = if table || !path.contains("/src/") { LONGEST_TABLE } else { LONGEST_FILE };
    let lines = text.lines().count();
    if lines > limit {
        findings.push(Finding::new(path, limit, format!("{lines} lines; the longest allowed is {limit}"), WHY_LENGTH));
    }
}

fn opening(path: &str, text: &str, findings: &mut Vec<Finding>) {
    if !text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("//!")) {
        findings.push(Finding::new(path, 1, "does not open with `//!`", WHY_DOC));
    }
}

fn names(path: &str, number: usize, line: &str, findings: &mut Vec<Finding>) {
    for (first, second) in HOSTS {
        let host = format!("{first}{second}");
        if line.contains(&host) {
            findings.push(Finding::new(path, number, format!("names the registry {host}"), WHY_HOST));
        }
    }
    for (first, second) in FOLDERS {
        let folder = format!("{first}{second}");
        for (start, _) in line.match_indices(&folder) {
            // `homework/` and `$HOME/tmp/` are no absolute paths.
            let absolute = !line[..start].ends_with(|c: char| c.is_alphanumeric() || "_-.}/~*)>".contains(c));
            let known = KNOWN_FOLDERS.iter().any(|known| line[start..].starts_with(known));
            if absolute && !known {
                findings.push(Finding::new(path, number, format!("names a folder under {folder}"), WHY_PATH));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    fn told(path: &str, text: &str) -> Vec<(usize, String)> {
        check(path, text).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn five_hundred_lines_are_enough_except_for_tables_and_tests() {
        let file = |opening: &str, lines: usize| format!("{opening}\n{}", "//\n".repeat(lines - 1));
        let path = "crates/eval/src/run.rs";
        assert!(told(path, &file("//! One subject.", 500)).is_empty());
        assert_eq!(told(path, &file("//! One subject.", 501)).len(), 1);
        assert!(told(path, &file("//! Names. This file is a table.", 800)).is_empty());
        assert!(told("crates/eval/tests/run.rs", &file("//! Laws.", 800)).is_empty());
        assert_eq!(told("crates/eval/tests/run.rs", &file("//! Laws.", 801)).len(), 1);
    }

    #[test]
    fn a_file_opens_with_what_it_is_for() {
        assert_eq!(told("a/src/b.rs", "use std::fmt;\n"), [(1, "does not open with `//!`".to_owned())]);
        assert_eq!(told("a/src/b.rs", "").len(), 1);
        assert!(told("a/src/b.rs", "\n//! Words.\nuse std::fmt;\n").is_empty());
    }

    #[test]
    fn registries_and_machine_paths_stay_out() {
        let host = ["see https://py", "pi.org/project/x"].concat();
        assert_eq!(told("docs/a.md", &format!("first\n{host}")).first().map(|finding| finding.0), Some(2));
        for path in [["/wo", "rk/main"], ["`/ro", "ot/x`"], ["\"/tm", "p/model.gguf\""], ["in /op", "t/oracle"]] {
            assert_eq!(told("docs/a.md", &path.concat()).len(), 1, "{path:?}");
        }
        for path in ["/opt/homebrew/lib", "homework/a", "$HOME/tmp/a", "target/tmp/x", "/usr/lib"] {
            assert!(told("docs/a.md", path).is_empty(), "{path}");
        }
        assert!(told("crates/eval/tests/golden/corpus.txt", &["/tm", "p/x"].concat()).is_empty());
    }
}
