//! `puma cross-arch`: did two machines say the same?

use crate::context::Context;
use crate::cross_arch;
use crate::execute::find_scenario;
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::runs;
use clap::{Args, ValueEnum};
use puma_eval::cross_arch::{CrossArch, Level, Options};
use puma_eval::selfcheck::Floor;
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Arguments of `puma cross-arch`.
///
/// Ends with 0 where the metrics are equal (H0 holds) or `--require` is met, 3 where not, and 2 where the runs are not one
/// experiment.
#[derive(Debug, Args)]
pub(crate) struct CrossArchArgs {
    /// The run of one machine: its id, the beginning of one, or `latest`.
    left: String,
    /// The run of the other machine.
    right: String,
    /// The least agreement that counts as success [default: equal metrics].
    #[arg(long, value_enum, value_name = "LEVEL")]
    require: Option<Required>,
    /// Judge although the runs are not one experiment, or nobody can say whether they are.
    #[arg(long)]
    force: bool,
    /// What one machine differs from itself, as `puma selfcheck --json` wrote it: shown beside the differences.
    #[arg(long, value_name = "FILE")]
    noise: Option<PathBuf>,
    /// Print JSON, with every divergence.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown.
    #[arg(long)]
    markdown: bool,
}

/// How far two runs agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Required {
    /// Every logprob has the same bits.
    BitEqual,
    /// Every answer is the same sequence of tokens.
    SameTokens,
    /// Every parsed answer is the same.
    SameLabels,
    /// The machine matters less than the choice of instances.
    SameMetric,
}

impl From<Required> for Level {
    fn from(required: Required) -> Self {
        match required {
            Required::BitEqual => Self::BitEqual,
            Required::SameTokens => Self::SameTokens,
            Required::SameLabels => Self::SameLabels,
            Required::SameMetric => Self::SameMetric,
        }
    }
}

/// What `cross-arch` prints as JSON.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    verdict: &'a CrossArch,
    /// `null` without `--noise`.
    noise: Option<Floor>,
}

/// The floor in a report of `puma selfcheck`.
fn read_noise(path: &Path) -> Result<Floor, Failure> {
    let told = |error: serde_json::Error| {
        Failure::invalid(format!("{} is no report of a self-check: {error}", path.display()))
            .hint("`puma selfcheck --json > FILE` writes one")
    };
    let report: Value = serde_json::from_str(&crate::home::read(path)?).map_err(told)?;
    serde_json::from_value(report["floor"].clone()).map_err(told)
}

pub(crate) fn run(args: CrossArchArgs, context: &Context) -> Result<(), Failure> {
    let CrossArchArgs { left, right, require, force, noise, json, markdown } = args;
    let noise = noise.as_deref().map(read_noise).transpose()?;
    let (left, right) = (runs::open(context, &left)?, runs::open(context, &right)?);
    let task = find_scenario(&left.header.scenario)?.task();
    let options = Options { force, ..Options::default() };
    let verdict = puma_eval::cross_arch::cross_arch(&left, &right, &task, &options);
    if json {
        context.ui.json(&Report { verdict: &verdict, noise })?;
    } else {
        let document = cross_arch::document(&verdict, noise.as_ref());
        context.ui.data(&if markdown { document.markdown() } else { document.text() })?;
    }
    ending(&verdict, require.map(Level::from))
}

fn ending(verdict: &CrossArch, required: Option<Level>) -> Result<(), Failure> {
    if !verdict.valid && !verdict.forced {
        let why = verdict.obstacles.join("; ");
        return Err(Failure::invalid(format!("the runs cannot be compared: {why}"))
            .hint("`--force` judges all the same, and says that it did"));
    }
    if verdict.satisfies(required) {
        return Ok(());
    }
    let found = verdict.level.map_or("nothing to compare", Level::words);
    let wanted = required
        .map_or("equal metrics were expected".to_owned(), |level| format!("\"{}\" was required", level.words()));
    Err(Failure::new(ExitKind::OutsideTolerance, format!("the runs agree as far as \"{found}\", and {wanted}")))
}
