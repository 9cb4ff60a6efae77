//! The seam to the machine: read a file, run a command.

use std::path::Path;
use std::process::{Command, Stdio};

/// Answers questions about a machine: this one, or a recorded one.
pub trait HostSource {
    /// The text of a file such as `/proc/meminfo`; `None` when it cannot be read.
    fn read(&self, path: &str) -> Option<String>;
    /// What a program prints; `None` when it is missing or fails.
    fn run(&self, program: &str, arguments: &[&str]) -> Option<String>;
    /// `linux`, `macos`, …
    fn os(&self) -> &str;
    /// `x86_64`, `aarch64`, …
    fn arch(&self) -> &str;
    /// Logical processors this process may use.
    fn available_parallelism(&self) -> usize;
}

/// The machine the program runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealHost;

impl HostSource for RealHost {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(Path::new(path)).ok()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        if output.status.success() { String::from_utf8(output.stdout).ok() } else { None }
    }

    fn os(&self) -> &str {
        std::env::consts::OS
    }

    fn arch(&self) -> &str {
        std::env::consts::ARCH
    }

    fn available_parallelism(&self) -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}
