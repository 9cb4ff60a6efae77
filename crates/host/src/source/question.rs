//! What a machine can be asked.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Why a question has no answer. The difference decides what the user is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// There is no such file, program, key or device.
    #[error("not there")]
    Absent,
    #[error("permission denied")]
    Denied,
    /// It is there and failed: what it printed, at most a few lines.
    #[error("failed: {0}")]
    Failed(String),
    #[error("no answer in time")]
    TimedOut,
}

/// The text of an answer, or why there is none.
pub type Answer = Result<String, Unanswered>;

/// Questions that no file and no program answers; the answer is JSON, described at the module that reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NativeQuery {
    /// Every GPU that NVML knows, with its counters.
    NvmlDevices,
    /// What changes of every GPU that NVML knows: cheap enough to ask several times a second.
    NvmlCounters,
    /// The default Metal device of a Mac.
    MetalDevice,
    /// The energy counters of IOReport on a Mac.
    IoReportEnergy,
    /// The power of the whole Mac from its system management controller.
    SmcSystemPower,
    /// How a Mac's processors spent their time.
    ProcessorTicks,
    /// Bytes free where the path lies.
    DiskFree(String),
    /// The hypervisor as the processor itself reports it.
    Hypervisor,
    /// The energy events of Linux's perf.
    PerfEnergy,
}

impl NativeQuery {
    /// The name under which a recording keeps the answer.
    pub fn name(&self) -> String {
        match self {
            Self::NvmlDevices => "nvml devices".to_owned(),
            Self::NvmlCounters => "nvml counters".to_owned(),
            Self::MetalDevice => "metal device".to_owned(),
            Self::IoReportEnergy => "ioreport energy".to_owned(),
            Self::SmcSystemPower => "smc system power".to_owned(),
            Self::ProcessorTicks => "processor ticks".to_owned(),
            Self::DiskFree(path) => format!("disk free {path}"),
            Self::Hypervisor => "hypervisor".to_owned(),
            Self::PerfEnergy => "perf energy".to_owned(),
        }
    }
}

/// Answers questions about a machine: this one, or a recorded one.
pub trait HostSource: Send + Sync {
    /// The text of a file such as `/proc/meminfo`.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&self, path: &str) -> Answer;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// It cannot be listed.
    fn list(&self, folder: &str) -> Result<Vec<String>, Unanswered>;

    /// What a symbolic link such as `/proc/self/ns/pid` points to.
    ///
    /// # Errors
    /// It is no link or cannot be read.
    fn link(&self, path: &str) -> Answer;

    /// What a program prints within `limit`, in the C locale. It gets no input.
    ///
    /// # Errors
    /// It is missing, fails or takes longer.
    fn run(&self, program: &str, arguments: &[&str], limit: Duration) -> Answer;

    /// The answer to a question that needs the system's own interfaces.
    ///
    /// # Errors
    /// The interface is missing here or refuses.
    fn native(&self, query: &NativeQuery) -> Answer;

    /// An environment variable of the process, such as `KUBERNETES_SERVICE_HOST`.
    fn variable(&self, name: &str) -> Option<String>;

    /// `linux`, `macos`, ….
    fn os(&self) -> &str;

    /// What the program was built for: `x86_64`, `aarch64`, ….
    fn arch(&self) -> &str;

    /// Logical processors this process may use.
    fn available_parallelism(&self) -> usize;

    /// Whether the answers come from a recording: they stand still, and say nothing of the machine in front of you.
    fn is_recorded(&self) -> bool;

    /// [`run`](Self::run) with the time that suits a quick question.
    ///
    /// # Errors
    /// As `run`.
    fn ask(&self, program: &str, arguments: &[&str]) -> Answer {
        self.run(program, arguments, Duration::from_secs(5))
    }

    /// A value of macOS's `sysctl`.
    ///
    /// # Errors
    /// The key is unknown here.
    fn sysctl(&self, key: &str) -> Answer {
        self.ask("/usr/sbin/sysctl", &["-n", key]).map(|text| text.trim().to_owned())
    }
}
