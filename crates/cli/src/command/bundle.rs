//! `puma bundle`: one file that carries a run to another machine.

use crate::bundle::{self, ENDING, Written};
use crate::command::models::bytes;
use crate::context::Context;
use crate::failure::Failure;
use crate::table::{Align, render};
use crate::{execute, runs};
use clap::{Args, Subcommand};
use puma_core::{Clock as _, Origin};
use puma_store::bundle::{Finding, Hashes, Imported, Inspection, Manifest, MemberRow};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Arguments of `puma bundle`.
#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a run into one file: answers, logprobs, spec, machine, energy, hashes; no personal names or paths.
    ///
    /// The same run gives the same bytes each time. `puma bundle show` says what is inside, `docs/reference/bundle.md`
    /// how to read it without PUMA.
    Export {
        /// Run id, the beginning of one, or `latest`.
        #[arg(default_value = "latest")]
        run: String,
        /// File to write [default: the run id and `.puma-bundle`, in this folder].
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Leave out issue texts, prompts and the models' words (a private backlog); hashes that pair two runs stay.
        #[arg(long)]
        without_texts: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check a bundle from the first byte to the last: hashes, counts, prompts, fingerprints.
    Verify {
        /// The bundle.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what is in a bundle.
    Show {
        /// The bundle.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take the run of a bundle into the database, where every command finds it.
    Import {
        /// The bundle.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: BundleArgs, context: &Context) -> Result<(), Failure> {
    match args.action {
        Action::Export { run, output, without_texts, json } => export(&run, output, !without_texts, json, context),
        Action::Verify { file, json } => verify(&file, json, context),
        Action::Show { file, json } => show(&file, json, context),
        Action::Import { file, json } => import(&file, json, context),
    }
}

/// What `export` prints as JSON.
#[derive(Debug, Serialize)]
struct Exported<'a> {
    file: String,
    size_bytes: u64,
    run_id: &'a str,
    texts: bool,
    neutralised: &'a [String],
}

fn export(wanted: &str, output: Option<PathBuf>, texts: bool, json: bool, context: &Context) -> Result<(), Failure> {
    let run = runs::open(context, wanted)?;
    let target = output.unwrap_or_else(|| default_name(run.header.run_id.as_str()));
    let Written { manifest, size_bytes } = bundle::write(run, texts, &target, context)?;
    if json {
        return context.ui.json(&Exported {
            file: target.display().to_string(),
            size_bytes,
            run_id: manifest.run_id.as_str(),
            texts,
            neutralised: &manifest.neutralised,
        });
    }
    for sentence in &manifest.neutralised {
        context.ui.note(sentence);
    }
    context.ui.note(&format!("{} jobs, {}", manifest.counts.predictions, bytes(size_bytes)));
    context.ui.data(&target.display().to_string())
}

/// The id of a spec may hold what no file name can.
fn default_name(run_id: &str) -> PathBuf {
    let safe: String = run_id.chars().map(|c| if "/\\:".contains(c) || c.is_control() { '_' } else { c }).collect();
    PathBuf::from(safe + ENDING)
}

/// What `verify` prints as JSON.
#[derive(Debug, Serialize)]
struct Verified<'a> {
    file: String,
    sound: bool,
    run_id: Option<&'a str>,
    findings: &'a [Finding],
    /// Findings beyond those that are listed.
    omitted: usize,
    /// How many metrics could be computed from its answers.
    metrics: Option<usize>,
}

fn verify(file: &Path, json: bool, context: &Context) -> Result<(), Failure> {
    let mut inspection = bundle::check(file)?;
    let metrics = match inspection.run.as_ref().map(execute::report) {
        Some(Ok(report)) => Some(report.metrics.len()),
        Some(Err(failure)) => {
            let what = format!("its answers cannot be scored: {}", failure.message);
            inspection.add(Finding { member: None, place: None, what });
            None
        }
        None => None,
    };
    let Inspection { manifest, findings, omitted, .. } = &inspection;
    let sound = findings.is_empty();
    if json {
        context.ui.json(&Verified {
            file: file.display().to_string(),
            sound,
            run_id: manifest.as_ref().map(|manifest| manifest.run_id.as_str()),
            findings,
            omitted: *omitted,
            metrics,
        })?;
    } else {
        context.ui.data(&verdict_text(file, &inspection, metrics))?;
    }
    if sound {
        return Ok(());
    }
    let count = findings.len() + omitted;
    let things = if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
    Err(Failure::operation(format!("{} is not sound: {things}", file.display())))
}

fn verdict_text(file: &Path, inspection: &Inspection, metrics: Option<usize>) -> String {
    let Inspection { manifest, findings, omitted, .. } = inspection;
    if let (Some(manifest), []) = (manifest, findings.as_slice()) {
        let prompts = if manifest.texts { ", every prompt has its hash" } else { "" };
        let tokens = if manifest.texts { "both digests" } else { "the predictions hash (tokens are left out)" };
        return format!(
            "{} is sound: run {}, {} predictions of {} jobs\nevery member has its SHA-256{prompts}, {tokens} computed \
             again, {} metrics follow from the answers\nnobody has signed it: hashes tell damage, not who wrote it",
            file.display(),
            manifest.run_id,
            manifest.counts.predictions,
            manifest.counts.jobs,
            metrics.unwrap_or_default(),
        );
    }
    let mut lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    if *omitted > 0 {
        lines.push(format!("and {omitted} more"));
    }
    lines.join("\n")
}

/// What `show` prints as JSON.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    file: String,
    size_bytes: u64,
    manifest: &'a Manifest,
    hashes: Option<&'a Hashes>,
    /// Size and SHA-256 of the manifest itself, then of the others.
    members: &'a [MemberRow],
}

