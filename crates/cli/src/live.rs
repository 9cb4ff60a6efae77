//! What the machine does now, put together for a screen or a script.

use crate::context::Context;
use puma_core::measure::{Channel, ChannelEnergy, Contamination, EnergyReport, Phase, Quality};
use puma_core::{Clock, RunStatus};
use puma_host::energy::{ChainOptions, EnergySession, SessionOptions, chain};
use puma_host::machine::GpuCounters;
use puma_host::pressure::{Change, MonitorOptions, PressureMonitor, Sample};
use puma_host::profile::MachineSnapshot;
use puma_store::{RunFilter, Store};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// How long meters take to be read.
const READING: Duration = Duration::from_millis(25);

/// One look at the machine. What could not be read is null.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct View {
    /// RFC 3339, UTC.
    pub time: String,
    /// Seconds that the rates are of; null before the second look.
    pub interval_s: Option<f64>,
    pub machine: String,
    pub profile: String,
    /// The answers come from a recording and stand still.
    pub recorded: bool,
    pub cpu: Cpu,
    pub memory: Memory,
    pub gpus: Vec<GpuCounters>,
    pub power: Vec<Power>,
    /// The run being worked on.
    pub run: Option<RunProgress>,
    pub disturbances: Vec<Contamination>,
    pub unavailable: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Cpu {
    pub busy_percent: Option<f64>,
    /// By programs that are neither PUMA nor known to hold models.
    pub others_percent: Option<f64>,
    pub stolen_percent: Option<f64>,
    pub each_busy_percent: Vec<Option<f64>>,
    pub frequency_mhz: Option<f64>,
    pub temperature_c: Option<f64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Memory {
    pub total_bytes: Option<u64>,
    pub available_bytes: Option<u64>,
    pub limit_bytes: Option<u64>,
    pub limit_used_bytes: Option<u64>,
    pub swap_total_bytes: Option<u64>,
    pub swap_used_bytes: Option<u64>,
    pub major_faults_per_s: Option<f64>,
    pub read_again_bytes_per_s: Option<f64>,
    pub swapped_in_bytes_per_s: Option<f64>,
    /// Share of the time in which some, and all, programs waited for memory.
    pub some_stalled_percent: Option<f64>,
    pub all_stalled_percent: Option<f64>,
}

/// The power of one counter.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Power {
    pub channel: Channel,
    pub device: String,
    pub power_w: Option<f64>,
    pub source: String,
    pub quality: Quality,
    /// Whether it is part of a total: a channel inside another one is not.
    pub counted: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RunProgress {
    pub run_id: String,
    pub models: Vec<String>,
    pub jobs: usize,
    pub jobs_finished: usize,
    /// Jobs a second since the look before the latest that brought any.
    pub jobs_per_s: Option<f64>,
}

/// A machine that is being looked at.
pub(crate) struct Live<'a> {
    context: &'a Context,
    snapshot: Option<MachineSnapshot>,
    monitor: PressureMonitor,
    sample_before: Option<Sample>,
    energy: EnergySession,
    energy_before: Option<EnergyReport>,
    store: Option<Store>,
    run_before: Option<(Duration, RunProgress)>,
}

impl<'a> Live<'a> {
    /// Begins to sample, to be looked at every `interval`. Programs whose names begin with `servers` hold models.
    pub(crate) fn start(context: &'a Context, interval: Duration, servers: &[&str]) -> Self {
        let snapshot = MachineSnapshot::take(context.host.as_ref(), None).ok();
        let machine = snapshot.as_ref().map(|snapshot| snapshot.machine.clone()).unwrap_or_default();
        let clock: Arc<dyn Clock> = Arc::new(context.clock);
        let options = MonitorOptions {
            interval: (interval / 2).clamp(Duration::from_millis(100), Duration::from_millis(500)),
            servers: servers.iter().copied().chain(["puma"]).map(str::to_owned).collect(),
            uses_gpu: true,
            ..MonitorOptions::default()
        };
        let monitor = PressureMonitor::start(Arc::clone(&context.host), &machine, Arc::clone(&clock), options);
        monitor.begin_asking(Vec::new(), u64::MAX);
        let meters = chain(&context.host, &machine, &ChainOptions::default());
        let energy = EnergySession::start(meters, clock, SessionOptions::default());
        // Nothing is made here: a database that does not exist has no runs.
        let store = context.db.exists().then(|| Store::open_read_only(&context.db).ok()).flatten();
        Self { context, snapshot, monitor, sample_before: None, energy, energy_before: None, store, run_before: None }
    }

    /// The machine since the look before.
    pub(crate) fn look(&mut self) -> View {
        // Whoever marks a phase has the meters read.
        self.energy.mark(Phase::Inference);
        std::thread::sleep(READING);
        let now = self.context.clock.monotonic();
        let health = self.monitor.snapshot();
        // The first sample may still be under way; what was not sampled is no machine whose counters are unknown.
        let latest = self.monitor.latest().map(|(sample, _)| sample);
        let moves = !self.context.host.is_recorded();
        let pair = self.sample_before.as_ref().zip(latest.as_ref()).filter(|_| moves);
        let change = pair.and_then(|(before, sample)| Change::between(before, sample));
        if self.sample_before.is_none() || change.is_some() {
            self.sample_before.clone_from(&latest);
        }
        let sample = latest.unwrap_or_default();
        let (machine, profile) = self.names();
        View {
            time: self.context.clock.now().rfc3339(),
            interval_s: change.as_ref().map(|change| change.seconds),
            machine,
            profile,
            recorded: self.context.host.is_recorded(),
            cpu: cpu(&sample, change.as_ref()),
            memory: memory(&sample, change.as_ref()),
            gpus: sample.gpus,
            power: self.power(),
            run: self.run(now),
            disturbances: health.contaminations,
            unavailable: health.unavailable,
        }
    }

