//! Runs as `list-runs` shows them.

use crate::moment::{column_text, parse_moment};
use crate::{Store, StoreError};
use puma_core::{RunStatus, Timestamp};
use rusqlite::{Row, named_params};
use serde::Serialize;

/// Which runs to list. The default lists all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunFilter {
    /// At most this many, the newest.
    pub last_n: Option<usize>,
    /// Exactly this scenario.
    pub scenario: Option<String>,
    /// Runs that asked this model, also among others.
    pub model: Option<String>,
    /// Started at this moment or later; see [`parse_since`].
    pub since: Option<Timestamp>,
    pub status: Option<RunStatus>,
}

/// One run in a list. Upstream's fields first, then ours.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    pub run_id: String,
    pub profile: Option<String>,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub finished_at: Option<String>,
    pub status: String,
    pub f1_macro: Option<f64>,
    /// Upstream's name for `mae`.
    pub mae_sp: Option<f64>,
    pub parse_failure_rate: Option<f64>,
    pub scenario: Option<String>,
    pub models: Vec<String>,
    pub strategies: Vec<String>,
    /// How many jobs the run has.
    pub jobs: usize,
    /// Mean absolute error in story points.
    pub mae: Option<f64>,
    /// Share of right answers: the headline of prioritization.
    pub accuracy: Option<f64>,
    /// How many jobs have the model's answer, good or bad.
    #[serde(skip)]
    pub jobs_finished: usize,
}

/// Reads `--since`: hours (`24h`) or days (`7d`) before `now`, or a date or moment.
///
/// # Errors
/// It is none of these.
pub fn parse_since(text: &str, now: Timestamp) -> Result<Timestamp, StoreError> {
    let span_ms = |digits: &str, unit_ms: i64| digits.parse::<u32>().ok().map(|count| i64::from(count) * unit_ms);
    let back = match (text.strip_suffix('h'), text.strip_suffix('d')) {
        (Some(hours), _) => span_ms(hours, 3_600_000),
        (_, Some(days)) => span_ms(days, 86_400_000),
        _ => return parse_moment(text).ok_or_else(|| StoreError::BadTime { text: text.to_owned() }),
    };
    back.map(|ms| Timestamp(now.0 - ms)).ok_or_else(|| StoreError::BadTime { text: text.to_owned() })
}

/// A metric of a run as one number: the one for the whole run, else the only one there is; a run with several models or
/// strategies has no single number, and none is made up.
macro_rules! headline {
    ($name:literal) => {
        concat!(
            "coalesce(\
               (SELECT value FROM metrics m WHERE m.run_id = r.run_id AND m.metric_name = '",
            $name,
            "' AND m.scope = 'global' AND m.subgroup IS NULL AND m.perturbation IS NULL ORDER BY metric_id LIMIT 1), \
               (SELECT CASE WHEN count(*) = 1 THEN max(value) END FROM metrics m WHERE m.run_id = r.run_id \
                  AND m.metric_name = '",
            $name,
            "' AND m.subgroup IS NULL AND m.perturbation IS NULL))"
        )
    };
}

const LIST: &str = concat!(
    "SELECT r.run_id, r.profile, r.started_at, r.finished_at, r.status, ",
    headline!("f1_macro"),
    ", ",
    headline!("mae"),
    ", ",
    headline!("parse_failure_rate"),
    ", r.scenario, \
       coalesce((SELECT json_group_array(json_extract(value, '$.name')) FROM json_each(r.models_json)), '[]'), \
       (SELECT json_group_array(model) FROM (SELECT DISTINCT model FROM predictions p WHERE p.run_id = r.run_id)), \
       r.strategies_json, \
       coalesce(r.jobs_planned, (SELECT count(*) FROM predictions p WHERE p.run_id = r.run_id)), \
       (SELECT count(*) FROM predictions p WHERE p.run_id = r.run_id AND coalesce(p.outcome, '') <> 'backend_failed'), ",
    headline!("accuracy"),
    " FROM runs r \
     WHERE (:scenario IS NULL OR r.scenario = :scenario) \
       AND (:since IS NULL OR r.started_at >= :since) \
       AND (:status IS NULL OR r.status = :status) \
       AND (:model IS NULL \
            OR EXISTS (SELECT 1 FROM json_each(r.models_json) WHERE json_extract(value, '$.name') = :model) \
            OR EXISTS (SELECT 1 FROM predictions p WHERE p.model = :model AND p.run_id = r.run_id)) \
     ORDER BY r.started_at DESC, r.run_id DESC LIMIT :last_n"
);

impl Store {
    /// The runs that match, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn list_runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        let RunFilter { last_n, scenario, model, since, status } = filter;
        self.rows(
            "list the runs",
            LIST,
            named_params! {
                ":scenario": scenario,
                ":model": model,
                ":since": since.map(column_text),
                ":status": status.map(RunStatus::as_str),
                // A negative limit is none.
                ":last_n": last_n.map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX)),
            },
            read_summary,
        )
    }
}

fn read_summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    let moment = |text: String| parse_moment(&text).map_or(text, Timestamp::rfc3339);
    let names = |index: usize| -> rusqlite::Result<Vec<String>> {
        let json: Option<String> = row.get(index)?;
        Ok(json.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    };
    let declared = names(9)?;
    let mae = row.get(6)?;
    Ok(RunSummary {
        run_id: row.get(0)?,
        profile: row.get(1)?,
        started_at: moment(row.get(2)?),
        finished_at: row.get::<_, Option<String>>(3)?.map(moment),
        status: row.get(4)?,
        f1_macro: row.get(5)?,
        mae_sp: mae,
        parse_failure_rate: row.get(7)?,
        scenario: row.get(8)?,
        models: if declared.is_empty() { names(10)? } else { declared },
        strategies: names(11)?,
        jobs: usize::try_from(row.get::<_, i64>(12)?).unwrap_or_default(),
        mae,
        accuracy: row.get(14)?,
        jobs_finished: usize::try_from(row.get::<_, i64>(13)?).unwrap_or_default(),
    })
}
