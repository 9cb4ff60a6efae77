//! The ledger: what a run's speed was predicted to be, what it was, and what that teaches.

use super::engine::{as_asked, on_this_machine, rules_by_name};
use super::header;
use super::models::file_of;
use super::report::MeasuredLine;
use crate::context::Context;
use crate::execute::Order;
use crate::failure::Failure;
use crate::measure::is_elsewhere;
use crate::options::{BackendKind, EngineOptions as EngineArgs};
use crate::wire;
use puma_backends::ollama::{OllamaBackend, OllamaOptions};
use puma_core::measure::Reading;
use puma_core::{Clock as _, FinishReason, ModelIdentity, RecordedRun, RunId};
use puma_engine::EngineOptions;
use puma_host::fit::{
    Budget, EngineRules, Family, Load, ModelShape, Question, budget, judge, machine_key, speed_input,
};
use puma_host::machine::last_level_cache_bytes;
use puma_host::speed::{Correction, Observation, Phase, SpeedInput, learn, measure_read_bandwidth, predict};
use puma_host::{HostSource, Machine};
use puma_store::{SpeedRow, Store};
use std::collections::{BTreeMap, BTreeSet};

/// Speeds from fewer tokens say nothing.
const FEWEST_TOKENS: u64 = 64;

/// Adds a finished run to the ledger: one row for each model and phase whose speed could be measured. A run on a
/// recorded machine or on another than this, or one that was disturbed, adds none. Never fails the run.
pub(crate) fn record(order: &Order, stored: &RecordedRun, store: &Store, context: &Context) {
    if let Err(failure) = try_record(order, stored, store, context) {
        context.ui.warn(&format!("the run's speed is not kept for `puma fit`: {}", failure.message));
    }
}

fn try_record(order: &Order, stored: &RecordedRun, store: &Store, context: &Context) -> Result<(), Failure> {
    let header = &stored.header;
    // A server that may run elsewhere tells nothing of this machine.
    if header.backend.endpoint.as_deref().is_some_and(is_elsewhere) {
        return Ok(());
    }
    let disturbed = is_void(stored.sessions.iter().filter_map(|session| session.health.as_ref()));
    let (Some(rules), false) = (rules_by_name(&header.backend.kind), disturbed) else { return Ok(()) };
    let speeds: Vec<(&ModelIdentity, Measured)> =
        header.models.iter().map(|model| (model, measured(stored, &model.name, &rules))).collect();
    if speeds.iter().all(|(_, speed)| speed.decode.is_none() && speed.prefill.is_none()) {
        return Ok(());
    }
    let machine = Machine::probe(context.host.as_ref());
    let Ok(budget) = budget(&machine, &rules) else { return Ok(()) };
    if machine.recorded {
        return Ok(());
    }
    let rules = as_asked(on_this_machine(rules, &budget), &order.backend.engine);
    let on_cores = matches!(budget, Budget::Cpu { .. });
    let memory_bandwidth = on_cores.then(|| memory_bandwidth(&machine, context.host.as_ref())).flatten();
    let place = Place { machine, rules, budget, memory_bandwidth };
    let sequences = sequences(order, header.jobs);
    let mut rows = Vec::new();
    for (model, speed) in speeds {
        let Some(shape) = shape_of(model, order, context) else { continue };
        rows.extend(place.rows(&shape, model, &speed, sequences, stored, context));
    }
    Ok(store.save_speeds(&header.run_id, &rows)?)
}

/// Whether any session was disturbed so that its times are void.
fn is_void<'a>(mut health: impl Iterator<Item = &'a puma_core::measure::HealthReport>) -> bool {
    health.any(puma_core::measure::HealthReport::is_void)
}

/// Answers that could be computed at once.
fn sequences(order: &Order, jobs: usize) -> u32 {
    let EngineArgs { batch, .. } = &order.backend.engine;
    let jobs = u32::try_from(jobs.max(1)).unwrap_or(u32::MAX);
    let most = match order.backend.backend.unwrap_or(BackendKind::Embedded) {
        BackendKind::Embedded => {
            batch.unwrap_or_else(|| u32::try_from(EngineOptions::default().max_batch).unwrap_or(u32::MAX))
        }
        _ => order.backend.concurrency.unwrap_or(1),
    };
    most.min(jobs)
}

