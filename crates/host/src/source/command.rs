//! A program run with a time limit.

use super::question::{Answer, Unanswered};
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How much of an error message is kept.
const MESSAGE_LIMIT: usize = 400;

/// Runs `program` without input and returns what it prints.
pub(super) fn run(program: &str, arguments: &[&str], limit: Duration) -> Answer {
    let mut child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Unanswered::Absent,
            std::io::ErrorKind::PermissionDenied => Unanswered::Denied,
            _ => Unanswered::Failed(error.to_string()),
        })?;
    let deadline = Instant::now() + limit;
    let output = collect(child.stdout.take());
    let errors = collect(child.stderr.take());
    let Some(status) = wait(&mut child, deadline) else {
        // What cannot be killed (a program of another user) is left; waiting for it could last for ever.
        if child.kill().is_ok() {
            let _ = child.wait();
        }
        return Err(Unanswered::TimedOut);
    };
    // A grandchild may hold the pipe open; what it will still print is of no interest.
    let left = || deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(200));
    let output = output.recv_timeout(left()).map_err(|_| Unanswered::TimedOut)?;
    if status.success() {
        return String::from_utf8(output).map_err(|_| Unanswered::Failed("it printed no text".to_owned()));
    }
    let errors = errors.recv_timeout(left()).unwrap_or_default();
    match [errors, output].into_iter().map(|bytes| shortened(&bytes)).find(|text| !text.is_empty()) {
        Some(message) => Err(Unanswered::Failed(message)),
        // How POSIX lets `posix_spawn` say that there is no such program; an emulated one does.
        None if status.code() == Some(127) => Err(Unanswered::Absent),
        None => Err(Unanswered::Failed("it printed nothing".to_owned())),
    }
}

/// How the child ended; `None` when it is still running at the deadline.
fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    let mut pause = Duration::from_micros(500);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => {}
            _ => return None,
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Reads a pipe to its end on a thread of its own, so that a full pipe cannot stop the child.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before a broken pipe still counts.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

fn shortened(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim().chars().take(MESSAGE_LIMIT).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_stopped_at_its_limit() {
        let before = Instant::now();
        assert_eq!(run("sleep", &["30"], Duration::from_millis(100)), Err(Unanswered::TimedOut));
        assert!(before.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_program_whose_child_keeps_the_pipe_does_not_hold_us() {
        let before = Instant::now();
        let _ = run("sh", &["-c", "sleep 30 & echo done"], Duration::from_millis(300));
        assert!(before.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn what_a_failing_program_says_is_kept() {
        let limit = Duration::from_secs(10);
        assert_eq!(
            run("sh", &["-c", "echo out; echo broken >&2; exit 3"], limit),
            Err(Unanswered::Failed("broken".into()))
        );
        assert_eq!(run("no-such-program-here", &[], limit), Err(Unanswered::Absent));
        assert_eq!(
            run("sh", &["-c", "head -c 300000 /dev/zero | tr '\\0' x"], limit).map(|text| text.len()),
            Ok(300_000)
        );
    }
}
