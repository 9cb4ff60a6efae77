//! The event sink that keeps a run: one transaction a job, so that a killed process loses only the job it was at.

use crate::columns::{completions_to_json, completions_with_tokens_to_json};
use crate::compare::{header_differences, instance_differences};
use crate::lock::RunLock;
use crate::moment::{column_text, parse_moment};
use crate::{Store, StoreError, load, machine, measurement};
use puma_core::canon::sha256_hex;
use puma_core::event::{EventSink, InstanceRow, RunEvent, RunHeader, RunStatus, SinkError};
use puma_core::measure::SessionMeasurement;
use puma_core::{Completion, JobRecord, Millis, Origin, Outcome, Phases, RunId, SpecHash, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

/// Writes the events of one run at a time into a [`Store`]. While it has a run open, no other process can write it.
#[derive(Debug)]
pub struct Recorder<'a> {
    store: &'a Store,
    open: Option<OpenRun>,
}

#[derive(Debug)]
struct OpenRun {
    run_id: RunId,
    /// `None` for a store in memory, which no other process can see.
    _lock: Option<RunLock>,
}

impl Store {
    /// An event sink for this store.
    pub fn recorder(&self) -> Recorder<'_> {
        Recorder { store: self, open: None }
    }

    /// A run id that nobody has: `<spec id>__<spec hash>__<UTC second>`, with `-2`, `-3`, … when that second's is
    /// taken. It stays reserved for the caller.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn allocate_run_id(&self, spec_id: &str, spec_hash: &SpecHash, at: Timestamp) -> Result<RunId, StoreError> {
        const ATTEMPTED: &str = "reserve a run id";
        let base = format!("{spec_id}__{spec_hash}__{}", at.compact());
        let transaction = self.begin(ATTEMPTED)?;
        let mut run_id = base.clone();
        let mut number = 1;
        while is_taken(&transaction, &run_id).map_err(self.failed(ATTEMPTED))? {
            number += 1;
            run_id = format!("{base}-{number}");
        }
        transaction
            .execute("INSERT INTO reserved_run_ids (run_id) VALUES (?1)", [&run_id])
            .and_then(|_| transaction.commit())
            .map_err(self.failed(ATTEMPTED))?;
        Ok(RunId::new(run_id))
    }
}

fn is_taken(conn: &Connection, run_id: &str) -> rusqlite::Result<bool> {
    conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM runs WHERE run_id = ?1) \
             OR EXISTS (SELECT 1 FROM reserved_run_ids WHERE run_id = ?1)",
        [run_id],
        |row| row.get(0),
    )
}

impl EventSink for Recorder<'_> {
    /// Returns when the fact survives this process: a job's is committed, a begin's or an end's also on the disk.
    fn emit(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::RunStarted { header, instances, resumed } => self.start(header, instances, *resumed),
            RunEvent::JobFinished { run_id, record } => self.job(run_id, record),
            RunEvent::RunMeasured { run_id, measurement } => self.measured(run_id, measurement),
            RunEvent::RunFinished { run_id, status, at } => self.finish(run_id, *status, *at),
        }
        .map_err(SinkError::from)
    }
}

