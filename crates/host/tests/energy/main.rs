//! Energy: counters that do what counters do, read from scripted machines.

mod gpu;
mod powercap;
