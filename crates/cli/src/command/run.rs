//! `puma run`.

use crate::context::Context;
use crate::execute::{self, Data, Order};
use crate::failure::Failure;
use crate::options::{BackendArgs, BackendKind, MachineArgs, OllamaApi};
use crate::{home, measure, runs, state, summary};
use clap::{Args, ValueEnum};
use puma_core::RecordedRun;
use puma_eval::run::JobOrder;
use puma_eval::spec::{self, AnswerMode, InlineSpec, ParserMode, RunSpec};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Arguments of `puma run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Run-spec file, or the name of a shipped spec (`smoke_triage`); instead of the flags under "What to run".
    spec: Option<PathBuf>,
    /// Go on with a stored run: its id, the beginning of its id, or `latest`.
    #[arg(long, value_name = "RUN_ID", conflicts_with_all = ["spec", "InlineArgs", "DataArgs"])]
    resume: Option<String>,
    /// Ask every question again instead of using answers from the inference cache.
    #[arg(long)]
    no_cache: bool,
    /// Make the backend forget earlier prompts first (Ollama unloads the model) and ask every question again: a server's
    /// answers may depend on what it was asked before.
    #[arg(long, conflicts_with = "resume")]
    fresh: bool,
    /// Ask in an order shuffled by this seed. Results do not depend on it; this is how to check.
    #[arg(long, value_name = "SEED")]
    shuffle: Option<u64>,
    /// Show the plan and the first prompt; ask nothing, store nothing.
    #[arg(long)]
    dry_run: bool,
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
    #[command(flatten)]
    machine: MachineArgs,
}

/// A spec from flags.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What to run")]
pub(crate) struct InlineArgs {
    /// triage_jira, estimation_tawos or prioritization_jira.
    #[arg(long, conflicts_with = "spec")]
    pub scenario: Option<String>,
    /// Catalogue tag, .gguf file or other name `puma models` knows; a server's own name with a server. Repeatable. With
    /// a spec, these models stand in for the spec's.
    #[arg(long, value_delimiter = ',')]
    pub model: Vec<String>,
    /// Prompting strategy: zero-shot, zero-shot-cot, one-shot, few-shot-3, few-shot-5, few-shot-8, cot-few-shot, rcoif,
    /// contextual-anchoring, self-consistency or egi [default: zero-shot]. Repeatable.
    #[arg(long, value_delimiter = ',', conflicts_with = "spec")]
    pub strategy: Vec<String>,
    /// Instances to judge [default: 100].
    #[arg(long, value_name = "N", conflicts_with = "spec")]
    pub instances: Option<u32>,
    /// Seed of samples and draws [default: 42].
    #[arg(long, conflicts_with = "spec")]
    pub seed: Option<u64>,
    /// 0 is greedy [default: 0].
    #[arg(long, conflicts_with = "spec", allow_negative_numbers = true)]
    pub temperature: Option<f64>,
    /// Tokens an answer may have [default: 64; strategies that reason get at least 1024].
    #[arg(long, value_name = "N", conflicts_with = "spec")]
    pub max_tokens: Option<u32>,
    /// Alternatives recorded for every generated token, 0 to 20; confidence is made of them [default: 20].
    #[arg(long, value_name = "N", conflicts_with = "spec")]
    pub top_logprobs: Option<u8>,
    /// How an answer comes about [default: generate].
    #[arg(long, value_enum, conflicts_with = "spec")]
    pub answer: Option<Answer>,
    /// Times every job is repeated, each with its own seed [default: 1].
    #[arg(long, value_name = "N", conflicts_with = "spec")]
    pub repeat: Option<u32>,
    /// Also judge every instance changed in this way: typos_5pct, case_upper, case_lower, truncate_50pct, tech_noise,
    /// gender_swap_prefix_male, gender_swap_prefix_female, register_shift_informal, pair_swap, whitespace,
    /// unicode_confusables, shorten_sentences, label_order or option_rename. Repeatable.
    #[arg(long, value_delimiter = ',', conflicts_with = "spec")]
    pub perturbation: Vec<String>,
    /// Count the first label or number mentioned instead of the final answer, as upstream PUMA does.
    #[arg(long, conflicts_with = "spec")]
    pub first_match: bool,
}

/// How an answer comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    /// The model writes a text and the answer is read out of it.
    Generate,
    /// Every allowed answer is scored by its probability after the prompt; nothing is written or read. Embedded engine only.
    ScoreLabels,
}

/// Which data to judge.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataArgs {
    /// CSV or JSON file: a Jira export, GitHub issues, Deep-SE, or any table [default: the embedded sample set].
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Where fields stand in the file: `title=summary,priority=severity`.
    #[arg(long, value_name = "FIELD=COLUMN,…", requires = "data")]
    pub columns: Option<String>,
}

/// Answer length for flags: room for a sentence, not for an essay.
const MAX_TOKENS: u32 = 64;
/// Alternatives for flags: every label's token paths fit.
const TOP_LOGPROBS: u8 = 20;

pub(crate) fn run(args: RunArgs, context: &Context) -> Result<(), Failure> {
    let RunArgs { spec, inline, data, backend, machine, resume, no_cache, fresh, shuffle, dry_run, json } = args;
    let job_order = shuffle.map_or(JobOrder::Given, JobOrder::Shuffled);
    let order = match resume {
        Some(run_id) => resumed(&run_id, backend, machine, !no_cache, job_order, context)?,
        None => Order {
            spec: match &spec {
                Some(path) => inline.model_of(read_spec(path, context.home.as_deref())?)?,
                None => inline.into_spec()?,
            },
            data: data.into_data()?,
            backend,
            machine,
            cache: !(no_cache || fresh),
            fresh,
            order: job_order,
            resume: None,
        },
    };
    if dry_run {
        measure::check(&order, context)?;
        let plan = execute::prepare(&order, &execute::gather(&order, context)?, context)?;
        return if json {
            context.ui.json(&summary::plan_json(&plan))
        } else {
            context.ui.data(&summary::plan_text(&plan))
        };
    }
    let executed = execute::execute(&order, context)?;
    if json {
        context.ui.json(&executed.report)?;
    } else {
        context.ui.data(&summary::run_text(&executed.report))?;
    }
    execute::verdict(&executed)
}

impl InlineArgs {
    /// `spec` with the models of the flags, where there are any.
    pub(crate) fn model_of(self, spec: RunSpec) -> Result<RunSpec, Failure> {
        if self.model.is_empty() {
            return Ok(spec);
        }
        spec.with_models(self.model).map_err(|error| Failure::invalid(error.to_string()))
    }

    /// The spec these flags mean.
    pub(crate) fn into_spec(self) -> Result<RunSpec, Failure> {
        let Self {
            scenario,
            model,
            strategy,
            instances,
            seed,
            temperature,
            max_tokens,
            top_logprobs,
            answer,
            repeat,
            perturbation,
            first_match,
        } = self;
        let Some(scenario) = scenario else {
            return Err(Failure::invalid("nothing to run was named").hint(
                "name a spec file, or a scenario and a model: `puma run --scenario triage_jira --model smollm2:135m`",
            ));
        };
        if model.is_empty() {
            return Err(Failure::invalid("no model was named")
                .hint("add `--model smollm2:135m`; `puma models list` shows what there is"));
        }
        let scored = answer == Some(Answer::ScoreLabels);
        if scored {
            refuse_for_scoring(&[("--max-tokens", max_tokens.is_some()), ("--top-logprobs", top_logprobs.is_some())])?;
        }
        InlineSpec {
            scenario,
            models: model,
            strategies: strategy,
            instances,
            seed,
            temperature,
            max_tokens: Some(max_tokens.unwrap_or(MAX_TOKENS)),
            // The logprobs of scored answers are always kept.
            logprobs: !scored,
            top_logprobs: Some(top_logprobs.unwrap_or(if scored { 0 } else { TOP_LOGPROBS })),
            answer: if scored { AnswerMode::ScoreLabels } else { AnswerMode::Generate },
            repeat,
            perturbations: perturbation,
            parser: if first_match { ParserMode::FirstMatch } else { ParserMode::FinalAnswer },
            ..InlineSpec::default()
        }
        .into_spec()
        .map_err(|error| Failure::invalid(error.to_string()))
    }
}

/// Options about written answers would do nothing where none is written.
fn refuse_for_scoring(flags: &[(&str, bool)]) -> Result<(), Failure> {
    match flags.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(Failure::invalid(format!("{flag} does nothing with `--answer score-labels`"))
            .hint("remove it, or let answers be generated")),
    }
}

impl DataArgs {
    pub(crate) fn into_data(self) -> Result<Data, Failure> {
        let Self { data, columns } = self;
        match data {
            None => Ok(Data::Sample),
            Some(path) => Ok(Data::File { path, columns: columns.map_or(Ok(BTreeMap::new()), |text| mapping(&text))? }),
        }
    }
}

/// Reads `field=column,field=column`.
fn mapping(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let example = "for example `--columns title=Summary,description=Body,priority=Severity`";
    let mut columns = BTreeMap::new();
    for pair in text.split(',') {
        let (field, column) = match pair.split_once('=') {
            Some((field, column)) if !field.trim().is_empty() && !column.trim().is_empty() => (field, column),
            _ => return Err(Failure::invalid(format!("`{pair}` in --columns is no FIELD=COLUMN")).hint(example)),
        };
        let field = field.trim().to_owned();
        if columns.insert(field.clone(), column.trim().to_owned()).is_some() {
            return Err(Failure::invalid(format!("--columns names `{field}` twice")).hint(example));
        }
    }
    Ok(columns)
}

/// Reads a spec file, or a shipped spec by its name.
pub(crate) fn read_spec(path: &Path, home: Option<&Path>) -> Result<RunSpec, Failure> {
    let name = path.display().to_string();
    let shipped = name.strip_suffix(".yaml").unwrap_or(&name);
    let in_home = format!("specs/runs/{shipped}.yaml");
    let text = match home::file(home, &[in_home.as_str()]) {
        _ if path.exists() => home::read(path)?,
        Some(file) => home::read(&file)?,
        None => match spec::shipped(shipped) {
            Some(text) => text.to_owned(),
            None => {
                let names: Vec<&str> = spec::SHIPPED.iter().map(|(name, _)| *name).collect();
                return Err(Failure::invalid(format!("there is no spec file {name}"))
                    .hint(format!("shipped specs are {}", names.join(", "))));
            }
        },
    };
    spec::parse(&text, &name).map_err(|error| Failure::invalid(error.to_string()))
}

/// The order that goes on with a stored run: its spec, its data, its backend unless another is named.
fn resumed(
    wanted: &str,
    mut backend: BackendArgs,
    mut machine: MachineArgs,
    cache: bool,
    order: JobOrder,
    context: &Context,
) -> Result<Order, Failure> {
    let stored = runs::open(context, wanted)?;
    let spec: RunSpec = serde_json::from_value(stored.header.spec.clone()).map_err(|error| {
        Failure::invalid(format!("the spec of run {} cannot be read: {error}", stored.header.run_id))
    })?;
    if backend.backend.is_none() {
        backend.backend = Some(stored_backend(&stored)?);
        if backend.endpoint.is_none() {
            backend.endpoint.clone_from(&stored.header.backend.endpoint);
        }
    }
    take_settings(&mut backend, &stored.header.backend.settings);
    let server = backend.backend != Some(BackendKind::Embedded);
    if backend.context.is_none() && (!server || backend.backend == Some(BackendKind::Ollama)) {
        backend.context = stored.header.models.first().and_then(|model| model.context_length);
    }
    // Who insisted on a profile once need not do so again.
    let insisted = stored.header.machine.pointer("/profile/rule").and_then(Value::as_str) == Some("override");
    machine.profile = machine.profile.or_else(|| stored.header.profile.clone().filter(|_| insisted));
    // A run that began with a fresh model goes on with one.
    let fresh = stored.header.backend.settings.contains_key(state::SETTING);
    let (data, cache) = (stored_data(&stored), cache && !fresh);
    Ok(Order { spec, data, backend, machine, cache, order, fresh, resume: Some(stored) })
}

/// The settings that can change an answer go on as they were; the store refuses others.
fn take_settings(backend: &mut BackendArgs, stored: &BTreeMap<String, String>) {
    let is_on = |name: &str| stored.get(name).is_some_and(|value| value == "true");
    backend.think |= is_on("think");
    backend.reuse_prompts |= is_on("reuse_prompts");
    if backend.api.is_none() {
        backend.api = stored.get("api").and_then(|name| OllamaApi::from_str(name, false).ok());
    }
}

fn stored_backend(stored: &RecordedRun) -> Result<BackendKind, Failure> {
    let kind = &stored.header.backend.kind;
    BackendKind::from_str(kind, false).map_err(|_| {
        Failure::invalid(format!("run {} was made by `{kind}`", stored.header.run_id))
            .hint("name the backend to go on with: `--backend …`")
    })
}

fn stored_data(stored: &RecordedRun) -> Data {
    let dataset = &stored.header.dataset;
    if dataset.source == "embedded" {
        return Data::Sample;
    }
    Data::File { path: crate::paths::with_home(&dataset.source), columns: dataset.named_columns.clone() }
}
