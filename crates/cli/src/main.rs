//! The program `puma`: arguments in, one command, an exit code out.

mod across;
mod args;
mod baseline_text;
mod bench;
mod bundle;
mod check;
mod command;
mod comparison;
mod context;
mod cross_arch;
mod document;
mod emissions;
mod environment;
mod execute;
mod exit;
mod failure;
mod fit;
mod home;
mod live;
mod machine;
mod measure;
mod options;
mod paging;
mod paper;
mod paths;
mod power_text;
mod progress;
mod report;
mod runs;
mod screen;
mod selfcheck;
mod state;
mod summary;
mod table;
mod ui;
mod validation;
mod watch;
mod wire;

use args::{Cli, Command};
use clap::Parser;
use context::Context;
use exit::ExitKind;
use failure::Failure;
use puma_core::Cancel;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use ui::Ui;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let cancel = Cancel::default();
    end_on_second_signal(&cancel);
    let context = match Context::new(&cli.global, Ui::new(cli.global.quiet), cancel) {
        Ok(context) => context,
        Err((ui, failure)) => return ended(&ui, &failure),
    };
    match context.require_home().and_then(|()| dispatch(cli.command, &context)) {
        Ok(()) => ExitCode::from(ExitKind::Ok.code()),
        Err(failure) => ended(&context.ui, &failure),
    }
}

fn ended(ui: &Ui, failure: &Failure) -> ExitCode {
    ui.failure(failure);
    ExitCode::from(failure.kind.code())
}

/// Signals this close together are one wish.
const SAME_SIGNAL: Duration = Duration::from_millis(300);

/// The first Ctrl-C asks the work to stop, the second ends the program at once. Every finished job is stored either way.
#[expect(clippy::exit, reason = "the user asked twice")]
fn end_on_second_signal(cancel: &Cancel) {
    let cancel = cancel.clone();
    let mut first: Option<Instant> = None;
    let handler = move || match first {
        None => {
            first = Some(Instant::now());
            cancel.cancel();
        }
        // Some programs that stop others (`timeout`, service managers) send the same signal twice at once.
        Some(at) if at.elapsed() < SAME_SIGNAL => {}
        Some(_) => std::process::exit(i32::from(ExitKind::Interrupted.code())),
    };
    // Without a handler, Ctrl-C ends the program at once.
    let _ = ctrlc::set_handler(handler);
}

fn dispatch(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Quickstart(args) => command::quickstart::run(args, context),
        Command::Run(args) => command::run::run(args, context),
        Command::Show(args) => command::show::run(args, context),
        Command::ListRuns(args) => command::list_runs::run(args, context),
        Command::Power(args) => command::power::run(args, context),
        Command::Compare(args) => command::compare::run(args, context),
        Command::Leaderboard(args) => command::leaderboard::run(args, context),
        Command::Wilcoxon(args) => command::wilcoxon::run(args, context),
        Command::Stability(args) => command::stability::run(args, context),
        Command::Report(args) => command::report::run(args, context),
        Command::Bundle(args) => command::bundle::run(args, context),
        Command::CrossArch(args) => command::cross_arch::run(args, context),
        Command::Selfcheck(args) => command::selfcheck::run(args, context),
        Command::Baselines(args) => command::baselines::run(args, context),
        Command::ValidateBaseline(args) => command::validate_baseline::run(args, context),
        Command::Fit(args) => command::fit::run(args, context),
        Command::Metrics(args) => command::metrics::run(args, context),
        Command::Models(args) => command::models::run(args, context),
        Command::Up(args) => command::up::run(args, context),
        Command::Down(args) => command::down::run(args, context),
        Command::Datasets(args) => command::datasets::run(args, context),
        Command::Cache(args) => command::cache::run(args, context),
        Command::Db(args) => command::db::run(args, context),
        Command::Env(args) => command::env::run(args, context),
        Command::Profile(args) => command::profile::run(args, context),
        Command::Preflight(args) => command::preflight::run(args, context),
        Command::Agent(args) => command::agent::run(args, context),
        Command::Monitor(args) => command::monitor::run(args, context),
        Command::Doctor(args) => command::doctor::run(args, context),
        Command::Engine(args) => command::engine::run(args, context),
        Command::Bench(args) => command::bench::run(args, context),
        Command::Completions(args) => command::completions::run(args, &context.ui),
        Command::Man(args) => command::man::run(args, &context.ui),
        Command::Reference(args) => command::reference::run(args, context),
    }
}
