//! Which interface answers which question.

use super::disk;
use crate::source::{Answer, NativeQuery, Unanswered};

/// Asks this machine.
pub(crate) fn answer(query: &NativeQuery) -> Answer {
    match query {
        NativeQuery::DiskFree(path) => disk::free_bytes(path),
        NativeQuery::NvmlDevices
        | NativeQuery::MetalDevice
        | NativeQuery::IoReportEnergy
        | NativeQuery::SmcSystemPower
        | NativeQuery::Hypervisor => Err(Unanswered::Absent),
    }
}
