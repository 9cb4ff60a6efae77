//! `cargo xtask bench-vs-llama`: PUMA's engine beside llama.cpp's, same files, same threads, in turn.
//!
//! [`run`] makes both programs and the files, then measures three things: tokens a second as llama-bench counts them, the
//! time from starting a program to its first token, and a whole triage run. Both sides run alternately, so that a machine
//! that slows down slows both. Every figure is a median; tables are printed in Markdown, everything measured goes to `--json`.

mod files;
mod first_token;
mod options;
mod process;
mod programs;
mod run;
mod speed;
mod statistics;
mod table;
mod triage;

pub(crate) use options::Options;
pub(crate) use run::run;
