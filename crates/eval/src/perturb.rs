//! Changed inputs.
