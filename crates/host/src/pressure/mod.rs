//! What disturbs a machine while a model is judged on it: paging, throttling, neighbours.
//!
//! A [`Sampler`] reads the machine once; a [`Change`] is what happened between two samples; a [`Judge`] says which stretches
//! of time were disturbed, by the [`RULES`]; a [`PressureMonitor`] does all that on a thread of its own during a run.
//! Deliberately absent: the jobs of a run, and what a disturbance does to their numbers.

mod change;
mod judge;
#[cfg(test)]
mod judge_tests;
mod linux;
mod linux_processes;
mod linux_text;
mod macos;
mod monitor;
#[cfg(test)]
mod monitor_tests;
mod rules;
mod sample;
mod sampler;
mod stretch;
mod tally;

pub use change::Change;
pub use judge::{Judge, JudgeContext, judge};
pub use monitor::{MonitorOptions, PressureMonitor};
pub use rules::{RULES, Rule, Signal};
pub use sample::{MemorySample, PressureLevel, ProcessSample, ProcessorSample, Sample, Ticks};
pub use sampler::Sampler;
