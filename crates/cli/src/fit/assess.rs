//! One model on one machine: verdict, largest contexts, speeds.

use super::engine::on_this_machine;
use super::ledger::{Ledger, memory_bandwidth};
use super::models::Candidate;
use super::report::{CorrectionLine, FitRow, MachineLine, PhaseLine, SpeedLine, SpeedRange};
use crate::context::Context;
use crate::failure::Failure;
use puma_core::measure::{Quality, Reading};
use puma_host::fit::{
    Budget, EngineRules, Fit, KvType, Load, ModelShape, Question, ShapeSource, Verdict, budget, judge, largest_context,
    machine_key, speed_input,
};
use puma_host::speed::{Correction, Estimate, Phase, Prediction, SpeedInput, predict};
use puma_host::{HostSource, Machine};
use std::cell::OnceCell;
use std::sync::Arc;

/// The prompt that speeds are predicted for: what the scenarios' prompts come to.
pub(crate) const PROMPT_TOKENS: u32 = 512;
/// What is asked when nobody names a context: the default window of a run.
pub(crate) const DEFAULT_CONTEXT: u32 = 8192;

/// The machine and what is remembered of it.
pub(crate) struct Ground {
    pub machine: Machine,
    pub key: String,
    pub ledger: Ledger,
    host: Arc<dyn HostSource>,
    bandwidth: OnceCell<Option<Reading<f64>>>,
}

/// What is asked of every model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub rules: EngineRules,
    /// `None` takes the engine's own.
    pub kv_type: Option<KvType>,
    pub sequences: u32,
}

impl Ground {
    /// The machine of this call and, where there is a database, its own runs.
    ///
    /// # Errors
    /// The database is there but cannot be read.
    pub(crate) fn of(context: &Context) -> Result<Self, Failure> {
        let machine = Machine::probe(context.host.as_ref());
        let key = machine_key(&machine);
        let ledger = match context.db.exists() {
            true => Ledger::read(&context.existing_store()?, &key)?,
            false => Ledger::default(),
        };
        Ok(Self { machine, key, ledger, host: Arc::clone(&context.host), bandwidth: OnceCell::new() })
    }

    /// Measured once, and only where it matters.
    fn bandwidth(&self) -> Option<Reading<f64>> {
        self.bandwidth.get_or_init(|| memory_bandwidth(&self.machine, self.host.as_ref())).clone()
    }

    pub(crate) fn line(&self) -> MachineLine {
        MachineLine {
            key: self.key.clone(),
            cpu: self.machine.cpu.clone(),
            memory_bytes: self.machine.memory_bytes,
            recorded: self.machine.recorded,
            memory_bandwidth_gb_s: self.bandwidth.get().cloned().flatten(),
        }
    }
}

/// Judges `candidate` with a context of `context` tokens; without one, with the default or the model's own if that is
/// shorter.
///
/// # Errors
/// The memory of the machine cannot be read.
pub(crate) fn assess(
    ground: &Ground,
    candidate: &Candidate,
    wish: &Wish,
    context: Option<u32>,
) -> Result<FitRow, Failure> {
    let budget = budget(&ground.machine, &wish.rules).map_err(|error| {
        Failure::operation(error.to_string())
            .hint("`puma doctor` shows what can be read; `puma models list` needs nothing")
    })?;
    let rules = on_this_machine(wish.rules, &budget);
    let trained = candidate.shape.as_ref().ok().and_then(|shape| shape.trained_context);
    let load = Load {
        context: context.unwrap_or_else(|| DEFAULT_CONTEXT.min(trained.unwrap_or(DEFAULT_CONTEXT))),
        kv_type: wish.kv_type.unwrap_or(rules.default_kv_type),
        sequences: wish.sequences,
    };
    let row = empty_row(candidate, wish, &load);
    let shape = match &candidate.shape {
        Ok(shape) => shape,
        Err(problem) => return Ok(FitRow { problem: Some(problem.clone()), ..row }),
    };
    let fit = judge(shape, &load, &rules, &budget);
    let largest = |at_worst| largest_context(shape, &load, &rules, &budget, at_worst);
    let speed =
        (fit.verdict != Verdict::WillNotFit).then(|| speeds(ground, candidate, shape, &load, &rules, &budget, &fit));
    Ok(FitRow {
        largest_context: largest(Verdict::Fits),
        largest_context_without_paging: largest(Verdict::PartialOffload),
        layers: u32::try_from(shape.layers.len()).ok(),
        speed,
        fit: Some(fit),
        budget: Some(budget),
        ..row
    })
}