/// The inside of the model that answered: from its file, or from the server that has it.
fn shape_of(model: &ModelIdentity, order: &Order, context: &Context) -> Option<ModelShape> {
    if order.backend.backend == Some(BackendKind::Ollama) {
        let found = wire::ollama_endpoint(order.backend.endpoint.as_deref()).ok()?;
        let served = OllamaBackend::new(OllamaOptions::new(found.endpoint)).facts(&model.name).ok()?;
        return header::of_served(&served).ok();
    }
    let library = wire::library(context.home.as_deref()).ok()?;
    header::of_file(&file_of(&library, &model.name)?).ok()
}

/// Speeds of one model in one run, in tokens per second, with the tokens behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Measured {
    decode: Option<(f64, u64)>,
    prefill: Option<(f64, u64)>,
    /// Of the typical request.
    prompt_tokens: u32,
}

fn measured(stored: &RecordedRun, model: &str, rules: &EngineRules) -> Measured {
    let records = stored.records.iter().filter(|record| record.model == model);
    let completions: Vec<_> = records
        .flat_map(|record| &record.completions)
        .filter(|completion| !completion.from_cache && completion.finish != FinishReason::Cancelled)
        .collect();
    let (mut decode, mut prefill) = ((0u64, 0.0), (0u64, 0.0));
    let mut prompts: Vec<u32> = Vec::new();
    for completion in completions {
        let (usage, phases) = (completion.usage, completion.phases);
        if let (Some(tokens), Some(time)) = (usage.generated_tokens, phases.generation_ms) {
            // The engine's first token comes out of the prompt's last step; servers count it with the others.
            let steps = if rules.family == Family::Embedded { tokens.saturating_sub(1) } else { tokens };
            decode = (decode.0 + u64::from(steps), decode.1 + time.0);
        }
        if let (Some(tokens), Some(time)) = (usage.computed_tokens(), phases.prompt_ms) {
            prefill = (prefill.0 + u64::from(tokens), prefill.1 + time.0);
        }
        prompts.extend(usage.prompt_tokens);
    }
    prompts.sort_unstable();
    let speed =
        |(tokens, ms): (u64, f64)| (tokens >= FEWEST_TOKENS && ms > 0.0).then(|| (tokens as f64 * 1000.0 / ms, tokens));
    Measured {
        decode: speed(decode),
        prefill: speed(prefill),
        prompt_tokens: prompts.get(prompts.len() / 2).copied().unwrap_or(0),
    }
}

/// A machine as one engine uses it.
struct Place {
    machine: Machine,
    rules: EngineRules,
    budget: Budget,
    memory_bandwidth: Option<Reading<f64>>,
}

impl Place {
    fn rows(
        &self,
        shape: &ModelShape,
        model: &ModelIdentity,
        speed: &Measured,
        sequences: u32,
        stored: &RecordedRun,
        context: &Context,
    ) -> Vec<SpeedRow> {
        let load = Load {
            context: model.context_length.unwrap_or(speed.prompt_tokens),
            kv_type: self.rules.default_kv_type,
            sequences,
        };
        let fit = judge(shape, &load, &self.rules, &self.budget);
        let input = speed_input(
            shape,
            &self.machine,
            &Question {
                load: &load,
                rules: &self.rules,
                budget: &self.budget,
                fit: &fit,
                prompt_tokens: speed.prompt_tokens,
                memory_bandwidth: self.memory_bandwidth.clone(),
            },
        );
        let phases = [(Phase::Decode, speed.decode), (Phase::Prefill, speed.prefill)];
        let rows = phases.into_iter().filter_map(|(phase, measured)| {
            let (measured, tokens) = measured?;
            self.row(&input, phase, measured, tokens, model, sequences, stored, context)
        });
        rows.collect()
    }

