//! `puma models`: find, fetch and describe models.

use crate::context::Context;
use crate::failure::Failure;
use crate::progress::PullBar;
use crate::table::{Align, render};
use crate::ui::{Tone, Ui};
use crate::wire;
use clap::{Args, Subcommand};
use puma_backends::sources::{Library, ListedModel, Location, PullOptions};
use puma_core::Cancel;
use puma_host::Machine;

/// Arguments of `puma models`.
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The catalogue beside what is on this machine, whichever program fetched it.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Only models that are on this machine.
        #[arg(long)]
        local: bool,
    },
    /// Everything known about one model.
    Show {
        /// A catalogue tag, a .gguf file, `hf:org/repo/file.gguf` or `lmstudio:publisher/repo/file`.
        model: String,
        #[arg(long)]
        json: bool,
    },
    /// Fetch a model, resuming and verifying, from the first source that has it.
    Pull {
        /// A catalogue tag, or a registry or Hugging Face name.
        model: String,
        /// Take this source of the catalogue entry instead of the first that works.
        #[arg(long, value_name = "ID")]
        source: Option<String>,
        /// Fetch again even if it is here.
        #[arg(long)]
        force: bool,
        /// Allow plain http to registries on other machines.
        #[arg(long)]
        insecure: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Models the embedded engine can run in this machine's memory, smallest first.
    Recommended {
        #[arg(long)]
        json: bool,
    },
    /// Every place on this machine that has a model; the first is used.
    Where {
        model: String,
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: ModelsArgs, context: &Context) -> Result<(), Failure> {
    let ModelsArgs { action } = args;
    let Context { ui, cancel, .. } = context;
    let library = wire::library(context.home.as_deref())?;
    match action {
        Action::List { json, local } => list(&library, json, local, ui),
        Action::Show { model, json } => show(&library, &model, json, ui),
        Action::Pull { model, source, force, insecure, json } => {
            let options = PullOptions { source, force, allow_plain_http: insecure, ..wire::pull_options() };
            pull(&library, &model, &options, json, ui, cancel)
        }
        Action::Recommended { json } => recommended(&library, json, context),
        Action::Where { model, json } => locate(&library, &model, json, ui),
    }
}

fn list(library: &Library, json: bool, local: bool, ui: &Ui) -> Result<(), Failure> {
    let mut report = library.list();
    if local {
        report.models.retain(|model| !model.local.is_empty());
    }
    if json {
        return ui.json(&report);
    }
    let header = [
        ("model", Align::Left),
        ("params", Align::Right),
        ("size", Align::Right),
        ("context", Align::Right),
        ("engine", Align::Left),
        ("on this machine", Align::Left),
    ];
    let mut rows: Vec<Vec<String>> = report.models.iter().map(|model| listed_row(model, &report.default)).collect();
    rows.extend(report.other.iter().map(|model| {
        vec![
            model.name.clone(),
            "-".to_owned(),
            bytes(model.location.size_bytes),
            "-".to_owned(),
            "-".to_owned(),
            places(std::slice::from_ref(&model.location)),
        ]
    }));
    ui.data(&render(&header, &rows))?;
    ui.note("* the default; `embedded` runs inside PUMA, `server` needs Ollama or another server");
    Ok(())
}

fn listed_row(model: &ListedModel, default: &str) -> Vec<String> {
    let mark = if model.tag == default { "*" } else { "" };
    vec![
        format!("{}{mark}", model.tag),
        format!("{} B", model.params_b),
        bytes(model.size_bytes),
        model.context_window.to_string(),
        if model.embedded { "embedded" } else { "server" }.to_owned(),
        places(&model.local),
    ]
}

fn places(locations: &[Location]) -> String {
    if locations.is_empty() {
        return "no".to_owned();
    }
    let names: Vec<String> = locations.iter().map(|location| location.store.title().to_owned()).collect();
    names.join(", ")
}

fn show(library: &Library, model: &str, json: bool, ui: &Ui) -> Result<(), Failure> {
    let report = library.show(model)?;
    if json {
        return ui.json(&report);
    }
    let value = serde_json::to_value(&report).map_err(|error| Failure::operation(error.to_string()))?;
    let mut rows = Vec::new();
    facts("", &value, &mut rows);
    ui.data(&render(&[("fact", Align::Left), ("value", Align::Left)], &rows))
}

/// Flattens a value to rows `a.b.c`, `value`.
fn facts(prefix: &str, value: &serde_json::Value, rows: &mut Vec<Vec<String>>) {
    let join = |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
    match value {
        serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| facts(&join(key), value, rows)),
        serde_json::Value::Array(items) if items.iter().any(serde_json::Value::is_object) => {
            items.iter().enumerate().for_each(|(index, value)| facts(&join(&index.to_string()), value, rows));
        }
        serde_json::Value::Null => {}
        serde_json::Value::Array(items) => {
            let names: Vec<String> =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect();
            rows.push(vec![prefix.to_owned(), names.join(" ")]);
        }
        serde_json::Value::String(text) => rows.push(vec![prefix.to_owned(), text.clone()]),
        other => rows.push(vec![prefix.to_owned(), other.to_string()]),
    }
}

