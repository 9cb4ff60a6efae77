//! A program `ollama` for tests: a shell script that becomes this very test program, which then serves.

use puma_testkit::fault_server::{Behaviour, FaultServer, Pull};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where the fake listens; set only for the fake itself.
const ADDRESS: &str = "PUMA_FAKE_OLLAMA";

/// The fake itself. Not a test: run with all others it does nothing.
#[test]
#[ignore = "a program for the other tests"]
fn serves() {
    let Some(address) = std::env::var_os(ADDRESS) else { return };
    let pull = match std::env::var("PUMA_FAKE_PULL").as_deref() {
        Ok("fails") => Pull::Fails("pull model manifest: dial tcp: no such host".to_owned()),
        _ => Pull::Succeeds,
    };
    let address = address.to_str().expect("an address");
    let _server = FaultServer::start_at(address, Behaviour { pull, ..Behaviour::default() })
        .unwrap_or_else(|error| panic!("listen tcp {address}: bind: {error}"));
    loop {
        std::thread::park();
    }
}

/// A line of the script that turns it into the server.
pub(crate) fn serve_line() -> String {
    let program = std::env::current_exe().expect("a test program has a path");
    format!("{ADDRESS}=\"$OLLAMA_HOST\" exec '{}' --ignored --exact fake_ollama::serves --nocapture", program.display())
}

/// A folder below `home` with an executable `name` of these shell lines.
pub(crate) fn program(home: &Path, name: &str, lines: &str) -> PathBuf {
    let folder = home.join("bin");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("the script can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it can be made executable");
    path
}

/// An address on which nothing listens at the moment.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address").to_string()
}
