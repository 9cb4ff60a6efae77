//! Chat messages to the text a model was trained to read.
//!
//! Start at [`ChatTemplate::from_gguf`]. Files carry their template as Jinja text; it is rendered as the Hugging Face
//! `transformers` library renders it, without a clock: the same messages give the same text on every day.

mod answers;
mod environment;
mod json;
mod template;

pub use answers::AnswerPaths;
pub use template::{ChatError, ChatMessage, ChatTemplate, TemplateSource};
