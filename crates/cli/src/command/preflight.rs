//! `puma preflight`: can this machine do a run with the chosen backend?
//!
//! Only what the backend needs is looked at: the embedded engine needs a model file, memory and disk; a server needs to
//! be reachable and to have the model. Nobody needs Docker here.

use crate::check::{Check, State, passed, text, verdict};
use crate::command::doctor::{data_folder, processor};
use crate::command::models::bytes;
use crate::context::Context;
use crate::failure::Failure;
use crate::fit::assess::{Ground, Wish, assess};
use crate::fit::engine;
use crate::fit::models::Shelves;
use crate::measure::is_elsewhere;
use crate::options::{BackendArgs, BackendKind};
use crate::{paths, wire};
use clap::{Args, ValueEnum as _};
use puma_core::{Backend, BackendErrorKind, ModelIdentity};
use puma_host::fit::Verdict;
use puma_host::profile::{self, MachineSnapshot, Mode, ProfileFacts, Selection};
use puma_host::source::NativeQuery;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Arguments of `puma preflight`. Ends with 1 when a check fails, as upstream PUMA does; warnings do not fail.
#[derive(Debug, Args)]
pub(crate) struct PreflightArgs {
    /// Model of the run [default: the catalogue's default for the embedded engine].
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Require this profile [default: auto, the one that fits].
    #[arg(long, value_name = "ID")]
    profile: Option<String>,
    /// Also write what was found to FILE, in the form of upstream's runtime_profile.yaml.
    #[arg(long, value_name = "FILE")]
    write_config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    // Last, because their headings hold for everything that follows.
    #[command(flatten)]
    backend: BackendArgs,
}

/// What `puma preflight --json` prints.
#[derive(Serialize)]
struct PreflightReport<'a> {
    /// Whether no check failed.
    ready: bool,
    profile: &'a Selection,
    mode: &'a Mode,
    backend: String,
    model: Option<&'a str>,
    checks: &'a [Check],
}

pub(crate) fn run(args: PreflightArgs, context: &Context) -> Result<(), Failure> {
    let PreflightArgs { model, profile, write_config, backend, json } = args;
    let kind = backend.backend.unwrap_or(BackendKind::Embedded);
    let snapshot = MachineSnapshot::take(context.host.as_ref(), profile.as_deref())
        .map_err(|error| Failure::operation(error.to_string()).hint(error.hint()))?;
    let mut checks =
        vec![profile_check(&snapshot, profile.as_deref()), mode_check(&snapshot.mode, kind), data_folder()];
    let mut named = model;
    if kind == BackendKind::Embedded {
        let library = wire::library(context.home.as_deref())?;
        let name = named.get_or_insert_with(|| library.catalogue.default.clone());
        checks.push(processor(&snapshot.machine));
        checks.extend(model_file(name, &library, context));
        checks.push(memory(name, kind, backend.context, context)?);
    } else {
        let server = wire::backend(&backend, context.home.as_deref())?;
        checks.push(reachable(server.as_ref(), named.as_deref()));
        // Of a server elsewhere, or of one of unknown make, nothing is known.
        let here = !server.identity().endpoint.as_deref().is_some_and(is_elsewhere);
        if let Some(name) = named.as_deref().filter(|_| here && kind != BackendKind::Openai) {
            checks.push(memory(name, kind, backend.context, context)?);
        }
    }
    if let Some(file) = write_config {
        write_upstream_form(&file, &snapshot, context)?;
    }
    let report = PreflightReport {
        ready: passed(&checks),
        profile: &snapshot.profile,
        mode: &snapshot.mode,
        backend: kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default(),
        model: named.as_deref(),
        checks: &checks,
    };
    if json {
        context.ui.json(&report)?;
    } else {
        context.ui.data(&text(&checks, &context.ui))?;
    }
    verdict(&checks)
}

