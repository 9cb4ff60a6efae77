//! The loop itself: ask a chunk, record each job as it finishes, go on.

use super::cache_key::cache_key;
use super::order::{JobOrder, jobs_to_do};
use super::ticket::{Question, Ticket};
use crate::plan::Plan;
use puma_core::{
    Backend, BackendError, BackendErrorKind, BackendIdentity, Cancel, Clock, Completion, CompletionCache, EventSink,
    Failure, FinishReason, JobId, Outcome, Request, RunEvent, RunHeader, RunId, RunStatus, SinkError,
};
use std::collections::{BTreeMap, BTreeSet};

/// A run stops after this many failures in a row that no other request would escape (server gone, model missing,
/// engine broken), instead of failing every job left. The jobs stay undone or failed, so `--resume` does them.
pub const MAX_FAILURES_IN_A_ROW: usize = 5;

/// Who is asked, and how.
pub struct Asker<'a> {
    pub backend: &'a dyn Backend,
    pub cache: Option<&'a dyn CompletionCache>,
    pub order: JobOrder,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    pub status: RunStatus,
    /// Jobs in the plan.
    pub jobs: usize,
    /// Jobs that were finished before and not asked again.
    pub finished_before: usize,
    /// How the jobs of this call ended.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// Completions that came from the cache.
    pub from_cache: usize,
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The store refused the run itself; nothing was asked.
    #[error("{0}")]
    Refused(SinkError),
    #[error("the run stopped because a result could not be kept: {0}")]
    Sink(#[from] SinkError),
    #[error("the run stopped after {failures} failures in a row: {error}")]
    BackendDown { failures: usize, error: BackendError },
}

impl RunError {
    /// What the user can do.
    pub fn hint(&self, run_id: &RunId) -> String {
        let resume = format!("then go on with `puma run --resume {run_id}`");
        match self {
            Self::Refused(error) => {
                error.hint.clone().unwrap_or_else(|| "`puma show` tells what the run was".to_owned())
            }
            Self::Sink(error) => format!("{}; {resume}", error.hint.as_deref().unwrap_or("make room for the results")),
            Self::BackendDown { error, .. } => {
                format!("{}; {resume}", error.hint.as_deref().unwrap_or("see that the backend works"))
            }
        }
    }
}

/// Begins a run, or goes on with one whose `finished` jobs are given (a run killed before its first job has none).
/// Asks every other job of `plan`, and emits `RunStarted`, a `JobFinished` for each job the moment it
/// is final, and `RunFinished`.
///
/// `finished` must not name jobs that failed in the backend, or they are never tried again. `cancel` ends the run soon
/// with [`RunStatus::Interrupted`]; jobs under way stay undone. When a result cannot be kept, `cancel` is set by this
/// function, so that the backend stops as well.
///
/// # Errors
/// [`RunError`]: a sink refused an event, or the backend is gone. Both leave a run that can be resumed.
pub fn run(
    plan: &Plan,
    header: RunHeader,
    finished: Option<&BTreeSet<JobId>>,
    asker: &Asker<'_>,
    sink: &mut dyn EventSink,
    clock: &dyn Clock,
    cancel: &Cancel,
) -> Result<RunSummary, RunError> {
    let run_id = header.run_id.clone();
    let resumed = finished.is_some();
    sink.emit(&RunEvent::RunStarted { header: Box::new(header), instances: plan.instance_rows(), resumed })
        .map_err(RunError::Refused)?;
    let jobs = jobs_to_do(plan, finished.unwrap_or(&BTreeSet::new()), asker.order);
    let mut work = Work {
        plan,
        asker,
        identity: asker.backend.identity(),
        run_id: run_id.clone(),
        sink,
        clock,
        cancel,
        outcomes: BTreeMap::new(),
        from_cache: 0,
        failures_in_a_row: 0,
        trouble: None,
    };
    let capacity = asker.backend.capacity().max(1);
    // A chunk never crosses models, so that a backend need not hold two.
    for same_model in jobs.chunk_by(|left, right| left.model == right.model) {
        for chunk in same_model.chunks(capacity) {
            if work.trouble.is_none() && !cancel.is_cancelled() {
                let started_at = clock.now();
                work.ask_chunk(chunk.iter().map(|job| Ticket::new(job, started_at)).collect());
            }
        }
    }
    let (outcomes, from_cache, trouble) = (work.outcomes, work.from_cache, work.trouble);
    let status = match &trouble {
        Some(_) => RunStatus::Error,
        None if outcomes.values().sum::<usize>() < jobs.len() => RunStatus::Interrupted,
        None if outcomes.contains_key(&Outcome::BackendFailed) => RunStatus::Incomplete,
        None => RunStatus::Done,
    };
    let closed = sink.emit(&RunEvent::RunFinished { run_id, status, at: clock.now() });
    match trouble {
        Some(trouble) => Err(trouble),
        None => {
            closed?;
            let finished_before = plan.jobs.len() - jobs.len();
            Ok(RunSummary { status, jobs: plan.jobs.len(), finished_before, outcomes, from_cache })
        }
    }
}

