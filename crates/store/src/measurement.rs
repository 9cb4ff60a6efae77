//! What the sessions of a run measured beside the answers.
//!
//! Each session has one row that is written again as it goes on, so that a killed process leaves its latest numbers.
//! Upstream's `emissions` row of the run is kept equal to the sum over its sessions.

use crate::moment::column_text;
use crate::{EmissionRow, Store, StoreError, load};
use puma_core::measure::{Channel, EnergyReport, J_PER_KWH, SessionMeasurement};
use puma_core::{RunId, Timestamp};
use rusqlite::{Connection, Row, params};
use serde::Serialize;

impl Store {
    /// The measured sessions of a run, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sessions(&self, run_id: &RunId) -> Result<Vec<SessionMeasurement>, StoreError> {
        sessions(&self.conn, run_id).map_err(self.failed("read what the run measured"))
    }
}

/// Keeps the latest numbers of a session.
pub(crate) fn keep(store: &Store, run_id: &RunId, measurement: &SessionMeasurement) -> Result<(), StoreError> {
    const ATTEMPTED: &str = "record what the run measured";
    let failed = store.failed(ATTEMPTED);
    let transaction = store.begin(ATTEMPTED)?;
    keep_in(&transaction, run_id, measurement).and_then(|()| transaction.commit()).map_err(&failed)
}

/// As [`keep`], as a part of the transaction that `conn` is in.
pub(crate) fn keep_in(conn: &Connection, run_id: &RunId, measurement: &SessionMeasurement) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT OR REPLACE INTO run_sessions (run_id, started_at, measured_at, energy_json, health_json) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            run_id.as_str(),
            column_text(measurement.started_at),
            column_text(measurement.measured_at),
            json(measurement.energy.as_ref())?,
            json(measurement.health.as_ref())?,
        ],
    )?;
    let Some(emission) = total(&sessions(conn, run_id)?) else { return Ok(()) };
    conn.execute("DELETE FROM emissions WHERE run_id = ?1", [run_id.as_str()])?;
    insert_emission(conn, run_id, &emission, measurement.measured_at)
}

fn json<T: Serialize>(value: Option<&T>) -> rusqlite::Result<Option<String>> {
    value
        .map(|value| serde_json::to_string(value))
        .transpose()
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn sessions(conn: &Connection, run_id: &RunId) -> rusqlite::Result<Vec<SessionMeasurement>> {
    let mut statement = conn.prepare_cached(
        "SELECT started_at, measured_at, energy_json, health_json FROM run_sessions \
         WHERE run_id = ?1 ORDER BY started_at",
    )?;
    let read = |row: &Row<'_>| {
        Ok(SessionMeasurement {
            started_at: load::moment(row, 0)?,
            measured_at: load::moment(row, 1)?,
            energy: load::json_or_default(row, 2)?,
            health: load::json_or_default(row, 3)?,
        })
    };
    statement.query_map([run_id.as_str()], read)?.collect()
}

/// The energy of all sessions in upstream's units; `None` if none measured any. One session without a number makes the
/// sum unknown: a part of a run must not pass for the whole.
fn total(sessions: &[SessionMeasurement]) -> Option<EmissionRow> {
    let reports: Vec<&EnergyReport> = sessions.iter().filter_map(|session| session.energy.as_ref()).collect();
    if reports.is_empty() {
        return None;
    }
    let duration_s = Some(reports.iter().map(|report| report.duration_s).sum());
    if reports.len() < sessions.len() {
        return Some(EmissionRow { duration_s, ..EmissionRow::default() });
    }
    let kwh = |channels: &[Channel]| -> Option<f64> {
        let mut joules = None;
        for report in &reports {
            for energy in report.channels.iter().filter(|energy| energy.counted && channels.contains(&energy.channel)) {
                joules = Some(joules.unwrap_or(0.0) + energy.energy_j?);
            }
        }
        joules.map(|joules: f64| joules / J_PER_KWH)
    };
    Some(EmissionRow {
        kwh: reports.iter().map(|report| report.total_j).sum::<Option<f64>>().map(|joules| joules / J_PER_KWH),
        co2_kg: reports.iter().map(|report| report.co2e_g).sum::<Option<f64>>().map(|grams| grams / 1000.0),
        duration_s,
        cpu_energy: kwh(&[Channel::Cpu, Channel::Package]),
        gpu_energy: kwh(&[Channel::Gpu]),
        ram_energy: kwh(&[Channel::Dram]),
    })
}

/// Adds a row to upstream's table.
pub(crate) fn insert_emission(
    conn: &Connection,
    run_id: &RunId,
    emission: &EmissionRow,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let EmissionRow { kwh, co2_kg, duration_s, cpu_energy, gpu_energy, ram_energy } = emission;
    conn.execute(
        "INSERT INTO emissions (run_id, kwh, co2_kg, duration_s, cpu_energy, gpu_energy, ram_energy, recorded_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![run_id.as_str(), kwh, co2_kg, duration_s, cpu_energy, gpu_energy, ram_energy, column_text(at)],
    )
    .map(drop)
}
