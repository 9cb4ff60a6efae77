//! Which crates touch the world: files, network, environment, clocks.

use super::finding::Finding;
use super::tokens::{self, as_group, is_punct, line, word};
use proc_macro2::TokenTree;

/// A fence: sources below these folders, save some, do not name these paths outside tests.
struct Fence {
    folders: &'static [&'static str],
    but: &'static [&'static str],
    paths: &'static [(&'static str, &'static str)],
    why: &'static str,
}

const FENCES: &[Fence] = &[
    Fence {
        folders: &["crates/core/src/", "crates/eval/src/", "crates/kernels/src/"],
        but: &[],
        paths: &[("std", "fs"), ("std", "net"), ("std", "process"), ("std", "env")],
        why: "bytes in, values out: a whole benchmark runs in a unit test, without files, servers or variables",
    },
    Fence {
        folders: &["crates/core/src/", "crates/eval/src/", "crates/kernels/src/", "crates/store/src/"],
        but: &["crates/core/src/clock.rs"],
        paths: &[("SystemTime", "now"), ("Instant", "now")],
        why: "time comes from puma_core::clock, so that tests can fix it",
    },
];

/// What one source file breaks.
pub(crate) fn check(path: &str, text: &str) -> Vec<Finding> {
    let inside =
        |fence: &&Fence| fence.folders.iter().any(|folder| path.starts_with(folder)) && !fence.but.contains(&path);
    let fences: Vec<&Fence> = FENCES.iter().filter(inside).collect();
    let (false, Ok(stream)) = (fences.is_empty(), tokens::parse(text)) else { return Vec::new() };
    let mut findings = Vec::new();
    tokens::each_list(&stream, &mut |list, in_test| {
        for index in (0..list.len()).filter(|_| !in_test) {
            for fence in &fences {
                for (first, second) in fence.paths {
                    if names(list, index, first, second) {
                        let what = format!("names `{first}::{second}`");
                        findings.push(Finding::new(path, line(&list[index]), what, fence.why));
                    }
                }
            }
        }
    });
    findings
}

/// Whether the tokens from `index` on spell `first::second`, or `first::{…, second, …}`.
fn names(list: &[TokenTree], index: usize, first: &str, second: &str) -> bool {
    let is = |token: &TokenTree, wanted: &str| word(token).is_some_and(|word| word == wanted);
    let colons = |at: usize| list.get(at).is_some_and(|token| is_punct(token, ':'));
    if !is(&list[index], first) || !colons(index + 1) || !colons(index + 2) {
        return false;
    }
    let Some(next) = list.get(index + 3) else { return false };
    let grouped = as_group(next).is_some_and(|group| group.stream().into_iter().any(|token| is(&token, second)));
    is(next, second) || grouped
}

#[cfg(test)]
mod tests {
    use super::check;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(path, text).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn eval_touches_no_file_and_no_clock() {
        let text = "use std::fs::File;\nuse std::{fmt, env};\nfn f() {\n    std::time::Instant::now();\n}";
        assert_eq!(lines("crates/eval/src/run.rs", text), [1, 2, 4]);
        assert!(lines("crates/cli/src/run.rs", text).is_empty());
    }

    #[test]
    fn the_clock_may_ask_the_machine_and_tests_may_do_anything() {
        assert!(lines("crates/core/src/clock.rs", "fn f() { Instant::now() }").is_empty());
        assert!(lines("crates/eval/src/run.rs", "#[cfg(test)]\nmod tests { use std::fs; }").is_empty());
        assert!(lines("crates/eval/src/run.rs", "// std::fs\nuse std::fmt;\nconst S: &str = \"std::fs\";").is_empty());
    }
}
