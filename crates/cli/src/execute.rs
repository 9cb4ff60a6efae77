//! A run from spec to report: read, plan, ask, score. Shared by `run`, `quickstart` and `validate-baseline`.

use crate::context::Context;
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::fit::ledger;
use crate::measure::Measuring;
use crate::options::{BackendArgs, BackendKind, MachineArgs};
use crate::progress::RunBar;
use crate::report::RunReport;
use crate::{home, machine, paging, paths, state, summary, wire};
use puma_core::measure::Contamination;
use puma_core::{
    Backend, Clock as _, CompletionCache, EventSink, ModelIdentity, RecordedRun, RunEvent, RunHeader, RunId, RunStatus,
    SinkError,
};
use puma_eval::Instance;
use puma_eval::baseline::against_baselines;
use puma_eval::dataset::{self, Dataset, ReadOptions};
use puma_eval::metric::{self, MetricValue, MissingAnswers};
use puma_eval::plan::{Plan, PlanInput, RunFacts, plan};
use puma_eval::prompt::Templates;
use puma_eval::run::{Asker, JobOrder, run};
use puma_eval::scenario::{self, Scenario};
use puma_eval::spec::{AnswerMode, Compat, RunSpec, full_json, spec_hash};
use puma_host::profile::MachineSnapshot;
use puma_store::{CacheStore, MetricRow, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What to run, on what, and how.
#[derive(Clone)]
pub(crate) struct Order {
    pub spec: RunSpec,
    pub data: Data,
    pub backend: BackendArgs,
    pub machine: MachineArgs,
    /// Whether answers may come from the inference cache.
    pub cache: bool,
    pub order: JobOrder,
    /// Whether the backend forgets earlier prompts before the first question.
    pub fresh: bool,
    /// The run to go on with.
    pub resume: Option<RecordedRun>,
}

/// Where the instances come from.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// The sample set inside the binary, or its replacement in `--home`.
    Sample,
    File {
        path: PathBuf,
        columns: BTreeMap<String, String>,
    },
}

/// A finished call: what was stored, scored.
pub(crate) struct Executed {
    pub report: RunReport,
    pub header: RunHeader,
    /// The paging for which the run was stopped.
    pub stopped_by: Option<Contamination>,
}

/// Everything that is known before a model is made ready.
pub(crate) struct Gathered {
    scenario: &'static dyn Scenario,
    dataset: Dataset,
    instances: Vec<Instance>,
    templates: Templates,
    pub backend: Box<dyn Backend>,
    pub snapshot: MachineSnapshot,
}

/// Reads what `order` names. No model is touched and nobody is asked.
pub(crate) fn gather(order: &Order, context: &Context) -> Result<Gathered, Failure> {
    let snapshot = machine::snapshot(&order.spec, &order.machine, context)?;
    let scenario = find_scenario(&order.spec.scenario)?;
    if is_embedded(order) && order.spec.inference.format.is_some() {
        return Err(Failure::invalid("the embedded engine cannot constrain its answers to `inference.format`")
            .hint("remove `format` from the spec, or name a server that can: `--backend ollama`"));
    }
    if !is_embedded(order) && order.spec.inference.answer == AnswerMode::ScoreLabels {
        return Err(Failure::invalid(
            "only the embedded engine scores given answers; servers report the probabilities of what they generate",
        )
        .hint("use `--backend embedded`, or let answers be generated (`inference.answer: generate`)"));
    }
    let dataset = read_dataset(&order.data, &order.spec, context)?;
    for (reason, count) in dataset.skip_counts() {
        context.ui.note(&format!("left out {count} rows of {} {}", dataset.identity.name, reason.as_str()));
    }
    let count = order.spec.sample_size as usize;
    let instances = scenario
        .instances(&dataset, count, order.spec.inference.seed)
        .map_err(|error| Failure::invalid(error.to_string()).hint(error.hint()))?;
    if instances.len() < count && order.resume.is_none() {
        context.ui.note(&format!("{} instances instead of {count}: the data gives no more", instances.len()));
    }
    let templates = home::templates(context.home.as_deref())?;
    let backend = wire::backend_on(&snapshot.machine, &order.backend, context.home.as_deref())?;
    Ok(Gathered { scenario, dataset, instances, templates, backend, snapshot })
}

