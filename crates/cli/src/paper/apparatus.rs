//! Where it ran, what it cost, and how it can be found again.

use super::subject::Subject;
use super::words::{counted, gibibytes, known, listed};
use puma_core::Origin;
use puma_core::measure::{Severity, counted_sources};
use puma_eval::measured::EnergySummary;
use puma_host::machine::Machine;

/// The machine, and whether it was left in peace.
pub(super) fn machine(subject: &Subject) -> Vec<String> {
    let Some(machine) = &subject.machine else {
        return vec!["Nothing is recorded about the machine.".to_owned()];
    };
    let mut out = vec![hardware(machine)];
    let gpus: Vec<String> = machine
        .gpus
        .iter()
        .map(|gpu| match (&gpu.memory_bytes, &gpu.driver) {
            (Some(memory), Some(driver)) => format!("{} ({}, driver {driver})", gpu.name, gibibytes(memory.value)),
            (Some(memory), None) => format!("{} ({})", gpu.name, gibibytes(memory.value)),
            _ => gpu.name.clone(),
        })
        .collect();
    out.push(if gpus.is_empty() { "No usable GPU was found.".to_owned() } else { format!("GPUs: {}.", listed(&gpus)) });
    out.push(format!(
        "The operating system was {} ({}; {}).",
        if machine.os.is_empty() { "not recorded" } else { &machine.os },
        known("version", machine.os_version.as_ref()),
        known("kernel", machine.kernel.as_ref()),
    ));
    let around = [&machine.surroundings.container, &machine.surroundings.virtual_machine];
    let around: Vec<&str> = around.into_iter().flatten().map(String::as_str).collect();
    if !around.is_empty() {
        out.push(format!("It ran inside {}.", listed(&around)));
    }
    if machine.surroundings.translated || machine.apple.as_ref().is_some_and(|apple| apple.translated) {
        out.push("Instructions were translated from another processor's, so times say nothing.".to_owned());
    }
    if let Some(report) = &subject.report.machine {
        out.push(format!("Its class is {} ({}).", report.profile.id, report.profile.rule));
    } else if let Some(profile) = &subject.run.header.profile {
        out.push(format!("Its class is {profile}."));
    }
    out.push(disturbances(subject));
    out
}

fn hardware(machine: &Machine) -> String {
    let cores = machine.physical_cores.map_or(String::new(), |cores| format!(", {cores} cores"));
    let usable = match machine.logical_cores {
        0 => "usable processors not recorded".to_owned(),
        count => counted(count as usize, "usable processor"),
    };
    let memory = machine
        .usable_memory_bytes()
        .map_or("memory not recorded".to_owned(), |bytes| format!("{} of memory", gibibytes(bytes)));
    let cpu = machine.cpu.as_deref().unwrap_or("of a kind that is not recorded");
    format!("The processor was {cpu} ({}{cores}, {usable}), with {memory}.", machine.arch)
}

fn disturbances(subject: &Subject) -> String {
    let Some(health) = &subject.report.health else {
        return "Whether anything disturbed the run was not watched.".to_owned();
    };
    if health.disturbances.is_empty() {
        return "Nothing that was watched disturbed the run.".to_owned();
    }
    let found: Vec<String> = health
        .disturbances
        .iter()
        .map(|found| {
            let severity = if found.severity == Severity::Major { "major" } else { "minor" };
            format!("{severity} {} ({}; {})", found.kind.as_str(), counted(found.jobs.len(), "job"), found.detail)
        })
        .collect();
    let void = if health.void { " Times and energy of the run are void and left out." } else { "" };
    format!("The run was disturbed: {}.{void}", listed(&found))
}

/// How energy was counted, and of what quality the number is.
pub(super) fn energy(subject: &Subject) -> Vec<String> {
    let Some(energy) = &subject.report.energy else {
        return vec!["Energy was not measured.".to_owned()];
    };
    let mut out = vec![counting(energy)];
    if let Some(idle) = &energy.idle_power_w {
        out.push(format!("The idle machine drew {:.1} W ({}).", idle.value, idle.source));
    }
    match &energy.intensity {
        Some(grid) => {
            let place = grid.country.as_deref().map_or("given by the user".to_owned(), |country| {
                let year = grid.year.map_or(String::new(), |year| format!(", {year}"));
                format!("{country}{year}, {}, chosen by {}", grid.source, grid.chosen_by)
            });
            out.push(format!("A kilowatt-hour stands for {} g CO2e ({place}).", grid.g_per_kwh));
        }
        None => out.push("The carbon intensity of the grid is not known.".to_owned()),
    }
    out
}

fn counting(energy: &EnergySummary) -> String {
    let sources = counted_sources(&energy.channels);
    if energy.total_j.is_none() {
        let why = energy.warnings.first().map_or(String::new(), |why| format!(" ({why})"));
        return format!("The energy of the run is unknown{why}.");
    }
    let margin = match energy.relative_uncertainty {
        Some(share) => format!("± {:.0} %", share * 100.0),
        None => "of unknown uncertainty".to_owned(),
    };
    format!(
        "Energy was counted over {} of {} by {sources} (quality: {}, {margin}; accounted for: {}).",
        counted(energy.sessions, "session"),
        energy.sessions_total,
        energy.quality.as_str(),
        energy.mode.as_str(),
    )
}

/// What it takes to find the run and to tell that it is the same.
pub(super) fn record(subject: &Subject) -> Vec<String> {
    let (run, report) = (&subject.run, &subject.report);
    let header = &run.header;
    let program = match run.origin {
        Origin::Puma => "PUMA",
        Origin::Upstream => "upstream PUMA",
    };
    let ended = run.finished_at.map_or("its end is not recorded".to_owned(), |at| format!("ended {}", at.rfc3339()));
    let mut out = vec![
        format!(
            "The run {} was made with {program} ({}).",
            header.run_id,
            known("version", Some(&header.puma_version))
        ),
        format!("It began {} and {ended}; its status is {}.", header.started_at.rfc3339(), run.status.as_str()),
        format!(
            "Specification hash {}; predictions hash {}; {}.",
            header.spec_hash,
            report.predictions_summary_hash,
            known("digest of all token probabilities", report.logprobs_digest.as_ref())
        ),
    ];
    if run.resumed_count > 0 {
        out.push(format!("It was resumed {}.", counted(run.resumed_count as usize, "time")));
    }
    if !report.comparable {
        out.push("It is not comparable with other runs until every job is answered.".to_owned());
    }
    out
}
