//! A whole triage run: PUMA with its own engine, and PUMA asking llama-server one question at a time.
//!
//! Both are `puma run` with the same flags, timed from outside. The server is started anew for every repetition, with its
//! prompt cache on, and is ready before the clock starts: loading the model is part of PUMA's time and not of the server's.

use super::files::ModelFile;
use super::options::Options;
use super::process::timed_json;
use super::programs::Programs;
use super::statistics::Values;
use super::table;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Tokens an answer has at most, as in the triage test of `puma bench engine`.
const MAX_TOKENS: &str = "24";
/// How long the server may take to load the model.
const PATIENCE: Duration = Duration::from_secs(120);

/// A run with one number of threads.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    file: String,
    threads: usize,
    issues: usize,
    /// Wall time of the whole program, in seconds.
    llama: Values,
    puma: Values,
    /// From PUMA's first question to its last answer, in seconds.
    asking: Values,
    /// Prompt tokens that no shared beginning covered.
    unique_prompt_tokens: u64,
    /// Operations of a token in the layers, and the most this machine can do in a second, both in 10^9.
    gop_per_token: f64,
    ceiling_gop_per_s: Option<f64>,
}

/// Runs both in turn.
///
/// # Errors
/// One of them fails.
pub(super) fn measure(
    options: &Options,
    programs: &Programs,
    file: &ModelFile,
    issues: &Path,
    data: &Path,
) -> Result<Vec<Comparison>, String> {
    let mut found = Vec::new();
    for &threads in &options.threads {
        let mut comparison = Comparison::new(options, programs, file, threads, data)?;
        for repetition in 1..=options.repetitions {
            eprintln!("{}, threads {threads}, triage, repetition {repetition} of {}", file.name, options.repetitions);
            let server = Server::start(programs, file, threads)?;
            let mut theirs = run(options, programs, issues, data);
            theirs.args(["--backend", "llama-server", "--concurrency", "1", "--reuse-prompts", "--endpoint"]);
            let (_, took) = timed_json(theirs.arg(server.url()).args(["--model", &file.name]))?;
            comparison.llama.add(took.as_secs_f64());
            drop(server);
            let mut ours = run(options, programs, issues, data);
            let (report, took) = timed_json(ours.args(["--threads", &threads.to_string(), "--model"]).arg(&file.path))?;
            comparison.puma.add(took.as_secs_f64());
            comparison.add(&report)?;
        }
        found.push(comparison);
    }
    Ok(found)
}

/// `puma run`, but for whom to ask.
fn run(options: &Options, programs: &Programs, issues: &Path, data: &Path) -> Command {
    let mut command = programs.puma(data);
    command.args(["run", "--quiet", "--json", "--no-cache", "--no-emissions", "--scenario", "triage_jira"]);
    command.args(["--max-tokens", MAX_TOKENS, "--instances", &options.issues.to_string()]).arg("--data").arg(issues);
    command
}

impl Comparison {
    /// Asks `puma bench engine` for the ceiling and the cost of a token.
    fn new(
        options: &Options,
        programs: &Programs,
        file: &ModelFile,
        threads: usize,
        data: &Path,
    ) -> Result<Self, String> {
        let mut bench = programs.puma(data);
        bench.args(["bench", "engine", "--quiet", "--json", "--roofline", "--repetitions", "1", "--prompt", "0"]);
        bench.args(["--generate", "0", "--triage", "0", "--threads", &threads.to_string()]).arg(&file.path);
        let (report, _) = timed_json(&mut bench)?;
        let operations = report["cost"]["layer_operations"].as_f64().ok_or("puma bench engine told no cost")?;
        let instructions = report["ceilings"][0]["int8"].as_array().into_iter().flatten();
        Ok(Self {
            file: file.name.clone(),
            threads,
            issues: options.issues,
            llama: Values::default(),
            puma: Values::default(),
            asking: Values::default(),
            unique_prompt_tokens: 0,
            gop_per_token: operations / 1e9,
            ceiling_gop_per_s: instructions.filter_map(|one| one["gop_per_s"].as_f64()).reduce(f64::max),
        })
    }

