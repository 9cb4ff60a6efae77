//! `start_puma.sh` and `stop_puma_native.sh`: thin doors with upstream's flags.

use crate::fake_ollama::{free_address, program, serve_line};
use crate::support::{Ended, Home};
use puma_testkit::expected::is_expected;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// A home with a fake `ollama` and this build's `puma` on the path.
struct Place {
    home: Home,
    address: String,
}

impl Place {
    fn new() -> Self {
        let home = Home::new();
        program(home.dir.path(), "ollama", &serve_line());
        let own = Path::new(env!("CARGO_BIN_EXE_puma"));
        std::os::unix::fs::symlink(own, home.path("bin/puma")).expect("the link can be made");
        Self { home, address: free_address() }
    }

    fn sh(&self, name: &str, args: &[&str]) -> Ended {
        let mut command = Command::new("sh");
        command.arg(script(name)).args(args).env_clear().stdin(Stdio::null()).current_dir(self.home.dir.path());
        command.env("PATH", format!("{}:/usr/bin:/bin", self.home.path("bin").display()));
        command.env("HOME", self.home.dir.path()).env("PUMA_DATA_DIR", self.home.path("data"));
        command.env("OLLAMA_HOST", &self.address);
        Ended::from(command.output().expect("sh exists"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.home.command(&["down"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

#[test]
fn the_script_starts_a_server_checks_it_by_a_short_run_and_the_other_one_stops_it() {
    let place = Place::new();
    let args = ["--native", "--profile", "cpu-lite", "--skip-datasets", "--smoke-only", "--verbose"];
    let ended = place.sh("start_puma.sh", &args);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("qwen2.5:1.5b") && ended.stdout.contains(&place.address), "{}", ended.stdout);
    for said in ["+ puma up --native --profile cpu-lite", "--instances 3", "--model qwen2.5:1.5b"] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("datasets"));
    let stopped = place.sh("stop_puma_native.sh", &[]);
    assert!(stopped.code == Some(0) && stopped.stdout.contains("stopped the Ollama server"), "{stopped:?}");
    let again = place.sh("stop_puma_native.sh", &[]);
    assert!(again.code == Some(0) && again.stdout.contains("PUMA runs no Ollama server"), "{again:?}");
}

#[test]
fn flags_without_meaning_are_refused_before_anything_starts() {
    let place = Place::new();
    place.sh("start_puma.sh", &["--observability"]).fails(1, &["--observability"]);
    place.sh("start_puma.sh", &["--turbo"]).fails(1, &["unknown option --turbo", "usage:"]);
    place.sh("start_puma.sh", &["--native", "--docker"]).fails(1, &["exclude each other"]);
    place.sh("start_puma.sh", &["--profile"]).fails(1, &["needs an id"]);
    place.sh("start_puma.sh", &["--smoke-only", "--skip-models"]).fails(1, &["--skip-models"]);
    place.sh("stop_puma_native.sh", &["--all"]).fails(1, &["usage:"]);
    assert!(place.sh("start_puma.sh", &["--help"]).stdout.contains("--skip-datasets"));
    assert!(!place.home.path("data").exists());
    // The program itself refuses what the script hands on.
    place.sh("start_puma.sh", &["--profile", "gpu-pro"]).fails(2, &["gpu-pro"]);
}

#[test]
fn the_scripts_pass_shellcheck_where_there_is_one() {
    let check = Command::new("shellcheck").args(["start_puma.sh", "stop_puma_native.sh"].map(script)).output();
    match check {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(_) => {
            use std::io::Write as _;
            assert!(!is_expected("shellcheck"), "PUMA_EXPECT_SERVERS expects shellcheck, but it is missing");
            // A failed write to standard error leaves nothing to tell anybody.
            let _ = writeln!(std::io::stderr(), "not run: there is no shellcheck");
        }
    }
}
