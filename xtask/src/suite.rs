//! The whole test suite, with what it needs found or fetched first.

use crate::test_model::{self, TestModel};
use crate::{command, workspace};
use std::process::Command;

/// Who runs the tests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// `cargo test`: a test program loads the real model once for all its tests.
    Cargo,
    /// `cargo nextest`: every test in a process of its own.
    Nextest,
}

/// Runs every test of the workspace. Real data and the real model are found or fetched; what is missing is said.
///
/// # Errors
/// A test failed, or the suite could not be built.
pub(crate) fn run(runner: Runner, arguments: &[&str]) -> Result<(), String> {
    let environment = environment()?;
    let suite = |words: &[&str], arguments: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo.args(words).args(arguments).current_dir(workspace::root());
        cargo.envs(environment.iter().map(|(name, value)| (name, value)));
        command::run_command(&mut cargo)
    };
    let scope: &[&str] = if names_packages(arguments) { &[] } else { &["--workspace"] };
    let words = |words: &[&'static str]| [words, scope].concat();
    match runner {
        Runner::Cargo => suite(&words(&["test"]), arguments),
        Runner::Nextest => {
            suite(&words(&["nextest", "run"]), arguments)?;
            // Nextest runs no examples of the documentation.
            if scope.is_empty() { Ok(()) } else { suite(&["test", "--workspace", "--doc"], &[]) }
        }
    }
}

/// Whether the caller chose packages; cargo would ignore the choice beside `--workspace`.
fn names_packages(arguments: &[&str]) -> bool {
    let ours = arguments.iter().take_while(|argument| **argument != "--");
    ours.into_iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
}

/// The variables the tests read. A variable the caller set stays as it is.
fn environment() -> Result<Vec<(String, String)>, String> {
    let mut variables = Vec::new();
    let mut set = |name: &str, value: String| {
        eprintln!("xtask test: {name}={value}");
        variables.push((name.to_owned(), value));
    };
    let is_set = |name: &str| std::env::var_os(name).is_some();
    if !is_set("PUMA_TEST_DATA") {
        match workspace::root().join("../shared/data").canonicalize() {
            Ok(data) => set("PUMA_TEST_DATA", data.to_string_lossy().into_owned()),
            Err(_) => eprintln!(
                "xtask test: no real datasets beside the checkout and PUMA_TEST_DATA is not set: tests on them are left out"
            ),
        }
    }
    if !is_set("PUMA_TEST_WITHOUT_MODEL") {
        if !is_set("PUMA_TEST_MODEL") {
            match test_model::provide(&test_model::SMOLLM2)? {
                TestModel::At(path) => set("PUMA_TEST_MODEL", path.to_string_lossy().into_owned()),
                TestModel::Missing { reason } => {
                    eprintln!("xtask test: WITHOUT THE REAL MODEL: {reason}");
                    eprintln!("xtask test: every test that asks a real model is left out");
                    set("PUMA_TEST_WITHOUT_MODEL", "1".to_owned());
                }
            }
        }
        if !is_set("PUMA_TEST_GEMMA") {
            match test_model::provide(&test_model::GEMMA3)? {
                TestModel::At(path) => set("PUMA_TEST_GEMMA", path.to_string_lossy().into_owned()),
                TestModel::Missing { reason } => eprintln!("xtask test: tests on Gemma 3 are left out: {reason}"),
            }
        }
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::names_packages;

    #[test]
    fn a_chosen_package_replaces_the_workspace() {
        assert!(names_packages(&["-p", "puma-eval"]));
        assert!(names_packages(&["--package=puma-eval"]));
        assert!(!names_packages(&["metric", "--", "-p"]));
        assert!(!names_packages(&[]));
    }
}
