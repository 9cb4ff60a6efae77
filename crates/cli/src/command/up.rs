//! `puma up`: an Ollama that answers, and a model on it.

use crate::command::models::bytes;
use crate::context::Context;
use crate::environment;
use crate::failure::Failure;
use crate::progress::PullBar;
use crate::ui::Tone;
use crate::{paths, wire};
use clap::Args;
use puma_backends::endpoint::ResolvedEndpoint;
use puma_backends::ollama::service::{
    DockerOptions, Mode, NativeOptions, PulledModel, SearchPath, Step, Up, pull_model,
};
use puma_backends::sources::{Progress as _, PullProgress};
use puma_core::Clock as _;
use puma_host::profile::{MachineSnapshot, Selection};
use serde::Serialize;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `puma up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Use Ollama as a program of this system, with its GPU; the default unless a container of `puma up` runs.
    #[arg(long, conflicts_with = "docker")]
    native: bool,
    /// Use Ollama in a container, with an NVIDIA GPU where Docker can reach one.
    #[arg(long)]
    docker: bool,
    /// Address of the server [default: PUMA_OLLAMA_HOST, OLLAMA_HOST, the last `puma up`, or 127.0.0.1:11434].
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Model to have ready [default: the one the catalogue recommends for this machine's profile].
    #[arg(long, value_name = "TAG", conflicts_with = "skip_models")]
    model: Option<String>,
    /// Profile whose recommended model is fetched: an id of `puma profile`, or auto.
    #[arg(long, value_name = "ID", default_value = "auto")]
    profile: String,
    /// Fetch no model.
    #[arg(long)]
    skip_models: bool,
    /// Seconds a started server may take until it answers.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    wait: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `puma up --json` prints.
#[derive(Debug, Serialize)]
struct UpReport {
    mode: Mode,
    endpoint: String,
    endpoint_source: &'static str,
    version: String,
    already_running: bool,
    started_by_puma: bool,
    pid: Option<u32>,
    program: Option<PathBuf>,
    log: Option<PathBuf>,
    compose_files: Vec<PathBuf>,
    record: PathBuf,
    profile: Selection,
    model: Option<PulledModel>,
    warnings: Vec<String>,
}

pub(crate) fn run(args: UpArgs, context: &Context) -> Result<(), Failure> {
    let UpArgs { native, docker, endpoint, model, profile, skip_models, wait, json } = args;
    let snapshot = MachineSnapshot::take(context.host.as_ref(), Some(&profile))
        .map_err(|error| Failure::invalid(error.to_string()).hint(error.hint()))?;
    let model = match (skip_models, model) {
        (true, _) => None,
        (false, Some(model)) => Some(model),
        (false, None) => Some(recommended(&snapshot.profile, context)?),
    };
    let resolved = wire::ollama_endpoint(endpoint.as_deref())?;
    let in_container = docker || (!native && runs_in_docker()?);
    let warnings = if in_container { docker_warnings(context) } else { native_warnings(&snapshot) };
    for warning in &warnings {
        context.ui.warn(warning);
    }
    let wait = Duration::from_secs(wait);
    let up = if in_container { up_docker(&resolved, wait, context) } else { up_native(&resolved, wait, context) }?;
    let model = model.map(|tag| fetch(&resolved, &tag, context)).transpose()?;
    let report = report(up, &resolved, snapshot.profile, model, warnings);
    if json { context.ui.json(&report) } else { tell(&report, context) }
}

/// The catalogue's word for this profile. A class that upstream does not know has upstream's nearest id, and a machine
/// too small for any gets the default model.
fn recommended(profile: &Selection, context: &Context) -> Result<String, Failure> {
    let catalogue = wire::library(context.home.as_deref())?.catalogue;
    let entry = catalogue
        .recommended_for(&profile.id)
        .or_else(|| profile.upstream_id.and_then(|id| catalogue.recommended_for(id)));
    Ok(entry.map_or(&catalogue.default, |entry| &entry.tag).clone())
}

/// Without a word about the mode, the container of an earlier `puma up --docker` goes on.
fn runs_in_docker() -> Result<bool, Failure> {
    let record = wire::service().record()?;
    Ok(record.is_some_and(|record| record.started_by_puma && record.mode == Mode::Docker))
}

fn native_warnings(snapshot: &MachineSnapshot) -> Vec<String> {
    let warnings = snapshot.mode.warnings.iter();
    warnings.map(|warning| format!("{}; {}", warning.message, warning.hint)).collect()
}

fn docker_warnings(context: &Context) -> Vec<String> {
    if context.host.os() != "macos" {
        return Vec::new();
    }
    let warning = "a container on a Mac cannot reach its GPU: models run on the processor of a virtual machine, many \
                   times slower; `puma up --native` uses the GPU (Metal)";
    vec![warning.to_owned()]
}

fn up_native(resolved: &ResolvedEndpoint, wait: Duration, context: &Context) -> Result<Up, Failure> {
    let home = environment::get("HOME").map(PathBuf::from);
    let options = NativeOptions {
        endpoint: resolved.endpoint.clone(),
        listen: resolved.listen.clone(),
        search: SearchPath::for_ollama(path().as_deref(), home.as_deref(), context.host.os()),
        os: context.host.os().to_owned(),
        healthy_within: wait,
        now: context.clock.now(),
    };
    Ok(wire::service().up_native(&options, &mut |step| say(context, &step), &context.cancel)?)
}

fn up_docker(resolved: &ResolvedEndpoint, wait: Duration, context: &Context) -> Result<Up, Failure> {
    let options = DockerOptions {
        endpoint: resolved.endpoint.clone(),
        search: SearchPath::of_path(path().as_deref()),
        healthy_within: wait,
        show_output: context.ui.shows_progress(),
        now: context.clock.now(),
    };
    Ok(wire::service().up_docker(&options, &mut |step| say(context, &step), &context.cancel)?)
}

pub(crate) fn path() -> Option<OsString> {
    environment::get("PATH").map(OsString::from)
}

/// What happens, for whoever waits.
pub(crate) fn say(context: &Context, step: &Step) {
    context.ui.note(&match step {
        Step::WaitingForOther => "waiting for another `puma up` or `puma down`".to_owned(),
        Step::RecordIsStale { endpoint } => format!("the server that PUMA had started at {endpoint} no longer runs"),
        Step::Recovered { pid } => {
            format!("found the server that an interrupted `puma up` had started (process {pid})")
        }
        Step::Starting { program } => format!("starting {program}"),
        Step::WaitingForHealth { endpoint } => format!("waiting until Ollama answers at {endpoint}"),
    });
}

fn fetch(resolved: &ResolvedEndpoint, tag: &str, context: &Context) -> Result<PulledModel, Failure> {
    let mut bar = PullBar::new(&context.ui);
    let mut begun = false;
    let mut progress = |progress: &PullProgress<'_>| {
        // Where no bar is seen, this is all there is for a while.
        if !std::mem::replace(&mut begun, true) && !context.ui.shows_progress() {
            context.ui.note(&format!("fetching {tag}"));
        }
        bar.report(progress);
    };
    let pulled = pull_model(&resolved.endpoint, tag, &mut progress, &context.cancel);
    bar.clear();
    let pulled = pulled?;
    wire::service().remember_model(&pulled.name, &context.cancel)?;
    Ok(pulled)
}

fn report(
    up: Up,
    resolved: &ResolvedEndpoint,
    profile: Selection,
    model: Option<PulledModel>,
    warnings: Vec<String>,
) -> UpReport {
    let Up { record, version, already_running } = up;
    UpReport {
        mode: record.mode,
        endpoint: record.endpoint,
        endpoint_source: resolved.source.as_str(),
        version,
        already_running,
        started_by_puma: record.started_by_puma,
        pid: record.process.map(|process| process.pid),
        program: record.program,
        log: record.log,
        compose_files: record.compose_files,
        record: wire::service().record_path(),
        profile,
        model,
        warnings,
    }
}

fn tell(report: &UpReport, context: &Context) -> Result<(), Failure> {
    let ui = &context.ui;
    let UpReport { endpoint, version, .. } = report;
    let whose = match (report.started_by_puma, report.mode) {
        (false, _) => "not PUMA's, so `puma down` leaves it alone".to_owned(),
        (true, Mode::Docker) => "in a container; `puma down` removes it".to_owned(),
        (true, Mode::Native) => {
            let pid = report.pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
            let log =
                report.log.as_deref().map_or_else(String::new, |log| format!(", log {}", paths::without_home(log)));
            format!("process {pid}{log}; `puma down` stops it")
        }
    };
    ui.data(&format!("Ollama {version} answers at {} ({whose})", ui.paint_data(Tone::Strong, endpoint)))?;
    let Some(model) = &report.model else { return Ok(()) };
    let size = model.size_bytes.map_or_else(String::new, |size| format!(" ({})", bytes(size)));
    let verb = if model.already_there { "is there" } else { "was fetched" };
    ui.data(&format!("{} {verb}{size}", ui.paint_data(Tone::Strong, &model.name)))?;
    ui.note(&format!("next: puma run --scenario triage_jira --backend ollama --model {}", model.name));
    Ok(())
}
