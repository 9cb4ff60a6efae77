//! Other platforms than this one: code for them compiles, and ARM computes the same bits.

use crate::{command, workspace};
use std::process::Command;

/// Platforms that users have and this check may not run on.
const TARGETS: [&str; 2] = ["aarch64-apple-darwin", ARM];
const ARM: &str = "aarch64-unknown-linux-gnu";
/// Crates without C code, which would need the other platform's compiler.
const CRATES: [&str; 5] = ["puma-core", "puma-kernels", "puma-engine", "puma-host", "puma-eval"];
/// Tests whose expected values are committed, so that passing on ARM means having the bits of x86_64.
const DIGESTS: [[&str; 4]; 2] = [["-p", "puma-kernels", "--test", "digest"], ["-p", "puma-engine", "--test", "digest"]];
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64-static";

/// Checks every crate of pure Rust for every target whose standard library is installed, computes the committed digests
/// on an emulated ARM processor where there is one, and names what could not be done.
///
/// # Errors
/// A crate does not compile for a target, or a digest differs.
pub(crate) fn check() -> Result<(), String> {
    let installed = command::output("rustup", &["target", "list", "--installed"]).unwrap_or_default();
    let is_installed = |target: &str| installed.lines().any(|line| line == target);
    for target in TARGETS {
        if !is_installed(target) {
            eprintln!("xtask ci: {target} was not checked; `rustup target add {target}` makes it possible");
            continue;
        }
        let mut arguments = vec!["check", "--target", target];
        arguments.extend(CRATES.iter().flat_map(|name| ["-p", name]));
        command::run("cargo", &arguments)?;
    }
    let tools = [LINKER, EMULATOR].into_iter().all(|tool| command::works(tool, &["--version"]));
    if !is_installed(ARM) || !tools {
        eprintln!(
            "xtask ci: no bits were compared with ARM; Debian's qemu-user-static and gcc-aarch64-linux-gnu do it"
        );
        return Ok(());
    }
    DIGESTS.iter().try_for_each(|test| {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--target", ARM]).args(test).arg("committed").current_dir(workspace::root());
        cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER);
        let runner = format!("{EMULATOR} -cpu max -L /usr/aarch64-linux-gnu");
        cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner);
        command::run_command(&mut cargo)
    })
}
