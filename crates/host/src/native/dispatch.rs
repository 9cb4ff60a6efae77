//! Which interface answers which question.

#[cfg(target_os = "macos")]
use super::macos;
use super::{disk, hypervisor};
#[cfg(target_os = "linux")]
use super::{nvml, perf};
use crate::source::{Answer, NativeQuery, Unanswered};

/// Asks this machine.
pub(crate) fn answer(query: &NativeQuery) -> Answer {
    match query {
        NativeQuery::DiskFree(path) => disk::free_bytes(path),
        NativeQuery::Hypervisor => hypervisor::name(),
        #[cfg(target_os = "linux")]
        NativeQuery::NvmlDevices => nvml::devices(),
        #[cfg(target_os = "linux")]
        NativeQuery::NvmlCounters => nvml::counters(),
        #[cfg(target_os = "linux")]
        NativeQuery::PerfEnergy => perf::energy(),
        #[cfg(not(target_os = "linux"))]
        NativeQuery::NvmlDevices | NativeQuery::NvmlCounters | NativeQuery::PerfEnergy => Err(Unanswered::Absent),
        #[cfg(target_os = "macos")]
        NativeQuery::MetalDevice => macos::device(),
        #[cfg(target_os = "macos")]
        NativeQuery::IoReportEnergy => macos::energy(),
        #[cfg(target_os = "macos")]
        NativeQuery::SmcSystemPower => macos::system_power(),
        #[cfg(target_os = "macos")]
        NativeQuery::ProcessorTicks => macos::ticks(),
        #[cfg(not(target_os = "macos"))]
        NativeQuery::MetalDevice
        | NativeQuery::IoReportEnergy
        | NativeQuery::SmcSystemPower
        | NativeQuery::ProcessorTicks => Err(Unanswered::Absent),
    }
}
