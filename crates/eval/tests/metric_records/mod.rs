//! Job records made of a few lists, for the metric tests.

mod build;

#[allow(unused_imports, reason = "each test binary uses its part")]
pub(crate) use build::{Records, assert_close, completion};
