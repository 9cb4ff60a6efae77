//! A server that fails on purpose, to try `puma run` against by hand. It speaks Ollama's and the OpenAI protocol.
//!
//! ```text
//! cargo run -p puma-testkit --example fault_server -- --share 0.3 --status 503 --seed 1
//! puma run --scenario triage_jira --model smollm2:135m --backend ollama --endpoint URL
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use puma_testkit::fault_server::{Behaviour, Fault, FaultServer};
use std::process::ExitCode;

const USAGE: &str = "usage: fault_server [--share 0..1] [--seed N] [--status CODE | --fault NAME]\n\
                     faults: hang-up cut half-json not-json empty-body empty-answer truncated never";

fn main() -> ExitCode {
    match behaviour(std::env::args().skip(1)) {
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            ExitCode::from(2)
        }
        Ok(behaviour) => {
            let server = FaultServer::start(behaviour);
            println!("{}", server.url());
            loop {
                std::thread::park();
            }
        }
    }
}

fn behaviour(mut args: impl Iterator<Item = String>) -> Result<Behaviour, String> {
    let (mut share, mut seed, mut fault) = (0.3, 1, Fault::Status(503));
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} needs a value"))?;
        let wrong = || format!("{flag} cannot be {value}");
        match flag.as_str() {
            "--share" => share = value.parse().map_err(|_| wrong())?,
            "--seed" => seed = value.parse().map_err(|_| wrong())?,
            "--status" => fault = Fault::Status(value.parse().map_err(|_| wrong())?),
            "--fault" => fault = named(&value).ok_or_else(wrong)?,
            _ => return Err(format!("there is no flag {flag}")),
        }
    }
    Ok(Behaviour::share(share, seed, fault))
}

fn named(name: &str) -> Option<Fault> {
    Some(match name {
        "hang-up" => Fault::HangUp,
        "cut" => Fault::CutMidBody,
        "half-json" => Fault::HalfJson,
        "not-json" => Fault::NotJson,
        "empty-body" => Fault::EmptyBody,
        "empty-answer" => Fault::EmptyAnswer,
        "truncated" => Fault::Truncated,
        "never" => Fault::NeverAnswers,
        _ => return None,
    })
}
