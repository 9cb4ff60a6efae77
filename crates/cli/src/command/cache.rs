//! `puma cache`: answers that need not be asked again.

use crate::command::models::bytes;
use crate::context::Context;
use crate::failure::Failure;
use crate::paths;
use clap::{Args, Subcommand};
use puma_store::{CacheStore, StoreError};
use serde_json::json;

/// Arguments of `puma cache`.
#[derive(Debug, Args)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// How many answers it holds, how large it is, how often it helped.
    Stats {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Forget every answer. Stored runs are not touched.
    Clear {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: CacheArgs, context: &Context) -> Result<(), Failure> {
    let CacheArgs { action } = args;
    let cache = CacheStore::open(paths::cache());
    match action {
        Action::Stats { json } => {
            let stats = cache.stats().map_err(about_the_cache)?;
            if json {
                return context.ui.json(&stats);
            }
            context.ui.data(&format!(
                "Inference cache: {} entries, {}, {} hits ({})",
                stats.entries,
                bytes(stats.size_bytes),
                stats.hits,
                paths::cache().display()
            ))
        }
        Action::Clear { json } => {
            let removed = cache.clear().map_err(about_the_cache)?;
            if json {
                return context.ui.json(&json!({ "removed": removed }));
            }
            context.ui.data(&format!("Inference cache: {removed} entries removed"))
        }
    }
}

/// The store's hints speak of `--db`, which names another file.
fn about_the_cache(error: StoreError) -> Failure {
    Failure::operation(error.to_string())
        .hint("the cache lies in the data folder (PUMA_DATA_DIR); `puma cache clear` makes a damaged one new")
}
