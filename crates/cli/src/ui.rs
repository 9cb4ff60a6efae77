//! The two streams. Data goes to standard output, everything else to standard error.

use crate::environment;
use crate::exit::ExitKind;
use crate::failure::Failure;
use std::io::{self, IsTerminal, Write};

/// What the user wants to see, and where it goes.
pub(crate) struct Ui {
    quiet: bool,
    color: bool,
    color_data: bool,
}

/// Colours by meaning, never the only carrier of it.
#[derive(Clone, Copy)]
pub(crate) enum Tone {
    Error,
    Warning,
    Hint,
    Strong,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Error => "1;31",
            Self::Warning => "1;33",
            Self::Hint => "36",
            Self::Strong => "1",
        }
    }
}

impl Ui {
    pub(crate) fn new(quiet: bool) -> Self {
        let wanted = environment::get("NO_COLOR").is_none();
        Self { quiet, color: wanted && io::stderr().is_terminal(), color_data: wanted && io::stdout().is_terminal() }
    }

    /// Whether a progress bar would be seen and is wanted.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal() && environment::get("PUMA_NO_PROGRESS").is_none()
    }

    /// Writes data to standard output, followed by a newline.
    ///
    /// # Errors
    /// Standard output is closed or full. A reader that went away (`| head`) has what it wanted: the command ends
    /// without a word.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        write_out(text).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::new(ExitKind::Ok, String::new()),
            _ => Failure::operation(format!("standard output cannot be written: {error}"))
                .hint("what was run is stored; `puma show` and `puma list-runs` print it again"),
        })
    }

    /// Writes a value as indented JSON to standard output.
    pub(crate) fn json(&self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::operation(format!("the result cannot be written as JSON: {error}")))?;
        self.data(&text)
    }

    /// Says something that is not data; hidden by `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.error_line(text);
        }
    }

    /// Warns; shown even with `--quiet`.
    pub(crate) fn warn(&self, text: &str) {
        self.error_line(&format!("{} {text}", self.paint(Tone::Warning, "warning:")));
    }

    /// Warns, and says what to do about it.
    pub(crate) fn advise(&self, text: &str, hint: &str) {
        self.warn(text);
        self.error_line(&format!("{} {hint}", self.paint(Tone::Hint, "hint:")));
    }

    /// Shows a failure with its hints.
    pub(crate) fn failure(&self, failure: &Failure) {
        if !failure.message.is_empty() {
            self.error_line(&format!("{} {}", self.paint(Tone::Error, "error:"), failure.message));
        }
        for hint in &failure.hints {
            self.error_line(&format!("{} {hint}", self.paint(Tone::Hint, "hint:")));
        }
    }

    /// `text` in the colour of `tone`, where standard output shows colours.
    pub(crate) fn paint_data(&self, tone: Tone, text: &str) -> String {
        painted(self.color_data, tone, text)
    }

    fn paint(&self, tone: Tone, text: &str) -> String {
        painted(self.color, tone, text)
    }

    fn error_line(&self, text: &str) {
        // Nothing sensible is left to do when standard error itself is gone.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

fn painted(color: bool, tone: Tone, text: &str) -> String {
    if color { format!("\u{1b}[{}m{text}\u{1b}[0m", tone.code()) } else { text.to_owned() }
}

fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}
