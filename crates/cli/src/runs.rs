//! Finding the run a user means.

use crate::bundle;
use crate::context::Context;
use crate::failure::Failure;
use puma_core::RecordedRun;
use std::path::Path;

/// The run that `wanted` means: its id, the beginning of one, `latest`, or the file of a bundle.
///
/// # Errors
/// No run, or several runs, are called so; its rows cannot be read; or the bundle is not sound.
pub(crate) fn open(context: &Context, wanted: &str) -> Result<RecordedRun, Failure> {
    if bundle::is_bundle(wanted) {
        return bundle::read(Path::new(wanted)).map(|(_, run)| run);
    }
    let store = context.existing_store()?;
    Ok(store.load_run(&store.find_run(wanted)?)?)
}
