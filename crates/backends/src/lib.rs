//! The engines a run can ask, each behind `puma_core::Backend`, and where models come from.
//!
//! Start at [`ollama::OllamaBackend`] or [`openai::OpenAiBackend`]. Both speak through [`http`], repeat failed requests
//! only in [`retry`], and answer a batch in [`http_batch`]. [`sources`] finds and fetches models. Deliberately absent:
//! reading the environment (the caller passes a lookup to [`endpoint`]) and printing.

pub mod embedded;
pub mod endpoint;
pub mod http;
pub mod http_batch;
pub mod http_errors;
pub mod http_request;
pub mod logprobs;
pub mod ollama;
pub mod openai;
pub mod replay;
pub mod retry;
pub mod sources;
