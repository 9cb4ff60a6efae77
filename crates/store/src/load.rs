//! A run as it was emitted, read back.
//!
//! Rows that upstream PUMA wrote are read as far as they go: it kept no prompts, no reason for a missing answer and
//! no identity of what answered. [`Origin`] says which kind a run is.

use crate::columns::{completions_from_json, tokens_from_json};
use crate::moment::parse_moment;
use crate::{Store, StoreError};
use puma_core::event::{DatasetIdentity, InstanceRow, RunHeader, RunStatus};
use puma_core::{
    Attempt, BackendIdentity, Completion, FinishReason, InstanceId, JobId, JobRecord, Millis, ModelIdentity, Origin,
    Outcome, Phases, RecordedRun, RunId, SpecHash, Timestamp, Usage,
};
use rusqlite::{OptionalExtension as _, Params, Row, params};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// One time a job failed in the backend.
#[derive(Clone, Debug, PartialEq)]
pub struct JobFailure {
    pub job_id: JobId,
    pub error: Option<String>,
    /// Every attempt at the request that failed for good.
    pub attempts: Vec<Attempt>,
    /// What had been completed before the failure.
    pub completions: Vec<Completion>,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
}

impl Store {
    /// The run with exactly this id. See [`Store::find_run`] for prefixes.
    ///
    /// # Errors
    /// There is no such run, or its rows cannot be read.
    pub fn load_run(&self, run_id: &RunId) -> Result<RecordedRun, StoreError> {
        // One read transaction, so that a writer cannot put a job between the header and the records.
        let transaction = self.conn.unchecked_transaction().map_err(self.failed("load the run"))?;
        let run = self.read_run(run_id);
        drop(transaction);
        run
    }

    /// As [`Store::load_run`], within a transaction of the caller.
    pub(crate) fn read_run(&self, run_id: &RunId) -> Result<RecordedRun, StoreError> {
        const ATTEMPTED: &str = "load the run";
        let (header, origin) = header(self, run_id.as_str())?;
        let (status, finished_at, resumed_count) = self
            .conn
            .query_row(
                "SELECT status, finished_at, resumed_count FROM runs WHERE run_id = ?1",
                [run_id.as_str()],
                |r| Ok((r.get::<_, String>(0)?, r.get::<_, Option<String>>(1)?, r.get(2)?)),
            )
            .map_err(self.failed(ATTEMPTED))?;
        let unreadable = |what, detail: &str| self.unreadable(run_id.as_str(), what, detail);
        let status = RunStatus::parse(&status).ok_or_else(|| unreadable("the status", &status))?;
        let finished_at =
            finished_at.map(|text| parse_moment(&text).ok_or_else(|| unreadable("the end time", &text))).transpose()?;
        let instances = instances(self, run_id.as_str())?;
        let records = records(self, run_id.as_str())?;
        let sessions = self.sessions(run_id)?;
        Ok(RecordedRun { header, instances, records, status, finished_at, resumed_count, origin, sessions })
    }

    /// The jobs of a run that need not be tried again. A job that failed in the backend is not among them.
    ///
    /// # Errors
    /// The database cannot be read. A run that does not exist has none.
    pub fn finished_jobs(&self, run_id: &RunId) -> Result<BTreeSet<JobId>, StoreError> {
        self.rows(
            "read finished jobs",
            "SELECT job_id FROM predictions WHERE run_id = ?1 AND job_id IS NOT NULL AND outcome <> 'backend_failed'",
            [run_id.as_str()],
            |row| row.get::<_, String>(0).map(JobId::new),
        )
        .map(BTreeSet::from_iter)
    }

