//! Linux machines without a GPU of their own.

use crate::expected::{Expected, ROW};

pub(crate) const ROWS: &[Expected] = &[Expected {
    name: "desktop-amd-zen",
    cpu: Some("AMD Ryzen 7 7700X 8-Core Processor"),
    physical_cores: Some(8),
    logical_cores: 16,
    memory_kib: Some(32_004_560),
    ..ROW
}];
