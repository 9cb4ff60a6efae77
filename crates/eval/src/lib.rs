//! The benchmark itself: bytes in, values out.
//!
//! Follow one issue: [`dataset`] reads the CSV, [`scenario`] samples instances, [`plan`] makes jobs of them,
//! [`run`] asks a backend and emits events, [`parse`](scenario) reads answers, [`metric`] scores the records.
//! Deliberately absent: files, network, databases, threads' clocks. `cli` hands in bytes, a backend and a sink.

pub mod instance;

pub use instance::Instance;