impl Recorder<'_> {
    /// Takes the run for this process and makes its rows, or checks them when it goes on.
    ///
    /// # Errors
    /// Another process writes it; it exists and is not resumed; it is resumed and does not exist or is not the same.
    pub fn start(&mut self, header: &RunHeader, instances: &[InstanceRow], resumed: bool) -> Result<(), StoreError> {
        let run_id = header.run_id.as_str();
        self.open = None;
        let lock = self.store.path().map(|path| RunLock::take(path, run_id)).transpose()?;
        if resumed {
            self.check_same_run(header, instances)?;
        }
        self.store.on_disk(|| if resumed { self.mark_resumed(run_id) } else { self.insert_run(header, instances) })?;
        self.open = Some(OpenRun { run_id: header.run_id.clone(), _lock: lock });
        Ok(())
    }

    fn mark_resumed(&self, run_id: &str) -> Result<(), StoreError> {
        self.store
            .conn
            .execute(
                "UPDATE runs SET status = 'running', finished_at = NULL, resumed_count = resumed_count + 1 \
                 WHERE run_id = ?1",
                [run_id],
            )
            .map(drop)
            .map_err(self.store.failed("resume the run"))
    }

    fn check_same_run(&self, header: &RunHeader, instances: &[InstanceRow]) -> Result<(), StoreError> {
        let (stored, origin) = load::header(self.store, header.run_id.as_str())?;
        if origin == Origin::Upstream {
            let differences = vec!["upstream PUMA made it and kept too little to go on".to_owned()];
            return Err(StoreError::RunDiffers { run_id: header.run_id.to_string(), differences });
        }
        let mut differences = header_differences(&stored, header);
        differences.extend(instance_differences(&load::instances(self.store, header.run_id.as_str())?, instances));
        if differences.is_empty() {
            return Ok(());
        }
        Err(StoreError::RunDiffers { run_id: header.run_id.to_string(), differences })
    }

    fn insert_run(&self, header: &RunHeader, instances: &[InstanceRow]) -> Result<(), StoreError> {
        const ATTEMPTED: &str = "begin the run";
        let failed = self.store.failed(ATTEMPTED);
        let transaction = self.store.begin(ATTEMPTED)?;
        let exists: bool = transaction
            .query_row("SELECT EXISTS (SELECT 1 FROM runs WHERE run_id = ?1)", [header.run_id.as_str()], |r| r.get(0))
            .map_err(&failed)?;
        if exists {
            return Err(StoreError::RunExists { run_id: header.run_id.to_string() });
        }
        insert_header(&transaction, header)
            .and_then(|()| machine::insert_snapshot(&transaction, header))
            .and_then(|()| insert_instances(&transaction, &header.run_id, instances))
            .and_then(|()| {
                transaction.execute("DELETE FROM reserved_run_ids WHERE run_id = ?1", [header.run_id.as_str()])
            })
            .map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// Keeps one finished job. A record of a job that failed in the backend gives way to the next one; every failure
    /// stays in `job_failures`. The same record again changes nothing.
    ///
    /// # Errors
    /// The run was not begun here, the instance is unknown, the job has another answer already, or writing failed.
    pub fn job(&mut self, run_id: &RunId, record: &JobRecord) -> Result<(), StoreError> {
        const ATTEMPTED: &str = "record a job";
        self.require_open(run_id)?;
        let failed = self.store.failed(ATTEMPTED);
        let refused = |reason: String| StoreError::BadRecord {
            run_id: run_id.to_string(),
            job_id: record.job_id.to_string(),
            reason,
        };
        let columns = RecordColumns::new(record).map_err(refused)?;
        let transaction = self.store.begin(ATTEMPTED)?;
        if !knows_instance(&transaction, run_id, record).map_err(&failed)? {
            return Err(refused(format!("the run has no instance {}", record.instance_id)));
        }
        let failure = record.outcome == Outcome::BackendFailed;
        match stored_outcome(&transaction, run_id, record).map_err(&failed)?.as_deref() {
            None => insert_record(&transaction, run_id, record, &columns).map_err(&failed)?,
            Some(outcome) if outcome == Outcome::BackendFailed.as_str() => {
                let old = load::record(self.store, run_id.as_str(), record.job_id.as_str())?;
                if old.as_ref() == Some(record) {
                    return Ok(());
                }
                transaction
                    .execute("DELETE FROM predictions WHERE run_id = ?1 AND job_id = ?2", job_key(run_id, record))
                    .map_err(&failed)?;
                insert_record(&transaction, run_id, record, &columns).map_err(&failed)?;
            }
            // A failure after an answer takes nothing away: the answer stands.
            Some(_) if failure => {}
            Some(_) => {
                let old = load::record(self.store, run_id.as_str(), record.job_id.as_str())?;
                if old.as_ref() == Some(record) {
                    return Ok(());
                }
                return Err(refused("it has another answer already".to_owned()));
            }
        }
        if failure {
            insert_failure(&transaction, run_id, record).map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)
    }

    /// Keeps the latest numbers of the session that works on the run.
    ///
    /// # Errors
    /// The run was not begun here, or writing failed.
    pub fn measured(&mut self, run_id: &RunId, measurement: &SessionMeasurement) -> Result<(), StoreError> {
        self.require_open(run_id)?;
        measurement::keep(self.store, run_id, measurement)
    }

    /// Sets how the run ended and lets other processes write it.
    ///
    /// # Errors
    /// The run was not begun here, or writing failed.
    pub fn finish(&mut self, run_id: &RunId, status: RunStatus, at: Timestamp) -> Result<(), StoreError> {
        self.require_open(run_id)?;
        self.store.on_disk(|| {
            self.store
                .conn
                .execute(
                    "UPDATE runs SET status = ?2, finished_at = ?3 WHERE run_id = ?1",
                    params![run_id.as_str(), status.as_str(), column_text(at)],
                )
                .map_err(self.store.failed("finish the run"))
        })?;
        self.open = None;
        Ok(())
    }

    fn require_open(&self, run_id: &RunId) -> Result<(), StoreError> {
        match &self.open {
            Some(open) if open.run_id == *run_id => Ok(()),
            _ => Err(StoreError::RunNotBegun { run_id: run_id.to_string() }),
        }
    }
}

