//! The compiler and linker for other platforms: zig, which carries the headers and library stubs of all of them, called
//! by cargo-zigbuild. Both are Python packages and come by the machine's own `pip`, into `target/tools`.

use super::target::Target;
use crate::{command, workspace};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fixed, because another compiler makes other bytes.
const PACKAGES: [&str; 2] = ["ziglang==0.17.0", "cargo-zigbuild==0.24.0"];

/// The installed tools.
pub(crate) struct Zig {
    folder: PathBuf,
}

/// What became of the wish for them.
pub(crate) enum Provided {
    Here(Zig),
    Missing { reason: String },
}

impl Zig {
    /// Finds the tools in `target/tools`, or installs them there. The folder appears under its name only when it is whole.
    ///
    /// # Errors
    /// `target/tools` cannot be written.
    pub(crate) fn provide() -> Result<Provided, String> {
        let tools = workspace::root().join("target/tools");
        let folder = tools.join(PACKAGES.join("-").replace("==", "-"));
        if folder.exists() {
            return Ok(Provided::Here(Zig { folder }));
        }
        if !command::works("python3", &["-m", "pip", "--version"]) {
            let reason = "`python3 -m pip`, which would fetch zig, does not run".to_owned();
            return Ok(Provided::Missing { reason });
        }
        let work = tools.join(format!("install-{}", std::process::id()));
        std::fs::create_dir_all(&work).map_err(|error| format!("{} cannot be made: {error}", work.display()))?;
        let installed = install(&work);
        let done = match installed {
            Ok(()) => match std::fs::rename(&work, &folder) {
                Ok(()) => return Ok(Provided::Here(Zig { folder })),
                // Another process was quicker.
                Err(_) if folder.exists() => Provided::Here(Zig { folder }),
                Err(error) => return Err(format!("{} cannot be moved to its place: {error}", work.display())),
            },
            Err(reason) => Provided::Missing { reason },
        };
        std::fs::remove_dir_all(&work).map_err(|error| format!("{} cannot be removed: {error}", work.display()))?;
        Ok(done)
    }

    /// `cargo build` for a platform, with more flags for the Rust compiler.
    pub(crate) fn build(&self, target: &Target, rust_flags: &[String]) -> Command {
        self.cargo("zigbuild", target, rust_flags)
    }

    /// `cargo test` for a platform, whose programs `runner` starts.
    pub(crate) fn test(&self, target: &Target, runner: &[&str]) -> Command {
        let mut cargo = self.cargo("test", target, &[]);
        let variable = format!("CARGO_TARGET_{}_RUNNER", target.triple.to_uppercase().replace('-', "_"));
        cargo.env(variable, runner.join(" "));
        cargo
    }

    /// The licence of the C library in static executables.
    ///
    /// # Errors
    /// zig came without it.
    pub(crate) fn licence_of_musl(&self) -> Result<String, String> {
        let path = self.folder.join("ziglang/lib/libc/musl/COPYRIGHT");
        std::fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
    }

    fn cargo(&self, subcommand: &str, target: &Target, rust_flags: &[String]) -> Command {
        let mut cargo = Command::new(self.folder.join("bin/cargo-zigbuild"));
        cargo.args([subcommand, "--target", &target.with_oldest_glibc()]).current_dir(workspace::root());
        cargo.env("CARGO_ZIGBUILD_ZIG_PATH", self.folder.join("ziglang/zig"));
        cargo.env("CARGO_ZIGBUILD_CACHE_DIR", self.folder.join("cache"));
        cargo.env("ZIG_GLOBAL_CACHE_DIR", self.folder.join("cache/zig"));
        let mut flags = rust_flags.to_vec();
        flags.extend(target.link_flags().iter().map(|flag| format!("-Clink-arg={flag}")));
        if let Some(oldest) = target.oldest_macos() {
            cargo.env("MACOSX_DEPLOYMENT_TARGET", oldest);
        }
        cargo.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        cargo
    }
}

/// Adds Rust's standard library for a platform where it is missing.
///
/// # Errors
/// It is missing and `rustup` cannot fetch it.
pub(crate) fn standard_library(target: &Target) -> Result<(), String> {
    let installed = command::output("rustup", &["target", "list", "--installed"])?;
    if installed.lines().any(|line| line == target.triple) {
        return Ok(());
    }
    command::run("rustup", &["target", "add", target.triple])
}

fn install(folder: &Path) -> Result<(), String> {
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-warn-script-location"];
    let mut pip = Command::new("python3");
    pip.args(install).args(["--root-user-action=ignore", "--no-deps", "--target"]).arg(folder).args(PACKAGES);
    command::run_command(&mut pip)?;
    let zig = folder.join("ziglang/zig");
    if command::works(&zig.to_string_lossy(), &["version"]) {
        Ok(())
    } else {
        Err(format!("{} installed no zig that runs here", PACKAGES.join(" and ")))
    }
}
