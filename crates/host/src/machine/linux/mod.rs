//! A Linux machine, from the files its kernel writes.

mod arm;
mod cores;
mod cpu;
mod fields;
mod probe;

pub(super) use fields::{cpu_list, processors, value};
pub(super) use probe::probe;
