//! From starting a program to its first token, seen from outside: the file in the page cache, nothing else prepared.
//!
//! Of llama.cpp's programs the fastest counts. llama-completion is what a user would start. llama-bench without its warm-up
//! computes a prompt of as many tokens and ends, without a chat template or a choice of a token: less than is asked of PUMA.

use super::files::ModelFile;
use super::options::Options;
use super::process::{timed, timed_json};
use super::programs::Programs;
use super::statistics::Values;
use super::table;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// As `puma bench engine --first-token` asks.
const QUESTION: &str = "How urgent is a login page that is down for all users?";

/// One file with one number of threads; milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    file: String,
    threads: usize,
    /// Each of llama.cpp's programs that there is.
    llama: Vec<(&'static str, Values)>,
    puma: Values,
}

/// Starts all programs in turn; the first round only warms the page cache.
///
/// # Errors
/// One of them fails.
pub(super) fn measure(
    options: &Options,
    programs: &Programs,
    files: &[ModelFile],
    data: &Path,
) -> Result<Vec<Comparison>, String> {
    let mut found = Vec::new();
    for file in files {
        for &threads in &options.threads {
            let mut llama = vec![("llama-bench", Values::default())];
            if programs.llama("llama-completion").is_some() {
                llama.push(("llama-completion", Values::default()));
            }
            let mut comparison = Comparison { file: file.name.clone(), threads, llama, puma: Values::default() };
            for round in 0..=options.repetitions {
                eprintln!("{}, threads {threads}, first token, round {round} of {}", file.name, options.repetitions);
                comparison.round(programs, file, data, round > 0)?;
            }
            found.push(comparison);
        }
    }
    Ok(found)
}

impl Comparison {
    fn round(&mut self, programs: &Programs, file: &ModelFile, data: &Path, counts: bool) -> Result<(), String> {
        let threads = self.threads.to_string();
        let mut puma = programs.puma(data);
        puma.args(["bench", "engine", "--first-token", "--json", "--threads", &threads]).arg(&file.path);
        let (printed, took) = timed_json(&mut puma)?;
        let tokens = printed["prompt_tokens"].as_u64().ok_or("puma bench engine told no prompt_tokens")?;
        if counts {
            self.puma.add(took.as_secs_f64() * 1e3);
        }
        for (name, values) in &mut self.llama {
            let mut llama = Command::new(programs.required(name)?);
            llama.arg("-m").arg(&file.path).args(["-t", &threads]);
            match *name {
                "llama-bench" => llama.args(["--no-warmup", "-r", "1", "-n", "0", "-p", &tokens.to_string()]),
                _ => llama.args(["--no-warmup", "-c", "4096", "--temp", "0", "-n", "1", "-st", "-p", QUESTION]),
            };
            let (_, took) = timed(&mut llama)?;
            if counts {
                values.add(took.as_secs_f64() * 1e3);
            }
        }
        Ok(())
    }

    /// llama.cpp's fastest program.
    fn best_llama(&self) -> (&'static str, &Values) {
        let median = |values: &Values| values.median().unwrap_or(f64::INFINITY);
        let fastest = self.llama.iter().min_by(|(_, one), (_, other)| median(one).total_cmp(&median(other)));
        let (name, values) = fastest.expect("llama-bench is always among them");
        (name, values)
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.puma.median()? / self.best_llama().1.median()?)
    }

    pub(super) fn json(&self) -> Value {
        let llama: Vec<Value> =
            self.llama.iter().map(|(name, values)| json!({ "program": name, "ms": values.json() })).collect();
        json!({
            "file": self.file, "threads": self.threads, "llama": llama, "puma_ms": self.puma.json(),
            "ratio": self.ratio(),
        })
    }
}

/// The comparison as a table.
pub(super) fn text(found: &[Comparison]) -> String {
    let row = |one: &Comparison| {
        let (program, llama) = one.best_llama();
        vec![
            one.file.clone(),
            one.threads.to_string(),
            table::spread(llama.median(), llama.spread_percent()),
            program.to_owned(),
            table::spread(one.puma.median(), one.puma.spread_percent()),
            table::number(one.ratio()),
        ]
    };
    let header = ["file", "threads", "llama.cpp ms", "its program", "PUMA ms", "PUMA / llama.cpp"];
    table::markdown(&header, &found.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_of_llamas_programs_counts() {
        let values = |one: f64| {
            let mut values = Values::default();
            values.add(one);
            values
        };
        let llama = vec![("llama-bench", values(300.0)), ("llama-completion", values(200.0))];
        let one = Comparison { file: "m".to_owned(), threads: 1, llama, puma: values(100.0) };
        assert_eq!((one.best_llama().0, one.ratio()), ("llama-completion", Some(0.5)));
    }
}
