//! What every command works with.

use crate::args::Global;
use crate::environment;
use crate::failure::Failure;
use crate::paths;
use crate::ui::Ui;
use puma_core::{Cancel, SystemClock};
use puma_host::{HostSource, RealHost, RecordedHost};
use puma_store::{Store, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The two streams, the places, the clock and the cancel flag.
pub(crate) struct Context {
    pub ui: Ui,
    pub cancel: Cancel,
    pub clock: SystemClock,
    pub db: PathBuf,
    /// `--home` or `PUMA_HOME`.
    pub home: Option<PathBuf>,
    /// The machine that is asked: this one, or that of `--host`.
    pub host: Arc<dyn HostSource>,
}

impl Context {
    /// # Errors
    /// The recording of `--host` cannot be read.
    pub(crate) fn new(global: &Global, ui: Ui, cancel: Cancel) -> Result<Self, (Ui, Failure)> {
        let Global { quiet: _, db, home, host } = global;
        let host = match host.as_deref().map(recorded) {
            None => Arc::new(RealHost::new(environment::of_the_host())) as Arc<dyn HostSource>,
            Some(Ok(recorded)) => Arc::new(recorded),
            Some(Err(failure)) => return Err((ui, failure)),
        };
        Ok(Self {
            ui,
            cancel,
            clock: SystemClock::default(),
            db: paths::database(db.as_ref()),
            home: home.clone().or_else(|| environment::get("PUMA_HOME").map(PathBuf::from)),
            host,
        })
    }

    /// A mistyped home folder would otherwise judge with the embedded prompts and data.
    pub(crate) fn require_home(&self) -> Result<(), Failure> {
        match &self.home {
            Some(home) if !home.is_dir() => {
                Err(Failure::invalid(format!("the home folder {} does not exist or is no folder", home.display()))
                    .hint("`--home` or PUMA_HOME names a folder with `prompts`, `specs`, `data` or `catalog` in it"))
            }
            _ => Ok(()),
        }
    }

    /// The database, made if it does not exist.
    pub(crate) fn store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.db)?)
    }

    /// The database for reading; a missing one is an error that says how to make one.
    pub(crate) fn existing_store(&self) -> Result<Store, Failure> {
        if !self.db.exists() {
            return Err(Failure::operation(format!("there is no database at {}", self.db.display()))
                .hint("`puma quickstart` makes one; `--db FILE` or PUMA_DB names another"));
        }
        match Store::open(&self.db) {
            // A database on a medium that cannot be written can still be read.
            Err(error @ (StoreError::ReadOnly { .. } | StoreError::CannotOpen { .. })) => {
                Store::open_read_only(&self.db).map_err(|_| error.into())
            }
            result => Ok(result?),
        }
    }
}

/// The machine recorded in `file`.
fn recorded(file: &Path) -> Result<RecordedHost, Failure> {
    let text = crate::home::read(file)?;
    RecordedHost::parse(&text).map_err(|error| {
        Failure::invalid(format!("{} is no recorded machine: {error}", file.display()))
            .hint("`puma doctor --record FILE` writes one")
    })
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::operation(error.to_string()).hint_opt(error.hint())
    }
}