/// A profile the user requires must be met; the one that was chosen fits by construction.
fn profile_check(snapshot: &MachineSnapshot, wanted: Option<&str>) -> Check {
    const NAME: &str = "profile";
    let Selection { id, upstream_id, reason, .. } = &snapshot.profile;
    let required = wanted.filter(|id| *id != "auto").and_then(profile::find);
    let unmet = required.map(|required| profile::unmet(required, &ProfileFacts::of(&snapshot.machine)));
    match (unmet, upstream_id) {
        (Some(unmet), _) if !unmet.is_empty() => {
            Check::new(NAME, State::Fail, format!("this machine is no {id}: {}", unmet.join("; ")))
                .hint("leave `--profile` out to see what it is")
        }
        (_, None) => Check::new(NAME, State::Warn, format!("{id}: {reason}"))
            .hint("runs work and are stored; upstream's community takes no submission from it"),
        _ => Check::new(NAME, State::Ok, format!("{id}: {reason}")),
    }
}

/// A GPU out of reach matters only to those who would use it.
fn mode_check(mode: &Mode, kind: BackendKind) -> Check {
    const NAME: &str = "mode";
    let embedded = kind == BackendKind::Embedded;
    let note = if embedded { "; the embedded engine uses the processor" } else { "" };
    let detail = format!("{}{note}", mode.kind.as_str());
    match mode.warnings.first() {
        None => Check::new(NAME, State::Ok, detail),
        Some(warning) => {
            Check::new(NAME, State::Warn, format!("{detail}; {}", warning.message)).hint(warning.hint.clone())
        }
    }
}

/// The model: here already, or room on the disk for it.
fn model_file(name: &str, library: &puma_backends::sources::Library, context: &Context) -> Vec<Check> {
    const NAME: &str = "model";
    let found = match library.resolve(name) {
        Ok(found) => return vec![Check::new(NAME, State::Ok, format!("{name} at {}", found.path.display()))],
        Err(error) => error,
    };
    let Some(entry) = library.catalogue.get(name) else {
        let check = Check::new(NAME, State::Fail, found.message);
        return vec![match found.hint {
            Some(hint) => check.hint(hint),
            None => check,
        }];
    };
    let needed = entry.size_bytes();
    let missing = Check::new(NAME, State::Warn, format!("{name} is not here yet ({})", bytes(needed)))
        .hint(format!("`puma models pull {name}`"));
    vec![missing, disk(needed, context)]
}

/// Whether the model fits, by the rules of `puma fit`.
fn memory(name: &str, kind: BackendKind, tokens: Option<u32>, context: &Context) -> Result<Check, Failure> {
    const NAME: &str = "memory";
    let library = wire::library(context.home.as_deref())?;
    let shelves = Shelves { library: &library, ollama: None, here: !context.host.is_recorded() };
    let candidate = match shelves.named(name) {
        Ok(candidate) => candidate,
        Err(failure) => {
            return Ok(Check::new(NAME, State::Warn, format!("nothing is known of {name}: {}", failure.message)));
        }
    };
    let wish = Wish { rules: engine::rules(kind)?, kv_type: None, sequences: 1 };
    // What cannot be told is a line of the report and no reason to give none.
    let row = match Ground::of(context).and_then(|ground| assess(&ground, &candidate, &wish, tokens)) {
        Ok(row) => row,
        Err(failure) => return Ok(Check::new(NAME, State::Warn, failure.message)),
    };
    let Some(fit) = row.fit else {
        let problem = row.problem.unwrap_or_else(|| "its needs are unknown".to_owned());
        return Ok(Check::new(NAME, State::Warn, problem));
    };
    let state = match fit.verdict {
        Verdict::Fits => State::Ok,
        Verdict::Tight | Verdict::PartialOffload | Verdict::WillPage => State::Warn,
        Verdict::WillNotFit => State::Fail,
    };
    let check =
        Check::new(NAME, state, format!("{} with {} tokens: {}", fit.verdict.as_str(), row.context, fit.reason));
    Ok(match fit.hint.filter(|_| state != State::Ok) {
        Some(hint) => check.hint(hint),
        None => check,
    })
}

