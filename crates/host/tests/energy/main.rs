//! Energy: counters that do what counters do, read from scripted machines.

mod agent;
mod estimate;
mod gpu;
mod macos;
mod perf;
mod powercap;
mod sensors;
mod support;
