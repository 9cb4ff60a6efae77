//! What the user typed. Each command's own arguments stand in its file under `command/`.

use crate::command;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Finds out which local language model can be trusted with a project's backlog, on this machine.
///
/// PUMA runs open-weight models on project-management work (issue triage, story-point estimation, backlog
/// prioritisation), measures how good and how sure they are, and keeps everything needed to repeat the result
/// elsewhere. Nothing leaves this machine. New here? Type `puma quickstart`.
#[derive(Debug, Parser)]
#[command(name = "puma", version = VERSION, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Version and numerics contract: two machines that show the same line compute the same bits.
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (numerics N1)");

/// Heading of the options every command takes.
const EVERYWHERE: &str = "Everywhere";

/// Options every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Say only what was asked for: no progress, no notes.
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub quiet: bool,
    /// Database file [default: puma.db in the data folder; env: PUMA_DB].
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub db: Option<PathBuf>,
    /// Folder whose prompts, specs, data and catalogue replace the embedded ones [env: PUMA_HOME].
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    pub home: Option<PathBuf>,
    /// Answer as if on the machine recorded in FILE (see `puma doctor --record`); the work itself happens here.
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub host: Option<PathBuf>,
}

/// The commands, in the order of a newcomer's day.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch the default model and judge it on all three scenarios with the embedded sample data.
    Quickstart(command::quickstart::QuickstartArgs),
    /// Run a spec file, or what the flags say, and store every answer.
    Run(command::run::RunArgs),
    /// Show a stored run: metrics, outcomes, one instance, or its predictions.
    Show(command::show::ShowArgs),
    /// List stored runs, newest first.
    ListRuns(command::list_runs::ListRunsArgs),
    /// Say what differs between runs, by how much, and whether it is more than chance.
    Compare(command::compare::CompareArgs),
    /// Rank models and strategies that judged the same instances, and say which cannot be told apart.
    Leaderboard(command::leaderboard::LeaderboardArgs),
    /// Test two runs as upstream PUMA does; `compare` has exact tests.
    #[command(hide = true)]
    Wilcoxon(command::wilcoxon::WilcoxonArgs),
    /// Say how far repetitions, or runs with other seeds, agree.
    Stability(command::stability::StabilityArgs),
    /// Write runs as a paper tells them: methods from the record, tables with intervals.
    Report(command::report::ReportArgs),
    /// Carry a run to another machine in one file, and check such a file.
    Bundle(command::bundle::BundleArgs),
    /// Say whether two machines gave the same answers, where they first part, and whether it matters.
    CrossArch(command::cross_arch::CrossArchArgs),
    /// Measure how much a backend differs from itself: repeated, shuffled, warm and fresh, alone and together.
    Selfcheck(command::selfcheck::SelfcheckArgs),
    /// Say how small a difference a study can see, or how many issues it needs.
    Power(command::power::PowerArgs),
    /// Say what judges reach that read no prompt: constants, draws, and a linear model of plain words.
    Baselines(command::baselines::BaselinesArgs),
    /// Judge a run against an expected value and a tolerance.
    ValidateBaseline(command::validate_baseline::ValidateBaselineArgs),
    /// Say which models fit this machine, with which context, and how fast.
    Fit(command::fit::FitArgs),
    /// Say what can be measured, how each number is made, and what becomes of answers that could not be read.
    Metrics(command::metrics::MetricsArgs),
    /// Find, fetch and describe models.
    Models(command::models::ModelsArgs),
    /// Find or start Ollama, wait until it answers, and fetch the model recommended for this machine.
    Up(command::up::UpArgs),
    /// Stop the Ollama that `puma up` started, and no other.
    Down(command::down::DownArgs),
    /// Describe and check datasets.
    Datasets(command::datasets::DatasetsArgs),
    /// Look after the inference cache.
    Cache(command::cache::CacheArgs),
    /// Look after the database.
    Db(command::db::DbArgs),
    /// Show versions, places and variables in use.
    Env(command::env::EnvArgs),
    /// Say which class of machine this is, why, and what models can run on here.
    Profile(command::profile::ProfileArgs),
    /// Check that this machine can do a run: the model, its memory, the disk, the server.
    Preflight(command::preflight::PreflightArgs),
    /// Let containers on this machine read its energy counters.
    Agent(command::agent::AgentArgs),
    /// Show live what this machine does: processors, memory, paging, GPUs, power, and the run being worked on.
    Monitor(command::monitor::MonitorArgs),
    /// Check that this machine is ready, and say what to do where it is not.
    Doctor(command::doctor::DoctorArgs),
    /// Prove that the embedded engine computes the same bits as everywhere else.
    Engine(command::engine::EngineArgs),
    /// Measure how fast the embedded engine is here, and how far from what this machine can do.
    Bench(command::bench::BenchArgs),
    /// Print a completion script for a shell.
    Completions(command::completions::CompletionsArgs),
    /// Print the manual page (roff).
    Man(command::man::ManArgs),
    /// Write the reference pages that are made from the program's own tables.
    #[command(hide = true)]
    Reference(command::reference::ReferenceArgs),
}