fn empty_row(candidate: &Candidate, wish: &Wish, load: &Load) -> FitRow {
    let shape = candidate.shape.as_ref().ok();
    let source = shape.map(|shape| shape.source);
    FitRow {
        model: candidate.name.clone(),
        engine: wish.rules.name.to_owned(),
        on_this_machine: candidate.on_this_machine,
        runs_embedded: candidate.runs_embedded(),
        quantization: candidate.quantization.clone(),
        parameters: shape.and_then(|shape| shape.parameters),
        active_parameters: shape.and_then(|shape| shape.active_parameters),
        weights_bytes: shape.map(|shape| shape.weights_bytes).or(candidate.size_bytes),
        source,
        quality: match source {
            Some(ShapeSource::TensorTable) => Quality::Measured,
            Some(ShapeSource::FileSize | ShapeSource::Catalogue) => Quality::Estimated,
            None => Quality::Unknown,
        },
        trained_context: shape.and_then(|shape| shape.trained_context),
        context: load.context,
        kv_type: load.kv_type,
        sequences: load.sequences,
        budget: None,
        fit: None,
        layers: None,
        largest_context: None,
        largest_context_without_paging: None,
        speed: None,
        problem: None,
    }
}

fn speeds(
    ground: &Ground,
    candidate: &Candidate,
    shape: &ModelShape,
    load: &Load,
    rules: &EngineRules,
    budget: &Budget,
    fit: &Fit,
) -> SpeedLine {
    // Cards with everything in their own memory are the only ones that never read main memory.
    let by_cores = fit.gpu_layers.is_none_or(|layers| (layers as usize) < shape.layers.len());
    let input = speed_input(
        shape,
        &ground.machine,
        &Question {
            load,
            rules,
            budget,
            fit,
            prompt_tokens: PROMPT_TOKENS.min(load.context),
            memory_bandwidth: by_cores.then(|| ground.bandwidth()).flatten(),
        },
    );
    let correction = ground.ledger.correction(load.sequences);
    let raw = predict(&input);
    let corrected = correction.apply(&input, &raw);
    let measured = |phase| ground.ledger.measured(&candidate.name, rules.name, phase);
    SpeedLine {
        prompt_tokens: input.prompt_tokens,
        decode: PhaseLine {
            measured: measured(Phase::Decode),
            ..phase(&raw.decode, &corrected.decode, &correction, &input, Phase::Decode)
        },
        prefill: PhaseLine {
            measured: measured(Phase::Prefill),
            ..phase(&raw.prefill, &corrected.prefill, &correction, &input, Phase::Prefill)
        },
    }
}

fn phase<T>(
    raw: &Prediction<T>,
    corrected: &Prediction<T>,
    correction: &Correction,
    input: &SpeedInput,
    phase: Phase,
) -> PhaseLine {
    let factor = correction.factor(input.engine, phase);
    PhaseLine {
        predicted: raw.estimate().map(range),
        corrected: factor.and_then(|_| corrected.estimate().map(range)),
        correction: factor.map(|factor| CorrectionLine {
            factor: factor.factor,
            runs: factor.runs,
            models: factor.models,
        }),
        measured: Vec::new(),
        unknown: corrected.reason().map(str::to_owned),
    }
}

fn range<T>(estimate: &Estimate<T>) -> SpeedRange {
    SpeedRange {
        tokens_per_s: estimate.tokens_per_s,
        low: estimate.low,
        high: estimate.high,
        basis: estimate.basis.as_str().to_owned(),
        notes: estimate.notes.clone(),
    }
}
