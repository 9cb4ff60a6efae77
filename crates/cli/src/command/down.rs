//! `puma down`: stops the Ollama that `puma up` started, and no other.

use crate::command::up::{path, say};
use crate::context::Context;
use crate::failure::Failure;
use crate::wire;
use clap::Args;
use puma_backends::endpoint::Endpoint;
use puma_backends::ollama::service::{Down, Mode, SearchPath, ServiceRecord, StopOutcome, version_at};
use serde::Serialize;

/// Arguments of `puma down`. Calling it twice does no harm.
#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `puma down --json` prints.
#[derive(Debug, Serialize)]
struct DownReport {
    outcome: StopOutcome,
    mode: Option<Mode>,
    endpoint: String,
    started_by_puma: bool,
    pid: Option<u32>,
    /// Version of an Ollama that still answers there.
    still_answers: Option<String>,
}

pub(crate) fn run(args: DownArgs, context: &Context) -> Result<(), Failure> {
    let DownArgs { json } = args;
    let search = SearchPath::of_path(path().as_deref());
    let Down { outcome, record } = wire::service().down(&search, &mut |step| say(context, &step), &context.cancel)?;
    let endpoint = match &record {
        Some(record) => Endpoint::parse(&record.endpoint, 0)?,
        None => wire::ollama_endpoint(None)?.endpoint,
    };
    let report = DownReport {
        outcome,
        mode: record.as_ref().map(|record| record.mode),
        endpoint: endpoint.to_string(),
        started_by_puma: record.as_ref().is_some_and(|record| record.started_by_puma),
        pid: record.as_ref().and_then(pid),
        still_answers: version_at(&endpoint),
    };
    if json { context.ui.json(&report) } else { context.ui.data(&text(&report)) }
}

fn pid(record: &ServiceRecord) -> Option<u32> {
    record.process.as_ref().map(|process| process.pid)
}

fn text(report: &DownReport) -> String {
    let DownReport { endpoint, .. } = report;
    let process = report.pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
    let done = match (report.outcome, report.mode) {
        (StopOutcome::NothingRecorded, _) => "PUMA runs no Ollama server".to_owned(),
        (StopOutcome::LeftAlone, _) => format!("PUMA did not start the Ollama server at {endpoint}"),
        (StopOutcome::AlreadyGone, _) => format!("the Ollama server at {endpoint}{process} had ended before"),
        (StopOutcome::PidReused, _) => {
            format!("the Ollama server at {endpoint}{process} had ended; its process id belongs to another program now")
        }
        (StopOutcome::Stopped, Some(Mode::Docker)) => {
            format!("removed the Ollama container at {endpoint}; its models are kept")
        }
        (StopOutcome::Stopped, _) => format!("stopped the Ollama server at {endpoint}{process}"),
        (StopOutcome::Killed, _) => {
            format!("killed the Ollama server at {endpoint}{process}, which did not end when asked")
        }
    };
    match &report.still_answers {
        Some(version) => {
            let place = match report.outcome {
                StopOutcome::NothingRecorded => format!("at {endpoint}"),
                _ => "there".to_owned(),
            };
            format!("{done}; the Ollama {version} that answers {place} was left alone")
        }
        None => done,
    }
}
