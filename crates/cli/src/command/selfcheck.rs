//! `puma selfcheck`: how much a backend differs from itself, before any comparison is believed.

use crate::command::run::{DataArgs, InlineArgs, read_spec};
use crate::context::Context;
use crate::execute::{self, Order};
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::options::{BackendArgs, MachineArgs};
use crate::selfcheck::{SelfCheck, measure, selfcheck_text};
use clap::Args;
use puma_eval::cross_arch::Level;
use puma_eval::run::JobOrder;
use std::path::PathBuf;

/// Questions a pass, unless the flags or the spec say otherwise: every pass asks them all.
const INSTANCES: u32 = 12;

/// Arguments of `puma selfcheck`. Ends with 1 when the embedded engine is not exactly repeatable, with 3 when --require is
/// not met.
#[derive(Debug, Args)]
pub(crate) struct SelfcheckArgs {
    /// Run-spec file, or the name of a shipped spec; instead of the flags under "What to run" [default: 12 triage issues].
    spec: Option<PathBuf>,
    /// End with 3 unless every pass agrees this far: bit-equal, same-tokens, same-labels or same-metric.
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    require: Option<Level>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    // Last, because their headings hold for everything that follows.
    #[command(flatten)]
    inline: InlineArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    backend: BackendArgs,
}

fn level(text: &str) -> Result<Level, String> {
    let names = || Level::ALL.map(Level::as_str).join(", ");
    Level::ALL.into_iter().find(|level| level.as_str() == text).ok_or_else(|| format!("levels are {}", names()))
}

pub(crate) fn run(args: SelfcheckArgs, context: &Context) -> Result<(), Failure> {
    let SelfcheckArgs { spec, require, json, mut inline, data, backend } = args;
    let spec = match &spec {
        Some(path) => inline.model_of(read_spec(path, context.home.as_deref())?)?,
        None => {
            inline.scenario.get_or_insert_with(|| "triage_jira".to_owned());
            inline.instances.get_or_insert(INSTANCES);
            inline.into_spec()?
        }
    };
    let order = Order {
        spec,
        data: data.into_data()?,
        backend,
        machine: MachineArgs { no_emissions: true, ..MachineArgs::default() },
        cache: false,
        fresh: false,
        order: JobOrder::Given,
        resume: None,
    };
    let check = measure(&order, context)?;
    if json {
        context.ui.json(&check)?;
    } else {
        context.ui.data(&selfcheck_text(&check))?;
    }
    verdict(&check, execute::is_embedded(&order), require)
}

/// The embedded engine has promised its bits; others promise nothing unless the user asks them to.
fn verdict(check: &SelfCheck, embedded: bool, require: Option<Level>) -> Result<(), Failure> {
    if check.floor.level.is_none() {
        return Err(Failure::operation("the passes could not be compared: questions failed in the backend")
            .hint("`puma run` with the same flags shows why they failed"));
    }
    if embedded && !check.floor.zero {
        return Err(Failure::operation(
            "the embedded engine did not repeat itself, which its numerics contract promises",
        )
        .hint("this is a fault of PUMA or of this machine's memory: report it with `puma env` and this output"));
    }
    match require {
        Some(level) if check.floor.level < Some(level) => {
            Err(Failure::new(ExitKind::OutsideTolerance, format!("not every pass reached `{}`", level.as_str())))
        }
        _ => Ok(()),
    }
}
