//! `cargo xtask fuzz tokenizer`; what must hold is in `src/tokenizer.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| puma_fuzz::tokenizer::check(data));