    /// Every time a job of the run failed in the backend, oldest first, also where a later attempt succeeded.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn job_failures(&self, run_id: &RunId) -> Result<Vec<JobFailure>, StoreError> {
        let read = |row: &Row<'_>| {
            let completions: String = row.get(2)?;
            Ok(JobFailure {
                job_id: JobId::new(row.get::<_, String>(0)?),
                error: row.get(1)?,
                completions: completions_from_json(&completions, None).map_err(|e| bad_column(2, e))?,
                started_at: moment(row, 3)?,
                finished_at: moment(row, 4)?,
                attempts: json_or_default(row, 5)?,
            })
        };
        self.rows(
            "read failed jobs",
            "SELECT job_id, error, completions_json, started_at, finished_at, attempts_json FROM job_failures \
             WHERE run_id = ?1 ORDER BY failure_id",
            [run_id.as_str()],
            read,
        )
    }

    /// Who is writing the run at this moment, in words; `None` if nobody is. A run that is `running` with no writer
    /// was killed and can be resumed.
    pub fn writer_of(&self, run_id: &RunId) -> Option<String> {
        self.path().and_then(|path| crate::lock::holder(path, run_id.as_str()))
    }

    fn unreadable(&self, run_id: &str, what: &'static str, detail: &str) -> StoreError {
        StoreError::Unreadable {
            path: self.name().to_path_buf(),
            run_id: run_id.to_owned(),
            what,
            detail: detail.to_owned(),
        }
    }

    /// All rows of a query, each read by `read`.
    pub(crate) fn rows<T>(
        &self,
        attempted: &'static str,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql).map_err(self.failed(attempted))?;
        let rows = statement.query_map(params, read).map_err(self.failed(attempted))?;
        rows.collect::<rusqlite::Result<_>>().map_err(self.failed(attempted))
    }
}

/// The header of a run and who wrote it.
pub(crate) fn header(store: &Store, run_id: &str) -> Result<(RunHeader, Origin), StoreError> {
    let found = store
        .conn
        .prepare_cached(
            "SELECT spec_hash, spec_yaml, profile, started_at, scenario, strategies_json, models_json, backend_json, \
                 dataset_json, templates_json, machine_json, puma_version, jobs_planned, origin FROM runs WHERE run_id = ?1",
        )
        .and_then(|mut statement| statement.query_row([run_id], |row| read_header(row, run_id)).optional())
        .map_err(store.failed("read the run"))?;
    match found {
        // An imported run has its header whole, whoever made it.
        Some((header, origin, true)) => Ok((header, origin)),
        Some((header, origin, false)) => Ok((complete_upstream(store, header)?, origin)),
        None => Err(store.run_not_found(run_id)),
    }
}

/// The header, who made the run, and whether the header is whole.
fn read_header(row: &Row<'_>, run_id: &str) -> rusqlite::Result<(RunHeader, Origin, bool)> {
    let whole = row.get_ref(7)? != rusqlite::types::ValueRef::Null;
    let imported = row.get_ref(13)? != rusqlite::types::ValueRef::Null;
    let origin = if whole && !imported { Origin::Puma } else { Origin::Upstream };
    let header = RunHeader {
        run_id: RunId::new(run_id),
        spec_hash: SpecHash::new(row.get::<_, String>(0)?),
        spec: json_or_default(row, 1)?,
        profile: row.get(2)?,
        started_at: moment(row, 3)?,
        scenario: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
        strategies: json_or_default(row, 5)?,
        models: json_or_default(row, 6)?,
        backend: json_or_default(row, 7)?,
        dataset: json_or_default(row, 8)?,
        templates: json_or_default(row, 9)?,
        machine: json_or_default(row, 10)?,
        puma_version: row.get::<_, Option<String>>(11)?.unwrap_or_default(),
        jobs: usize::try_from(row.get::<_, Option<i64>>(12)?.unwrap_or_default()).unwrap_or_default(),
    };
    Ok((header, origin, whole))
}

