//! Programs that are measured: run to their end, their output read, their time taken.

use serde_json::Value;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs `command` to its end: what it printed on standard output, and how long it took from being started.
///
/// # Errors
/// It cannot be started or fails; its own last words are part of the message.
pub(super) fn timed(command: &mut Command) -> Result<(String, Duration), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{name}` cannot be started: {error}"))?;
    // The errors are read beside the output, so that neither pipe fills up.
    let mut errors = child.stderr.take().expect("standard error is a pipe");
    let listener = std::thread::spawn(move || {
        let mut text = Vec::new();
        // What cannot be read is only missing from a message.
        let _read = errors.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut text = String::new();
    let read = child.stdout.take().expect("standard output is a pipe").read_to_string(&mut text);
    let status = child.wait().map_err(|error| format!("`{name}` cannot be waited for: {error}"))?;
    let took = started.elapsed();
    let said = listener.join().unwrap_or_default();
    if !status.success() {
        let last: Vec<&str> = said.lines().rev().take(5).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        return Err(format!("`{name}` failed ({status}): {}", last.join("\n")));
    }
    read.map_err(|error| format!("`{name}` printed no text: {error}"))?;
    Ok((text, took))
}

/// The same for a program that prints JSON.
///
/// # Errors
/// As [`timed`], or it prints something else.
pub(super) fn timed_json(command: &mut Command) -> Result<(Value, Duration), String> {
    let (text, took) = timed(command)?;
    let value = serde_json::from_str(&text).map_err(|error| {
        format!("`{}` printed no JSON: {error}: {text:.200}", command.get_program().to_string_lossy())
    })?;
    Ok((value, took))
}

/// How busy the machine is: the load of the last minute, where the system tells.
pub(super) fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn output_and_time_are_those_of_the_program() {
        let (value, took) = timed_json(Command::new("sh").args(["-c", "sleep 0.05; echo '[1]'"])).expect("sh runs");
        assert_eq!(value, serde_json::json!([1]));
        assert!(took >= Duration::from_millis(50));
    }

    #[test]
    fn a_failure_tells_the_programs_last_words() {
        let error = timed(Command::new("sh").args(["-c", "echo broken >&2; exit 3"])).expect_err("it failed");
        assert!(error.contains("broken") && error.contains('3'), "{error}");
        assert!(timed(&mut Command::new("no-such-program")).is_err());
    }
}
