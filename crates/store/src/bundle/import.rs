//! A run of another machine into the database.

use crate::moment::column_text;
use crate::record::{RecordColumns, insert_failure, insert_header, insert_instances, insert_record};
use crate::{Store, StoreError, compare, machine, measurement};
use puma_core::{Origin, Outcome, RecordedRun, RunId};
use rusqlite::{Connection, params};

/// What importing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// The run is in the database now.
    New,
    /// It was there already, equal in everything.
    AlreadyThere,
}

impl Store {
    /// Keeps a run that was made elsewhere, whole or not at all. Loading it gives `run` back.
    ///
    /// # Errors
    /// A run with this id is there with other content, a value cannot be kept exactly, or the database cannot be
    /// written.
    pub fn import_run(&self, run: &RecordedRun) -> Result<Imported, StoreError> {
        const ATTEMPTED: &str = "import the run";
        let run_id = &run.header.run_id;
        let failed = self.failed(ATTEMPTED);
        self.on_disk(|| {
            let transaction = self.begin(ATTEMPTED)?;
            if exists(&transaction, run_id).map_err(&failed)? {
                let stored = self.read_run(run_id)?;
                return if same(&stored, run) {
                    Ok(Imported::AlreadyThere)
                } else {
                    Err(StoreError::ImportDiffers {
                        run_id: run_id.to_string(),
                        differences: differences(&stored, run),
                    })
                };
            }
            self.insert_whole(&transaction, run)?;
            // What a hostile or careless file can hold and a database cannot is found by reading it back.
            if !same(&self.read_run(run_id)?, run) {
                return Err(StoreError::Inexact { run_id: run_id.to_string() });
            }
            transaction.commit().map_err(&failed)?;
            Ok(Imported::New)
        })
    }

    fn insert_whole(&self, conn: &Connection, run: &RecordedRun) -> Result<(), StoreError> {
        let failed = self.failed("import the run");
        let run_id = &run.header.run_id;
        insert_header(conn, &run.header)
            .and_then(|()| machine::insert_snapshot(conn, &run.header))
            .and_then(|()| insert_instances(conn, run_id, &run.instances))
            .and_then(|()| set_state(conn, run))
            .map_err(&failed)?;
        for record in &run.records {
            let refused = |reason| StoreError::BadRecord {
                run_id: run_id.to_string(),
                job_id: record.job_id.to_string(),
                reason,
            };
            let columns = RecordColumns::new(record).map_err(refused)?;
            insert_record(conn, run_id, record, &columns).map_err(&failed)?;
            if record.outcome == Outcome::BackendFailed {
                insert_failure(conn, run_id, record).map_err(&failed)?;
            }
        }
        for session in &run.sessions {
            measurement::keep_in(conn, run_id, session).map_err(&failed)?;
        }
        Ok(())
    }
}

fn exists(conn: &Connection, run_id: &RunId) -> rusqlite::Result<bool> {
    conn.query_row("SELECT EXISTS (SELECT 1 FROM runs WHERE run_id = ?1)", [run_id.as_str()], |row| row.get(0))
}

/// How far the run got, which the events of a run in progress would tell one after the other.
fn set_state(conn: &Connection, run: &RecordedRun) -> rusqlite::Result<()> {
    let origin = match run.origin {
        Origin::Puma => None,
        Origin::Upstream => Some("upstream"),
    };
    conn.execute(
        "UPDATE runs SET status = ?2, finished_at = ?3, resumed_count = ?4, origin = ?5 WHERE run_id = ?1",
        params![
            run.header.run_id.as_str(),
            run.status.as_str(),
            run.finished_at.map(column_text),
            run.resumed_count,
            origin,
        ],
    )?;
    conn.execute("DELETE FROM reserved_run_ids WHERE run_id = ?1", [run.header.run_id.as_str()]).map(drop)
}

/// Equal but for the order of the predictions: upstream's rows have another one there than here.
fn same(stored: &RecordedRun, run: &RecordedRun) -> bool {
    let in_order = |run: &RecordedRun| {
        let mut run = run.clone();
        run.records.sort_by(|left, right| left.job_id.cmp(&right.job_id));
        run
    };
    in_order(stored) == in_order(run)
}

/// What differs between the run here and the one that comes, a few sentences.
fn differences(stored: &RecordedRun, run: &RecordedRun) -> Vec<String> {
    let mut found = compare::header_differences(&stored.header, &run.header);
    found.extend(compare::instance_differences(&stored.instances, &run.instances));
    let equal = stored.records.iter().zip(&run.records).filter(|(here, there)| here == there).count();
    if equal < stored.records.len().max(run.records.len()) {
        let (here, there) = (stored.records.len(), run.records.len());
        found.push(format!("of {here} predictions here and {there} there, {equal} are the same"));
    }
    if stored.status != run.status {
        found.push(format!("it is {} here and {} there", stored.status.as_str(), run.status.as_str()));
    }
    if found.is_empty() {
        found.push("what was stored about the machine, the times or the measured sessions differs".to_owned());
    }
    found
}
