//! Runs every pass and holds it against the first.

use crate::context::Context;
use crate::execute::{self, Order};
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::options::{BackendArgs, BackendKind};
use crate::progress::RunBar;
use crate::wire;
use puma_backends::openai::preset;
use puma_core::{Backend, BackendIdentity, Clock as _, Forgotten, ModelIdentity, RecordedRun, RunHeader, RunId};
use puma_eval::metric::Task;
use puma_eval::plan::{Plan, RunFacts};
use puma_eval::selfcheck::{Before, Floor, PASSES, Pass, PassReport, Way, ask, floor, judge_pass, skipped};
use puma_eval::spec::full_json;
use serde::Serialize;

/// Questions in flight at once, in the pass that asks several together, unless the user says otherwise.
const TOGETHER: u32 = 4;

/// What `selfcheck --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct SelfCheck {
    pub scenario: String,
    pub strategies: Vec<String>,
    pub instances: usize,
    /// Questions a pass.
    pub jobs: usize,
    pub backend: BackendIdentity,
    pub models: Vec<ModelIdentity>,
    /// `unloaded`, `computed-anew` or `unknown`: what could be done about prompts of before the check.
    pub state: &'static str,
    pub passes: Vec<PassReport>,
    pub floor: Floor,
}

/// Runs every pass of the order's questions that this backend can do.
///
/// # Errors
/// Something cannot be read or loaded, the backend is gone, or the user stopped it.
pub(crate) fn measure(order: &Order, context: &Context) -> Result<SelfCheck, Failure> {
    let one_at_a_time = Order { backend: way(&order.backend, Way::OneAtATime), ..order.clone() };
    let gathered = execute::gather(&one_at_a_time, context)?;
    let plan = execute::prepare(&one_at_a_time, &gathered, context)?;
    let header = header(&plan, gathered.backend.as_ref(), context)?;
    let mut check = Check { order, context, plan: &plan, header: &header, task: plan.scenario.task(), reference: None };
    let state = crate::state::forget_all(gathered.backend.as_ref(), &plan.models)?;
    let mut passes = Vec::new();
    for pass in PASSES.iter().filter(|pass| pass.way == Way::OneAtATime) {
        passes.extend(check.pass(pass, gathered.backend.as_ref())?);
    }
    // Two backends must not hold the model at once.
    crate::state::forget_all(gathered.backend.as_ref(), &plan.models)?;
    for pass in PASSES.iter().filter(|pass| pass.way != Way::OneAtATime) {
        match impossible(&order.backend, pass.way) {
            Some(why) => passes.push(skipped(pass, why)),
            None => {
                let args = way(&order.backend, pass.way);
                let backend = wire::backend_on(&gathered.snapshot.machine, &args, context.home.as_deref())?;
                for model in &plan.models {
                    backend.prepare(&model.name)?;
                }
                passes.extend(check.pass(pass, backend.as_ref())?);
            }
        }
    }
    Ok(SelfCheck {
        scenario: header.scenario.clone(),
        strategies: header.strategies.clone(),
        instances: plan.instances.len(),
        jobs: plan.jobs.len(),
        floor: floor(&passes),
        backend: header.backend.clone(),
        models: plan.models.clone(),
        state,
        passes,
    })
}

/// The user's backend, asked in this way.
fn way(args: &BackendArgs, way: Way) -> BackendArgs {
    let mut args = args.clone();
    let embedded = args.backend.unwrap_or(BackendKind::Embedded) == BackendKind::Embedded;
    match (way, embedded) {
        (Way::OneAtATime | Way::ReusingPrompts, true) => args.engine.batch = Some(1),
        (Way::OneAtATime | Way::ReusingPrompts, false) => args.concurrency = Some(1),
        (Way::Together, true) => {}
        (Way::Together, false) => args.concurrency = Some(args.concurrency.unwrap_or(TOGETHER).max(2)),
    }
    args.reuse_prompts |= way == Way::ReusingPrompts;
    args
}

