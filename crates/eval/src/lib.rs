//! The benchmark itself: bytes in, values out.
//!
//! Follow one issue: [`dataset`] reads the CSV, [`scenario`] samples instances, [`plan`] makes jobs of them,
//! [`run`] asks a backend and emits events, [`parse`] reads answers, [`metric`] scores the records.
//! Deliberately absent: files, network, databases, clocks. `cli` hands in bytes, a backend and a sink.

pub mod baseline;
pub mod canonical;
pub mod comparison;
pub mod confidence;
pub mod cross_arch;
pub mod dataset;
pub mod dataset_check;
pub mod instance;
pub mod leaderboard;
pub mod measured;
pub mod metric;
pub mod parse;
pub mod perturb;
pub mod pilot;
pub mod plan;
pub mod prompt;
pub mod run;
pub mod sample;
pub mod scenario;
pub mod scored;
pub mod selfcheck;
pub mod spec;
pub mod stats;
pub mod strategy;

pub use instance::Instance;