/// Fills in what upstream's rows tell apart from `runs`: it asked Ollama, and its scenarios name their dataset.
fn complete_upstream(store: &Store, mut header: RunHeader) -> Result<RunHeader, StoreError> {
    const ATTEMPTED: &str = "read the run";
    let run_id = header.run_id.as_str();
    let models: Vec<String> = store.rows(
        ATTEMPTED,
        "SELECT DISTINCT model FROM predictions WHERE run_id = ?1 ORDER BY model",
        [run_id],
        |row| row.get(0),
    )?;
    header.models = models.into_iter().map(|name| ModelIdentity { name, ..ModelIdentity::default() }).collect();
    let versions =
        store.rows(ATTEMPTED, "SELECT ollama_version FROM profile_snapshots WHERE run_id = ?1", [run_id], |row| {
            row.get::<_, Option<String>>(0)
        })?;
    header.backend = BackendIdentity {
        kind: "ollama".to_owned(),
        version: versions.into_iter().flatten().find(|version| version != "unknown"),
        ..BackendIdentity::default()
    };
    let counts = store.rows(
        ATTEMPTED,
        "SELECT count(*), count(DISTINCT instance_id) FROM predictions WHERE run_id = ?1",
        [run_id],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
    )?;
    let (jobs, rows) = counts.first().copied().unwrap_or_default();
    header.jobs = usize::try_from(jobs).unwrap_or_default();
    header.dataset = DatasetIdentity {
        name: header.scenario.clone(),
        rows: usize::try_from(rows).unwrap_or_default(),
        source: "upstream".to_owned(),
        ..DatasetIdentity::default()
    };
    Ok(header)
}

/// The instances of a run in the order of its plan; for upstream's runs those its predictions name, by id.
pub(crate) fn instances(store: &Store, run_id: &str) -> Result<Vec<InstanceRow>, StoreError> {
    const ATTEMPTED: &str = "read the instances";
    let read = |row: &Row<'_>| {
        Ok(InstanceRow {
            instance_id: InstanceId::new(row.get::<_, String>(0)?),
            scenario: row.get(1)?,
            source_id: row.get(2)?,
            fields: json_or_default(row, 3)?,
            gold: row.get(4)?,
            group: row.get(5)?,
        })
    };
    let own = store.rows(
        ATTEMPTED,
        "SELECT i.instance_id, i.scenario, i.source_id, t.text, i.gold, i.group_name \
         FROM run_instances i JOIN texts t ON t.sha256 = i.fields_sha256 WHERE i.run_id = ?1 ORDER BY i.position",
        [run_id],
        read,
    )?;
    if !own.is_empty() {
        return Ok(own);
    }
    store.rows(
        ATTEMPTED,
        "SELECT instance_id, dataset, source_id, NULL, gold_label, NULL FROM instances \
         WHERE instance_id IN (SELECT instance_id FROM predictions WHERE run_id = ?1) ORDER BY instance_id",
        [run_id],
        read,
    )
}

/// The columns that [`read_record`] takes, by position.
const RECORD_QUERY: &str = "SELECT p.job_id, p.instance_id, p.model, p.strategy, p.perturbation, p.repeat, p.seed, \
        coalesce(p.gold, s.gold_label), p.group_name, t.text, p.prompt_hash, p.outcome, p.parsed_label, p.rule, \
        p.confidence, p.label_probabilities_json, p.completions_json, p.logprobs_json, p.error, p.started_at, \
        p.finished_at, p.pred_id, p.raw_response, p.latency_ms, p.tokens_in, p.tokens_out, p.failed_attempts_json \
    FROM predictions p LEFT JOIN texts t ON t.sha256 = p.prompt_sha256 \
        LEFT JOIN instances s ON s.instance_id = p.instance_id \
        LEFT JOIN run_instances i ON i.run_id = p.run_id AND i.instance_id = p.instance_id ";

fn records(store: &Store, run_id: &str) -> Result<Vec<JobRecord>, StoreError> {
    let sql = format!(
        "{RECORD_QUERY} WHERE p.run_id = ?1 ORDER BY i.position, p.instance_id, p.model, p.strategy, p.perturbation, \
         p.repeat, p.job_id, p.pred_id"
    );
    store.rows("read the jobs of the run", &sql, [run_id], read_record)
}

/// The record of one job as it stands now.
pub(crate) fn record(store: &Store, run_id: &str, job_id: &str) -> Result<Option<JobRecord>, StoreError> {
    let sql = format!("{RECORD_QUERY} WHERE p.run_id = ?1 AND p.job_id = ?2");
    store.rows("read the job", &sql, params![run_id, job_id], read_record).map(|records| records.into_iter().next())
}

