//! All parts, and the page they make.

use super::options::{Options, Part};
use super::process::{self, timed_json};
use super::programs::Programs;
use super::{files, first_token, speed, triage};
use crate::workspace;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compares both engines and prints the tables.
///
/// # Errors
/// A program or a file cannot be made, or one of the programs fails.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let programs = Programs::provide(options)?;
    let files = files::provide(options, &programs)?;
    let data = fresh_folder()?;
    let mut text = String::new();
    let mut measured = Map::new();
    measured.insert("load_before".to_owned(), json!(process::load()));
    measured.insert("versions".to_owned(), versions(&programs, &files[0].path)?);
    for part in &options.parts {
        match part {
            Part::Speed => {
                let found = speed::measure(options, &programs, &files, &data)?;
                keep(&mut measured, "speed", found.iter().map(speed::Comparison::json));
                text += &format!("\n{}", speed::text(&found));
            }
            Part::FirstToken => {
                let found = first_token::measure(options, &programs, &files, &data)?;
                keep(&mut measured, "first_token", found.iter().map(first_token::Comparison::json));
                text += &format!("\n{}", first_token::text(&found));
            }
            Part::Triage => {
                let Some(issues) = issues(options)? else {
                    eprintln!("the triage run is left out: `--data FILE` or PUMA_TEST_DATA names no {ISSUES}");
                    continue;
                };
                let found = triage::measure(options, &programs, &files[0], &issues, &data)?;
                keep(&mut measured, "triage", found.iter().map(triage::Comparison::json));
                text += &format!("\n{}", triage::text(&found));
            }
        }
    }
    measured.insert("load_after".to_owned(), json!(process::load()));
    print!("{}{text}", facts(options, &measured));
    let Some(file) = &options.json else { return Ok(()) };
    let json = format!("{:#}\n", Value::Object(measured));
    std::fs::write(file, json).map_err(|error| format!("{} cannot be written: {error}", file.display()))
}

fn keep(measured: &mut Map<String, Value>, part: &str, rows: impl Iterator<Item = Value>) {
    measured.insert(part.to_owned(), Value::Array(rows.collect()));
}

/// What was compared, and on what.
fn versions(programs: &Programs, model: &Path) -> Result<Value, String> {
    let mut bench = Command::new(programs.required("llama-bench")?);
    let (llama, _) = timed_json(bench.arg("-m").arg(model).args(["-p", "1", "-n", "0", "-r", "1", "-o", "json"]))?;
    let (puma, _) = process::timed(Command::new(&programs.puma).arg("--version"))?;
    Ok(json!({
        "llama_cpp": llama[0]["build_commit"],
        "puma": puma.trim(),
        "processor": llama[0]["cpu_info"],
    }))
}

/// The lines above the tables: what ran, how often, and how busy the machine was with other things.
fn facts(options: &Options, measured: &Map<String, Value>) -> String {
    let said = |key: &str| measured["versions"][key].as_str().unwrap_or("unknown").to_owned();
    let load = |key: &str| measured[key].as_f64().map_or_else(|| "unknown".to_owned(), |load| format!("{load:.1}"));
    format!(
        "{}; {} and llama.cpp {}; medians of {} runs in turn, ± median distance from the median; load of the machine {} \
         before and {} after (the programs themselves included).\n",
        said("processor"),
        said("puma"),
        said("llama_cpp"),
        options.repetitions,
        load("load_before"),
        load("load_after"),
    )
}

const ISSUES: &str = "jira_balanced_200.csv";

/// The issues of the triage run.
fn issues(options: &Options) -> Result<Option<PathBuf>, String> {
    let folder = || std::env::var_os("PUMA_TEST_DATA").map(|folder| PathBuf::from(folder).join(ISSUES));
    match options.data.clone().or_else(folder) {
        Some(file) if file.exists() => Ok(Some(file)),
        Some(file) if options.data.is_some() => Err(format!("there is no {}", file.display())),
        _ => Ok(None),
    }
}

/// An empty data folder for the runs; Cargo's target folder is cleaned with everything else.
fn fresh_folder() -> Result<PathBuf, String> {
    let folder = workspace::target_directory()?.join("bench-vs-llama");
    let failed = |error: std::io::Error| format!("{} cannot be made anew: {error}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(failed)?;
    }
    std::fs::create_dir_all(&folder).map_err(failed)?;
    Ok(folder)
}
