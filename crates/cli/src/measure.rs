//! What is measured beside the answers while a run is worked on: energy, and what disturbs the machine.
//!
//! Measuring begins before the model is loaded. The numbers go the way of every fact of a run, as events: again and again
//! while it lasts, so that a killed process leaves its latest, and a last time before its end.

use crate::context::Context;
use crate::environment;
use crate::execute::{Gathered, Order, is_embedded};
use crate::failure::Failure;
use crate::options::MachineArgs;
use crate::watch;
use puma_backends::endpoint::Endpoint;
use puma_core::measure::{
    Contamination, EnergyReport, GridIntensity, HealthReport, J_PER_KWH, Phase, PhaseEnergy, SessionMeasurement,
    TrackingMode,
};
use puma_core::{Clock, EventSink, ModelIdentity, Quality, RunEvent, RunId, SinkError, Timestamp};
use puma_host::energy::agent::{self, AgentAddress};
use puma_host::energy::{
    Chain, ChainOptions, EnergySession, IDLE_SECONDS, IdleBaseline, JobSpan, PowerInterval, SessionOptions, chain,
    measure_idle, split,
};
use puma_host::grid::{self, Choice, GridError};
use puma_host::machine::Machine;
use puma_host::pressure::{Change, PressureMonitor, Sampler};
use std::sync::Arc;
use std::time::Duration;

/// The largest share of the processor that may be in use while the machine counts as idle.
const MOST_IDLE_LOAD: f64 = 0.25;

/// How often the numbers so far are kept.
const CHECKPOINT: Duration = Duration::from_secs(10);

/// A session being measured.
pub(crate) struct Measuring {
    energy: Option<EnergySession>,
    monitor: Option<PressureMonitor>,
    intensity: GridIntensity,
    started_at: Timestamp,
    /// When the first question could be asked: everything before is loading.
    asking_since: Option<Timestamp>,
    jobs: Vec<JobSpan>,
    run_id: Option<RunId>,
    clock: Arc<dyn Clock>,
    kept_at: Duration,
    /// Why the latest numbers could not be kept.
    unkept: Option<String>,
}

impl Measuring {
    /// Begins to measure. With an idle baseline wanted, this takes as long as it.
    ///
    /// # Errors
    /// The user's wishes contradict each other, or the country is unknown.
    pub(crate) fn start(order: &Order, gathered: &Gathered, context: &Context) -> Result<Self, Failure> {
        check(order, context)?;
        let intensity = intensity(order, context)?;
        let clock: Arc<dyn Clock> = Arc::new(context.clock);
        let (started_at, kept_at) = (clock.now(), clock.monotonic());
        let monitor = watch::start(order, gathered, context, &clock)?;
        let energy = match mode(order, gathered, context)? {
            Some(TrackingMode::Off) => None,
            mode => Some(start_energy(mode, order, gathered, context, &clock)),
        };
        let (asking_since, jobs, run_id, unkept) = (None, Vec::new(), None, None);
        Ok(Self { energy, monitor, intensity, started_at, asking_since, jobs, run_id, clock, kept_at, unkept })
    }

    /// The models are ready. `loaded` says whether all of them are in memory already.
    pub(crate) fn begin_asking(&mut self, models: &[ModelIdentity], loaded: bool) {
        self.asking_since = Some(self.clock.now());
        if let Some(monitor) = &self.monitor {
            watch::begin_asking(monitor, models, loaded);
        }
        if let Some(energy) = &self.energy {
            energy.mark(Phase::Inference);
        }
    }

    /// Why what was measured is missing from the store, or older than the run.
    pub(crate) fn warning(&self) -> Option<String> {
        self.unkept.as_ref().map(|reason| format!("what the run spent could not be kept: {reason}"))
    }

    /// The sink that measures beside `inner`.
    pub(crate) fn sink<'a>(&'a mut self, inner: &'a mut dyn EventSink) -> MeasuringSink<'a> {
        MeasuringSink { measuring: self, inner }
    }

