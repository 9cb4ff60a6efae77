//! A dataset, a spec and a clock for tests of plans and runs.
#![allow(dead_code, reason = "each test binary uses its own part")]

use puma_core::{
    BackendIdentity, Cancel, Clock, EventSink, InstanceId, JobId, JobRecord, ModelIdentity, Outcome, RunEvent,
    RunHeader, RunId, SinkError, SpecHash, Timestamp,
};
use puma_eval::dataset::{Dataset, Row, Split};
use puma_eval::plan::{Plan, PlanError, PlanInput, RunFacts, plan};
use puma_eval::prompt::Templates;
use puma_eval::run::{Asker, JobOrder, RunError, RunSummary, run};
use puma_eval::scenario;
use puma_eval::spec::{Adaptation, AnswerMode, Inference, ParserMode, RunSpec, Sustainability, spec_hash};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

/// `count` issues, the priorities in turn.
pub(crate) fn dataset(count: usize) -> Dataset {
    let rows = (0..count)
        .map(|number| Row {
            id: InstanceId::new(format!("KEY-{number:03}")),
            key: Some(format!("KEY-{number:03}")),
            fields: [
                ("title", format!("Title {number:03}")),
                ("description", format!("Part {number:03} misbehaves. It has done so for a while.")),
                ("priority", LABELS[number % 4].to_owned()),
                ("story_points", ["1", "3", "5", "8"][number % 4].to_owned()),
            ]
            .map(|(name, text)| (name.to_owned(), text))
            .into(),
            split: None::<Split>,
            line: number as u64 + 2,
        })
        .collect();
    Dataset { rows, ..Dataset::default() }
}

pub(crate) fn spec(scenario: &str, strategies: &[&str], sample_size: u32) -> RunSpec {
    RunSpec {
        id: "test".into(),
        description: String::new(),
        scenario: scenario.into(),
        sample_size,
        models: vec!["m1".into()],
        adaptation: Adaptation {
            strategy: strategies.iter().map(|name| (*name).to_owned()).collect(),
            cot: vec![false],
        },
        inference: Inference {
            temperature: 0.0,
            seed: 42,
            max_tokens: 256,
            logprobs: false,
            top_logprobs: 0,
            format: None,
            answer: AnswerMode::Generate,
        },
        perturbations: vec![],
        metrics: vec!["f1_macro".into()],
        sustainability: Sustainability { codecarbon: false, country_iso: "ESP".into(), country_named: false },
        repeat: 1,
        profile_required: None,
        parser: ParserMode::FinalAnswer,
        compat: None,
    }
}

pub(crate) fn model(name: &str) -> ModelIdentity {
    ModelIdentity { name: name.into(), ..ModelIdentity::default() }
}

pub(crate) fn planned(spec: &RunSpec, dataset: &Dataset) -> Result<Plan, PlanError> {
    planned_with(spec, dataset, &Templates::built_in())
}

pub(crate) fn planned_with(spec: &RunSpec, dataset: &Dataset, templates: &Templates) -> Result<Plan, PlanError> {
    let scenario = scenario::find(&spec.scenario).expect("a known scenario");
    let instances = scenario.instances(dataset, spec.sample_size as usize, spec.inference.seed)?;
    let models: Vec<ModelIdentity> = spec.models.iter().map(|name| model(name)).collect();
    plan(PlanInput {
        spec,
        spec_hash: &SpecHash::new(spec_hash(spec).as_str()),
        scenario,
        dataset,
        instances: &instances,
        templates,
        models: &models,
        context_length: None,
    })
}

/// Every moment is one millisecond after the last.
#[derive(Default)]
pub(crate) struct TickingClock(AtomicU64);

impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::SeqCst) as i64)
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn header(plan: &Plan) -> RunHeader {
    plan.header(RunFacts {
        run_id: RunId::new("run"),
        spec: serde_json::json!({}),
        backend: BackendIdentity::default(),
        profile: None,
        machine: serde_json::Value::Null,
        puma_version: "0".into(),
        started_at: Timestamp(0),
    })
}

pub(crate) fn go(
    plan: &Plan,
    finished: &BTreeSet<JobId>,
    asker: &Asker<'_>,
    sink: &mut dyn EventSink,
    cancel: &Cancel,
) -> Result<RunSummary, RunError> {
    let finished = (!finished.is_empty()).then_some(finished);
    run(plan, header(plan), finished, asker, sink, &TickingClock::default(), cancel)
}

pub(crate) fn asker(backend: &dyn puma_core::Backend) -> Asker<'_> {
    Asker { backend, cache: None, order: JobOrder::Given }
}

pub(crate) fn records(events: &[RunEvent]) -> Vec<JobRecord> {
    events
        .iter()
        .filter_map(|event| match event {
            RunEvent::JobFinished { record, .. } => Some((**record).clone()),
            RunEvent::RunStarted { .. } | RunEvent::RunMeasured { .. } | RunEvent::RunFinished { .. } => None,
        })
        .collect()
}

/// Records without times, by job.
pub(crate) fn timeless(mut records: Vec<JobRecord>) -> Vec<JobRecord> {
    for record in &mut records {
        record.started_at = Timestamp(0);
        record.finished_at = Timestamp(0);
    }
    records.sort_by(|left, right| left.job_id.cmp(&right.job_id));
    records
}

/// The jobs that `--resume` leaves alone.
pub(crate) fn finished(records: &[JobRecord]) -> BTreeSet<JobId> {
    records
        .iter()
        .filter(|record| record.outcome != Outcome::BackendFailed)
        .map(|record| record.job_id.clone())
        .collect()
}

/// Takes a number of jobs, then refuses, as a full disk does.
pub(crate) struct FullAfter {
    pub(crate) jobs: usize,
    pub(crate) events: Vec<RunEvent>,
}

impl EventSink for FullAfter {
    fn emit(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        if matches!(event, RunEvent::JobFinished { .. }) {
            if self.jobs == 0 {
                return Err(SinkError { message: "the disk is full".into(), hint: Some("make room".into()) });
            }
            self.jobs -= 1;
        }
        self.events.push(event.clone());
        Ok(())
    }
}
