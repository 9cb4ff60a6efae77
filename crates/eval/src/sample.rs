//! Upstream-compatible random draws.
