//! Job records made of a few lists, for the metric tests.

#[allow(dead_code, reason = "each test binary uses its part")]
mod build;
#[allow(dead_code, reason = "each test binary uses its part")]
mod equipped;

#[allow(unused_imports, reason = "each test binary uses its part")]
pub(crate) use build::{Records, assert_close, completion};
#[allow(unused_imports, reason = "each test binary uses its part")]
pub(crate) use equipped::{Run, runs};
