//! `cargo xtask fuzz gguf`; what must hold is in `src/gguf.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| puma_fuzz::gguf::check(data));
