//! `puma report`: runs as a paper tells them.

use crate::context::Context;
use crate::failure::Failure;
use crate::paper::{Format, Subject, document};
use crate::{bundle, runs};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `puma report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run ids, beginnings of ids, `latest`, or bundles.
    #[arg(default_value = "latest")]
    runs: Vec<String>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: ReportArgs, context: &Context) -> Result<(), Failure> {
    let ReportArgs { runs, format, output } = args;
    // A paper is for others: no folder and no name of this machine's owner belongs into it.
    let subject = |(index, wanted): (usize, &String)| {
        let (run, _) = bundle::neutral_here(runs::open(context, wanted)?, context)?;
        Subject::new(index, run)
    };
    let subjects: Vec<Subject> = runs.iter().enumerate().map(subject).collect::<Result<_, _>>()?;
    let text = format.render(&document(&subjects)?);
    match output {
        None => context.ui.data(text.trim_end_matches('\n')),
        Some(path) => std::fs::write(&path, text)
            .map_err(|error| Failure::operation(format!("{} cannot be written: {error}", path.display()))),
    }
}
