//! One file a command: its arguments, its help, its function.

pub(crate) mod agent;
pub(crate) mod bundle;
pub(crate) mod cache;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod cross_arch;
pub(crate) mod datasets;
pub(crate) mod db;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod engine;
pub(crate) mod env;
pub(crate) mod fit;
pub(crate) mod list_runs;
pub(crate) mod man;
pub(crate) mod models;
pub(crate) mod monitor;
pub(crate) mod preflight;
pub(crate) mod profile;
pub(crate) mod quickstart;
pub(crate) mod reference;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod up;
pub(crate) mod validate_baseline;
