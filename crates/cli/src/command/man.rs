//! `puma man`.

use crate::args::Cli;
use crate::environment::VARIABLES;
use crate::exit::EXIT_CODES;
use crate::failure::Failure;
use crate::ui::Ui;
use clap::{Args, CommandFactory};
use std::fmt::Write as _;

/// Arguments of `puma man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The page of this command instead of the program's, for example `run`.
    command: Option<String>,
}

pub(crate) fn run(args: ManArgs, ui: &Ui) -> Result<(), Failure> {
    let ManArgs { command } = args;
    let mut program = Cli::command();
    program.build();
    let page = match &command {
        None => program,
        Some(name) => program
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| Failure::invalid(format!("there is no command `{name}`")).hint("type `puma --help`"))?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if command.is_none() {
        text.push_str(".SH EXIT STATUS\n");
        for row in &EXIT_CODES {
            let _ = write!(text, ".TP\n\\fB{}\\fR\n{}\n", row.code, row.meaning);
        }
        text.push_str(".SH ENVIRONMENT\n");
        for row in VARIABLES {
            let _ = write!(text, ".TP\n\\fB{}\\fR\n{}\n", row.name, row.meaning);
        }
    }
    ui.data(&text)
}
