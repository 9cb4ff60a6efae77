//! Compiles for machines other than this one, so that code for them does not rot unseen.

use crate::command;

/// Platforms that users have and this check may not run on.
const TARGETS: [&str; 2] = ["aarch64-apple-darwin", "aarch64-unknown-linux-gnu"];
/// Crates without C code, which would need the other platform's compiler.
const CRATES: [&str; 5] = ["puma-core", "puma-kernels", "puma-engine", "puma-host", "puma-eval"];

/// Checks every crate of pure Rust for every target whose standard library is installed, and names those that are not.
///
/// # Errors
/// A crate does not compile for a target.
pub(crate) fn check() -> Result<(), String> {
    let installed = command::output("rustup", &["target", "list", "--installed"]).unwrap_or_default();
    for target in TARGETS {
        if !installed.lines().any(|line| line == target) {
            eprintln!("xtask ci: {target} was not checked; `rustup target add {target}` makes it possible");
            continue;
        }
        let mut arguments = vec!["check", "--target", target];
        arguments.extend(CRATES.iter().flat_map(|name| ["-p", name]));
        command::run("cargo", &arguments)?;
    }
    Ok(())
}
