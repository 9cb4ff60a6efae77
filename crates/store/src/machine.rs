//! Upstream's two tables about the machine: what it was, and what it spent.

use crate::moment::column_text;
use crate::{Store, StoreError};
use puma_core::{RunHeader, RunId, Timestamp};
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
    /// Adds a measurement to a run.
    ///
    /// # Errors
    /// The run does not exist, or the database cannot be written.
    pub fn add_emission(&self, run_id: &RunId, emission: &EmissionRow, at: Timestamp) -> Result<(), StoreError> {
        let EmissionRow { kwh, co2_kg, duration_s, cpu_energy, gpu_energy, ram_energy } = emission;
        self.require_run(run_id)?;
        self.conn
            .execute(
                "INSERT INTO emissions (run_id, kwh, co2_kg, duration_s, cpu_energy, gpu_energy, ram_energy, recorded_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    run_id.as_str(),
                    kwh,
                    co2_kg,
                    duration_s,
                    cpu_energy,
                    gpu_energy,
                    ram_energy,
                    column_text(at)
                ],
            )
            .map_err(self.failed("record the energy of the run"))?;
        Ok(())
    }

    /// The measurements of a run, oldest first.
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

/// Fills upstream's snapshot from the header: its named columns where the machine report has the same key, and the
/// whole report as `extra`.
pub(crate) fn insert_snapshot(conn: &Connection, header: &RunHeader) -> rusqlite::Result<()> {
    let text = |key: &str| header.machine.get(key).and_then(Value::as_str);
    let number = |key: &str| header.machine.get(key).and_then(Value::as_f64);
    let ollama_version = header.backend.version.as_deref().filter(|_| header.backend.kind == "ollama");
    conn.execute(
        "INSERT INTO profile_snapshots (run_id, os, cpu, ram_gb, gpu, vram_gb, ollama_version, puma_version, extra) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            header.run_id.as_str(),
            text("os"),
            text("cpu"),
            number("ram_gb"),
            text("gpu"),
            number("vram_gb"),
            ollama_version,
            header.puma_version,
            header.machine.to_string(),
        ],
    )?;
    Ok(())
}
