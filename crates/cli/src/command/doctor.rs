//! `puma doctor`: is this machine ready, and if not, what to do.

use crate::check::{Check, State, text, verdict};
use crate::context::Context;
use crate::failure::Failure;
use crate::fit::text::gib;
use crate::{home, paths, wire};
use clap::Args;
use puma_backends::endpoint::ResolvedEndpoint;
use puma_backends::ollama::{OllamaBackend, OllamaOptions};
use puma_engine::{CONTRACT, Level};
use puma_host::source::{PROBES, Recording};
use puma_host::{Machine, record};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Arguments of `puma doctor`. Ends with 1 when a check fails; warnings do not fail.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Also require a reachable Ollama server.
    #[arg(long)]
    ollama: bool,
    /// Write what this machine answers to FILE instead, without identifiers; `--host FILE` then answers for it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ollama", "json"])]
    record: Option<PathBuf>,
    /// Write FILE even if it exists.
    #[arg(long, requires = "record")]
    force: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Memory below which even the default model is at risk of paging.
const LITTLE_MEMORY_BYTES: u64 = 2 << 30;

pub(crate) fn run(args: DoctorArgs, context: &Context) -> Result<(), Failure> {
    let DoctorArgs { ollama, record, force, json } = args;
    if let Some(file) = record {
        return keep_answers(&file, force, context);
    }
    let machine = Machine::probe(context.host.as_ref());
    let checks = vec![
        processor(&machine),
        memory(&machine),
        model(context),
        database(context),
        data_folder(),
        templates(context),
        server(ollama),
    ];
    if json {
        context.ui.json(&checks)?
    } else {
        context.ui.data(&text(&checks, &context.ui))?
    }
    verdict(&checks)
}

/// `--record`: asks everything there is to ask and writes the answers.
fn keep_answers(file: &Path, force: bool, context: &Context) -> Result<(), Failure> {
    if context.host.is_recorded() {
        return Err(Failure::invalid("`--host` answers for a machine that is recorded already")
            .hint("leave `--host` away to record this machine"));
    }
    let recorded = record(context.host.clone(), &description(&Machine::probe(context.host.as_ref())));
    write_new(file, force, &recorded.recording)?;
    context.ui.data(&format!("{}\n", kept(file, &recorded.recording)))?;
    let probes: Vec<&str> = PROBES.iter().map(|probe| probe.name).collect();
    context.ui.note(&format!("asked for: {}", probes.join(", ")));
    context.ui.note(
        "names of users and machines, paths of homes, serial numbers, UUIDs, addresses and container ids were replaced; \
         read the file before you hand it on",
    );
    if !recorded.changed.is_empty() {
        let facts = recorded.changed.join(", ");
        context.ui.warn(&format!("without identifiers the recording answers otherwise than this machine for: {facts}"));
    }
    Ok(())
}

/// What the machine is, in a line.
fn description(machine: &Machine) -> String {
    let cpu = machine.cpu.as_deref().unwrap_or("unknown processor");
    let memory = machine.memory_bytes.map_or_else(|| "unknown memory".to_owned(), gib);
    let system = machine.os_version.as_deref().unwrap_or(&machine.os);
    format!("{cpu}, {memory}, {system}; recorded by puma {}", env!("CARGO_PKG_VERSION"))
}

fn kept(file: &Path, recording: &Recording) -> String {
    format!(
        "{}: {} files, {} folders, {} links, {} programs, {} system interfaces, {} variables",
        file.display(),
        recording.files.len(),
        recording.folders.len(),
        recording.links.len(),
        recording.commands.len(),
        recording.native.len(),
        recording.variables.len()
    )
}

fn write_new(file: &Path, force: bool, recording: &Recording) -> Result<(), Failure> {
    let cannot = |why: String| Failure::operation(format!("{} cannot be written: {why}", file.display()));
    let mut text = serde_json::to_string_pretty(recording).map_err(|error| cannot(error.to_string()))?;
    text.push('\n');
    let mut options = std::fs::OpenOptions::new();
    let options =
        if force { options.write(true).create(true).truncate(true) } else { options.write(true).create_new(true) };
    let written = options.open(file).and_then(|mut out| out.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::invalid(format!("{} exists", file.display())).hint("`--force` replaces it; or name another file")
        }
        _ => cannot(error.to_string()),
    })
}

