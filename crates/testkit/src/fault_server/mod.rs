//! A real TCP server that speaks Ollama and OpenAI, answers plausibly, and misbehaves on demand.
//!
//! Start at [`FaultServer::start`]. Answers are computed from the prompt alone, so a whole run can be made against it
//! and repeated; which requests fail is drawn from a seed, the request's body and how often it has come before, so it
//! does not depend on the order in which threads ask.

mod behaviour;
mod exchange;
mod ollama;
mod openai;
mod server;

pub use behaviour::{Answers, Behaviour, Fault, Pull, When};
pub use server::{FaultServer, Logged};
