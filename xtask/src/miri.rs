//! Miri: the code with pointers run by an interpreter that sees undefined behaviour.

use crate::{command, workspace};
use std::process::Command;

/// Packages and the tests whose code has pointers, or reads foreign bytes, and no instruction Miri lacks. Tests
/// that try thousands of numbers would take hours there.
const RUNS: [&[&str]; 2] = [
    &[
        "-p",
        "puma-kernels",
        "--lib",
        "--",
        "--skip",
        "ulp",
        "--skip",
        "binary16",
        "--skip",
        "sin",
        "--skip",
        "standard",
    ],
    &["-p", "puma-engine", "--lib", "--", "pool::", "kv::", "kv_prefix::", "tokenizer::decode"],
];
/// Property tests look for the working directory, and need no hundreds of cases here.
const ENVIRONMENT: [(&str, &str); 2] = [("MIRIFLAGS", "-Zmiri-disable-isolation"), ("PROPTEST_CASES", "4")];

/// Interprets the chosen tests.
///
/// # Errors
/// Miri is missing, or finds undefined behaviour.
pub(crate) fn run() -> Result<(), String> {
    if !command::works("cargo", &["+nightly", "miri", "--version"]) {
        return Err(
            "Miri is missing: `rustup toolchain install nightly --component miri --component rust-src`".to_owned()
        );
    }
    RUNS.iter().try_for_each(|words| {
        let mut cargo = Command::new("cargo");
        cargo.args(["+nightly", "miri", "test"]).args(*words).envs(ENVIRONMENT);
        command::run_command(cargo.current_dir(workspace::root()))
    })
}
