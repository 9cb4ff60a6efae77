//! `puma env`: versions, places and variables in use.

use crate::context::Context;
use crate::environment::{self, VARIABLES};
use crate::failure::Failure;
use crate::paths;
use crate::table::{Align, render};
use clap::Args;
use puma_backends::endpoint::resolve_ollama;
use puma_engine::{CONTRACT, Level};
use puma_host::Machine;
use serde_json::{Value, json};

/// Arguments of `puma env`.
#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Variables whose values are never shown.
const SECRETS: [&str; 2] = ["HF_TOKEN", "PUMA_API_KEY"];

pub(crate) fn run(args: EnvArgs, context: &Context) -> Result<(), Failure> {
    let EnvArgs { json } = args;
    let facts = facts(context);
    if json {
        return context.ui.json(&facts);
    }
    let mut rows = Vec::new();
    for (key, value) in facts.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) => rows.extend(inner.iter().map(|(name, value)| row(&format!("{key}.{name}"), value))),
            _ => rows.push(row(key, value)),
        }
    }
    rows.retain(|row| row[1] != "-");
    context.ui.data(&render(&[("what", Align::Left), ("value", Align::Left)], &rows))
}

fn row(name: &str, value: &Value) -> Vec<String> {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    vec![name.to_owned(), text]
}

fn facts(context: &Context) -> Value {
    let (ollama, source) = match resolve_ollama(None, environment::get) {
        Ok((endpoint, source)) => (endpoint.to_string(), source.as_str()),
        Err(error) => (error.to_string(), "invalid"),
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
        "machine": Machine::probe(context.host.as_ref()),
        "environment": variables,
    })
}