fn show(file: &Path, json: bool, context: &Context) -> Result<(), Failure> {
    let inspection = bundle::check(file)?;
    let Some(manifest) = &inspection.manifest else { return bundle::read(file).map(drop) };
    if !inspection.findings.is_empty() {
        context.ui.advise(
            "the bundle is not sound",
            &format!("`puma bundle verify {}` says everything that is wrong", file.display()),
        );
    }
    let size_bytes = std::fs::metadata(file)?.len();
    if json {
        let (hashes, members) = (inspection.hashes.as_ref(), inspection.members.as_slice());
        return context.ui.json(&Shown { file: file.display().to_string(), size_bytes, manifest, hashes, members });
    }
    context.ui.data(&shown_text(&inspection, manifest, size_bytes))
}

fn shown_text(inspection: &Inspection, manifest: &Manifest, size_bytes: u64) -> String {
    let counts = manifest.counts;
    let made = match manifest.origin {
        Origin::Puma => "PUMA",
        Origin::Upstream => "upstream PUMA",
    };
    let mut out = format!(
        "run {} ({}), made by {made}\nnumerics {}, format {} version {}, written by puma {}\n{} predictions of {} jobs, \
         {} instances, {} measured sessions, {} issue texts\n",
        manifest.run_id,
        manifest.status.as_str(),
        manifest.numerics.as_deref().unwrap_or("of a server"),
        manifest.format,
        manifest.version,
        manifest.puma_version,
        counts.predictions,
        counts.jobs,
        counts.instances,
        counts.sessions,
        if manifest.texts { "with" } else { "without" },
    );
    if let Some(run) = &inspection.run {
        let header = &run.header;
        for model in &header.models {
            let digest = model.digest.as_deref().unwrap_or("no digest");
            out += &format!("model {} {digest}\n", model.name);
        }
        out += &format!("dataset {} {}\n", header.dataset.name, header.dataset.sha256);
    }
    out.push('\n');
    let header = [("member", Align::Left), ("bytes", Align::Right), ("SHA-256", Align::Left)];
    let row = |row: &MemberRow| vec![row.name.clone(), row.size_bytes.to_string(), row.sha256.clone()];
    out += &render(&header, &inspection.members.iter().map(row).collect::<Vec<_>>());
    let unpacked: u64 = inspection.members.iter().map(|row| row.size_bytes).sum();
    out += &format!("\n{} packed, {} unpacked\n", bytes(size_bytes), bytes(unpacked));
    if !manifest.neutralised.is_empty() {
        out += "\nreplaced before it was written:\n";
    }
    for sentence in &manifest.neutralised {
        out += &format!("  {sentence}\n");
    }
    out
}

/// What `import` prints as JSON.
#[derive(Debug, Serialize)]
struct Taken<'a> {
    run_id: &'a str,
    /// False if the same run was there already.
    new: bool,
}

fn import(file: &Path, json: bool, context: &Context) -> Result<(), Failure> {
    let (_, run) = bundle::read(file)?;
    // Before anything is written: a run that cannot be scored would be in everybody's way.
    let report = execute::report(&run)?;
    let store = context.store()?;
    let imported = store.import_run(&run)?;
    let run_id = &run.header.run_id;
    let new = imported == Imported::New;
    if new {
        store.save_metrics(run_id, &execute::metric_rows(&report.metrics), context.clock.now())?;
    } else {
        context.ui.note("the same run was there already");
    }
    if json { context.ui.json(&Taken { run_id: run_id.as_str(), new }) } else { context.ui.data(run_id.as_str()) }
}