/// Makes the models ready and plans every job. Nobody is asked.
pub(crate) fn prepare(order: &Order, gathered: &Gathered, context: &Context) -> Result<Plan, Failure> {
    let Gathered { scenario, dataset, instances, templates, backend, snapshot } = gathered;
    for warning in paging::warnings(order, &snapshot.machine, context)? {
        context.ui.warn(&warning);
    }
    let models: Vec<ModelIdentity> =
        order.spec.models.iter().map(|model| backend.prepare(model)).collect::<Result<_, _>>()?;
    for model in &models {
        if let Some(fallback) = model.template_source.as_deref().filter(|source| *source != "file") {
            let name = &model.name;
            context.ui.warn(&format!("{name} has no chat template, so prompts are put to it in the {fallback} form"));
        }
    }
    let plan = plan(PlanInput {
        spec: &order.spec,
        spec_hash: &spec_hash(&order.spec),
        scenario: *scenario,
        dataset,
        instances,
        templates,
        models: &models,
        // The embedded engine's window is the engine's own; a server is told with every request.
        context_length: if is_embedded(order) { None } else { order.backend.context },
    })
    .map_err(|error| Failure::invalid(error.to_string()).hint(error.hint()))?;
    for text in summary::unchanged_texts(&plan) {
        context.ui.warn(&text);
    }
    Ok(plan)
}

/// Whether the model runs in this process.
pub(crate) fn is_embedded(order: &Order) -> bool {
    order.backend.backend.unwrap_or(BackendKind::Embedded) == BackendKind::Embedded
}

/// Runs `order`, stores every job as it finishes, scores what is there and reports it.
///
/// # Errors
/// Something could not start, or the run could not go on; what was finished is stored either way.
pub(crate) fn execute(order: &Order, context: &Context) -> Result<Executed, Failure> {
    let store = context.store()?;
    let gathered = gather(order, context)?;
    let mut measuring = Measuring::start(order, &gathered, context)?;
    stop_if_interrupted(context)?;
    let plan = prepare(order, &gathered, context)?;
    stop_if_interrupted(context)?;
    // The embedded engine holds one model at a time, and has loaded the only one by now.
    measuring.begin_asking(&plan.models, is_embedded(order) && plan.models.len() == 1);
    let mut header = header(order, &plan, &gathered, &store, context)?;
    if order.fresh {
        let state = state::forget_all(gathered.backend.as_ref(), &plan.models)?;
        header.backend.settings.insert(state::SETTING.to_owned(), state.to_owned());
    }
    let run_id = header.run_id.clone();
    let finished = match &order.resume {
        Some(_) => Some(store.finished_jobs(&run_id)?),
        None => None,
    };
    context.ui.note(&format!("run {run_id}: {} jobs", plan.jobs.len()));
    let cache = order.cache.then(|| CacheStore::open(paths::cache()));
    let mut bar = RunBar::new(&context.ui, plan.jobs.len(), finished.as_ref().map_or(0, BTreeSet::len));
    let mut recorder = store.recorder();
    let mut both = Both { first: &mut recorder, second: &mut bar };
    let mut sinks = measuring.sink(&mut both);
    let asker = Asker {
        backend: gathered.backend.as_ref(),
        cache: cache.as_ref().map(|cache| cache as &dyn CompletionCache),
        order: order.order,
    };
    let outcome = run(&plan, header, finished.as_ref(), &asker, &mut sinks, &context.clock, &context.cancel);
    bar.clear();
    drop(recorder);
    if let Some(warning) = cache.as_ref().and_then(CacheStore::warning) {
        context.ui.warn(&warning);
    }
    if let Some(warning) = measuring.warning() {
        context.ui.warn(&warning);
    }
    let stopped_by = measuring.stopped_by();
    let scored = score_and_store(order, &store, &run_id, context).map(|executed| Executed { stopped_by, ..executed });
    match outcome {
        Err(error) => Err(Failure::operation(error.to_string()).hint(error.hint(&run_id))),
        Ok(_) => scored,
    }
}

/// Who ends the program while the idle machine is measured or the model loads wants no run of no jobs.
fn stop_if_interrupted(context: &Context) -> Result<(), Failure> {
    match context.cancel.is_cancelled() {
        true => Err(Failure::new(ExitKind::Interrupted, "interrupted before the first question; nothing was stored")),
        false => Ok(()),
    }
}