pub(crate) fn processor(machine: &Machine) -> Check {
    let level = Level::best().name();
    let logical = machine.logical_cores;
    let detail = format!(
        "{}, {logical} threads, engine uses {} of them and {level} ({CONTRACT})",
        machine.cpu.as_deref().unwrap_or("unknown processor"),
        machine.arithmetic_threads().map_or_else(|| logical.to_string(), |threads| threads.to_string()),
    );
    if level == "scalar" {
        Check::new("processor", State::Warn, detail)
            .hint("the embedded engine has no fast path here; same bits, slower")
    } else {
        Check::new("processor", State::Ok, detail)
    }
}

fn memory(machine: &Machine) -> Check {
    match (machine.usable_memory_bytes(), machine.memory_available_bytes) {
        (Some(total), available) => {
            let free = available.map_or_else(String::new, |free| format!(", {} free", gib(free)));
            let state = if total < LITTLE_MEMORY_BYTES { State::Warn } else { State::Ok };
            let kept_mb = puma_engine::EngineOptions::default().kv_bytes / 1_000_000;
            let bound = format!("the engine keeps keys and values in at most {kept_mb} MB (--max-kv-mb)");
            Check::new("memory", state, format!("{}{free}; {bound}", gib(total)))
        }
        (None, _) => Check::new("memory", State::Warn, "cannot be read on this system"),
    }
}

fn model(context: &Context) -> Check {
    const NAME: &str = "default model";
    let library = match wire::library(context.home.as_deref()) {
        Ok(library) => library,
        Err(failure) => return Check::new(NAME, State::Fail, failure.message),
    };
    let tag = library.catalogue.default.clone();
    match library.resolve(&tag) {
        Ok(found) => Check::new(NAME, State::Ok, format!("{tag} at {}", found.path.display())),
        Err(error) => Check::new(NAME, State::Warn, error.message).hint(format!("`puma models pull {tag}`")),
    }
}

fn database(context: &Context) -> Check {
    const NAME: &str = "database";
    if !context.db.exists() {
        return Check::new(NAME, State::Warn, format!("{} is made by the first run", context.db.display()));
    }
    match context.existing_store().and_then(|store| Ok(store.status()?)) {
        Ok(status) if status.problems.is_empty() => {
            Check::new(NAME, State::Ok, format!("{}, schema {}", context.db.display(), status.schema_version))
        }
        Ok(status) => {
            Check::new(NAME, State::Fail, status.problems.join("; ")).hint("restore a copy made by `puma db backup`")
        }
        Err(failure) => {
            Check { name: NAME, state: State::Fail, detail: failure.message, hint: failure.hints.into_iter().next() }
        }
    }
}

pub(crate) fn data_folder() -> Check {
    const NAME: &str = "data folder";
    let folder = paths::data_dir();
    let probe = folder.join(".doctor");
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&probe, b"puma"));
    let _ = std::fs::remove_file(&probe);
    match written {
        Ok(()) => Check::new(NAME, State::Ok, format!("{} is writable", folder.display())),
        Err(error) => Check::new(NAME, State::Fail, format!("{} is not writable: {error}", folder.display()))
            .hint("set PUMA_DATA_DIR to a folder you may write to"),
    }
}

fn templates(context: &Context) -> Check {
    const NAME: &str = "prompts";
    match home::templates(context.home.as_deref()) {
        Ok(_) => Check::new(
            NAME,
            State::Ok,
            context.home.as_ref().map_or("embedded".to_owned(), |home| format!("embedded and {}", home.display())),
        ),
        Err(failure) => Check::new(NAME, State::Fail, failure.message),
    }
}

/// Ollama is optional: only `--ollama` makes its absence a failure.
fn server(required: bool) -> Check {
    const NAME: &str = "ollama";
    let absent = if required { State::Fail } else { State::Ok };
    let ResolvedEndpoint { endpoint, source, .. } = match wire::ollama_endpoint(None) {
        Ok(found) => found,
        Err(failure) => return Check::new(NAME, State::Fail, failure.message),
    };
    let mut options = OllamaOptions::new(endpoint.clone());
    options.limits.inquiry = Duration::from_secs(2);
    options.limits.connect = Duration::from_secs(2);
    match OllamaBackend::new(options).version() {
        Ok(version) => Check::new(NAME, State::Ok, format!("{version} at {endpoint} ({})", source.as_str())),
        Err(error) => {
            let check = Check::new(
                NAME,
                absent,
                format!("not running at {endpoint} ({}); not needed by the embedded engine", source.as_str()),
            );
            if required {
                check.hint(error.hint.unwrap_or_else(|| "start it with `ollama serve`".to_owned()))
            } else {
                check
            }
        }
    }
}