    /// The paging for which the run was stopped, as `--stop-on-paging` asks.
    pub(crate) fn stopped_by(&self) -> Option<Contamination> {
        self.monitor.as_ref().and_then(PressureMonitor::stopped_by)
    }

    fn measurement(&self, energy: Option<EnergyReport>, health: Option<HealthReport>) -> SessionMeasurement {
        let energy = energy.map(|mut report| {
            let intervals = self.energy.as_ref().map(EnergySession::intervals).unwrap_or_default();
            report.phases = phases(&report.phases, &intervals, self.asking_since, &self.jobs);
            report.co2e_g = report.total_j.map(|joules| joules / J_PER_KWH * self.intensity.g_per_kwh);
            report.intensity = Some(self.intensity.clone());
            report
        });
        SessionMeasurement { started_at: self.started_at, measured_at: self.clock.now(), energy, health }
    }

    fn event(&self, energy: Option<EnergyReport>, health: Option<HealthReport>) -> Option<RunEvent> {
        let run_id = self.run_id.clone()?;
        Some(RunEvent::RunMeasured { run_id, measurement: Box::new(self.measurement(energy, health)) })
    }
}

/// Passes events on, and the measured numbers among them.
pub(crate) struct MeasuringSink<'a> {
    measuring: &'a mut Measuring,
    inner: &'a mut dyn EventSink,
}

impl EventSink for MeasuringSink<'_> {
    fn emit(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        let measuring = &mut *self.measuring;
        match event {
            RunEvent::RunStarted { header, .. } => {
                measuring.run_id = Some(header.run_id.clone());
                self.inner.emit(event)
            }
            RunEvent::JobFinished { record, .. } => {
                measuring.jobs.extend(JobSpan::of(record));
                if let Some(monitor) = &measuring.monitor {
                    watch::job_finished(monitor, record);
                }
                self.inner.emit(event)?;
                let now = measuring.clock.monotonic();
                if now.saturating_sub(measuring.kept_at) >= CHECKPOINT {
                    measuring.kept_at = now;
                    let energy = measuring.energy.as_ref().map(EnergySession::snapshot);
                    let health = measuring.monitor.as_ref().map(PressureMonitor::snapshot);
                    let measured = measuring.event(energy, health);
                    self.keep(measured);
                }
                Ok(())
            }
            RunEvent::RunFinished { .. } => {
                let energy = measuring.energy.as_mut().map(EnergySession::finish);
                let health = measuring.monitor.as_mut().map(PressureMonitor::finish);
                let measured = measuring.event(energy, health);
                self.keep(measured);
                self.inner.emit(event)
            }
            RunEvent::RunMeasured { .. } => self.inner.emit(event),
        }
    }
}

impl MeasuringSink<'_> {
    /// Passes measured numbers on. The answers are worth more: numbers that cannot be kept do not stop the run.
    fn keep(&mut self, measured: Option<RunEvent>) {
        if let Some(measured) = measured {
            self.measuring.unkept = self.inner.emit(&measured).err().map(|error| error.message);
        }
    }
}

/// Whether what the user wants measured can be: for those who only look at the plan, too.
///
/// # Errors
/// The wishes contradict each other, or there is no such country or intensity.
pub(crate) fn check(order: &Order, context: &Context) -> Result<(), Failure> {
    let MachineArgs { no_emissions, tracking, .. } = &order.machine;
    if !no_emissions && tracking.map(TrackingMode::from) == Some(TrackingMode::Process) && !is_embedded(order) {
        return Err(Failure::invalid(
            "`--tracking process` would miss the joules of the model, which runs in another program",
        )
        .hint("use `--tracking machine`, or the embedded engine"));
    }
    intensity(order, context).map(drop)
}

