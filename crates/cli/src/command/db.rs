//! `puma db`: the database file.

use crate::command::models::bytes;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Arguments of `puma db`.
#[derive(Debug, Args)]
pub(crate) struct DbArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Size, schema version, row counts, integrity.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Bring the file to this program's schema; also adopts a file that upstream PUMA made.
    Migrate,
    /// Write a consistent copy, also while a run goes on.
    Backup {
        /// The copy; must not exist.
        target: PathBuf,
    },
    /// Give back the space of deleted runs.
    Compact,
    /// Delete a run and everything that belongs to it.
    Delete {
        /// The whole run id.
        run: String,
    },
}

pub(crate) fn run(args: DbArgs, context: &Context) -> Result<(), Failure> {
    let DbArgs { action } = args;
    match action {
        Action::Status { json } => status(context, json),
        Action::Migrate => {
            let status = context.existing_store()?.status()?;
            context.ui.data(&format!("{}: schema {}", context.db.display(), status.schema_version))
        }
        Action::Backup { target } => {
            context.existing_store()?.backup_to(&target)?;
            context.ui.data(&format!("copied to {}", target.display()))
        }
        Action::Compact => {
            let store = context.existing_store()?;
            let before = store.status()?.size_bytes;
            store.compact()?;
            context.ui.data(&format!("{} before, {} now", bytes(before), bytes(store.status()?.size_bytes)))
        }
        Action::Delete { run } => {
            let store = context.existing_store()?;
            let found = store.find_run(&run)?;
            if found.as_str() != run {
                return Err(Failure::invalid(format!("`{run}` is not a whole run id; nothing was deleted"))
                    .hint(format!("type `puma db delete {found}`")));
            }
            let deleted = store.delete_run(&found)?;
            context
                .ui
                .data(&format!("deleted {found}: {} predictions, {} metrics", deleted.predictions, deleted.metrics))
        }
    }
}

fn status(context: &Context, json: bool) -> Result<(), Failure> {
    let status = context.existing_store()?.status()?;
    if json {
        context.ui.json(&status)?;
    } else {
        let mut text = format!(
            "{}: {}, schema {}, SQLite {}, journal {}\n",
            context.db.display(),
            bytes(status.size_bytes + status.wal_bytes),
            status.schema_version,
            status.sqlite_version,
            status.journal_mode
        );
        for (table, rows) in &status.rows {
            text.push_str(&format!("  {table}: {rows}\n"));
        }
        for problem in &status.problems {
            text.push_str(&format!("  PROBLEM: {problem}\n"));
        }
        context.ui.data(&text)?;
    }
    if status.problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::operation("the database is damaged")
            .hint("restore a copy made by `puma db backup`, or move the file away to begin anew"))
    }
}
