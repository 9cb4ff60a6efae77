//! Metric values of a run.

use crate::moment::column_text;
use crate::{Store, StoreError};
use puma_core::{RunId, Timestamp};
use rusqlite::params;
use serde::{Deserialize, Serialize};

/// One value of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricRow {
    /// `f1_macro`, `mae`, `per_class.Critical.f1`, ….
    pub name: String,
    /// `global` (the whole run), `per_model` (one model and strategy), `per_group` (one `subgroup`) or `baseline` (what
    /// the trivial judge named by `subgroup` reaches).
    pub scope: String,
    pub model: Option<String>,
    pub strategy: Option<String>,
    /// `None` for unperturbed instances.
    pub perturbation: Option<String>,
    /// A project or another part of the instances; the name of a baseline.
    pub subgroup: Option<String>,
    pub value: f64,
    /// Bounds of the confidence interval.
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// How many jobs it is computed from.
    pub n: Option<u64>,
    pub unit: Option<String>,
}

impl Store {
    /// Replaces all metrics of a run, in one transaction. Their order is kept.
    ///
    /// # Errors
    /// The run does not exist, a value is not a number, or the database cannot be written.
    pub fn save_metrics(&self, run_id: &RunId, metrics: &[MetricRow], at: Timestamp) -> Result<(), StoreError> {
        self.require_run(run_id)?;
        if let Some(metric) = metrics.iter().find(|metric| !metric.value.is_finite()) {
            return Err(StoreError::BadMetric { run_id: run_id.to_string(), name: metric.name.clone() });
        }
        self.on_disk(|| self.replace_metrics(run_id, metrics, at))
    }

    fn replace_metrics(&self, run_id: &RunId, metrics: &[MetricRow], at: Timestamp) -> Result<(), StoreError> {
        const ATTEMPTED: &str = "save the metrics";
        let failed = self.failed(ATTEMPTED);
        let transaction = self.begin(ATTEMPTED)?;
        transaction.execute("DELETE FROM metrics WHERE run_id = ?1", [run_id.as_str()]).map_err(&failed)?;
        for metric in metrics {
            let MetricRow { name, scope, model, strategy, perturbation, subgroup, value, ci_low, ci_high, n, unit } =
                metric;
            transaction
                .prepare_cached(
                    "INSERT INTO metrics (run_id, scope, model, strategy, metric_name, value, subgroup, computed_at, \
                         perturbation, ci_low, ci_high, n, unit) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                )
                .and_then(|mut statement| {
                    statement.execute(params![
                        run_id.as_str(),
                        scope,
                        model,
                        strategy,
                        name,
                        value,
                        subgroup,
                        column_text(at),
                        perturbation,
                        ci_low,
                        ci_high,
                        n.map(u64::cast_signed),
                        unit
                    ])
                })
                .map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)
    }

    /// The metrics of a run, in the order they were saved.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn metrics(&self, run_id: &RunId) -> Result<Vec<MetricRow>, StoreError> {
        self.rows(
            "read the metrics",
            "SELECT metric_name, scope, model, strategy, perturbation, subgroup, value, ci_low, ci_high, n, unit \
             FROM metrics WHERE run_id = ?1 ORDER BY metric_id",
            [run_id.as_str()],
            |row| {
                Ok(MetricRow {
                    name: row.get(0)?,
                    scope: row.get(1)?,
                    model: row.get(2)?,
                    strategy: row.get(3)?,
                    perturbation: row.get(4)?,
                    subgroup: row.get(5)?,
                    value: row.get(6)?,
                    ci_low: row.get(7)?,
                    ci_high: row.get(8)?,
                    n: row.get::<_, Option<i64>>(9)?.map(i64::cast_unsigned),
                    unit: row.get(10)?,
                })
            },
        )
    }
}
