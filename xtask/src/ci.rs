//! Everything a change must pass.

use crate::{command, generate, platforms, suite, tidy};

/// Whether the test suite is part of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tests {
    Included,
    /// For a caller that runs `cargo xtask test` itself.
    LeftOut,
}

/// The committed digests as the released program computes them; the suite's tests run with the development profile.
const OPTIMISED_DIGESTS: [&str; 9] =
    ["test", "--release", "-p", "puma-kernels", "-p", "puma-engine", "--test", "digest", "committed"];

/// Runs every check and names all that failed, not only the first.
///
/// # Errors
/// A check failed.
pub(crate) fn run(tests: Tests) -> Result<(), String> {
    let lint = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    let mut checks: Vec<(&str, Result<(), String>)> = vec![
        ("fmt", command::run("cargo", &["fmt", "--all", "--check"])),
        ("tidy", tidy::run()),
        ("clippy", command::run("cargo", &lint)),
        ("gen --check", generate::run(generate::Mode::Check)),
        ("platforms", platforms::check()),
        ("digests, optimised", command::run("cargo", &OPTIMISED_DIGESTS)),
    ];
    if command::works("cargo", &["deny", "--version"]) {
        // Advisories live on a server of their own; licences, bans and sources need no network.
        let deny = ["deny", "--offline", "check", "bans", "licenses", "sources"];
        checks.push(("deny", command::run("cargo", &deny)));
    } else {
        eprintln!("xtask ci: cargo-deny is not installed, so deny.toml was not checked");
    }
    if tests == Tests::Included {
        checks.push(("test", suite::run(suite::Runner::Cargo, &[])));
    }
    let failed: Vec<String> =
        checks.into_iter().filter_map(|(name, result)| Some(format!("{name}: {}", result.err()?))).collect();
    if failed.is_empty() {
        eprintln!("xtask ci: all checks passed");
        return Ok(());
    }
    Err(format!("{} of the checks failed\n  {}", failed.len(), failed.join("\n  ")))
}
