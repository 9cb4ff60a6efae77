//! Energy: counters that do what counters do, read from scripted machines.

mod agent;
mod estimate;
mod gpu;
mod perf;
mod macos;
mod powercap;
mod sensors;
mod support;