pub(crate) fn insert_header(conn: &Connection, header: &RunHeader) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO runs (run_id, spec_hash, spec_yaml, profile, started_at, status, scenario, strategies_json, \
             models_json, backend_json, dataset_json, templates_json, machine_json, puma_version, jobs_planned) \
         VALUES (:run_id, :spec_hash, :spec, :profile, :started_at, 'running', :scenario, :strategies, \
             :models, :backend, :dataset, :templates, :machine, :puma_version, :jobs)",
        named_params! {
            ":run_id": header.run_id.as_str(),
            ":spec_hash": header.spec_hash.as_str(),
            ":spec": header.spec.to_string(),
            ":profile": header.profile,
            ":started_at": column_text(header.started_at),
            ":scenario": header.scenario,
            ":strategies": json(&header.strategies)?,
            ":models": json(&header.models)?,
            ":backend": json(&header.backend)?,
            ":dataset": json(&header.dataset)?,
            ":templates": json(&header.templates)?,
            ":machine": header.machine.to_string(),
            ":puma_version": header.puma_version,
            ":jobs": header.jobs as i64,
        },
    )?;
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

pub(crate) fn insert_instances(conn: &Connection, run_id: &RunId, instances: &[InstanceRow]) -> rusqlite::Result<()> {
    // Upstream's table knows one row an id over all datasets, and asks `source_id` to be unique in each: the id itself.
    let mut shared = conn.prepare_cached(
        "INSERT INTO instances (instance_id, dataset, source_id, input_text, gold_label) VALUES (?1, ?2, ?1, ?3, ?4) \
         ON CONFLICT DO NOTHING",
    )?;
    let mut own = conn.prepare_cached(
        "INSERT INTO run_instances (run_id, instance_id, position, scenario, source_id, fields_sha256, gold, group_name) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for (position, row) in instances.iter().enumerate() {
        let InstanceRow { instance_id, scenario, source_id, fields, gold, group } = row;
        let fields = fields.to_string();
        shared.execute(params![instance_id.as_str(), scenario, fields, gold])?;
        let sha256 = insert_text(conn, &fields)?;
        let id = instance_id.as_str();
        own.execute(params![run_id.as_str(), id, position as i64, scenario, source_id, sha256, gold, group])?;
    }
    Ok(())
}

/// Keeps `text` once, under its SHA-256, which is returned.
fn insert_text(conn: &Connection, text: &str) -> rusqlite::Result<String> {
    let sha256 = sha256_hex(text.as_bytes());
    conn.prepare_cached("INSERT INTO texts (sha256, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute([sha256.as_str(), text])?;
    Ok(sha256)
}

fn knows_instance(conn: &Connection, run_id: &RunId, record: &JobRecord) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM run_instances WHERE run_id = ?1 AND instance_id = ?2)")?
        .query_row([run_id.as_str(), record.instance_id.as_str()], |row| row.get(0))
}

fn stored_outcome(conn: &Connection, run_id: &RunId, record: &JobRecord) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT outcome FROM predictions WHERE run_id = ?1 AND job_id = ?2")?
        .query_row(job_key(run_id, record), |row| row.get(0))
        .optional()
}

fn job_key<'a>(run_id: &'a RunId, record: &'a JobRecord) -> [&'a str; 2] {
    [run_id.as_str(), record.job_id.as_str()]
}

/// The columns of a record that are computed before the transaction begins.
pub(crate) struct RecordColumns {
    completions: String,
    logprobs: Option<String>,
    label_probabilities: Option<String>,
}

impl RecordColumns {
    /// # Errors
    /// A sentence: what in the record cannot be stored and read back.
    pub(crate) fn new(record: &JobRecord) -> Result<Self, String> {
        let probabilities = record.label_probabilities.values().chain(record.confidence.iter());
        if !probabilities.copied().all(f64::is_finite) {
            return Err("a probability is not a number".to_owned());
        }
        if !record.completions.iter().flat_map(times_ms).all(f64::is_finite) {
            return Err("a duration is not a number".to_owned());
        }
        for at in [record.started_at, record.finished_at] {
            if parse_moment(&column_text(at)) != Some(at) {
                return Err(format!("its time {} lies outside the years 0 to 9999", at.0));
            }
        }
        let unwritable = |error: serde_json::Error| format!("it cannot be written as JSON ({error})");
        let (completions, logprobs) = completions_to_json(&record.completions).map_err(unwritable)?;
        let label_probabilities = if record.label_probabilities.is_empty() {
            None
        } else {
            Some(serde_json::to_string(&record.label_probabilities).map_err(unwritable)?)
        };
        Ok(Self { completions, logprobs, label_probabilities })
    }
}

