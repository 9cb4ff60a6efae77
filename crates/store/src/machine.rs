//! Upstream's two tables about the machine: what it was, and what it spent.

use crate::{Store, StoreError};
use puma_core::{RunHeader, RunId};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Energy and emissions of a run, under upstream's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EmissionRow {
    /// Kilowatt-hours, the whole machine.
    pub kwh: Option<f64>,
    /// Kilograms of CO₂ equivalent.
    pub co2_kg: Option<f64>,
    /// Seconds measured.
    pub duration_s: Option<f64>,
    /// Kilowatt-hours of the processor.
    pub cpu_energy: Option<f64>,
    /// Kilowatt-hours of the GPU.
    pub gpu_energy: Option<f64>,
    /// Kilowatt-hours of the memory.
    pub ram_energy: Option<f64>,
}

impl Store {
    /// The rows of a run, oldest first: one for a run of this program, see [`Store::sessions`] for its parts.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn emissions(&self, run_id: &RunId) -> Result<Vec<EmissionRow>, StoreError> {
        self.rows(
            "read the energy of the run",
            "SELECT kwh, co2_kg, duration_s, cpu_energy, gpu_energy, ram_energy FROM emissions \
             WHERE run_id = ?1 ORDER BY emission_id",
            [run_id.as_str()],
            |row| {
                Ok(EmissionRow {
                    kwh: row.get(0)?,
                    co2_kg: row.get(1)?,
                    duration_s: row.get(2)?,
                    cpu_energy: row.get(3)?,
                    gpu_energy: row.get(4)?,
                    ram_energy: row.get(5)?,
                })
            },
        )
    }
}

/// Fills upstream's snapshot from the header's machine report, and keeps the whole report as `extra`.
pub(crate) fn insert_snapshot(conn: &Connection, header: &RunHeader) -> rusqlite::Result<()> {
    let text = |pointer: &str| header.machine.pointer(pointer).and_then(Value::as_str);
    let gibibytes = |pointer: &str| {
        let bytes = header.machine.pointer(pointer).and_then(Value::as_f64)?;
        Some((bytes / f64::from(1 << 30) * 100.0).round() / 100.0)
    };
    let ollama_version = header.backend.version.as_deref().filter(|_| header.backend.kind == "ollama");
    conn.execute(
        "INSERT INTO profile_snapshots (run_id, os, cpu, ram_gb, gpu, vram_gb, ollama_version, puma_version, extra) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            header.run_id.as_str(),
            text("/os"),
            text("/cpu"),
            gibibytes("/memory_bytes"),
            text("/gpus/0/name"),
            gibibytes("/gpus/0/memory_bytes/value"),
            ollama_version,
            header.puma_version,
            header.machine.to_string(),
        ],
    )?;
    Ok(())
}