    #[expect(clippy::too_many_arguments, reason = "a row has many columns")]
    fn row(
        &self,
        input: &SpeedInput,
        phase: Phase,
        measured_tokens_per_s: f64,
        tokens: u64,
        model: &ModelIdentity,
        sequences: u32,
        stored: &RecordedRun,
        context: &Context,
    ) -> Option<SpeedRow> {
        let at = stored.finished_at.unwrap_or_else(|| context.clock.now());
        let name = model.digest.clone().unwrap_or_else(|| model.name.clone());
        let observation = Observation::new(input, phase, name, at, measured_tokens_per_s)?;
        let raw = predict(input);
        let range = match phase {
            Phase::Decode => raw.decode.estimate().map(|estimate| (estimate.tokens_per_s, estimate.low, estimate.high)),
            Phase::Prefill => {
                raw.prefill.estimate().map(|estimate| (estimate.tokens_per_s, estimate.low, estimate.high))
            }
        };
        Some(SpeedRow {
            run_id: stored.header.run_id.clone(),
            model: model.name.clone(),
            phase: phase_name(phase).to_owned(),
            machine_key: machine_key(&self.machine),
            backend: stored.header.backend.kind.clone(),
            digest: model.digest.clone(),
            sequences,
            tokens,
            predicted_tokens_per_s: range.map(|(value, ..)| value),
            predicted_low: range.map(|(_, low, _)| low),
            predicted_high: range.map(|(.., high)| high),
            measured_tokens_per_s,
            measured_at: at,
            observation: serde_json::to_value(observation).ok()?,
        })
    }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Decode => "decode",
        Phase::Prefill => "prefill",
    }
}

/// How fast this machine's processor cores read memory, measured now; `None` for a recorded machine, and in a build
/// without optimisation, which reads slower than memory gives.
pub(crate) fn memory_bandwidth(machine: &Machine, host: &dyn HostSource) -> Option<Reading<f64>> {
    if machine.recorded || cfg!(debug_assertions) {
        return None;
    }
    let threads = usize::try_from(machine.logical_cores).unwrap_or(1).max(1);
    measure_read_bandwidth(threads, last_level_cache_bytes(host), machine.free_memory_bytes()).ok()
}

/// Own runs on one machine.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rows: Vec<(SpeedRow, Observation)>,
}

impl Ledger {
    /// What the store has for this machine, without runs that were disturbed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn read(store: &Store, key: &str) -> Result<Self, Failure> {
        let rows = store.speeds(key)?;
        let mut void = BTreeSet::new();
        for run_id in rows.iter().map(|row| &row.run_id).collect::<BTreeSet<&RunId>>() {
            let sessions = store.sessions(run_id)?;
            if is_void(sessions.iter().filter_map(|session| session.health.as_ref())) {
                void.insert(run_id.clone());
            }
        }
        let sound = rows.into_iter().filter(|row| !void.contains(&row.run_id));
        let readable = sound.filter_map(|row| Some((serde_json::from_value(row.observation.clone()).ok()?, row)));
        Ok(Self { rows: readable.map(|(observation, row)| (row, observation)).collect() })
    }

    /// What the runs with this many sequences at once teach. The speed of a prompt hardly depends on their number, so
    /// that all runs teach about it.
    pub(crate) fn correction(&self, sequences: u32) -> Correction {
        let counts = |row: &SpeedRow, observation: &Observation| {
            observation.phase == Phase::Prefill || row.sequences == sequences
        };
        let observations: Vec<Observation> = self
            .rows
            .iter()
            .filter(|(row, observation)| counts(row, observation))
            .map(|(_, observation)| observation.clone())
            .collect();
        learn(&observations)
    }

    /// The measured speeds of one model with one backend, by number of sequences.
    pub(crate) fn measured(&self, model: &str, backend: &str, phase: Phase) -> Vec<MeasuredLine> {
        let mut groups: BTreeMap<u32, Vec<(f64, u64)>> = BTreeMap::new();
        for (row, observation) in &self.rows {
            if row.model == model && row.backend == backend && observation.phase == phase {
                groups.entry(row.sequences).or_default().push((row.measured_tokens_per_s, row.tokens));
            }
        }
        let line = |(sequences, mut runs): (u32, Vec<(f64, u64)>)| {
            runs.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (low, high) = (runs[(runs.len() - 1) / 2].0, runs[runs.len() / 2].0);
            MeasuredLine {
                tokens_per_s: f64::midpoint(low, high),
                sequences,
                runs: runs.len(),
                tokens: runs.iter().map(|(_, tokens)| tokens).sum(),
            }
        };
        groups.into_iter().map(line).collect()
    }
}
