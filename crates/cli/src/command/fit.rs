//! `puma fit`: what fits this machine, with which context, and how fast.

use crate::context::Context;
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::fit::assess::{Ground, Wish, assess};
use crate::fit::models::{Candidate, Shelves};
use crate::fit::report::{FitReport, FitRow};
use crate::fit::{engine, text};
use crate::options::BackendKind;
use crate::wire;
use clap::{Args, ValueEnum};
use puma_backends::ollama::{OllamaBackend, OllamaOptions};
use puma_host::fit::{KvType, Verdict};
use puma_host::profile;
use std::time::Duration;

/// Arguments of `puma fit`. Ends with 4 when a model that was named will not fit.
#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    /// Models: catalogue tags, .gguf files, or any name `puma models show` takes [default: every one that is known].
    models: Vec<String>,
    /// Context window to judge, in tokens [default: 8192, or the model's own if that is shorter]. Repeatable, also as
    /// `4096,32768`.
    #[arg(long, value_name = "TOKENS", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(64..=16_777_216))]
    context: Vec<u32>,
    /// How keys and values are kept [default: f32 by the embedded engine, f16 by the others].
    #[arg(long, value_enum, value_name = "TYPE")]
    kv_type: Option<KvTypeArg>,
    /// Answers computed at once, each with a context of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    sequences: u32,
    /// Who would answer [default: ollama on a machine whose GPU it can use, else embedded].
    #[arg(long, value_enum)]
    backend: Option<BackendKind>,
    /// Only the models that the catalogue lists for this profile.
    #[arg(long, value_name = "ID")]
    profile: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Types of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KvTypeArg {
    F32,
    F16,
    #[value(name = "q8_0")]
    Q8_0,
    #[value(name = "q4_0")]
    Q4_0,
}

impl From<KvTypeArg> for KvType {
    fn from(kind: KvTypeArg) -> Self {
        match kind {
            KvTypeArg::F32 => Self::F32,
            KvTypeArg::F16 => Self::F16,
            KvTypeArg::Q8_0 => Self::Q8_0,
            KvTypeArg::Q4_0 => Self::Q4_0,
        }
    }
}

pub(crate) fn run(args: FitArgs, context: &Context) -> Result<(), Failure> {
    let FitArgs { models, context: windows, kv_type, sequences, backend, profile, json } = args;
    let ground = Ground::of(context)?;
    let kind = backend.unwrap_or_else(|| engine::default_kind(&ground.machine));
    let rules = engine::rules(kind)?;
    let wish = Wish { rules, kv_type: kv_type.map(KvType::from), sequences };
    let candidates = candidates(&models, kind, profile.as_deref(), &ground, context)?;
    let windows: Vec<Option<u32>> =
        if windows.is_empty() { vec![None] } else { windows.into_iter().map(Some).collect() };
    let mut rows = Vec::new();
    for candidate in &candidates {
        // A model the embedded engine does not run is answered by a server, where nobody said who answers.
        let served = backend.is_none() && kind == BackendKind::Embedded && candidate.runs_embedded() == Some(false);
        let wish = if served { Wish { rules: engine::rules(BackendKind::Ollama)?, ..wish } } else { wish };
        for window in &windows {
            rows.push(assess(&ground, candidate, &wish, *window)?);
        }
    }
    if models.is_empty() {
        rows.sort_by_cached_key(rank);
    }
    let report = FitReport { machine: ground.line(), models: rows };
    print(&report, !models.is_empty(), json, context)?;
    refuse(&report, !models.is_empty())
}