/// Room for a download of `needed` bytes, and a tenth more.
fn disk(needed: u64, context: &Context) -> Check {
    const NAME: &str = "disk";
    let folder = paths::models();
    let answer = context.host.native(&NativeQuery::DiskFree(folder.display().to_string()));
    match answer.map(|text| text.trim().parse::<u64>()) {
        Ok(Ok(free)) if free >= needed.saturating_add(needed / 10) => {
            Check::new(NAME, State::Ok, format!("{} free for models in {}", bytes(free), folder.display()))
        }
        Ok(Ok(free)) => {
            let detail =
                format!("{} free in {}, and {} are to be fetched", bytes(free), folder.display(), bytes(needed));
            Check::new(NAME, State::Fail, detail).hint("make room, or name another folder by PUMA_MODELS")
        }
        _ => Check::new(NAME, State::Warn, format!("the free space in {} cannot be read", folder.display())),
    }
}

/// The server answers, and has the model if one was named.
fn reachable(backend: &dyn Backend, model: Option<&str>) -> Check {
    const NAME: &str = "server";
    let endpoint = backend.identity().endpoint.unwrap_or_else(|| "the server".to_owned());
    // Asking for a model is the one question every server answers; what matters without a name is who answers.
    match (backend.prepare(model.unwrap_or("puma-preflight")), model) {
        (Ok(_), None) => Check::new(NAME, State::Ok, format!("{endpoint} answers")),
        (Ok(found), Some(_)) => Check::new(NAME, State::Ok, format!("{endpoint} has {}", described(&found))),
        (Err(error), None) if error.kind == BackendErrorKind::ModelNotFound => {
            Check::new(NAME, State::Ok, format!("{endpoint} answers; name a model to look for with `--model`"))
        }
        (Err(error), _) => {
            let check = Check::new(NAME, State::Fail, error.message);
            match error.hint {
                Some(hint) => check.hint(hint),
                None => check,
            }
        }
    }
}

fn described(model: &ModelIdentity) -> String {
    let share = match model.gpu_share {
        Some(share) if share >= 1.0 => ", all of it on the GPU".to_owned(),
        Some(share) if share > 0.0 => format!(", {:.0} % of it on the GPU", share * 100.0),
        Some(_) => ", on the processor".to_owned(),
        None => String::new(),
    };
    let size = model.size_bytes.map_or(String::new(), |size| format!(" ({})", bytes(size)));
    format!("{}{size}{share}", model.name)
}

/// Writes the facts under upstream's keys.
fn write_upstream_form(file: &Path, snapshot: &MachineSnapshot, context: &Context) -> Result<(), Failure> {
    let machine = &snapshot.machine;
    let facts = ProfileFacts::of(machine);
    let gpu = machine.main_gpu();
    let upstream = snapshot.profile.upstream_id;
    let models = upstream.map(|id| super::profile::models_for(id, context)).transpose()?.unwrap_or_default();
    let config = serde_json::json!({
        "profile": upstream.unwrap_or(&snapshot.profile.id),
        "detected_at": puma_core::Clock::now(&context.clock).rfc3339(),
        "hardware": {
            "os": machine.os,
            "arch": machine.arch,
            "cpu": machine.cpu,
            "cpu_cores": machine.physical_cores,
            "cpu_threads": machine.logical_cores,
            "ram_gb": facts.ram_gb,
            "gpu": gpu.map(|gpu| gpu.name.clone()),
            "gpu_backend": gpu.map_or("none", |gpu| upstream_backend(gpu.vendor)),
            "gpu_vram_gb": facts.vram_gb,
        },
        "models": models,
        "scenarios": upstream.and_then(profile::find).map(|profile| profile.scenarios),
    });
    let yaml = serde_saphyr::to_string(&config)
        .map_err(|error| Failure::operation(format!("the profile cannot be written as YAML: {error}")))?;
    std::fs::write(file, yaml).map_err(|error| {
        Failure::operation(format!("{} cannot be written: {error}", file.display()))
            .hint("name a file in a folder of yours")
    })
}

fn upstream_backend(vendor: puma_host::machine::GpuVendor) -> &'static str {
    use puma_host::machine::GpuVendor as Vendor;
    match vendor {
        Vendor::Nvidia => "nvidia",
        Vendor::Amd => "rocm",
        Vendor::Apple => "metal",
        Vendor::Intel | Vendor::Other => "none",
    }
}
