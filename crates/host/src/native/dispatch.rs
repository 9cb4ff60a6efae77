//! Which interface answers which question.

use super::disk;
#[cfg(target_os = "linux")]
use super::nvml;
use crate::source::{Answer, NativeQuery, Unanswered};

/// Asks this machine.
pub(crate) fn answer(query: &NativeQuery) -> Answer {
    match query {
        NativeQuery::DiskFree(path) => disk::free_bytes(path),
        #[cfg(target_os = "linux")]
        NativeQuery::NvmlDevices => nvml::devices(),
        #[cfg(target_os = "linux")]
        NativeQuery::NvmlCounters => nvml::counters(),
        #[cfg(not(target_os = "linux"))]
        NativeQuery::NvmlDevices | NativeQuery::NvmlCounters => Err(Unanswered::Absent),
        NativeQuery::MetalDevice
        | NativeQuery::IoReportEnergy
        | NativeQuery::SmcSystemPower
        | NativeQuery::Hypervisor => Err(Unanswered::Absent),
    }
}