/// What the user wants measured; `None` takes the best there is.
fn mode(order: &Order, gathered: &Gathered, context: &Context) -> Result<Option<TrackingMode>, Failure> {
    let MachineArgs { no_emissions, tracking, .. } = &order.machine;
    if *no_emissions {
        return Ok(Some(TrackingMode::Off));
    }
    let mode = tracking.map(TrackingMode::from);
    if mode != Some(TrackingMode::Off) && context.host.is_recorded() {
        context.ui.warn("a recorded machine has no running counters: no energy is measured");
        return Ok(Some(TrackingMode::Off));
    }
    let endpoint = gathered.backend.identity().endpoint;
    let elsewhere = endpoint.as_deref().filter(|url| is_elsewhere(url));
    if let Some(endpoint) = elsewhere.filter(|_| mode.is_none() && agent().is_none()) {
        context.ui.advise(
            &format!(
                "the model runs behind {endpoint}, whose joules this machine does not count: no energy is measured"
            ),
            "start `puma agent` there and name it by PUMA_POWER_AGENT; if it is this very machine, say `--tracking machine`",
        );
        return Ok(Some(TrackingMode::Off));
    }
    Ok(mode)
}

/// Whether the server may run on another machine than this.
pub(crate) fn is_elsewhere(endpoint: &str) -> bool {
    Endpoint::parse(endpoint, 80).is_ok_and(|endpoint| !endpoint.is_loopback())
}

/// Another PUMA that tells the joules of the machine the model runs on.
fn agent() -> Option<AgentAddress> {
    let url = environment::get("PUMA_POWER_AGENT")?;
    Some(AgentAddress { url, token: environment::get("PUMA_POWER_AGENT_TOKEN") })
}

fn start_energy(
    mode: Option<TrackingMode>,
    order: &Order,
    gathered: &Gathered,
    context: &Context,
    clock: &Arc<dyn Clock>,
) -> EnergySession {
    let chosen = ChainOptions {
        mode,
        model_in_this_process: is_embedded(order),
        agent: agent(),
        // Who names the mode says that it is this machine.
        model_elsewhere: mode.is_none() && gathered.backend.identity().endpoint.as_deref().is_some_and(is_elsewhere),
    };
    let mut meters = chain(&context.host, &gathered.snapshot.machine, &chosen);
    let idle = idle_seconds(order)
        .and_then(|seconds| idle_baseline(&mut meters, seconds, &gathered.snapshot.machine, context, clock));
    tell_missing(&meters, order, context);
    let options = SessionOptions { mode, idle, gpu_unused: is_embedded(order) };
    let session = EnergySession::start(meters, Arc::clone(clock), options);
    session.mark(Phase::Load);
    session
}

/// What the machine draws without the run. A machine that works for others meanwhile is not idle: joules above such a
/// baseline would be too few.
fn idle_baseline(
    meters: &mut Chain,
    seconds: f64,
    machine: &Machine,
    context: &Context,
    clock: &Arc<dyn Clock>,
) -> Option<IdleBaseline> {
    context.ui.note(&format!("measuring for {seconds} s what the machine draws without the run"));
    let mut sampler = Sampler::new(Arc::clone(&context.host), machine, Arc::clone(clock), &[]);
    let before = sampler.read();
    let idle = measure_idle(meters, clock.as_ref(), Duration::from_secs_f64(seconds), &context.cancel)?;
    let busy = Change::between(&before, &sampler.read()).and_then(|change| change.busy_share);
    match busy.filter(|share| *share > MOST_IDLE_LOAD) {
        None => Some(idle),
        Some(share) => {
            let load = share * 100.0;
            context.ui.advise(
                &format!(
                    "the processor was {load:.0} % busy before the run, so what the idle machine draws is unknown"
                ),
                "end other programs, and measure again",
            );
            None
        }
    }
}

/// How long the idle machine is measured: as long as asked for, else the default where the spec wants energy.
fn idle_seconds(order: &Order) -> Option<f64> {
    let default = order.spec.sustainability.codecarbon.then_some(IDLE_SECONDS);
    order.machine.idle_seconds.or(default).filter(|seconds| *seconds > 0.0)
}