fn read_record(row: &Row<'_>) -> rusqlite::Result<JobRecord> {
    let Some(outcome) = row.get::<_, Option<String>>(11)? else { return read_upstream_record(row) };
    let completions: String = row.get(16)?;
    let logprobs: Option<String> = row.get(17)?;
    Ok(JobRecord {
        job_id: JobId::new(row.get::<_, String>(0)?),
        instance_id: InstanceId::new(row.get::<_, String>(1)?),
        model: row.get(2)?,
        strategy: row.get(3)?,
        perturbation: row.get(4)?,
        repeat: row.get(5)?,
        seed: row.get::<_, i64>(6)?.cast_unsigned(),
        gold: row.get(7)?,
        group: row.get(8)?,
        prompt: row.get(9)?,
        prompt_hash: row.get(10)?,
        outcome: Outcome::parse(&outcome).ok_or_else(|| bad_column(11, format!("unknown outcome `{outcome}`")))?,
        answer: row.get(12)?,
        rule: row.get(13)?,
        confidence: row.get(14)?,
        label_probabilities: json_or_default(row, 15)?,
        completions: completions_from_json(&completions, logprobs.as_deref()).map_err(|e| bad_column(16, e))?,
        error: row.get(18)?,
        failed_attempts: json_or_default(row, 26)?,
        started_at: moment(row, 19)?,
        finished_at: moment(row, 20)?,
    })
}

/// Upstream stored a failed request as an empty text without a time, and any other miss as a missing label. Its rows
/// hold neither prompt text nor times of day.
fn read_upstream_record(row: &Row<'_>) -> rusqlite::Result<JobRecord> {
    let raw: String = row.get(22)?;
    let answer: Option<String> = row.get(12)?;
    let latency_ms: Option<f64> = row.get(23)?;
    let answered_at_all = latency_ms.is_some_and(|ms| ms > 0.0);
    let outcome = match (&answer, raw.trim().is_empty()) {
        (Some(_), _) => Outcome::Answered,
        (None, false) => Outcome::Unparsed,
        (None, true) if answered_at_all => Outcome::Empty,
        (None, true) => Outcome::BackendFailed,
    };
    // Python writes infinities that are no JSON; such tokens are missing rather than the whole run.
    let tokens = row.get::<_, Option<String>>(17)?.and_then(|json| tokens_from_json(&json).ok()).unwrap_or_default();
    let completion = Completion {
        text: raw,
        reasoning: None,
        finish: FinishReason::Stop,
        tokens,
        scores: Vec::new(),
        usage: Usage { prompt_tokens: row.get(24)?, cached_tokens: None, generated_tokens: row.get(25)? },
        phases: Phases { total_ms: Millis(latency_ms.unwrap_or_default()), ..Phases::default() },
        attempts: Vec::new(),
        from_cache: false,
    };
    let failed = outcome == Outcome::BackendFailed;
    Ok(JobRecord {
        job_id: JobId::new(format!("upstream-{}", row.get::<_, i64>(21)?)),
        instance_id: InstanceId::new(row.get::<_, String>(1)?),
        model: row.get(2)?,
        strategy: row.get(3)?,
        perturbation: row.get(4)?,
        repeat: 0,
        seed: row.get::<_, i64>(6)?.cast_unsigned(),
        gold: row.get::<_, Option<String>>(7)?.unwrap_or_default(),
        group: None,
        prompt: String::new(),
        prompt_hash: row.get(10)?,
        outcome,
        answer,
        rule: None,
        confidence: row.get(14)?,
        label_probabilities: std::collections::BTreeMap::new(),
        completions: if failed { Vec::new() } else { vec![completion] },
        error: failed.then(|| "upstream PUMA recorded no answer and no time".to_owned()),
        failed_attempts: Vec::new(),
        started_at: Timestamp::default(),
        finished_at: Timestamp::default(),
    })
}

/// The JSON of a column, the default where it is `NULL`.
pub(crate) fn json_or_default<T: DeserializeOwned + Default>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    match row.get::<_, Option<String>>(index)? {
        Some(text) => serde_json::from_str(&text).map_err(|error| bad_column(index, error)),
        None => Ok(T::default()),
    }
}

pub(crate) fn moment(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    let text: String = row.get(index)?;
    parse_moment(&text).ok_or_else(|| bad_column(index, format!("`{text}` is not a time")))
}

fn bad_column(index: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error.into())
}