fn candidates(
    models: &[String],
    kind: BackendKind,
    profile: Option<&str>,
    ground: &Ground,
    context: &Context,
) -> Result<Vec<Candidate>, Failure> {
    let library = wire::library(context.home.as_deref())?;
    let here = !ground.machine.recorded;
    let server = (here && kind == BackendKind::Ollama).then(ollama).transpose()?;
    let shelves = Shelves { library: &library, ollama: server.as_ref(), here };
    let mut candidates = match models {
        [] => shelves.all(),
        names => names.iter().map(|name| shelves.named(name)).collect::<Result<_, _>>()?,
    };
    if let Some(id) = profile {
        if profile::find(id).is_none() {
            let ids = profile::PROFILES.map(|profile| profile.id).join(", ");
            return Err(Failure::invalid(format!("there is no profile `{id}`")).hint(format!("profiles are {ids}")));
        }
        candidates.retain(|candidate| candidate.profiles.as_ref().is_some_and(|ids| ids.iter().any(|one| one == id)));
    }
    if candidates.is_empty() {
        return Err(Failure::new(ExitKind::NothingMatched, "no model matches")
            .hint("`puma models list` shows every model; leave out `--profile` to judge them all"));
    }
    Ok(candidates)
}

/// The server of this machine, which is asked only if it answers at once.
fn ollama() -> Result<OllamaBackend, Failure> {
    let mut options = OllamaOptions::new(wire::ollama_endpoint(None)?.endpoint);
    options.retry.max_attempts = 1;
    options.limits.connect = Duration::from_millis(500);
    options.limits.inquiry = Duration::from_secs(5);
    Ok(OllamaBackend::new(options))
}

/// Models that can be worked with first, better verdicts first, larger models first.
fn rank(row: &FitRow) -> (u8, bool, std::cmp::Reverse<u64>, String, u32) {
    let verdict = row.fit.as_ref().map_or(u8::MAX, |fit| fit.verdict as u8);
    let parameters = row.parameters.or(row.weights_bytes).unwrap_or(0);
    (verdict, row.is_slow(), std::cmp::Reverse(parameters), row.model.clone(), row.context)
}

fn print(report: &FitReport, named: bool, json: bool, context: &Context) -> Result<(), Failure> {
    if json {
        return context.ui.json(report);
    }
    match report.models.as_slice() {
        [row] if named => context.ui.data(&text::details(row)),
        _ => {
            context.ui.data(&text::table(report))?;
            context.ui.note(
                "largest: the longest context with the margin kept; speeds: prediction (90 % interval) for a prompt of \
                 512 tokens, corrected by own runs where there are any; `puma fit MODEL` shows every number that led to \
                 a verdict",
            );
            Ok(())
        }
    }?;
    tell_untrained(report, context);
    Ok(())
}

/// Memory is not all that a long context needs.
fn tell_untrained(report: &FitReport, context: &Context) {
    let beyond = |row: &&FitRow| row.trained_context.is_some_and(|trained| trained < row.context);
    let mut rows: Vec<&FitRow> = report.models.iter().filter(beyond).collect();
    rows.dedup_by(|one, other| one.model == other.model);
    if !rows.is_empty() {
        let name = |row: &&FitRow| format!("{} ({})", row.model, row.trained_context.unwrap_or_default());
        let names: Vec<String> = rows.iter().map(name).collect();
        context.ui.note(&format!("the context is longer than these were trained for: {}", names.join(", ")));
    }
}

/// A model that was named and will not fit ends the program with its own code; one that cannot be read is a failure.
fn refuse(report: &FitReport, named: bool) -> Result<(), Failure> {
    let hopeless: Vec<&FitRow> = report
        .models
        .iter()
        .filter(|row| named && row.fit.as_ref().is_some_and(|fit| fit.verdict == Verdict::WillNotFit))
        .collect();
    let unread = report.models.iter().find_map(|row| row.problem.as_ref().filter(|_| named));
    let first = match (hopeless.first(), unread) {
        (Some(first), _) => first,
        (None, Some(problem)) => return Err(Failure::operation(problem.clone())),
        (None, None) => return Ok(()),
    };
    let reason = first.fit.as_ref().map_or("", |fit| fit.reason.as_str());
    Err(Failure::new(
        ExitKind::HardwareInsufficient,
        format!("{} with {} tokens will not fit: {reason}", first.model, first.context),
    )
    .hint("`puma models recommended` lists models that do; a shorter `--context` or `--kv-type q8_0` needs less"))
}
