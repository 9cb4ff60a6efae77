//! Other programs: started, shown, and their failure told.

use std::process::{Command, Stdio};

/// Runs a program with the terminal's own streams; says what it runs.
///
/// # Errors
/// It cannot be started, or ends with failure.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    run_command(Command::new(program).args(arguments))
}

/// The same for a command with its own environment or folder.
///
/// # Errors
/// It cannot be started, or ends with failure.
pub(crate) fn run_command(command: &mut Command) -> Result<(), String> {
    let shown = shown(command);
    eprintln!("$ {shown}");
    let status = command.status().map_err(|error| format!("`{shown}` cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})")) }
}

/// What a program prints.
///
/// # Errors
/// It cannot be started, ends with failure, or prints no UTF-8.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).stderr(Stdio::inherit());
    let shown = shown(&command);
    let output = command.output().map_err(|error| format!("`{shown}` cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{shown}` failed ({})", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{shown}` printed no UTF-8"))
}

/// Whether a program can be started and ends well with these arguments.
pub(crate) fn works(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
