//! `puma completions`.

use crate::args::Cli;
use crate::failure::Failure;
use crate::ui::Ui;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Arguments of `puma completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell to write for.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: CompletionsArgs, ui: &Ui) -> Result<(), Failure> {
    let CompletionsArgs { shell } = args;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "puma", &mut script);
    ui.data(&String::from_utf8_lossy(&script))
}
