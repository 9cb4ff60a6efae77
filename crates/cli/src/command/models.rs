//! `puma models`: find, fetch and describe models.

use crate::context::Context;
use crate::failure::Failure;
use crate::fit::models::Shelves;
use crate::fit::recommend::{Basis, Quality, Recommendation, recommend};
use crate::fit::text::{gib, number};
use crate::options::BackendKind;
use crate::progress::PullBar;
use crate::table::{Align, render};
use crate::ui::{Tone, Ui};
use crate::wire;
use clap::{Args, Subcommand};
use puma_backends::sources::{Library, ListedModel, Location, PullOptions};
use puma_core::Cancel;

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
    /// Models that fit this machine: by own runs on it where there are any, else larger before smaller.
    Recommended {
        /// Who would answer [default: ollama on a machine whose GPU it can use, else embedded].
        #[arg(long, value_enum)]
        backend: Option<BackendKind>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Every place on this machine that has a model; the first is used.
    Where {
        model: String,
        /// Print JSON.
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
        Action::Recommended { backend, json } => recommended(&library, backend, json, context),
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
pub(crate) fn facts(prefix: &str, value: &serde_json::Value, rows: &mut Vec<Vec<String>>) {
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

fn recommended(library: &Library, backend: Option<BackendKind>, json: bool, context: &Context) -> Result<(), Failure> {
    let shelves = Shelves { library, ollama: None, here: !context.host.is_recorded() };
    let report = recommend(context, &shelves, backend)?;
    if json {
        return context.ui.json(&report);
    }
    let header = [
        ("model", Align::Left),
        ("params", Align::Right),
        ("quantization", Align::Left),
        ("download", Align::Right),
        ("needs", Align::Right),
        ("verdict", Align::Left),
        ("decode tok/s", Align::Right),
        ("here", Align::Left),
        ("profile", Align::Left),
        ("basis", Align::Left),
        ("quality", Align::Left),
    ];
    context.ui.data(&render(&header, &report.models.iter().map(recommended_row).collect::<Vec<_>>()))?;
    let profile = report.profile.as_deref().unwrap_or("none, as upstream refuses this machine");
    context.ui.note(&format!(
        "answered by {}, of {} that a model may use; profile: {profile}. Rows with basis `measured` come first, by own \
         runs on this machine; then those that fit, write 5 tokens/s or more, and are larger",
        report.engine,
        gib(report.budget_bytes)
    ));
    Ok(())
}

fn recommended_row(model: &Recommendation) -> Vec<String> {
    let dash = || "-".to_owned();
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let quality: Vec<String> = model.quality.iter().map(quality_cell).collect();
    vec![
        model.tag.clone(),
        model.params_b.map_or_else(dash, |params| format!("{params} B")),
        model.quantization.clone().unwrap_or_else(dash),
        model.size_bytes.map_or_else(dash, bytes),
        gib(model.needs_bytes),
        model.verdict.as_str().to_owned(),
        model.decode_tokens_per_s.map_or_else(dash, number),
        yes(model.on_this_machine),
        yes(model.in_profile),
        match model.basis {
            Basis::Measured => "measured",
            Basis::Prior => "prior",
        }
        .to_owned(),
        if quality.is_empty() { dash() } else { quality.join("; ") },
    ]
}

/// `triage_jira f1_macro 0.41 [0.30, 0.52] n=50`
fn quality_cell(quality: &Quality) -> String {
    let interval = match (quality.ci_low, quality.ci_high) {
        (Some(low), Some(high)) => format!(" [{low:.2}, {high:.2}]"),
        _ => String::new(),
    };
    let count = quality.n.map_or_else(String::new, |n| format!(" n={n}"));
    format!("{} {} {:.2}{interval}{count}", quality.scenario, quality.metric, quality.value)
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
