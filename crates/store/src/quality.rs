//! How well models did in finished runs, across runs.

use crate::{Store, StoreError, load};
use puma_core::{RunId, Timestamp};
use serde_json::Value;

/// One metric of one model and strategy in a finished run.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityRow {
    pub run_id: RunId,
    pub started_at: Timestamp,
    pub scenario: String,
    pub model: String,
    pub strategy: Option<String>,
    pub metric: String,
    pub value: f64,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Jobs it is computed from.
    pub n: Option<u64>,
    /// The machine of the run, as it was described then.
    pub machine: Value,
}

impl Store {
    /// The values of `metrics` in runs that are done, unperturbed instances only, newest run first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn qualities(&self, metrics: &[&str]) -> Result<Vec<QualityRow>, StoreError> {
        let names = serde_json::to_string(metrics).expect("a list of names is JSON");
        self.rows(
            "read how well models did",
            "SELECT r.run_id, r.started_at, r.scenario, m.model, m.strategy, m.metric_name, m.value, m.ci_low, \
                 m.ci_high, m.n, r.machine_json \
             FROM metrics m JOIN runs r ON r.run_id = m.run_id \
             WHERE r.status = 'done' AND m.scope = 'per_model' AND m.perturbation IS NULL AND m.subgroup IS NULL \
               AND m.model IS NOT NULL AND r.scenario IS NOT NULL \
               AND m.metric_name IN (SELECT value FROM json_each(?1)) \
             ORDER BY r.started_at DESC, r.run_id, m.metric_id",
            [names],
            |row| {
                Ok(QualityRow {
                    run_id: RunId::new(row.get::<_, String>(0)?),
                    started_at: load::moment(row, 1)?,
                    scenario: row.get(2)?,
                    model: row.get(3)?,
                    strategy: row.get(4)?,
                    metric: row.get(5)?,
                    value: row.get(6)?,
                    ci_low: row.get(7)?,
                    ci_high: row.get(8)?,
                    n: row.get::<_, Option<i64>>(9)?.map(i64::cast_unsigned),
                    machine: load::json_or_default(row, 10)?,
                })
            },
        )
    }
}