/// Scores a stored run, keeps its metrics, and makes the report.
fn score_and_store(order: &Order, store: &Store, run_id: &RunId, context: &Context) -> Result<Executed, Failure> {
    let stored = store.load_run(run_id)?;
    ledger::record(order, &stored, store, context);
    let report = report(&stored)?;
    store.save_metrics(run_id, &metric_rows(&report.metrics), context.clock.now())?;
    Ok(Executed { report, header: stored.header, stopped_by: None })
}

/// Scores a stored run and reports it.
pub(crate) fn report(stored: &RecordedRun) -> Result<RunReport, Failure> {
    let scenario = find_scenario(&stored.header.scenario)?;
    let (task, options) = (scenario.task(), metric_options(stored)?);
    let scored =
        metric::compute(&task, &stored.records, &options).map_err(|error| Failure::operation(error.to_string()))?;
    let against = against_baselines(&task, &stored.records, &options);
    Ok(RunReport::new(stored, scored, against, &task))
}

/// How the records of a run are to be scored: as its spec asks, beside what was kept of its data.
pub(crate) fn metric_options(stored: &RecordedRun) -> Result<metric::Options, Failure> {
    let RecordedRun { header, instances, .. } = stored;
    let scenario = find_scenario(&header.scenario)?;
    let spec: Option<RunSpec> = serde_json::from_value(header.spec.clone()).ok();
    let mut options = metric::Options::default();
    if spec.is_some_and(|spec| spec.compat == Some(Compat::Puma4)) {
        options.missing = MissingAnswers::Dropped;
    }
    options.baseline_answers.clone_from(&header.dataset.baseline_answers);
    let answers = header.dataset.train_answers.iter();
    options.train_gold =
        answers.flat_map(|(answer, count)| std::iter::repeat_n(answer.clone(), *count as usize)).collect();
    options.priorities.clone_from(&header.dataset.priorities);
    options.text_lengths = instances
        .iter()
        .map(|row| (row.instance_id.clone(), metric::text_length(&row.fields, scenario.prompt_fields())))
        .collect();
    Ok(options)
}

/// The metrics as the store keeps them.
pub(crate) fn metric_rows(metrics: &[MetricValue]) -> Vec<MetricRow> {
    metrics
        .iter()
        .filter(|metric| metric.value.is_finite())
        .map(|metric| MetricRow {
            name: metric.name.clone(),
            scope: if metric.subgroup.is_some() { "per_group" } else { "per_model" }.to_owned(),
            model: Some(metric.model.clone()),
            strategy: Some(metric.strategy.clone()),
            perturbation: metric.perturbation.clone(),
            subgroup: metric.subgroup.clone(),
            value: metric.value,
            ci_low: metric.ci_low,
            ci_high: metric.ci_high,
            n: Some(metric.n as u64),
            unit: Some(metric.unit.clone()).filter(|unit| !unit.is_empty()),
        })
        .collect()
}

/// The scenario of that name, or an error with the names there are.
pub(crate) fn find_scenario(name: &str) -> Result<&'static dyn Scenario, Failure> {
    scenario::find(name).ok_or_else(|| {
        let names = scenario::SCENARIOS.map(|scenario| scenario.name()).join(", ");
        Failure::invalid(format!("there is no scenario `{name}`")).hint(format!("scenarios are {names}"))
    })
}

/// Reads the data of a run.
pub(crate) fn read_dataset(data: &Data, spec: &RunSpec, context: &Context) -> Result<Dataset, Failure> {
    let Some((bytes, options)) = data_file(data, &spec.scenario, context)? else {
        return sample_data(&spec.scenario);
    };
    let name = stem(&options.name);
    let options = ReadOptions { keep_artefact_quotes: spec.compat.is_some(), ..options };
    let mut dataset = dataset::read(&bytes, options).map_err(|error| Failure::invalid(error.to_string()))?;
    dataset.identity.name = name;
    Ok(dataset)
}

/// The sample set inside the binary.
pub(crate) fn sample_data(scenario: &str) -> Result<Dataset, Failure> {
    dataset::embedded(scenario).ok_or_else(|| Failure::invalid(format!("there is no sample data for `{scenario}`")))
}

