//! The energy of a run as a table with the columns of CodeCarbon's `emissions.csv`, so that what reads those reads this.
//!
//! One row a session. A number that is unknown is an empty cell, where CodeCarbon writes 0. Four columns are added at the
//! end: who measured, how far it can be trusted, and where the carbon intensity is from.

use crate::failure::Failure;
use puma_core::RecordedRun;
use puma_core::measure::{Channel, EnergyReport, J_PER_KWH, SessionMeasurement, counted_sources};
use puma_host::grid;
use puma_host::machine::Machine;

type Cell = fn(&Row<'_>) -> Option<String>;

/// What a row is made of.
struct Row<'a> {
    run: &'a RecordedRun,
    session: &'a SessionMeasurement,
    energy: &'a EnergyReport,
    machine: &'a Machine,
}

/// Every column: CodeCarbon 3.3's, then ours. Seconds, kilograms, watts, kilowatt-hours, litres, per cent and gigabytes.
const COLUMNS: [(&str, Cell); 42] = [
    ("timestamp", |row| Some(row.session.measured_at.rfc3339())),
    ("project_name", |row| Some(row.run.header.run_id.to_string())),
    ("run_id", |row| Some(format!("{}#{}", row.run.header.run_id, row.session.started_at.compact()))),
    ("experiment_id", |row| Some(row.run.header.spec_hash.to_string())),
    ("duration", |row| number(Some(row.energy.duration_s))),
    ("emissions", |row| number(kilograms(row))),
    ("emissions_rate", |row| number(per_second(row, kilograms(row)))),
    ("cpu_power", |row| number(watts(row, CPU))),
    ("gpu_power", |row| number(watts(row, GPU))),
    ("ram_power", |row| number(watts(row, RAM))),
    ("cpu_energy", |row| number(kilowatt_hours(row, CPU))),
    ("gpu_energy", |row| number(kilowatt_hours(row, GPU))),
    ("ram_energy", |row| number(kilowatt_hours(row, RAM))),
    ("energy_consumed", |row| number(row.energy.total_j.map(|joules| joules / J_PER_KWH))),
    ("water_consumed", |_| None),
    ("country_name", |row| grid::find(row.energy.intensity.as_ref()?.country.as_ref()?).map(|land| land.name.clone())),
    ("country_iso_code", |row| row.energy.intensity.as_ref()?.country.clone()),
    ("region", |_| None),
    ("cloud_provider", |_| None),
    ("cloud_region", |_| None),
    ("os", |row| Some(row.machine.os_version.clone().unwrap_or_else(|| row.machine.os.clone()))),
    ("python_version", |_| None),
    ("codecarbon_version", |_| None),
    ("cpu_count", |row| Some(row.machine.logical_cores.to_string())),
    ("cpu_model", |row| row.machine.cpu.clone()),
    ("gpu_count", |row| Some(row.machine.gpus.len().to_string())),
    ("gpu_model", |row| {
        let names: Vec<&str> = row.machine.gpus.iter().map(|gpu| gpu.name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(" + "))
    }),
    ("longitude", |_| None),
    ("latitude", |_| None),
    ("ram_total_size", |row| number(row.machine.memory_bytes.map(|bytes| bytes as f64 / f64::from(1 << 30)))),
    ("tracking_mode", |row| Some(row.energy.mode.as_str().to_owned())),
    ("cpu_utilization_percent", |row| number(mean(row, "cpu_utilization_percent"))),
    ("gpu_utilization_percent", |row| number(mean(row, "gpu_utilization_percent"))),
    ("ram_utilization_percent", |row| {
        let total = row.machine.memory_bytes? as f64;
        number(mean(row, "memory_used_bytes").map(|used| used / total * 100.0))
    }),
    ("ram_used_gb", |row| number(mean(row, "memory_used_bytes").map(|bytes| bytes / f64::from(1 << 30)))),
    ("on_cloud", |_| None),
    ("pue", |_| Some("1".to_owned())),
    ("wue", |_| None),
    ("energy_source", |row| Some(counted_sources(&row.energy.channels)).filter(|sources| !sources.is_empty())),
    ("energy_quality", |row| Some(row.energy.quality.as_str().to_owned())),
    ("intensity_g_per_kwh", |row| number(row.energy.intensity.as_ref().map(|grid| grid.g_per_kwh))),
    ("intensity_source", |row| {
        let grid = row.energy.intensity.as_ref()?;
        Some(format!("{}{}; {}", grid.source, grid.year.map_or(String::new(), |y| format!(" ({y})")), grid.chosen_by))
    }),
];

const CPU: &[Channel] = &[Channel::Cpu, Channel::Package];
const GPU: &[Channel] = &[Channel::Gpu];
const RAM: &[Channel] = &[Channel::Dram];

/// The table as CSV with a header line.
///
/// # Errors
/// The run has no measured energy.
pub(crate) fn csv(run: &RecordedRun) -> Result<String, Failure> {
    let machine: Machine = serde_json::from_value(run.header.machine.clone()).unwrap_or_default();
    let rows = run
        .sessions
        .iter()
        .filter_map(|session| session.energy.as_ref().map(|energy| Row { run, session, energy, machine: &machine }));
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Err(Failure::operation(format!("no energy was measured in run {}", run.header.run_id))
            .hint("runs measure it unless `--no-emissions` says not to"));
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let unwritable = |error: csv::Error| Failure::operation(format!("the table cannot be written: {error}"));
    writer.write_record(COLUMNS.map(|(name, _)| name)).map_err(unwritable)?;
    for row in rows {
        writer.write_record(COLUMNS.map(|(_, cell)| cell(&row).unwrap_or_default())).map_err(unwritable)?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::operation(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Failure::operation(error.to_string()))
}

fn number(value: Option<f64>) -> Option<String> {
    value.filter(|value| value.is_finite()).map(|value| value.to_string())
}

fn kilograms(row: &Row<'_>) -> Option<f64> {
    row.energy.co2e_g.map(|grams| grams / 1000.0)
}

fn per_second(row: &Row<'_>, value: Option<f64>) -> Option<f64> {
    value.filter(|_| row.energy.duration_s > 0.0).map(|value| value / row.energy.duration_s)
}

/// Joules of the counted channels of these kinds; `None` if there are none, or one is unknown.
fn joules(row: &Row<'_>, kinds: &[Channel]) -> Option<f64> {
    let mut counted = row.energy.channels.iter().filter(|row| row.counted && kinds.contains(&row.channel)).peekable();
    counted.peek()?;
    counted.map(|channel| channel.energy_j).sum()
}

fn watts(row: &Row<'_>, kinds: &[Channel]) -> Option<f64> {
    per_second(row, joules(row, kinds))
}

fn kilowatt_hours(row: &Row<'_>, kinds: &[Channel]) -> Option<f64> {
    joules(row, kinds).map(|joules| joules / J_PER_KWH)
}

fn mean(row: &Row<'_>, name: &str) -> Option<f64> {
    let health = row.session.health.as_ref()?;
    health.quantities.iter().find(|quantity| quantity.name == name).map(|quantity| quantity.mean)
}