/// The state of a run under way.
struct Work<'a> {
    plan: &'a Plan,
    asker: &'a Asker<'a>,
    identity: BackendIdentity,
    run_id: RunId,
    sink: &'a mut dyn EventSink,
    clock: &'a dyn Clock,
    cancel: &'a Cancel,
    outcomes: BTreeMap<Outcome, usize>,
    from_cache: usize,
    failures_in_a_row: usize,
    trouble: Option<RunError>,
}

impl Work<'_> {
    /// Asks every turn of every ticket.
    fn ask_chunk(&mut self, mut tickets: Vec<Ticket<'_>>) {
        let turns = tickets.iter().map(|ticket| ticket.job.strategy.turns as usize).max().unwrap_or(0);
        for turn in 0..turns {
            let questions: Vec<Question> = tickets
                .iter()
                .enumerate()
                .flat_map(|(position, ticket)| ticket.questions(self.plan, position, turn))
                .collect();
            self.ask(&mut tickets, questions);
        }
    }

    /// Answers from the cache first, then asks the backend for the rest.
    fn ask(&mut self, tickets: &mut [Ticket<'_>], questions: Vec<Question>) {
        let mut open: Vec<(Question, Option<String>)> = Vec::with_capacity(questions.len());
        for question in questions {
            let model = &self.plan.models[tickets[question.ticket].job.model];
            let key = self.asker.cache.map(|_| cache_key(&question.request, model, &self.identity));
            match key.as_deref().and_then(|key| self.asker.cache?.get(key)) {
                Some(completion) => {
                    self.from_cache += 1;
                    self.take(tickets, &question, Ok(Completion { from_cache: true, ..completion }));
                }
                None => open.push((question, key)),
            }
        }
        if open.is_empty() || self.trouble.is_some() {
            return;
        }
        let requests: Vec<Request> = open.iter().map(|(question, _)| question.request.clone()).collect();
        let mut reported = vec![false; open.len()];
        self.asker.backend.complete(&requests, self.cancel, &mut |index, result| {
            // A backend that reports a request twice, or one it was never given, must not corrupt the run.
            let Some((question, key)) = open.get(index) else { return };
            if std::mem::replace(&mut reported[index], true) {
                return;
            }
            if let (Some(cache), Some(key), Ok(completion)) = (self.asker.cache, key, &result)
                && completion.finish != FinishReason::Cancelled
            {
                cache.put(key, completion);
            }
            self.take(tickets, question, result);
        });
        for (index, _) in reported.iter().enumerate().filter(|(_, reported)| !**reported) {
            let silent = BackendError::new(BackendErrorKind::Protocol, "the backend never reported on this request");
            let result = if self.cancel.is_cancelled() { Err(cancelled()) } else { Err(Failure::from(silent)) };
            self.take(tickets, &open[index].0, result);
        }
    }

    /// Takes one result; emits the job's record when that makes it final.
    fn take(&mut self, tickets: &mut [Ticket<'_>], question: &Question, result: Result<Completion, Failure>) {
        let ticket = &mut tickets[question.ticket];
        if self.trouble.is_some() || was_cancelled(&result) {
            ticket.abandon();
            return;
        }
        let failure = result.as_ref().err().map(|failure| failure.error.clone());
        if ticket.take(question.slot, result) {
            let record = ticket.record(self.plan, self.clock.now());
            let outcome = record.outcome;
            let event = RunEvent::JobFinished { run_id: self.run_id.clone(), record: Box::new(record) };
            if let Err(error) = self.sink.emit(&event) {
                self.stop(RunError::Sink(error));
                return;
            }
            *self.outcomes.entry(outcome).or_default() += 1;
        }
        self.count_failure(failure);
    }

    fn count_failure(&mut self, failure: Option<BackendError>) {
        match failure {
            Some(error) if is_fatal(error.kind) => {
                self.failures_in_a_row += 1;
                if self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW {
                    self.stop(RunError::BackendDown { failures: self.failures_in_a_row, error });
                }
            }
            // Other failures are about one request: the backend is there.
            _ => self.failures_in_a_row = 0,
        }
    }

    fn stop(&mut self, trouble: RunError) {
        self.trouble = Some(trouble);
        self.cancel.cancel();
    }
}

fn cancelled() -> Failure {
    BackendError::new(BackendErrorKind::Cancelled, "cancelled").into()
}

fn was_cancelled(result: &Result<Completion, Failure>) -> bool {
    match result {
        Ok(completion) => completion.finish == FinishReason::Cancelled,
        Err(failure) => failure.error.kind == BackendErrorKind::Cancelled,
    }
}

/// Whether the next request would fail in the same way.
fn is_fatal(kind: BackendErrorKind) -> bool {
    match kind {
        BackendErrorKind::Unreachable | BackendErrorKind::ModelNotFound | BackendErrorKind::Engine => true,
        BackendErrorKind::Timeout
        | BackendErrorKind::Http
        | BackendErrorKind::Protocol
        | BackendErrorKind::ContextExceeded
        | BackendErrorKind::Unsupported
        | BackendErrorKind::Cancelled => false,
    }
}