/// Why this backend cannot be asked in this way, or why it would show nothing new.
fn impossible(args: &BackendArgs, way: Way) -> Option<&'static str> {
    let kind = args.backend.unwrap_or(BackendKind::Embedded);
    match (way, kind) {
        (Way::Together, BackendKind::Embedded) if args.engine.batch == Some(1) => Some("`--batch 1` was asked for"),
        (Way::ReusingPrompts, BackendKind::Embedded | BackendKind::Ollama) => {
            Some("it reuses earlier prompts in every pass")
        }
        (Way::ReusingPrompts, _) if args.reuse_prompts => Some("`--reuse-prompts` holds for every pass"),
        (Way::ReusingPrompts, kind) if !preset(kind.preset_name()).is_some_and(|preset| preset.can_compute_anew()) => {
            Some("it cannot be told whether to reuse earlier prompts")
        }
        _ => None,
    }
}

/// A header for every pass: nothing of it is stored.
fn header(plan: &Plan, backend: &dyn Backend, context: &Context) -> Result<RunHeader, Failure> {
    Ok(plan.header(RunFacts {
        run_id: RunId::new("selfcheck"),
        spec: full_json(&plan.spec),
        backend: backend.identity(),
        profile: None,
        machine: serde_json::Value::Null,
        puma_version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: context.clock.now(),
    }))
}

struct Check<'a> {
    order: &'a Order,
    context: &'a Context,
    plan: &'a Plan,
    header: &'a RunHeader,
    task: Task,
    reference: Option<RecordedRun>,
}

impl Check<'_> {
    /// Runs one pass; `None` for the reference, which the others are held against.
    fn pass(&mut self, pass: &Pass, backend: &dyn Backend) -> Result<Option<PassReport>, Failure> {
        let is_reference = self.reference.is_none();
        if let (Some(why), false) = (self.pointless(pass, backend)?, is_reference) {
            return Ok(Some(skipped(pass, why)));
        }
        self.context.ui.note(&format!("{}: {}", pass.name, pass.what));
        let mut bar = RunBar::new(&self.context.ui, self.plan.jobs.len(), 0);
        let asked = ask(self.plan, self.header, backend, pass, &mut bar, &self.context.clock, &self.context.cancel);
        bar.clear();
        let run = asked.map_err(|error| Failure::operation(error.to_string()))?;
        if self.context.cancel.is_cancelled() {
            return Err(Failure::new(ExitKind::Interrupted, "interrupted; a check that is not whole says nothing"));
        }
        match &self.reference {
            Some(reference) => Ok(Some(judge_pass(pass, reference, &run, &self.task))),
            None => {
                self.reference = Some(run);
                Ok(None)
            }
        }
    }

    /// Forgets earlier prompts where the pass wants it; says why the pass would show nothing new where that has no effect.
    fn pointless(&self, pass: &Pass, backend: &dyn Backend) -> Result<Option<&'static str>, Failure> {
        if pass.before == Before::Keep {
            return Ok(None);
        }
        for model in &self.order.spec.models {
            match backend.forget(model)? {
                Forgotten::Model => {}
                Forgotten::Nothing => return Ok(Some("every prompt is computed anew in every pass")),
                Forgotten::Unable => return Ok(Some("it cannot be told to forget earlier prompts")),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_changes_only_how_questions_reach_the_backend() {
        let server = BackendArgs { backend: Some(BackendKind::LlamaServer), ..BackendArgs::default() };
        assert_eq!(way(&server, Way::OneAtATime).concurrency, Some(1));
        assert_eq!(way(&server, Way::Together).concurrency, Some(TOGETHER));
        assert!(way(&server, Way::ReusingPrompts).reuse_prompts && !way(&server, Way::Together).reuse_prompts);
        let embedded = BackendArgs::default();
        assert_eq!(
            (way(&embedded, Way::OneAtATime).engine.batch, way(&embedded, Way::Together).engine.batch),
            (Some(1), None)
        );
    }

    #[test]
    fn only_a_server_with_a_switch_can_be_asked_to_reuse_prompts() {
        let can = |kind, reuse_prompts| {
            let args = BackendArgs { backend: Some(kind), reuse_prompts, ..BackendArgs::default() };
            impossible(&args, Way::ReusingPrompts).is_none()
        };
        assert!(can(BackendKind::LlamaServer, false));
        assert!(!can(BackendKind::LlamaServer, true), "nothing new");
        assert!(
            ![BackendKind::Embedded, BackendKind::Ollama, BackendKind::Vllm].into_iter().any(|kind| can(kind, false))
        );
    }
}
