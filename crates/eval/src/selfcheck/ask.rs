//! One pass: every question of a plan, asked as the pass says.

use super::pass::{Before, Pass};
use crate::plan::Plan;
use crate::run::{Asker, RunError, run};
use puma_core::backend::OnDone;
use puma_core::{
    Backend, BackendError, BackendErrorKind, BackendIdentity, Cancel, Clock, EventSink, Failure, Forgotten,
    ModelIdentity, Origin, RecordedRun, Request, RunEvent, RunHeader, RunStatus, SinkError,
};

/// Asks every question of `plan` as `pass` says, from the backend alone and never from a cache. Each event goes to `watch`
/// as well.
///
/// # Errors
/// The backend is gone, or `watch` refused an event. A backend that cannot forget fails every question of a pass that needs
/// it to.
pub fn ask(
    plan: &Plan,
    header: &RunHeader,
    backend: &dyn Backend,
    pass: &Pass,
    watch: &mut dyn EventSink,
    clock: &dyn Clock,
    cancel: &Cancel,
) -> Result<RecordedRun, RunError> {
    let forgetful = Forgetful { inner: backend };
    let backend: &dyn Backend = if pass.before == Before::ForgetEach { &forgetful } else { backend };
    let asker = Asker { backend, cache: None, order: pass.order };
    let mut kept = Kept { records: Vec::new(), status: RunStatus::Running, watch };
    run(plan, header.clone(), None, &asker, &mut kept, clock, cancel)?;
    Ok(RecordedRun {
        header: header.clone(),
        instances: plan.instance_rows(),
        records: kept.records,
        status: kept.status,
        finished_at: Some(clock.now()),
        resumed_count: 0,
        origin: Origin::Puma,
        sessions: Vec::new(),
    })
}

/// Keeps records, passes everything on.
struct Kept<'a> {
    records: Vec<puma_core::JobRecord>,
    status: RunStatus,
    watch: &'a mut dyn EventSink,
}

impl EventSink for Kept<'_> {
    fn emit(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::JobFinished { record, .. } => self.records.push((**record).clone()),
            RunEvent::RunFinished { status, .. } => self.status = *status,
            RunEvent::RunStarted { .. } | RunEvent::RunMeasured { .. } => {}
        }
        self.watch.emit(event)
    }
}

/// Forgets before every question.
struct Forgetful<'a> {
    inner: &'a dyn Backend,
}

impl Backend for Forgetful<'_> {
    fn identity(&self) -> BackendIdentity {
        self.inner.identity()
    }

    fn prepare(&self, model: &str) -> Result<ModelIdentity, BackendError> {
        self.inner.prepare(model)
    }

    fn capacity(&self) -> usize {
        1
    }

    fn forget(&self, model: &str) -> Result<Forgotten, BackendError> {
        self.inner.forget(model)
    }

    fn complete(&self, requests: &[Request], cancel: &Cancel, done: OnDone<'_>) {
        for (index, request) in requests.iter().enumerate() {
            match self.inner.forget(&request.model) {
                Err(error) => done(index, Err(Failure::from(error))),
                Ok(Forgotten::Unable) => {
                    let error = BackendError::new(BackendErrorKind::Unsupported, "the backend cannot forget");
                    done(index, Err(Failure::from(error)));
                }
                Ok(Forgotten::Model | Forgotten::Nothing) => {
                    self.inner.complete(std::slice::from_ref(request), cancel, &mut |_, result| done(index, result));
                }
            }
        }
    }
}
