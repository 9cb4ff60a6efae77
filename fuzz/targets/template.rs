//! `cargo xtask fuzz template`; what must hold is in `src/template.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        // A panic of the template engine becomes an error of the template; one that nobody catches still ends the run.
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    },
    |data: &[u8]| puma_fuzz::template::check(data)
);
