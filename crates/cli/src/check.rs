//! Checks of this machine as a table: what was looked at, how it stands, what to do.

use crate::failure::Failure;
use crate::table::{Align, render_wrapped};
use crate::ui::{Tone, Ui};
use serde::Serialize;

/// How something stands. Only `Fail` fails the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub name: &'static str,
    pub state: State,
    pub detail: String,
    pub hint: Option<String>,
}

impl Check {
    pub(crate) fn new(name: &'static str, state: State, detail: impl Into<String>) -> Self {
        Self { name, state, detail: detail.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Whether no check fails.
pub(crate) fn passed(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.state != State::Fail)
}

/// Ends the command where a check fails.
pub(crate) fn verdict(checks: &[Check]) -> Result<(), Failure> {
    match checks.iter().filter(|check| check.state == State::Fail).count() {
        0 => Ok(()),
        1 => Err(Failure::operation("1 check failed")),
        count => Err(Failure::operation(format!("{count} checks failed"))),
    }
}

/// The table, and a hint for each check that has one.
pub(crate) fn text(checks: &[Check], ui: &Ui) -> String {
    let rows: Vec<Vec<String>> = checks
        .iter()
        .map(|check| {
            let state = match check.state {
                State::Ok => "ok",
                State::Warn => "warn",
                State::Fail => "FAIL",
            };
            vec![state.to_owned(), check.name.to_owned(), check.detail.clone()]
        })
        .collect();
    let mut out = render_wrapped(&[("", Align::Left), ("check", Align::Left), ("detail", Align::Left)], &rows);
    for check in checks {
        if let Some(hint) = &check.hint {
            out.push_str(&format!("{} {}: {hint}\n", ui.paint_data(Tone::Hint, "hint:"), check.name));
        }
    }
    out
}
