//! Finding the run a user means.

use crate::context::Context;
use crate::failure::Failure;
use puma_core::RecordedRun;

/// The run that `wanted` means: its id, the beginning of one, or `latest`.
///
/// # Errors
/// No run, or several runs, are called so; or its rows cannot be read.
pub(crate) fn open(context: &Context, wanted: &str) -> Result<RecordedRun, Failure> {
    let store = context.existing_store()?;
    Ok(store.load_run(&store.find_run(wanted)?)?)
}
