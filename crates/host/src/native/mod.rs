//! Questions that only the system's own interfaces answer, each as one JSON text.
//!
//! Every file reads one interface and names the shape of its answer. Libraries are opened when they are asked, so that
//! the program starts where they are missing.

mod disk;
mod dispatch;
mod hypervisor;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "linux")]
mod nvml;
#[cfg(target_os = "linux")]
mod perf;

pub(crate) use dispatch::answer;
