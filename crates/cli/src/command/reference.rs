//! `puma reference`: pages made from the program's own tables. Used by `cargo xtask gen`.

use crate::args::Cli;
use crate::context::Context;
use crate::environment::VARIABLES;
use crate::exit::EXIT_CODES;
use crate::failure::Failure;
use clap::{Args, Command, CommandFactory};
use puma_eval::metric::{self, Family};
use puma_eval::perturb::{Perturbation, TABLE};
use puma_eval::strategy::STRATEGIES;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `puma reference`.
#[derive(Debug, Args)]
pub(crate) struct ReferenceArgs {
    /// Folder for the pages.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(args: ReferenceArgs, context: &Context) -> Result<(), Failure> {
    let ReferenceArgs { out } = args;
    std::fs::create_dir_all(&out)?;
    for (name, page) in [
        ("commands.md", commands()),
        ("exit-codes.md", exit_codes()),
        ("environment.md", environment()),
        ("metrics.md", metrics()),
        ("perturbations.md", perturbations()),
        ("strategies.md", strategies()),
    ] {
        let path = out.join(name);
        std::fs::write(&path, page)
            .map_err(|error| Failure::operation(format!("{} cannot be written: {error}", path.display())))?;
    }
    context.ui.note(&format!("wrote the reference pages to {}", out.display()));
    Ok(())
}

fn title(text: &str) -> String {
    format!("# {text}\n\n")
}

fn commands() -> String {
    let mut program = Cli::command();
    program.build();
    let mut out = title("Commands");
    write_command(&mut out, &mut program, "puma");
    out
}

fn write_command(out: &mut String, command: &mut Command, name: &str) {
    let help = command.clone().term_width(100).color(clap::ColorChoice::Never).render_long_help();
    let text: Vec<String> = help.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    let _ = writeln!(out, "## `{name}`\n\n```text\n{}\n```\n", text.join("\n").trim_end());
    let names: Vec<String> = command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
        .map(|inner| inner.get_name().to_owned())
        .collect();
    for inner in names {
        if let Some(found) = command.find_subcommand_mut(&inner) {
            write_command(out, found, &format!("{name} {inner}"));
        }
    }
}

fn exit_codes() -> String {
    let mut out = title("Exit codes");
    out.push_str("| code | meaning |\n|---|---|\n");
    for row in &EXIT_CODES {
        let _ = writeln!(out, "| {} | {} |", row.code, row.meaning);
    }
    out
}

fn environment() -> String {
    let mut out = title("Environment variables");
    out.push_str("A variable set to nothing counts as not set.\n\n| variable | meaning |\n|---|---|\n");
    for row in VARIABLES {
        let _ = writeln!(out, "| `{}` | {} |", row.name, row.meaning);
    }
    out
}

fn metrics() -> String {
    let mut out = title("Metrics");
    out.push_str(
        "Names in brackets are accepted in `metrics:` of a spec as well. `puma metrics NAME` prints a row. What a row says about \
         jobs without an answer is held by a test over the whole table; [the guide](../guide/metrics.md) explains it.\n",
    );
    for family in Family::ALL {
        let _ = write!(
            out,
            "\n## {}\n\n| metric | unit | range | better | what it is | jobs without an answer | source |\n|---|---|---|---|---|---|---|\n",
            family.as_str()
        );
        for metric in metric::metrics().filter(|metric| metric.families.first() == Some(&family)) {
            let aliases =
                if metric.aliases.is_empty() { String::new() } else { format!(" ({})", metric.aliases.join(", ")) };
            let _ = writeln!(
                out,
                "| `{}`{aliases} | {} | {} | {} | {} | {} | {} |",
                metric.name,
                metric.unit,
                metric.range,
                metric.better.as_str(),
                metric.doc,
                metric.missing.sentence(),
                metric.source
            );
        }
    }
    out
}

fn perturbations() -> String {
    let mut out = title("Perturbations");
    out.push_str(
        "Names for `perturbations` of a spec and for `--perturbation`. How to use them, and what they can and cannot show: \
         [the guide](../guide/perturbations.md).\n\n",
    );
    out.push_str("| perturbation | changes | what it does | what stays | source |\n|---|---|---|---|---|\n");
    for perturbation in &TABLE {
        let Perturbation { name, change: _, what, keeps, source } = perturbation;
        let _ = writeln!(out, "| `{name}` | {} | {what} | {keeps} | {source} |", perturbation.kind().as_str());
    }
    out
}

fn strategies() -> String {
    let mut out = title("Strategies");
    out.push_str("| strategy | template | examples shown | votes | turns |\n|---|---|---|---|---|\n");
    for strategy in &STRATEGIES {
        let _ = writeln!(
            out,
            "| `{}` | `{}.jinja` | {} | {} | {} |",
            strategy.name, strategy.template, strategy.shots, strategy.votes, strategy.turns
        );
    }
    out
}
