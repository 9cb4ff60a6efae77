//! `cargo xtask fuzz template`; what must hold is in `src/template.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| puma_fuzz::template::check(data));