    fn add(&mut self, report: &Value) -> Result<(), String> {
        let timing = &report["timing"];
        self.asking.add(timing["wall_s"].as_f64().ok_or("puma run told no timing.wall_s")?);
        self.unique_prompt_tokens =
            timing["unique_prompt_tokens"].as_u64().ok_or("puma run told no timing.unique_prompt_tokens")?;
        Ok(())
    }

    fn times_faster(&self) -> Option<f64> {
        Some(self.llama.median()? / self.puma.median()?)
    }

    /// What the unique prompt tokens' operations, spread over the whole time of asking, are of the ceiling.
    fn int8_percent(&self) -> Option<f64> {
        let gop_per_s = self.unique_prompt_tokens as f64 * self.gop_per_token / self.asking.median()?;
        Some(100.0 * gop_per_s / self.ceiling_gop_per_s?)
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "file": self.file, "threads": self.threads, "issues": self.issues,
            "llama_server_s": self.llama.json(), "puma_s": self.puma.json(), "puma_asking_s": self.asking.json(),
            "times_faster": self.times_faster(), "unique_prompt_tokens": self.unique_prompt_tokens,
            "gop_per_token": self.gop_per_token, "ceiling_gop_per_s": self.ceiling_gop_per_s,
            "int8_percent": self.int8_percent(),
        })
    }
}

/// The comparison as a table.
pub(super) fn text(found: &[Comparison]) -> String {
    let row = |one: &Comparison| {
        vec![
            format!("{}, {} issues", one.file, one.issues),
            one.threads.to_string(),
            table::spread(one.llama.median(), one.llama.spread_percent()),
            table::spread(one.puma.median(), one.puma.spread_percent()),
            table::number(one.times_faster()),
            one.unique_prompt_tokens.to_string(),
            table::number(one.ceiling_gop_per_s),
            table::number(one.int8_percent()),
        ]
    };
    let header = [
        "run",
        "threads",
        "llama-server s",
        "PUMA s",
        "times faster",
        "unique prompt tokens",
        "int8 ceiling GOP/s",
        "reached %",
    ];
    table::markdown(&header, &found.iter().map(row).collect::<Vec<_>>())
}

/// A llama-server that answers one question at a time and remembers what it computed for earlier ones.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(programs: &Programs, file: &ModelFile, threads: usize) -> Result<Self, String> {
        let port = free_port()?;
        let child = Command::new(programs.required("llama-server")?)
            .arg("--model")
            .arg(&file.path)
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--ctx-size", "4096", "--parallel", "1"])
            .args(["--threads", &threads.to_string(), "--alias", &file.name])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("llama-server cannot be started: {error}"))?;
        let mut server = Self { child, port };
        let started = Instant::now();
        while !server.is_ready() {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("llama-server ended before it answered ({status})"));
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("llama-server did not answer within {} s", PATIENCE.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether it says that the model is loaded.
    fn is_ready(&self) -> bool {
        let asked = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.write_all(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        asked().is_ok_and(|answer| answer.lines().next().is_some_and(|line| line.contains(" 200 ")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It keeps nothing that a sudden end could damage; if it is gone already, all the better.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A port that nobody listens on.
fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| format!("no free port: {error}"))?;
    Ok(listener.local_addr().map_err(|error| format!("no free port: {error}"))?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_ceiling_is_of_the_time_from_the_first_question_to_the_last_answer() {
        let mut one = Comparison {
            file: "m".to_owned(),
            threads: 1,
            issues: 2,
            llama: Values::default(),
            puma: Values::default(),
            asking: Values::default(),
            unique_prompt_tokens: 0,
            gop_per_token: 0.2,
            ceiling_gop_per_s: Some(800.0),
        };
        one.llama.add(30.0);
        one.puma.add(3.0);
        one.add(&json!({ "timing": { "wall_s": 2.0, "unique_prompt_tokens": 4000 } })).expect("both are told");
        assert_eq!((one.times_faster(), one.int8_percent()), (Some(10.0), Some(50.0)));
        assert!(one.add(&json!({ "timing": { "wall_s": 2.0, "unique_prompt_tokens": null } })).is_err());
    }
}
