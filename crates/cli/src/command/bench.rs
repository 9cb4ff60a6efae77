//! `puma bench`: how fast this machine is at what PUMA does.

use crate::bench::{FirstToken, Plan, find, first_token, measure, report_text};
use crate::context::Context;
use crate::failure::Failure;
use crate::options::{EngineOptions as EngineArgs, kv_type};
use crate::wire;
use clap::{Args, Subcommand};
use puma_backends::embedded::CONTEXT_CAP;
use puma_engine::{EngineOptions, KvType, Level, UnknownLevel};

/// Arguments of `puma bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Measure the embedded engine: loading, prompts, generation, and a triage run over the sample issues.
    ///
    /// The tests are llama-bench's (`pp512`, `tg128`) and `triage`, the prompts of a run handed over at once. After one round
    /// that does not count, all tests are repeated in turn. Figures are medians, with the median distance from the median
    /// and the range; tokens reused from an earlier prompt are never counted as computed.
    Engine(Box<EngineBenchArgs>),
}

#[derive(Debug, Args)]
struct EngineBenchArgs {
    /// Catalogue tag, .gguf file or another name `puma models` knows.
    model: String,
    /// Length of the prompt tests, in tokens; 0 for none. Repeatable, as every option with a list.
    #[arg(long, value_name = "TOKENS", value_delimiter = ',', default_value = "512")]
    prompt: Vec<u32>,
    /// Length of the generation tests, in tokens; 0 for none.
    #[arg(long, value_name = "TOKENS", value_delimiter = ',', default_value = "128")]
    generate: Vec<u32>,
    /// Issues of the triage test, at most those of the sample set; 0 for none.
    #[arg(long, value_name = "ISSUES", default_value_t = 50)]
    triage: u32,
    /// Threads [default: those a run takes].
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: Vec<u32>,
    /// Instruction sets, or `all` [default: the best this processor has].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    simd: Vec<String>,
    /// Sequences computed together in the triage test.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    batch: Option<u32>,
    /// What keys and values are kept as: f32, or f16, which is another numerics contract.
    #[arg(long, value_name = "TYPE", default_value = "f32", value_parser = kv_type)]
    kv_type: KvType,
    /// How often every test is repeated.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repetitions: u32,
    /// Also measure what this machine can do at most, and state the share that was reached.
    #[arg(long)]
    roofline: bool,
    /// Only load the model, answer a short question up to its first token, and end; for timing from outside.
    #[arg(long, conflicts_with_all = ["prompt", "generate", "triage", "repetitions", "roofline"])]
    first_token: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: BenchArgs, context: &Context) -> Result<(), Failure> {
    let BenchArgs { action: Action::Engine(args) } = args;
    let EngineBenchArgs {
        model,
        prompt,
        generate,
        triage,
        threads,
        simd,
        batch,
        kv_type,
        repetitions,
        roofline,
        first_token: only_first_token,
        json,
    } = *args;
    let tokens = |lengths: Vec<u32>| -> Vec<usize> {
        lengths.into_iter().filter(|&length| length > 0).map(|length| length as usize).collect()
    };
    let (prompts, generations) = (tokens(prompt), tokens(generate));
    let longest = prompts.iter().chain(&generations).max().map_or(0, |longest| longest + 1);
    let options = wire::engine_options(&EngineArgs { batch, ..EngineArgs::default() }, CONTEXT_CAP.max(longest))?;
    let options = EngineOptions { kv_type, ..options };
    let threads = match threads.as_slice() {
        [] => vec![options.threads],
        wanted => wanted.iter().map(|&count| count as usize).collect(),
    };
    let levels = levels(&simd, options.level)?;
    if only_first_token {
        let options = EngineOptions { threads: threads[0], level: levels[0], ..options };
        let found = first_token(&find(&model, context)?.path, options)?;
        return if json { context.ui.json(&found) } else { context.ui.data(&first_token_text(&found)) };
    }
    let (issues, repetitions) = (triage, repetitions as usize);
    let plan = Plan { model, prompts, generations, issues, threads, levels, options, repetitions, roofline };
    let report = measure(&plan, context)?;
    if json { context.ui.json(&report) } else { context.ui.data(&report_text(&report)) }
}

/// The instruction sets named, `best` if there is none.
fn levels(names: &[String], best: Level) -> Result<Vec<Level>, Failure> {
    match names {
        [] => Ok(vec![best]),
        [all] if all == "all" => Ok(Level::available()),
        names => names
            .iter()
            .map(|name| name.parse().map_err(|error: UnknownLevel| Failure::invalid(error.to_string())))
            .collect(),
    }
}

fn first_token_text(found: &FirstToken) -> String {
    let FirstToken { load_ms, first_token_ms, prompt_tokens } = found;
    format!("first token after {first_token_ms:.1} ms, {load_ms:.1} of them loading, {prompt_tokens} prompt tokens")
}
