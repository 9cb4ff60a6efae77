//! `puma engine`: proof that the embedded engine computes the same bits everywhere.

use crate::context::Context;
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::options::EngineOptions;
use crate::{summary, wire};
use clap::{Args, Subcommand};
use puma_engine::{DigestOptions, Model, digest};
use serde::Serialize;
use std::sync::Arc;

/// Arguments of `puma engine`.
#[derive(Debug, Args)]
pub(crate) struct EngineArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// SHA-256 over the bits of the logits of fixed prompts. One digest a model and numerics contract, whatever the
    /// instruction set, the threads, the batch and the reuse of prefixes.
    Digest {
        /// Catalogue tag, .gguf file or another name `puma models` knows.
        model: String,
        /// Compute every prompt from its start instead of reusing common beginnings.
        #[arg(long)]
        no_prefix_reuse: bool,
        /// Ask the prompts in another order, shuffled with this seed.
        #[arg(long, value_name = "SEED")]
        order: Option<u64>,
        /// End with 3 unless the digest is this one.
        #[arg(long, value_name = "SHA256")]
        expect: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        engine: EngineOptions,
    },
}

/// What `engine digest --json` prints.
#[derive(Debug, Serialize)]
struct DigestReport {
    digest: String,
    contract: String,
    simd: String,
    threads: usize,
    batch: usize,
}

pub(crate) fn run(args: EngineArgs, context: &Context) -> Result<(), Failure> {
    let EngineArgs { action: Action::Digest { model, engine, no_prefix_reuse, order, expect, json } } = args;
    let resolved = wire::library(context.home.as_deref())?.resolve(&model)?;
    let options = wire::engine_options(&engine, puma_backends::embedded::CONTEXT_CAP)?;
    let failed = |error: puma_engine::EngineError| Failure::operation(error.to_string()).hint_opt(error.hint());
    let model = Arc::new(Model::open(&resolved.path).map_err(failed)?);
    let options = DigestOptions {
        level: options.level,
        threads: options.threads,
        batch: options.max_batch,
        reuse_prefixes: !no_prefix_reuse,
        kv_type: options.kv_type,
        kv_bytes: options.kv_bytes,
        order,
        ..DigestOptions::default()
    };
    let found = digest(&model, &options).map_err(failed)?;
    let report = DigestReport {
        digest: found.hex,
        contract: found.contract.to_owned(),
        simd: options.level.name().to_owned(),
        threads: options.threads,
        batch: options.batch,
    };
    if json {
        context.ui.json(&report)?
    } else {
        context.ui.data(&text(&report))?
    }
    match expect {
        Some(expected) if !expected.eq_ignore_ascii_case(&report.digest) => Err(Failure::new(
            ExitKind::OutsideTolerance,
            format!("the digest is {}, expected {expected}", report.digest),
        )
        .hint("compare the files' SHA-256 with `puma models show`; if they are equal, please report this machine")),
        _ => Ok(()),
    }
}

fn text(report: &DigestReport) -> String {
    let DigestReport { digest, contract, simd, threads, batch } = report;
    let threads = summary::threads_text(u32::try_from(*threads).unwrap_or(u32::MAX));
    format!("{digest}  {contract}  {simd}, {threads}, batch {batch}")
}
