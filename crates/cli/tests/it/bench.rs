//! `puma bench engine`: its figures are consistent with each other, and with what was asked.

use crate::support::Home;
use serde_json::Value;

fn rows(report: &Value) -> Vec<&Value> {
    report["rows"].as_array().expect("rows are a list").iter().collect()
}

#[test]
fn every_test_is_measured_with_every_instruction_set_and_number_of_threads() {
    let home = Home::new();
    let lists = ["--threads", "1,2", "--simd", "all", "--prompt", "8,16", "--generate", "4", "--triage", "3"];
    let report =
        home.puma(&[&["bench", "engine", &home.model(), "--repetitions", "2", "--json"], &lists[..]].concat()).json();
    let levels = puma_kernels::Level::available();
    assert_eq!(rows(&report).len(), levels.len() * 2 * 6);
    for row in rows(&report) {
        let (min, median, max) = (&row["min"], &row["median"], &row["max"]);
        assert!(
            min.as_f64() > Some(0.0) && min.as_f64() <= median.as_f64() && median.as_f64() <= max.as_f64(),
            "{row}"
        );
        assert_eq!(row["n"], 2);
        assert!(row["int8_percent"].is_null(), "nothing was said of ceilings: {row}");
        if row["test"] == "pp16" {
            let tokens_per_s = median.as_f64().expect("a number");
            let cost = |key: &str| report["cost"][key].as_f64().expect("a number");
            let operations = cost("layer_operations") + cost("output_operations") / 16.0;
            let gop_per_s = row["gop_per_s"].as_f64().expect("a prompt has operations");
            assert!((gop_per_s / (tokens_per_s * operations / 1e9) - 1.0).abs() < 1e-9, "{row}");
        }
        if row["test"] == "triage" {
            let count = |key: &str| row["triage"][key].as_u64().expect("a count");
            assert_eq!(count("issues"), 3);
            assert!(count("unique_prompt_tokens") < count("prompt_tokens"), "prompts share their beginning: {row}");
            assert!((3..=72).contains(&count("generated_tokens")), "{row}");
        }
    }
}

#[test]
fn tests_that_are_not_wanted_are_left_out() {
    let home = Home::new();
    let none = ["--prompt", "0", "--generate", "0", "--triage", "0", "--repetitions", "1", "--json"];
    let report = home.puma(&[&["bench", "engine", &home.model()], &none[..]].concat()).json();
    let tests: Vec<&Value> = rows(&report).into_iter().map(|row| &row["test"]).collect();
    assert_eq!(tests, ["load", "first token"]);
}

#[test]
fn a_ceiling_is_above_what_is_reached() {
    let home = Home::new();
    let model = home.model();
    let args = "--roofline --prompt 64 --generate 4 --triage 0 --repetitions 1 --threads 1".split(' ');
    let args: Vec<&str> = ["bench", "engine", &model].into_iter().chain(args).collect();
    let report = home.puma(&[&args[..], &["--json"]].concat()).json();
    for row in rows(&report).into_iter().filter(|row| row["test"] == "pp64") {
        let percent = row["int8_percent"].as_f64().expect("the ceiling was measured");
        assert!(percent > 0.0 && percent < 100.0, "{row}");
    }
    let text = home.puma(&args);
    assert!(text.stdout.contains("ceilings of") && text.stdout.contains("of int8"), "{}{}", text.stdout, text.stderr);
}

#[test]
fn what_cannot_be_measured_is_said() {
    let home = Home::new();
    let model = home.model();
    let bench = |more: &[&str]| home.puma(&[&["bench", "engine", &model, "--repetitions", "1"], more].concat());
    bench(&["--simd", "mmx"]).fails(2, &["mmx", "scalar"]);
    bench(&["--prompt", "9000", "--generate", "0", "--triage", "0"]).fails(1, &["8192"]);
    home.puma(&["bench", "engine", &model, "--first-token", "--triage", "3"]).fails(2, &["--first-token"]);
    home.puma(&["bench", "engine", "nothing.gguf"]).fails(1, &["nothing.gguf"]);
}
