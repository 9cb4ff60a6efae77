//! An estimate from how busy processor and GPU are and what the chip draws at most: right to half and double.

use super::super::chain::Missing;
use super::super::integral::Integral;
use super::processor_time::ProcessorTicks;
use crate::machine::apple::ChipFacts;
use crate::source::HostSource;
use puma_core::measure::{Channel, Loss, Meter, MeterError, MeterReading, Quality};
use std::sync::Arc;
use std::time::Duration;

const SOURCE: &str = "estimate by chip";
/// Looking at the GPU starts a program, so it is done no more often than it must be.
const INTERVAL: Duration = Duration::from_secs(2);
const LONGEST_GAP: Duration = Duration::from_secs(10);
/// What the processor part of an M2 Pro was seen to draw with nothing to do.
const IDLE_W: f64 = 0.66;
/// For a chip of which no list tells the peaks.
const UNKNOWN_PEAK_W: f64 = 20.0;

/// What one part of a chip draws at most, and where that number is from.
#[derive(Clone, Debug, PartialEq)]
struct Peak {
    watts: f64,
    source: String,
}

impl Peak {
    fn of(reading: Option<&puma_core::Reading<f64>>) -> Self {
        match reading {
            Some(reading) => Self { watts: reading.value, source: reading.source.clone() },
            None => Self { watts: UNKNOWN_PEAK_W, source: "no list tells this chip's peak".to_owned() },
        }
    }

    fn note(&self, part: &str) -> String {
        format!("share of time in which the {part} was busy, times {} W ({}): ± 50 %", self.watts, self.source)
    }
}

/// Estimates the processor.
pub(super) struct ProcessorEstimate {
    host: Arc<dyn HostSource>,
    device: String,
    peak: Peak,
    previous: Option<(ProcessorTicks, Duration)>,
    energy_j: f64,
}

impl ProcessorEstimate {
    /// # Errors
    /// The system does not tell how busy the processor is.
    pub(super) fn open(host: &Arc<dyn HostSource>, device: &str, facts: &ChipFacts) -> Result<Self, Missing> {
        ProcessorTicks::read(host.as_ref()).map_err(|why| {
            Missing::new(SOURCE, &[Channel::Cpu])
                .because(format!("the system does not tell how busy the processor is: {why}"))
        })?;
        Ok(Self {
            host: Arc::clone(host),
            device: device.to_owned(),
            peak: Peak::of(facts.cpu_peak_w.as_ref()),
            previous: None,
            energy_j: 0.0,
        })
    }
}

impl Meter for ProcessorEstimate {
    fn source(&self) -> &str {
        SOURCE
    }

    fn quality(&self) -> Quality {
        Quality::Estimated
    }

    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn note(&self) -> Option<String> {
        Some(self.peak.note("processor"))
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let ticks = ProcessorTicks::read(self.host.as_ref()).map_err(|why| MeterError {
            message: format!("the system does not tell how busy the processor is: {why}"),
            fatal: false,
        })?;
        let (before, at) = *self.previous.get_or_insert((ticks, now));
        if let Some(busy) = ticks.busy_share_since(before) {
            self.energy_j += (IDLE_W + busy * self.peak.watts) * now.saturating_sub(at).as_secs_f64();
            self.previous = Some((ticks, now));
        }
        Ok(vec![MeterReading { channel: Channel::Cpu, device: self.device.clone(), energy_j: self.energy_j }])
    }
}

/// Estimates the GPU.
pub(super) struct GpuEstimate {
    host: Arc<dyn HostSource>,
    peak: Peak,
    integral: Integral,
}

impl GpuEstimate {
    /// # Errors
    /// The system does not tell how busy the GPU is.
    pub(super) fn open(host: &Arc<dyn HostSource>, device: &str, facts: &ChipFacts) -> Result<Self, Missing> {
        gpu_busy_share(host.as_ref()).ok_or_else(|| {
            Missing::new(SOURCE, &[Channel::Gpu])
                .because("ioreg does not tell how busy the GPU is")
                .uncounted(device.to_owned())
        })?;
        let integral = Integral::new(Channel::Gpu, device, LONGEST_GAP);
        Ok(Self { host: Arc::clone(host), peak: Peak::of(facts.gpu_peak_w.as_ref()), integral })
    }
}

/// Share of the last moment in which the GPU worked, 0 to 1.
fn gpu_busy_share(host: &dyn HostSource) -> Option<f64> {
    let text = host.ask("/usr/sbin/ioreg", &["-rc", "AGXAccelerator", "-d1"]).ok()?;
    let percent: f64 = text.split("\"Device Utilization %\"=").nth(1)?.split([',', '}']).next()?.trim().parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

impl Meter for GpuEstimate {
    fn source(&self) -> &str {
        SOURCE
    }

    fn quality(&self) -> Quality {
        Quality::Estimated
    }

    fn resolution(&self) -> Duration {
        INTERVAL
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn note(&self) -> Option<String> {
        Some(self.peak.note("GPU"))
    }

    fn may_rest(&self, channel: Channel) -> bool {
        channel == Channel::Gpu
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let busy = gpu_busy_share(self.host.as_ref()).ok_or_else(|| MeterError {
            message: "ioreg does not tell how busy the GPU is".to_owned(),
            fatal: false,
        })?;
        let energy_j = self.integral.update(busy * self.peak.watts, now);
        Ok(vec![MeterReading { channel: Channel::Gpu, device: self.integral.device().to_owned(), energy_j }])
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.integral.take_losses()
    }
}
