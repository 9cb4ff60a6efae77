//! The ledger of speeds: predicted and measured, by machine.

use crate::moment::column_text;
use crate::{Store, StoreError, load};
use puma_core::{RunId, Timestamp};
use rusqlite::params;
use serde::Serialize;
use serde_json::Value;

/// One model's speed in one phase of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpeedRow {
    pub run_id: RunId,
    /// The name the run gave it.
    pub model: String,
    /// `decode` or `prefill`.
    pub phase: String,
    /// Names the hardware without saying whose it is.
    pub machine_key: String,
    /// `embedded`, `ollama`, ….
    pub backend: String,
    /// Of the weights or the manifest.
    pub digest: Option<String>,
    /// Sequences that were computed at once.
    pub sequences: u32,
    /// Tokens behind the measured speed.
    pub tokens: u64,
    /// What was predicted before any own run was known; `None` where nothing could be.
    pub predicted_tokens_per_s: Option<f64>,
    pub predicted_low: Option<f64>,
    pub predicted_high: Option<f64>,
    /// All sequences together.
    pub measured_tokens_per_s: f64,
    pub measured_at: Timestamp,
    /// What a correction is learned from.
    pub observation: Value,
}

impl Store {
    /// Replaces the speeds of a run.
    ///
    /// # Errors
    /// The run does not exist, or the database cannot be written.
    pub fn save_speeds(&self, run_id: &RunId, rows: &[SpeedRow]) -> Result<(), StoreError> {
        const ATTEMPTED: &str = "save the speeds of the run";
        self.require_run(run_id)?;
        let failed = self.failed(ATTEMPTED);
        let transaction = self.begin(ATTEMPTED)?;
        transaction.execute("DELETE FROM speed_ledger WHERE run_id = ?1", [run_id.as_str()]).map_err(&failed)?;
        for row in rows {
            let SpeedRow {
                run_id: _,
                model,
                phase,
                machine_key,
                backend,
                digest,
                sequences,
                tokens,
                predicted_tokens_per_s,
                predicted_low,
                predicted_high,
                measured_tokens_per_s,
                measured_at,
                observation,
            } = row;
            transaction
                .execute(
                    "INSERT INTO speed_ledger (run_id, model, phase, machine_key, backend, digest, sequences, tokens, \
                         predicted_tokens_per_s, predicted_low, predicted_high, measured_tokens_per_s, measured_at, \
                         observation_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                    params![
                        run_id.as_str(),
                        model,
                        phase,
                        machine_key,
                        backend,
                        digest,
                        sequences,
                        tokens.cast_signed(),
                        predicted_tokens_per_s,
                        predicted_low,
                        predicted_high,
                        measured_tokens_per_s,
                        column_text(*measured_at),
                        observation.to_string(),
                    ],
                )
                .map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)
    }

    /// Every speed measured on the machine with this key, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn speeds(&self, machine_key: &str) -> Result<Vec<SpeedRow>, StoreError> {
        self.rows(
            "read the ledger of speeds",
            "SELECT run_id, model, phase, machine_key, backend, digest, sequences, tokens, predicted_tokens_per_s, \
                 predicted_low, predicted_high, measured_tokens_per_s, measured_at, observation_json \
             FROM speed_ledger WHERE machine_key = ?1 ORDER BY measured_at, run_id, model, phase",
            [machine_key],
            |row| {
                Ok(SpeedRow {
                    run_id: RunId::new(row.get::<_, String>(0)?),
                    model: row.get(1)?,
                    phase: row.get(2)?,
                    machine_key: row.get(3)?,
                    backend: row.get(4)?,
                    digest: row.get(5)?,
                    sequences: row.get(6)?,
                    tokens: row.get::<_, i64>(7)?.cast_unsigned(),
                    predicted_tokens_per_s: row.get(8)?,
                    predicted_low: row.get(9)?,
                    predicted_high: row.get(10)?,
                    measured_tokens_per_s: row.get(11)?,
                    measured_at: load::moment(row, 12)?,
                    observation: load::json_or_default(row, 13)?,
                })
            },
        )
    }
}
