//! Test support, never shipped.

pub mod expected;
pub mod fault_server;
pub mod gguf;
pub mod machines;
pub mod question;
pub mod real_model;
pub mod scripted;
pub mod scripted_host;
