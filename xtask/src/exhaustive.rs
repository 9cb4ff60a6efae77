//! Proofs by trying everything, which take minutes: all 2^32 floats through conversions, functions and gates.

use crate::{command, workspace};
use std::process::Command;
use std::time::Instant;

/// Where the tests are; those that take long are marked as ignored there.
const TESTS: [&str; 2] = ["every_value", "exhaustive"];

/// Runs every exhaustive test of the kernels, optimised as the program is, and says how long it took.
///
/// # Errors
/// A test failed or could not be built.
pub(crate) fn run() -> Result<(), String> {
    let started = Instant::now();
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--release", "-p", "puma-kernels"]);
    cargo.args(TESTS.iter().flat_map(|test| ["--test", test]));
    cargo.args(["--", "--include-ignored", "--nocapture", "--test-threads", "1"]);
    command::run_command(cargo.current_dir(workspace::root()))?;
    eprintln!("xtask exhaustive: all proofs hold, {} s with the build", started.elapsed().as_secs());
    Ok(())
}