    /// Whether the machine was read at all by now.
    pub(crate) fn sampled(&self) -> bool {
        self.monitor.latest().is_some()
    }

    fn names(&self) -> (String, String) {
        let Some(snapshot) = &self.snapshot else { return ("unknown".to_owned(), "unknown".to_owned()) };
        let cpu = snapshot.machine.cpu.clone().unwrap_or_else(|| "unknown processor".to_owned());
        (cpu, snapshot.profile.id.clone())
    }

    /// Joules since the look before, by the time between.
    fn power(&mut self) -> Vec<Power> {
        if self.context.host.is_recorded() {
            return Vec::new();
        }
        let report = self.energy.snapshot();
        let before = self.energy_before.replace(report.clone());
        let same = |one: &ChannelEnergy, other: &ChannelEnergy| {
            one.channel == other.channel && one.device == other.device && one.source == other.source
        };
        let rows = report.channels.iter().map(|row| {
            let earlier = before.as_ref().and_then(|report| report.channels.iter().find(|other| same(row, other)));
            // Joules count from the beginning of the session. Durations are those by which the meters were read, not of looks.
            let earlier_j = earlier.and_then(|earlier| earlier.energy_j);
            let (then_j, then_s) = match before.as_ref().zip(earlier_j) {
                Some((before, joules)) => (joules, before.duration_s),
                None => (0.0, 0.0),
            };
            let seconds = report.duration_s - then_s;
            let power_w = row.energy_j.filter(|_| seconds > 0.05).map(|joules| (joules - then_j) / seconds);
            Power {
                channel: row.channel,
                device: row.device.clone(),
                power_w: power_w.filter(|power| *power >= 0.0),
                source: row.source.clone(),
                quality: row.quality,
                counted: row.counted,
            }
        });
        rows.collect()
    }

    fn run(&mut self, now: Duration) -> Option<RunProgress> {
        let filter = RunFilter { last_n: Some(1), status: Some(RunStatus::Running), ..RunFilter::default() };
        // A database that cannot be read now can be at the next look.
        let found = self.store.as_ref()?.list_runs(&filter).ok()?.into_iter().next()?;
        let mut progress = RunProgress {
            run_id: found.run_id,
            models: found.models,
            jobs: found.jobs,
            jobs_finished: found.jobs_finished,
            jobs_per_s: None,
        };
        match &self.run_before {
            Some((at, before)) if before.run_id == progress.run_id => {
                let finished = progress.jobs_finished.saturating_sub(before.jobs_finished);
                if finished == 0 {
                    progress.jobs_per_s = before.jobs_per_s;
                    return Some(progress);
                }
                progress.jobs_per_s = Some(finished as f64 / now.saturating_sub(*at).as_secs_f64().max(0.001));
            }
            _ => {}
        }
        self.run_before = Some((now, progress.clone()));
        Some(progress)
    }
}

fn percent(share: Option<f64>) -> Option<f64> {
    share.map(|share| share * 100.0)
}

fn cpu(sample: &Sample, change: Option<&Change>) -> Cpu {
    let share = |field: fn(&Change) -> Option<f64>| percent(change.and_then(field));
    Cpu {
        busy_percent: share(|change| change.busy_share),
        others_percent: share(|change| change.others_share),
        stolen_percent: share(|change| change.stolen_share),
        each_busy_percent: change
            .map(|change| change.each_busy_share.iter().copied().map(percent).collect())
            .unwrap_or_default(),
        frequency_mhz: change.and_then(|change| change.frequency_mhz),
        temperature_c: sample.temperature_c,
    }
}

fn memory(sample: &Sample, change: Option<&Change>) -> Memory {
    let a_second = |field: fn(&Change) -> Option<u64>| {
        change.and_then(|change| field(change).map(|count| count as f64 / change.seconds))
    };
    let memory = &sample.memory;
    Memory {
        total_bytes: memory.total_bytes,
        available_bytes: memory.available_bytes,
        limit_bytes: memory.limit_bytes,
        limit_used_bytes: memory.limit_used_bytes,
        swap_total_bytes: memory.swap_total_bytes,
        swap_used_bytes: memory.swap_used_bytes,
        major_faults_per_s: change.and_then(|change| change.major_faults_per_s),
        read_again_bytes_per_s: a_second(|change| change.read_again_bytes),
        swapped_in_bytes_per_s: a_second(|change| change.swapped_in_bytes),
        some_stalled_percent: percent(change.and_then(|change| change.some_stalled_share)),
        all_stalled_percent: percent(change.and_then(|change| change.all_stalled_share)),
    }
}
