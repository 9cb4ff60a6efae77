//! The project's habits as commands: `cargo xtask ci|test|tidy|gen|platforms|dist|bench-vs-llama`.
//!
//! A rule that a person must remember is a rule that will be broken; here they are commands that fail.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program talks to its caller")]

mod bench_vs_llama;
mod ci;
mod command;
mod cross;
mod dist;
mod exhaustive;
mod fuzz;
mod generate;
mod miri;
mod platforms;
mod suite;
mod test_model;
mod tidy;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
The project's habits as commands.

  cargo xtask ci [--without-tests]   everything a change must pass: fmt, clippy, tidy, gen --check, tests
  cargo xtask test [ARGS]            the whole test suite, on a fresh machine too; ARGS go to cargo test
  cargo xtask test --nextest [ARGS]  the same with cargo nextest, where it is installed
  cargo xtask tidy                   the rules of the house that can be checked by reading
  cargo xtask platforms              the program built and linked for Macs and ARM Linux, and run on an emulated ARM
  cargo xtask dist [--target T]... [--out DIR]
                                     release archives and SHA256SUMS, in target/dist unless told otherwise
  cargo xtask fuzz [TARGET]... [--seconds N]
                                     the fuzz targets gguf, tokenizer, template, N seconds each (60)
  cargo xtask bench-vs-llama [--models FILE,...] [--threads 1,2] [--repetitions 5] [--parts speed,first-token,triage]
                [--data CSV] [--issues 200] [--llama DIR] [--puma FILE] [--json OUT] [--quick]
                                     the engine beside llama.cpp: tables in Markdown
  cargo xtask exhaustive             the kernels on all 2^32 floats and all codes, optimised; minutes
  cargo xtask miri                   the code with pointers, interpreted
  cargo xtask gen [--check]          writes docs/reference from the program's own tables, or checks it
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["ci"] => ci::run(ci::Tests::Included),
        ["ci", "--without-tests"] => ci::run(ci::Tests::LeftOut),
        ["test", "--nextest", rest @ ..] => suite::run(suite::Runner::Nextest, rest),
        ["test", rest @ ..] => suite::run(suite::Runner::Cargo, rest),
        ["tidy"] => tidy::run(),
        ["gen"] => generate::run(generate::Mode::Write),
        ["gen", "--check"] => generate::run(generate::Mode::Check),
        ["dist", rest @ ..] => dist::Options::parse(rest).and_then(|options| dist::run(&options)),
        ["exhaustive"] => exhaustive::run(),
        ["miri"] => miri::run(),
        ["fuzz", rest @ ..] => fuzz::Options::parse(rest).and_then(|options| fuzz::run(&options)),
        ["platforms"] => platforms::check(),
        ["bench-vs-llama", rest @ ..] => {
            bench_vs_llama::Options::parse(rest).and_then(|options| bench_vs_llama::run(&options))
        }
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("xtask does not know `{}`\n\n{HELP}", other.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
