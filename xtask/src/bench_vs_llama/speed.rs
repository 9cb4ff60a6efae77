//! Tokens a second, as llama-bench counts them.

use super::files::ModelFile;
use super::options::Options;
use super::process::timed_json;
use super::programs::Programs;
use super::statistics::Values;
use super::table;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// One test of one file with one number of threads.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    file: String,
    test: String,
    threads: usize,
    /// Without and with flash attention; the better median counts.
    llama: [Values; 2],
    puma: Values,
}

/// Runs both programs in turn.
///
/// # Errors
/// One of them fails, or prints something unknown.
pub(super) fn measure(
    options: &Options,
    programs: &Programs,
    files: &[ModelFile],
    data: &Path,
) -> Result<Vec<Comparison>, String> {
    let tests = [format!("pp{}", options.prompt), format!("tg{}", options.generate)];
    let mut found = Vec::new();
    for file in files {
        for &threads in &options.threads {
            let new = |test: &String| Comparison {
                file: file.name.clone(),
                test: test.clone(),
                threads,
                llama: <[Values; 2]>::default(),
                puma: Values::default(),
            };
            let mut pair = tests.each_ref().map(new);
            for repetition in 1..=options.repetitions {
                eprintln!("{}, threads {threads}, repetition {repetition} of {}", file.name, options.repetitions);
                of_llama(&llama_bench(options, programs, file, threads)?, &mut pair)?;
                of_puma(&puma_bench(options, programs, file, threads, data)?, &mut pair)?;
            }
            found.extend(pair);
        }
    }
    Ok(found)
}

fn llama_bench(options: &Options, programs: &Programs, file: &ModelFile, threads: usize) -> Result<Value, String> {
    let mut command = Command::new(programs.required("llama-bench")?);
    let (prompt, generate) = (options.prompt.to_string(), options.generate.to_string());
    command.arg("-m").arg(&file.path).args(["-p", &prompt, "-n", &generate, "-t", &threads.to_string()]);
    Ok(timed_json(command.args(["-r", "1", "-fa", "0,1", "-o", "json"]))?.0)
}

fn puma_bench(
    options: &Options,
    programs: &Programs,
    file: &ModelFile,
    threads: usize,
    data: &Path,
) -> Result<Value, String> {
    let mut command = programs.puma(data);
    let (prompt, generate) = (options.prompt.to_string(), options.generate.to_string());
    command.args(["bench", "engine", "--quiet", "--json", "--triage", "0", "--repetitions", "1"]);
    command.args(["--prompt", &prompt, "--generate", &generate, "--threads", &threads.to_string()]).arg(&file.path);
    Ok(timed_json(&mut command)?.0)
}

/// Adds what llama-bench printed: an object for each test and kind of attention.
fn of_llama(printed: &Value, [prompt, generate]: &mut [Comparison; 2]) -> Result<(), String> {
    let rows = printed.as_array().ok_or("llama-bench printed no list")?;
    for row in rows {
        let number = |key: &str| row[key].as_f64().ok_or_else(|| format!("llama-bench printed no {key}: {row}"));
        let of_test = if number("n_gen")? > 0.0 { &mut *generate } else { &mut *prompt };
        let flash = row["flash_attn"].as_bool().unwrap_or_else(|| row["flash_attn"].as_f64() == Some(1.0));
        of_test.llama[usize::from(flash)].add(number("avg_ts")?);
    }
    Ok(())
}

fn of_puma(printed: &Value, pair: &mut [Comparison; 2]) -> Result<(), String> {
    for comparison in pair {
        let rows = printed["rows"].as_array().into_iter().flatten();
        let median = rows.filter(|row| row["test"] == comparison.test.as_str()).find_map(|row| row["median"].as_f64());
        comparison.puma.add(median.ok_or_else(|| format!("puma bench engine printed no {}", comparison.test))?);
    }
    Ok(())
}

impl Comparison {
    /// llama.cpp's better kind of attention.
    fn best_llama(&self) -> (&'static str, &Values) {
        let [plain, flash] = &self.llama;
        if flash.median() > plain.median() { ("flash", flash) } else { ("plain", plain) }
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.puma.median()? / self.best_llama().1.median()?)
    }

    pub(super) fn json(&self) -> Value {
        let (attention, llama) = self.best_llama();
        json!({
            "file": self.file, "test": self.test, "threads": self.threads, "attention": attention,
            "llama_tokens_per_s": llama.json(), "puma_tokens_per_s": self.puma.json(), "ratio": self.ratio(),
        })
    }
}

/// The comparison as a table.
pub(super) fn text(found: &[Comparison]) -> String {
    let row = |one: &Comparison| {
        let (attention, llama) = one.best_llama();
        vec![
            one.file.clone(),
            one.test.clone(),
            one.threads.to_string(),
            table::spread(llama.median(), llama.spread_percent()),
            attention.to_owned(),
            table::spread(one.puma.median(), one.puma.spread_percent()),
            table::number(one.ratio()),
        ]
    };
    let header = ["file", "test", "threads", "llama.cpp tokens/s", "its attention", "PUMA tokens/s", "ratio"];
    table::markdown(&header, &found.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> [Comparison; 2] {
        ["pp512", "tg128"].map(|test| Comparison {
            file: "m".to_owned(),
            test: test.to_owned(),
            threads: 1,
            llama: <[Values; 2]>::default(),
            puma: Values::default(),
        })
    }

    #[test]
    fn the_better_attention_of_llama_counts() {
        let mut pair = pair();
        let row = |gen_tokens: u32, flash: u32, speed: f64| json!({ "n_gen": gen_tokens, "flash_attn": flash, "avg_ts": speed });
        let printed = json!([row(0, 0, 100.0), row(0, 1, 120.0), row(128, 0, 50.0), row(128, 1, 40.0)]);
        of_llama(&printed, &mut pair).expect("it is known");
        let puma = json!({ "rows": [{ "test": "pp512", "median": 300.0 }, { "test": "tg128", "median": 75.0 }] });
        of_puma(&puma, &mut pair).expect("it is known");
        assert_eq!(pair.each_ref().map(Comparison::ratio), [Some(2.5), Some(1.5)]);
        assert_eq!(pair.each_ref().map(|one| one.best_llama().0), ["flash", "plain"]);
    }

    #[test]
    fn output_that_is_not_understood_is_an_error() {
        assert!(of_llama(&json!([{ "n_gen": 0 }]), &mut pair()).is_err());
        assert!(of_llama(&json!({}), &mut pair()).is_err());
        assert!(of_puma(&json!({ "rows": [] }), &mut pair()).is_err());
    }
}