fn pull(
    library: &Library,
    model: &str,
    options: &PullOptions,
    json: bool,
    ui: &Ui,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let mut bar = PullBar::new(ui);
    let pulled = library.pull(model, options, &mut bar, cancel);
    bar.clear();
    let pulled = pulled?;
    if json {
        return ui.json(&pulled);
    }
    let verb = if pulled.already_there { "already here" } else { "fetched" };
    ui.data(&format!(
        "{} {verb}: {} ({}, {})",
        ui.paint_data(Tone::Strong, model),
        pulled.model.path.display(),
        bytes(pulled.model.size_bytes),
        pulled.model.digest
    ))
}

fn recommended(library: &Library, json: bool, context: &Context) -> Result<(), Failure> {
    let ui = &context.ui;
    let machine = Machine::probe(context.host.as_ref());
    let memory = machine.usable_memory_bytes().ok_or_else(|| {
        Failure::operation("the memory of this machine cannot be read").hint("`puma models list` shows every model")
    })?;
    let report = library.recommended(memory);
    if json {
        return ui.json(&report);
    }
    let header = [
        ("model", Align::Left),
        ("params", Align::Right),
        ("quantization", Align::Left),
        ("download", Align::Right),
        ("needs", Align::Right),
        ("on this machine", Align::Left),
    ];
    let rows: Vec<Vec<String>> = report
        .models
        .iter()
        .map(|model| {
            vec![
                model.tag.clone(),
                format!("{} B", model.params_b),
                model.quantization.clone().unwrap_or_else(|| "-".to_owned()),
                bytes(model.size_bytes),
                bytes(model.needs_bytes),
                if model.on_this_machine { "yes" } else { "no" }.to_owned(),
            ]
        })
        .collect();
    ui.data(&render(&header, &rows))?;
    ui.note(&format!(
        "{} of memory, of which a model may use {}; larger models usually judge better, and slower",
        bytes(report.ram_bytes),
        bytes(report.budget_bytes)
    ));
    Ok(())
}

fn locate(library: &Library, model: &str, json: bool, ui: &Ui) -> Result<(), Failure> {
    let report = library.locate(model)?;
    if json {
        return ui.json(&report);
    }
    let rows: Vec<Vec<String>> = report
        .locations
        .iter()
        .map(|l| vec![l.store.title().to_owned(), bytes(l.size_bytes), l.path.display().to_string()])
        .collect();
    ui.data(&render(&[("store", Align::Left), ("size", Align::Right), ("path", Align::Left)], &rows))
}

/// A size for people: decimal units, one digit.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut value = size as f64 / 1000.0;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}
