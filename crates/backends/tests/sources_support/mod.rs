//! Servers for the tests of model sources: one that misbehaves on request, and a proxy that cuts connections.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "test code that each test program uses its part of; a test that cannot run says so"
)]

pub mod http_server;
pub mod proxy;
pub mod registry;

use puma_backends::sources::{Library, PullOptions, Stores};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes that begin like GGUF and look like nothing else afterwards.
pub fn gguf_bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut random = puma_testkit::gguf::Random::new(seed);
    let mut bytes = vec![0; len.max(4)];
    random.fill(&mut bytes);
    bytes[..4].copy_from_slice(b"GGUF");
    bytes
}

/// A library with nothing but PUMA's own folder.
pub fn library(folder: &Path) -> Library {
    Library::new(Stores::only(folder))
}

/// Options with short waits.
pub fn quick() -> PullOptions {
    PullOptions { retry_wait: Duration::from_millis(1), stall_limit: Duration::from_secs(5), ..PullOptions::default() }
}

/// Every file below `folder`, relative, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    fn collect(folder: &Path, base: &Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, base, out);
            } else {
                out.push(path.strip_prefix(base).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut out = Vec::new();
    collect(folder, folder, &mut out);
    out.sort();
    out
}