/// The file that `data` means, and how to read it; `None` for the sample set inside the binary.
pub(crate) fn data_file(
    data: &Data,
    scenario: &str,
    context: &Context,
) -> Result<Option<(Vec<u8>, ReadOptions)>, Failure> {
    let replacement = home::file(context.home.as_deref(), replacement_names(scenario));
    let (path, columns) = match (data, replacement) {
        (Data::File { path, columns }, _) => (path.clone(), columns.clone()),
        (Data::Sample, Some(path)) => (path, BTreeMap::new()),
        (Data::Sample, None) => return Ok(None),
    };
    let bytes = std::fs::read(&path).map_err(|error| {
        Failure::invalid(format!("the data file {} cannot be read: {error}", path.display()))
            .hint("`--data` takes one CSV or JSON file; see it with `puma datasets --data FILE`")
    })?;
    let options = ReadOptions {
        name: path.display().to_string(),
        source: paths::without_home(&std::path::absolute(&path)?),
        columns,
        ..ReadOptions::default()
    };
    Ok(Some((bytes, options.for_scenario(scenario))))
}

/// The name of a data file in reports.
pub(crate) fn stem(path: &str) -> String {
    Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Files of a home folder that stand in for the sample data, upstream's names included.
fn replacement_names(scenario: &str) -> &'static [&'static str] {
    match dataset::Gold::of_scenario(scenario) {
        Some(dataset::Gold::StoryPoints) => &["data/stories_sample.csv", "data/tawos_clean.csv"],
        _ => &["data/triage_sample.csv", "data/jira_balanced_200.csv"],
    }
}

fn header(
    order: &Order,
    plan: &Plan,
    gathered: &Gathered,
    store: &Store,
    context: &Context,
) -> Result<RunHeader, Failure> {
    let started_at = context.clock.now();
    let (run_id, started_at) = match &order.resume {
        Some(stored) => (stored.header.run_id.clone(), stored.header.started_at),
        None => (store.allocate_run_id(&order.spec.id, &plan.spec_hash, started_at)?, started_at),
    };
    let mut machine = serde_json::to_value(&gathered.snapshot)
        .map_err(|error| Failure::operation(format!("this machine cannot be described: {error}")))?;
    let paging: Vec<String> =
        paging::models(order, &gathered.snapshot.machine, context)?.into_iter().map(|(model, _)| model).collect();
    if !paging.is_empty() {
        machine[paging::FACT] = paging.into();
    }
    Ok(plan.header(RunFacts {
        run_id,
        spec: full_json(&order.spec),
        backend: gathered.backend.identity(),
        profile: Some(gathered.snapshot.profile.id.clone()),
        machine,
        puma_version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at,
    }))
}

/// How a finished call ends the program: an interrupted run says how to go on.
pub(crate) fn verdict(executed: &Executed) -> Result<(), Failure> {
    let run_id = &executed.header.run_id;
    match executed.report.status {
        RunStatus::Done => Ok(()),
        RunStatus::Interrupted if let Some(paging) = &executed.stopped_by => Err(Failure::operation(format!(
            "stopped because of paging: {}; every finished job is stored",
            paging.detail
        ))
        .hint("take a smaller model or a smaller quantisation, or close other programs (`puma fit` tells what fits)")
        .hint(format!("then go on with `puma run --resume {run_id}`"))),
        RunStatus::Interrupted | RunStatus::Running => {
            Err(Failure::new(ExitKind::Interrupted, "interrupted; every finished job is stored")
                .hint(format!("go on with `puma run --resume {run_id}`")))
        }
        RunStatus::Incomplete => Err(Failure::operation(format!(
            "{} of {} jobs failed in the backend and are not scored; most often: {}",
            executed.report.outcomes.backend_failed,
            executed.report.jobs,
            executed.report.failures.first().map_or("no reason was given", |failure| &failure.error)
        ))
        .hint(format!("try them again with `puma run --resume {run_id}`"))),
        RunStatus::Error => Err(Failure::operation("the run could not go on")),
    }
}

/// Gives each event to one sink, then to the other; the first decides whether the run may go on.
struct Both<'a> {
    first: &'a mut dyn EventSink,
    second: &'a mut dyn EventSink,
}

impl EventSink for Both<'_> {
    fn emit(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        self.first.emit(event)?;
        self.second.emit(event)
    }
}
