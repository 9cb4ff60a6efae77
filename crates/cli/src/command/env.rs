//! `puma env`: versions, places and variables in use.

use crate::command::models::facts as flatten;
use crate::context::Context;
use crate::environment::{self, VARIABLES};
use crate::failure::Failure;
use crate::table::{Align, render};
use crate::{paths, wire};
use clap::Args;
use puma_backends::ollama::service::StartedProcess;
use puma_engine::{CONTRACT, Level};
use puma_host::Machine;
use serde_json::{Value, json};

/// Arguments of `puma env`.
#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print commands for a shell, to be taken over with `eval "$(puma env --shell)"`.
    #[arg(long, conflicts_with = "json")]
    shell: bool,
}

/// Variables whose values are never shown.
const SECRETS: [&str; 3] = ["HF_TOKEN", "PUMA_API_KEY", "PUMA_POWER_AGENT_TOKEN"];

pub(crate) fn run(args: EnvArgs, context: &Context) -> Result<(), Failure> {
    let EnvArgs { json, shell } = args;
    if shell {
        let endpoint = wire::ollama_endpoint(None)?.endpoint;
        // An address holds no quote.
        return context.ui.data(&format!("export OLLAMA_HOST='{endpoint}'"));
    }
    let facts = facts(context);
    if json {
        return context.ui.json(&facts);
    }
    let mut rows = Vec::new();
    flatten("", &facts, &mut rows);
    // Why PUMA thinks so fills a screen of its own.
    rows.retain(|row| !row[1].is_empty() && !row[0].starts_with("machine.surroundings.signs."));
    context.ui.data(&render(&[("what", Align::Left), ("value", Align::Left)], &rows))
}

fn facts(context: &Context) -> Value {
    let (ollama, source) = match wire::ollama_endpoint(None) {
        Ok(found) => (found.endpoint.to_string(), found.source.as_str()),
        Err(failure) => (failure.message, "invalid"),
    };
    let variables: serde_json::Map<String, Value> = VARIABLES
        .iter()
        .map(|variable| {
            let value = environment::get(variable.name);
            let shown = value.map(|value| if SECRETS.contains(&variable.name) { "(set)".to_owned() } else { value });
            (variable.name.to_owned(), json!(shown))
        })
        .collect();
    json!({
        "puma_version": env!("CARGO_PKG_VERSION"),
        "numerics": CONTRACT,
        "simd": Level::best().name(),
        "simd_available": Level::available().iter().map(|level| level.name()).collect::<Vec<_>>(),
        "database": context.db,
        "cache": paths::cache(),
        "models": paths::models(),
        "home": context.home,
        "ollama_endpoint": ollama,
        "ollama_endpoint_source": source,
        "service": service(),
        "machine": Machine::probe(context.host.as_ref()),
        "environment": variables,
    })
}

/// What `puma up` wrote down, and whether it still holds.
fn service() -> Value {
    let record = match wire::service().record() {
        Ok(Some(record)) => record,
        Ok(None) => return Value::Null,
        Err(error) => return json!({"problem": error.message}),
    };
    let process = record.process.as_ref();
    json!({
        "mode": record.mode,
        "endpoint": record.endpoint,
        "started_by_puma": record.started_by_puma,
        "pid": process.map(|process| process.pid),
        "process_runs": process.map(StartedProcess::runs),
        "model": record.model,
        "log": record.log,
        "since": record.since,
        "problem": Value::Null,
    })
}
