//! GGUF models to tokens, with the same bits on every machine.
//!
//! Start at [`Model::open`] and [`Engine::new`]; [`Engine::generate`] continues many prompts together. What an answer
//! is made of depends on the file, the prompt and the request alone: not on the instruction set, threads, batch,
//! neighbours or what was computed before. [`digest()`] proves it; `docs/numerics.md` is the contract.
//! Text to tokens and back is separate from inference: the engine itself speaks token ids.

pub mod chat;
pub mod config;
pub mod digest;
pub mod error;
mod forward;
pub mod gguf;
mod kv;
mod kv_block;
mod kv_prefix;
mod kv_tree;
mod memory;
pub mod model;
mod pool;
pub mod sample;
mod scheduler;
pub mod score;
mod score_run;
mod score_tree;
pub mod session;
pub mod tokenizer;

pub use config::{Architecture, Config};
pub use digest::{Digest, DigestOptions, digest};
pub use error::EngineError;
pub use kv::KvType;
pub use kv_prefix::KvMemory;
pub use memory::{MemoryPlan, memory_plan};
pub use model::Model;
pub use puma_kernels::{CONTRACT, Level, UnknownLevel};
pub use sample::{GeneratedToken, TokenLogprob};
pub use score::{ContinuationScore, ScoreRequest, Scoring};
pub use session::{Engine, EngineOptions, Finish, GenerateRequest, Generation, Observer, Timing};
