//! The loop that asks.