fn times_ms(completion: &Completion) -> impl Iterator<Item = f64> {
    let Phases { total_ms, load_ms, prompt_ms, generation_ms, first_token_ms } = completion.phases;
    let attempts = completion.attempts.iter().flat_map(|attempt| [attempt.duration_ms, attempt.waited_ms]);
    let phases = [Some(total_ms), load_ms, prompt_ms, generation_ms, first_token_ms];
    attempts.chain(phases.into_iter().flatten()).map(|millis| millis.0).collect::<Vec<_>>().into_iter()
}

pub(crate) fn insert_record(
    conn: &Connection,
    run_id: &RunId,
    record: &JobRecord,
    columns: &RecordColumns,
) -> rusqlite::Result<()> {
    let sum_ms = |phase: fn(&Phases) -> Option<Millis>| -> Option<f64> {
        record.completions.iter().map(|c| phase(&c.phases).map(|millis| millis.0)).sum()
    };
    let asked = !record.completions.is_empty();
    conn.prepare_cached(
        "INSERT INTO predictions (run_id, instance_id, model, strategy, prompt_hash, raw_response, parsed_label, \
             confidence, logprobs_json, latency_ms, tokens_in, tokens_out, perturbation, seed, job_id, repeat, outcome, \
             rule, gold, group_name, error, prompt_sha256, completions_json, label_probabilities_json, started_at, \
             finished_at, load_ms, prompt_ms, generation_ms, cached, failed_attempts_json) \
         VALUES (:run_id, :instance_id, :model, :strategy, :prompt_hash, :raw_response, :answer, \
             :confidence, :logprobs, :latency_ms, :tokens_in, :tokens_out, :perturbation, :seed, :job_id, :repeat, \
             :outcome, :rule, :gold, :group_name, :error, :prompt_sha256, :completions, :label_probabilities, \
             :started_at, :finished_at, :load_ms, :prompt_ms, :generation_ms, :cached, :failed_attempts)",
    )?
    .execute(named_params! {
        ":run_id": run_id.as_str(),
        ":instance_id": record.instance_id.as_str(),
        ":model": record.model,
        ":strategy": record.strategy,
        ":prompt_hash": record.prompt_hash,
        ":raw_response": record.raw_response(),
        ":answer": record.answer,
        ":confidence": record.confidence,
        ":logprobs": columns.logprobs,
        ":latency_ms": record.latency_ms(),
        ":tokens_in": asked.then(|| record.prompt_tokens().map(u64::cast_signed)),
        ":tokens_out": asked.then(|| record.generated_tokens().map(u64::cast_signed)),
        ":perturbation": record.perturbation,
        // SQLite's integers are signed; the bits are kept.
        ":seed": record.seed.cast_signed(),
        ":job_id": record.job_id.as_str(),
        ":repeat": record.repeat,
        ":outcome": record.outcome.as_str(),
        ":rule": record.rule,
        ":gold": record.gold,
        ":group_name": record.group,
        ":error": record.error,
        ":prompt_sha256": insert_text(conn, &record.prompt)?,
        ":completions": columns.completions,
        ":label_probabilities": columns.label_probabilities,
        ":started_at": column_text(record.started_at),
        ":finished_at": column_text(record.finished_at),
        ":load_ms": if asked { sum_ms(|phases| phases.load_ms) } else { None },
        ":prompt_ms": if asked { sum_ms(|phases| phases.prompt_ms) } else { None },
        ":generation_ms": if asked { sum_ms(|phases| phases.generation_ms) } else { None },
        ":failed_attempts": attempts_to_json(record)?,
        ":cached": asked && record.completions.iter().all(|completion| completion.from_cache),
    })?;
    Ok(())
}

pub(crate) fn insert_failure(conn: &Connection, run_id: &RunId, record: &JobRecord) -> rusqlite::Result<()> {
    let completions = completions_with_tokens_to_json(&record.completions)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    conn.prepare_cached(
        "INSERT INTO job_failures (run_id, job_id, error, completions_json, started_at, finished_at, attempts_json) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        run_id.as_str(),
        record.job_id.as_str(),
        record.error,
        completions,
        column_text(record.started_at),
        column_text(record.finished_at),
        attempts_to_json(record)?,
    ])?;
    Ok(())
}

fn attempts_to_json(record: &JobRecord) -> rusqlite::Result<String> {
    serde_json::to_string(&record.failed_attempts)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
