//! The architectures, one short file each: what its layers are made of, and the keys only it has.

mod gemma;
mod gemma2;
mod gemma3;
mod granite;
mod known;
mod llama;
mod mistral3;
mod phi3;
mod qwen2;
mod qwen3;
mod qwen3moe;
mod smollm3;

pub use known::Architecture;