/// What the user has to know before the numbers: an agent that was named and tells nothing is never replaced in silence,
/// and where a spec asks for energy, one line says that nothing measures the processor's. The report has every reason.
fn tell_missing(meters: &Chain, order: &Order, context: &Context) {
    let measured = meters.meters.iter().any(|meter| meter.quality() < Quality::Estimated);
    let what = if meters.meters.is_empty() { "no energy is measured" } else { "energy is only estimated" };
    if let Some(missing) = meters.missing.iter().find(|missing| missing.source == agent::SOURCE) {
        let instead = if measured { "this machine's own counters are read" } else { what };
        let message = format!("{instead}: {}: {}", missing.source, missing.reason);
        match &missing.hint {
            Some(hint) => context.ui.advise(&message, hint),
            None => context.ui.warn(&message),
        }
        return;
    }
    if measured || !order.spec.sustainability.codecarbon {
        return;
    }
    let Some(first) = meters.missing.first() else { return };
    let hint = meters.missing.iter().find_map(|missing| missing.hint.as_deref());
    context.ui.advise(
        &format!("{what}: {}: {}", first.source, first.reason),
        hint.unwrap_or("`puma agent --once` lists every source and why it is missing"),
    );
}

/// The grid: what the user says, what an earlier session of the run took, else a guess.
fn intensity(order: &Order, context: &Context) -> Result<GridIntensity, Failure> {
    let MachineArgs { country, intensity, .. } = &order.machine;
    let earlier = order
        .resume
        .as_ref()
        .and_then(|run| run.sessions.last())
        .and_then(|session| session.energy.as_ref().and_then(|energy| energy.intensity.clone()));
    if let (None, None, Some(earlier)) = (country, intensity, earlier) {
        return Ok(earlier);
    }
    let sustainability = &order.spec.sustainability;
    let choice = Choice {
        g_per_kwh: *intensity,
        country: country.clone(),
        country_variable: environment::get("PUMA_COUNTRY"),
        country_of_spec: sustainability.country_named.then(|| sustainability.country_iso.clone()),
    };
    Ok(grid::choose(&choice, context.host.as_ref())?)
}

/// Loading as it was marked, then asking split by what the backend reports.
fn phases(
    marked: &[PhaseEnergy],
    intervals: &[PowerInterval],
    asking_since: Option<Timestamp>,
    jobs: &[JobSpan],
) -> Vec<PhaseEnergy> {
    let Some(since) = asking_since.filter(|_| !intervals.is_empty()) else { return marked.to_vec() };
    let asking: Vec<PowerInterval> = intervals.iter().filter_map(|interval| after(interval, since)).collect();
    let mut phases: Vec<PhaseEnergy> = marked.iter().filter(|phase| phase.phase != Phase::Inference).cloned().collect();
    for part in split(&asking, jobs) {
        match phases.iter_mut().find(|phase| phase.phase == part.phase) {
            Some(phase) => {
                phase.duration_s += part.duration_s;
                phase.energy_j = phase.energy_j.zip(part.energy_j).map(|(sum, more)| sum + more);
                phase.quality = phase.quality.max(part.quality);
            }
            None => phases.push(part),
        }
    }
    phases
}

/// What of a stretch lies after `since`, at even power.
fn after(interval: &PowerInterval, since: Timestamp) -> Option<PowerInterval> {
    let whole = interval.until.0 - interval.from.0;
    let kept = interval.until.0 - interval.from.0.max(since.0);
    let share = if whole > 0 { kept as f64 / whole as f64 } else { 1.0 };
    (kept >= 0).then(|| PowerInterval {
        from: interval.from.max(since),
        energy_j: interval.energy_j * share,
        ..*interval
    })
}

