//! `puma profile`: which class of machine this is, and what models run on here.

use crate::context::Context;
use crate::failure::Failure;
use crate::fit::text::gib;
use crate::table::{Align, render_wrapped};
use crate::wire;
use clap::Args;
use puma_host::machine::{Gpu, Machine};
use puma_host::profile::{self, MachineSnapshot, Profile, ProfileError, ProfileFacts};
use serde::Serialize;

/// Arguments of `puma profile`.
#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    /// Take this profile instead of the one that fits [default: auto].
    #[arg(long, value_name = "ID")]
    profile: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `puma profile --json` prints.
#[derive(Serialize)]
struct ProfileReport<'a> {
    profile: &'a profile::Selection,
    /// What the profile asks for; `None` for a generic class.
    requirements: Option<&'static Profile>,
    /// What this machine lacks for it.
    unmet: Vec<String>,
    mode: &'a profile::Mode,
    facts: ProfileFacts,
    /// Catalogue models that upstream lists for the profile.
    models: Vec<String>,
    machine: &'a Machine,
}

pub(crate) fn run(args: ProfileArgs, context: &Context) -> Result<(), Failure> {
    let ProfileArgs { profile: wanted, json } = args;
    let snapshot = MachineSnapshot::take(context.host.as_ref(), wanted.as_deref())?;
    let facts = ProfileFacts::of(&snapshot.machine);
    let requirements = snapshot.profile.upstream_id.and_then(profile::find);
    let report = ProfileReport {
        requirements: profile::find(&snapshot.profile.id),
        unmet: profile::find(&snapshot.profile.id).map(|found| profile::unmet(found, &facts)).unwrap_or_default(),
        models: requirements.map(|found| models_for(found.id, context)).transpose()?.unwrap_or_default(),
        profile: &snapshot.profile,
        mode: &snapshot.mode,
        facts,
        machine: &snapshot.machine,
    };
    if json {
        return context.ui.json(&report);
    }
    context.ui.data(&text(&report))?;
    for warning in &snapshot.mode.warnings {
        context.ui.advise(&warning.message, &warning.hint);
    }
    Ok(())
}

/// The catalogue's models for one of upstream's profiles, in its order.
pub(crate) fn models_for(id: &str, context: &Context) -> Result<Vec<String>, Failure> {
    let catalogue = wire::library(context.home.as_deref())?.catalogue;
    let fits = |profiles: &[String]| profiles.iter().any(|profile| profile == id);
    Ok(catalogue.models.into_iter().filter(|model| fits(&model.profiles)).map(|model| model.tag).collect())
}

fn text(report: &ProfileReport<'_>) -> String {
    let machine = report.machine;
    let mut rows: Vec<(&str, String)> = Vec::new();
    let submission = match report.profile.upstream_id {
        Some(id) if id == report.profile.id => String::new(),
        Some(id) => format!("; submissions name it {id}"),
        None => "; upstream's profiles do not cover it".to_owned(),
    };
    rows.push(("profile", format!("{}{submission}", report.profile.id)));
    rows.push(("because", report.profile.reason.clone()));
    if !report.unmet.is_empty() {
        rows.push(("lacking", report.unmet.join("; ")));
    }
    rows.push(("mode", report.mode.kind.as_str().to_owned()));
    let version = machine.os_version.as_deref().unwrap_or("version unknown");
    rows.push(("system", format!("{version} ({}, {})", machine.os, machine.arch)));
    rows.push(("surroundings", surroundings(machine)));
    rows.push(("processor", processor(machine)));
    rows.push(("memory", memory(machine)));
    rows.extend(machine.gpus.iter().map(|found| ("GPU", gpu(found))));
    rows.extend(machine.gpu_notes.iter().map(|note| ("GPU", note.clone())));
    if !report.models.is_empty() {
        rows.push(("models", report.models.join(", ")));
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(what, value)| vec![what.to_owned(), value]).collect();
    let source = if machine.recorded { "\nRecorded: these are the facts of another machine.\n" } else { "" };
    format!("{}{source}", render_wrapped(&[("what", Align::Left), ("value", Align::Left)], &rows))
}

fn surroundings(machine: &Machine) -> String {
    let found = &machine.surroundings;
    match (&found.container, &found.virtual_machine) {
        (None, None) => "no container, no virtual machine found".to_owned(),
        (container, virtual_machine) => {
            let container = container.as_ref().map(|kind| format!("container ({kind})"));
            let virtual_machine = virtual_machine.as_ref().map(|kind| format!("virtual machine ({kind})"));
            [container, virtual_machine].into_iter().flatten().collect::<Vec<_>>().join(" in a ")
        }
    }
}

fn processor(machine: &Machine) -> String {
    let name = machine.cpu.as_deref().unwrap_or("unknown processor");
    let cores = machine.physical_cores.map_or("cores unknown".to_owned(), |cores| format!("{cores} cores"));
    let tiers: Vec<String> =
        machine.core_tiers.iter().map(|tier| format!("{} {}", tier.physical_cores, tier.name)).collect();
    let tiers = if tiers.is_empty() { String::new() } else { format!(" ({})", tiers.join(" + ")) };
    let limit = machine.cpu_limit_cores.map_or(String::new(), |cores| format!(", limited to {cores} of them"));
    format!("{name}, {cores}{tiers}, {} usable threads{limit}", machine.logical_cores)
}

fn memory(machine: &Machine) -> String {
    let or_unknown = |size: Option<u64>| size.map_or("unknown".to_owned(), gib);
    let limit = machine.memory_limit_bytes.map_or(String::new(), |limit| format!(", limited to {}", gib(limit)));
    format!("{}{limit}, {} free", or_unknown(machine.memory_bytes), or_unknown(machine.free_memory_bytes()))
}

fn gpu(gpu: &Gpu) -> String {
    let mut parts = vec![gpu.name.clone()];
    if let Some(memory) = &gpu.memory_bytes {
        let kind = if gpu.unified { "of the machine's memory" } else { "of its own" };
        parts.push(format!("{} {kind} ({}, {})", gib(memory.value), memory.source, memory.quality.as_str()));
    }
    if let Some(shared) = gpu.shared_memory_bytes {
        parts.push(format!("{} shared", gib(shared)));
    }
    if let Some(bandwidth) = &gpu.bandwidth_gb_s {
        parts.push(format!("{} GB/s ({})", bandwidth.value, bandwidth.source));
    }
    parts.join(", ")
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        Self::invalid(error.to_string()).hint(error.hint())
    }
}