impl From<GridError> for Failure {
    fn from(error: GridError) -> Self {
        Self::invalid(error.to_string()).hint(error.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_core::{JobRecord, RunStatus};
    use puma_testkit::scripted_host::ManualClock;

    /// A store whose disk has room for answers and for nothing else.
    #[derive(Default)]
    struct Full {
        kept: Vec<&'static str>,
    }

    impl EventSink for Full {
        fn emit(&mut self, event: &RunEvent) -> Result<(), SinkError> {
            match event {
                RunEvent::RunMeasured { .. } => {
                    return Err(SinkError { message: "the disk is full".to_owned(), hint: None });
                }
                RunEvent::JobFinished { .. } => self.kept.push("job"),
                RunEvent::RunFinished { .. } => self.kept.push("end"),
                RunEvent::RunStarted { .. } => {}
            }
            Ok(())
        }
    }

    fn job() -> RunEvent {
        let record: JobRecord = serde_json::from_value(serde_json::json!({
            "job_id": "job", "instance_id": "MESOS-1", "model": "model", "strategy": "zero_shot", "perturbation": null,
            "repeat": 0, "seed": 1, "gold": "Major", "group": null, "prompt": "", "prompt_hash": "",
            "outcome": "answered", "answer": "Major", "rule": null, "confidence": null, "completions": [],
            "error": null, "started_at": 0, "finished_at": 1,
        }))
        .expect("a record");
        RunEvent::JobFinished { run_id: RunId::new("run".to_owned()), record: Box::new(record) }
    }

    #[test]
    fn numbers_that_cannot_be_kept_cost_no_answer_and_are_told_of_at_the_end() {
        let clock = ManualClock::default();
        let intensity = GridIntensity {
            country: None,
            g_per_kwh: 400.0,
            year: None,
            source: "the user".to_owned(),
            licence: None,
            chosen_by: "--intensity".to_owned(),
        };
        let mut measuring = Measuring {
            energy: None,
            monitor: None,
            intensity,
            started_at: clock.now(),
            asking_since: None,
            jobs: Vec::new(),
            run_id: Some(RunId::new("run".to_owned())),
            clock: Arc::new(clock.clone()),
            kept_at: clock.monotonic(),
            unkept: None,
        };
        let mut full = Full::default();
        clock.advance(CHECKPOINT);
        let mut sink = measuring.sink(&mut full);
        let end = |status| RunEvent::RunFinished { run_id: RunId::new("run".to_owned()), status, at: Timestamp(0) };
        for event in [job(), job(), end(RunStatus::Done)] {
            sink.emit(&event).expect("the run goes on");
        }
        assert_eq!(full.kept, ["job", "job", "end"]);
        assert!(measuring.warning().is_some_and(|warning| warning.contains("the disk is full")));
    }

    #[test]
    fn no_joule_is_lost_where_loading_ends_between_two_readings() {
        let interval = |from: i64, until: i64, energy_j| PowerInterval {
            from: Timestamp(from),
            until: Timestamp(until),
            energy_j,
        };
        let marked = |phase, energy_j| PhaseEnergy {
            phase,
            duration_s: 2.0,
            energy_j: Some(energy_j),
            quality: puma_core::measure::Quality::Measured,
        };
        let intervals = [interval(0, 1000, 10.0), interval(1000, 3000, 40.0), interval(3000, 4000, 50.0)];
        let marked = [marked(Phase::Load, 30.0), marked(Phase::Inference, 70.0)];
        let phases = phases(&marked, &intervals, Some(Timestamp(2000)), &[]);
        let seen: Vec<_> = phases.iter().map(|row| (row.phase, row.duration_s, row.energy_j)).collect();
        assert_eq!(seen, [(Phase::Load, 2.0, Some(30.0)), (Phase::Inference, 2.0, Some(70.0))]);
    }

    #[test]
    fn only_a_server_at_this_machines_own_address_is_surely_here() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:11434", false),
            ("http://localhost:11434", false),
            ("http://[::1]:11434", false),
            ("http://192.0.2.1:11434", true),
            ("http://host.docker.internal:11434", true),
        ] {
            assert_eq!(is_elsewhere(endpoint), expected, "{endpoint}");
        }
    }
}
