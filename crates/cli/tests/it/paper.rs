//! `puma report`: what a paper says of a run, from its record alone.

use crate::support::{Ended, Home};
use puma_core::measure::{Channel, ChannelEnergy, EnergyReport, GridIntensity, SessionMeasurement, TrackingMode};
use puma_core::{
    Completion, FinishReason, InstanceId, InstanceRow, JobId, JobRecord, Millis, Origin, Outcome, Phases, Quality,
    RecordedRun, RunStatus, Timestamp, Usage,
};
use puma_store::bundle;
use serde_json::{Value, json};

/// 2026-05-31T09:14:17.225Z
const START: Timestamp = Timestamp(1_780_218_857_225);
const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

/// A run of a model and on data whose names mean something to every markup. Nothing in it varies.
pub(crate) fn fixed() -> RecordedRun {
    let spec = json!({
        "id": "paper", "description": "", "scenario": "triage_jira", "sample_size": 16, "models": ["=m_1&50%|x"],
        "adaptation": {"strategy": ["zero-shot"], "cot": [false]},
        "inference": {"temperature": 0.0, "seed": 42, "max_tokens": 8, "logprobs": true, "top_logprobs": 5, "format": null},
        "perturbations": ["typos"], "metrics": ["f1_macro"],
        "sustainability": {"codecarbon": true, "country_iso": "ESP"},
        "repeat": 1, "profile_required": null, "parser": "final-answer", "compat": null,
    });
    let header = json!({
        "run_id": "paper__83ec5feaa8df4844__20260531T091417", "spec_hash": "83ec5feaa8df4844", "spec": spec,
        "scenario": "triage_jira",
        "models": [{
            "name": "=m_1&50%|x", "digest": format!("sha256:{}", "cd".repeat(32)), "quantization": "Q4_1",
            "architecture": "llama", "parameters": 134_515_008, "size_bytes": null, "context_length": 2048,
            "template_hash": "ab".repeat(32), "source": "models", "gpu_share": 0.0, "logprobs": true,
        }],
        "strategies": ["zero-shot"],
        "backend": {
            "kind": "embedded", "version": "0.1.0", "endpoint": null, "simd": "avx2", "threads": 2, "numerics": "N1",
        },
        "dataset": {"name": "issues_#1 {draft}", "sha256": "bf".repeat(32), "rows": 200, "source": "~/ana/issues.csv"},
        "templates": {"triage_jira/zero_shot": "ab".repeat(32)}, "profile": "cpu-lite",
        "machine": {
            "os": "linux", "os_version": "Debian GNU/Linux 12", "kernel": "6.1", "arch": "x86_64", "cpu": "Example CPU",
            "logical_cores": 2, "physical_cores": 2, "memory_bytes": 8_589_934_592_u64,
            "profile": {"id": "cpu-lite", "upstream_id": "cpu-lite", "rule": "memory"}, "mode": {"kind": "native_cpu"},
            "recorded": false,
        },
        "puma_version": "0.1.0", "started_at": START, "jobs": 32,
    });
    let records = (0..32).map(|job| record(job % 16, (job >= 16).then_some("typos"))).collect();
    RecordedRun {
        header: serde_json::from_value(header).expect("it is a header"),
        instances: (0..16).map(instance).collect(),
        records,
        status: RunStatus::Done,
        finished_at: Some(Timestamp(START.0 + 60_000)),
        resumed_count: 0,
        origin: Origin::Puma,
        sessions: vec![session()],
    }
}

fn instance(index: usize) -> InstanceRow {
    InstanceRow {
        instance_id: InstanceId::new(format!("ISSUE-{index:02}")),
        scenario: "triage_jira".to_owned(),
        source_id: index.to_string(),
        fields: json!({"title": format!("Issue {index}")}),
        gold: LABELS[index % 4].to_owned(),
        group: None,
    }
}

fn record(index: usize, perturbation: Option<&str>) -> JobRecord {
    let prompt = format!("How severe is issue {index}{}?", perturbation.unwrap_or_default());
    // Every fifth one wrong, one unread, and two more wrong with typos.
    let wrong = index % 5 == 1 || (perturbation.is_some() && index % 8 == 3);
    let answer = (index != 7).then(|| LABELS[(index + usize::from(wrong)) % 4].to_owned());
    let total_ms = 100.0 + 10.0 * index as f64;
    let start = START.0 + 1000 * index as i64;
    JobRecord {
        job_id: JobId::new(puma_core::canon::sha256_hex(prompt.as_bytes())),
        instance_id: InstanceId::new(format!("ISSUE-{index:02}")),
        model: "=m_1&50%|x".to_owned(),
        strategy: "zero-shot".to_owned(),
        perturbation: perturbation.map(str::to_owned),
        repeat: 0,
        seed: 42,
        gold: LABELS[index % 4].to_owned(),
        group: None,
        prompt_hash: puma_core::canon::short_hash(&prompt),
        prompt,
        outcome: if answer.is_some() { Outcome::Answered } else { Outcome::Unparsed },
        rule: answer.is_some().then(|| "whole-text".to_owned()),
        confidence: answer.is_some().then_some(0.5 + 0.03 * index as f64),
        label_probabilities: Default::default(),
        completions: vec![Completion {
            text: answer.clone().unwrap_or_else(|| "I cannot say.".to_owned()),
            reasoning: None,
            finish: FinishReason::Stop,
            tokens: Vec::new(),
            scores: Vec::new(),
            usage: Usage { prompt_tokens: Some(90), cached_tokens: Some(30), generated_tokens: Some(2) },
            phases: Phases {
                total_ms: Millis(total_ms),
                prompt_ms: Some(Millis(total_ms - 20.0)),
                generation_ms: Some(Millis(20.0)),
                first_token_ms: Some(Millis(total_ms - 10.0)),
                load_ms: None,
            },
            attempts: Vec::new(),
            from_cache: false,
        }],
        answer,
        error: None,
        failed_attempts: Vec::new(),
        started_at: Timestamp(start),
        finished_at: Timestamp(start + 400),
    }
}

fn session() -> SessionMeasurement {
    let counter = ChannelEnergy {
        channel: Channel::Package,
        device: "package-0".to_owned(),
        energy_j: Some(1600.0),
        source: "RAPL powercap".to_owned(),
        quality: Quality::Measured,
        counted: true,
        note: None,
    };
    SessionMeasurement {
        started_at: Timestamp(START.0 - 1000),
        measured_at: Timestamp(START.0 + 59_000),
        energy: Some(EnergyReport {
            mode: TrackingMode::Machine,
            duration_s: 60.0,
            channels: vec![counter],
            total_j: Some(1600.0),
            quality: Quality::Measured,
            relative_uncertainty: Some(0.05),
            idle_power_w: None,
            above_idle_j: None,
            phases: Vec::new(),
            intensity: Some(GridIntensity {
                country: Some("ESP".to_owned()),
                g_per_kwh: 145.9,
                year: Some(2025),
                source: "Ember".to_owned(),
                licence: None,
                chosen_by: "--country".to_owned(),
            }),
            co2e_g: Some(0.0648),
            warnings: Vec::new(),
        }),
        health: None,
    }
}

/// The run as a bundle in `home`.
pub(crate) fn bundled(home: &Home, name: &str, run: &RecordedRun) -> String {
    let hashes = bundle::Hashes {
        spec_hash: run.header.spec_hash.to_string(),
        dataset_sha256: run.header.dataset.sha256.clone(),
        templates: run.header.templates.clone(),
        prompts_digest: bundle::prompts_digest(&run.records),
        predictions_summary_hash: puma_eval::run::predictions_summary_hash(&run.records),
        logprobs_digest: puma_eval::run::logprobs_digest(&run.records),
    };
    let contents =
        bundle::Contents { run, texts: true, neutralised: Vec::new(), hashes, puma_version: "0.1.0".to_owned() };
    let mut bytes = Vec::new();
    bundle::write(contents, &mut bytes).expect("it can be written");
    home.write(&format!("{name}.puma-bundle"), bytes)
}

fn reported(run: &RecordedRun, format: &str) -> String {
    let home = Home::new();
    said(home.puma(&["report", &bundled(&home, "run", run), "--format", format]))
}

fn said(ended: Ended) -> String {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    ended.stdout
}

#[test]
fn a_fixed_run_is_told_the_same_in_every_markup() {
    let run = fixed();
    insta::assert_snapshot!("paper_markdown", reported(&run, "md"));
    insta::assert_snapshot!("paper_latex", reported(&run, "latex"));
    insta::assert_snapshot!("paper_text", reported(&run, "text"));
    insta::assert_snapshot!("paper_csv", reported(&run, "csv").replace('\r', "\\r"));
}

/// The rows of the CSV by its columns' names.
fn rows(text: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().expect("there is a head").clone();
    let named = |record: csv::StringRecord| {
        head.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect::<Vec<_>>()
    };
    reader.records().map(|record| named(record.expect("a row can be read"))).collect()
}

fn cell<'a>(row: &'a [(String, String)], name: &str) -> &'a str {
    &row.iter().find(|(head, _)| head == name).expect("the column is there").1
}

#[test]
fn the_numbers_of_a_paper_are_those_that_show_prints() {
    let home = Home::new();
    let file = bundled(&home, "run", &fixed());
    let shown = home.puma(&["show", &file, "--json"]).json();
    let metrics = shown["metrics"].as_array().expect("a list").clone();
    let rows = rows(&said(home.puma(&["report", &file, "--format", "csv"])));
    let mut checked = 0;
    for (quantity, name) in
        [("F1 macro", "f1_macro"), ("Accuracy", "accuracy"), ("Unread", "parse_failure_rate"), ("ECE", "ece")]
    {
        for row in rows.iter().filter(|row| cell(row, "quantity") == quantity && !cell(row, "model").is_empty()) {
            let condition = Some(cell(row, "condition")).filter(|name| *name != "none");
            let same = |metric: &&Value| metric["name"] == name && metric["perturbation"].as_str() == condition;
            let metric = metrics.iter().find(same).expect("show has it");
            for (column, key) in [("value", "value"), ("ci_low", "ci_low"), ("ci_high", "ci_high")] {
                let text = cell(row, column);
                let decimals = text.split_once('.').map_or(0, |(_, digits)| digits.len());
                let exact = metric[key].as_f64().expect("it has a value and an interval");
                assert_eq!(text, format!("{exact:.decimals$}"), "{quantity} {column}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 12, "only {checked} numbers were compared");
}

#[test]
fn no_cell_of_a_spreadsheet_is_a_formula_and_every_number_is_one() {
    let text = reported(&fixed(), "csv");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "lines end as RFC 4180 says");
    let rows = rows(&text);
    assert!(rows.len() > 40, "only {} rows", rows.len());
    for row in &rows {
        for name in ["table", "run", "model", "strategy", "condition", "quantity", "unit", "text"] {
            assert!(!cell(row, name).starts_with(['=', '+', '-', '@']), "{row:?}");
        }
        for name in ["value", "ci_low", "ci_high", "n"] {
            let number = cell(row, name);
            assert!(number.is_empty() || number.parse::<f64>().is_ok(), "{row:?}");
        }
    }
    assert!(rows.iter().any(|row| cell(row, "model") == "'=m_1&50%|x"));
}

#[test]
fn latex_is_balanced_and_every_row_has_its_cells() {
    let mut run = fixed();
    run.header.models[0].name = r"\input{a}%_#&$^~<>[x]".to_owned();
    for record in &mut run.records {
        record.model.clone_from(&run.header.models[0].name);
    }
    let text = reported(&run, "latex");
    assert!(!text.contains(r"\input"), "{text}");
    let mut depth = 0_i32;
    let mut escaped = false;
    for c in text.lines().filter(|line| !line.starts_with('%')).flat_map(str::chars) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            '_' | '#' | '%' | '~' | '^' => panic!("an unescaped {c}"),
            _ => {}
        }
        assert!(depth >= 0);
    }
    assert_eq!(depth, 0);
    for table in text.split("\\begin{tabular}").skip(1) {
        let body = table.split("\\end{tabular}").next().expect("it ends");
        let cells = |line: &str| {
            let plain = line.replace("\\&", "");
            plain.matches('&').count() + 1 + plain.matches("\\multicolumn{2}").count()
        };
        let lines: Vec<&str> = body.lines().filter(|line| line.ends_with("\\\\")).collect();
        assert!(lines.len() > 1);
        assert!(lines.windows(2).all(|pair| cells(pair[0]) == cells(pair[1])), "{body}");
    }
    assert_eq!(text.matches("\\caption{").count(), text.matches("\\label{tab:puma-").count());
}

#[test]
fn what_the_record_does_not_know_is_said_to_be_unknown() {
    let mut run = fixed();
    let header = &mut run.header;
    header.spec = json!({});
    header.models = vec![puma_core::ModelIdentity { name: "m".to_owned(), ..Default::default() }];
    header.backend = puma_core::BackendIdentity { kind: "ollama".to_owned(), ..Default::default() };
    header.dataset.source = "upstream".to_owned();
    header.dataset.sha256 = String::new();
    header.templates.clear();
    header.machine = Value::Null;
    header.puma_version = String::new();
    run.records.iter_mut().for_each(|record| record.model = "m".to_owned());
    run.origin = Origin::Upstream;
    run.finished_at = None;
    run.sessions.clear();
    let text = reported(&run, "text");
    for sentence in [
        "Model m: digest not recorded; quantisation not recorded",
        "They ran on ollama (version not recorded), which promises no equal bits",
        "how they were drawn is not recorded",
        "SHA-256 not recorded",
        "The prompt templates are not recorded.",
        "Whether decoding was greedy is not recorded (temperature not recorded; seed not recorded",
        "The first label or number in a text counted.",
        "Nothing is recorded about the machine.",
        "Energy was not measured.",
        "was made with upstream PUMA (version not recorded)",
        "its end is not recorded",
        "digest of all token probabilities not recorded",
    ] {
        assert!(text.contains(sentence), "nothing says {sentence:?} in {text}");
    }
}

#[test]
fn a_spec_of_upstream_is_told_as_far_as_it_goes() {
    let mut run = fixed();
    run.header.spec = json!({
        "id": "old", "scenario": "triage_jira", "sample_size": 200, "perturbations": [],
        "inference": {"temperature": 0.7, "seed": 7, "max_tokens": 64, "logprobs": true, "top_logprobs": 0},
    });
    run.origin = Origin::Upstream;
    let text = reported(&run, "text");
    for sentence in [
        "16 instances were drawn (200 asked for) with the seed 7",
        "Answers were sampled (temperature 0.7; seed 7; most tokens an answer 64).",
        "The probability of each generated token was kept.",
        "The first label or number in a text counted.",
    ] {
        assert!(text.contains(sentence), "nothing says {sentence:?} in {text}");
    }
}

#[test]
fn a_run_that_is_not_finished_says_so() {
    let mut run = fixed();
    run.records.truncate(20);
    run.status = RunStatus::Interrupted;
    let text = reported(&run, "text");
    assert!(text.contains("12 jobs were not run"), "{text}");
    assert!(text.contains("Run A is not comparable"), "{text}");
    run.records.clear();
    let text = reported(&run, "md");
    assert!(text.contains("32 jobs were not run") && !text.contains("Quality of answers"), "{text}");
}

#[test]
fn two_runs_are_told_apart_by_letters_and_compared() {
    let home = Home::new();
    let first = bundled(&home, "first", &fixed());
    let mut other = fixed();
    other.header.run_id = puma_core::RunId::new("paper__83ec5feaa8df4844__20260531T100000");
    for record in other.records.iter_mut().filter(|record| record.instance_id.as_str() < "ISSUE-08") {
        record.answer = Some("Trivial".to_owned());
        record.outcome = Outcome::Answered;
    }
    let second = bundled(&home, "second", &other);
    let text = said(home.puma(&["report", &first, &second, "--format", "text"]));
    for sentence in
        ["Run A: ", "Run B: ", "Differences between runs", "against B (", "mcnemar exact", "16 pairs of 16 instances."]
    {
        assert!(text.contains(sentence), "nothing says {sentence:?} in {text}");
    }
    assert_eq!(text.matches("Decoding was greedy").count(), 1, "what both share is said once");
    let mut estimation = fixed();
    estimation.header.scenario = "estimation_tawos".to_owned();
    estimation.records.clear();
    estimation.status = RunStatus::Interrupted;
    let third = bundled(&home, "third", &estimation);
    home.puma(&["report", &first, &third]).fails(2, &["different scenarios", "hint:"]);
}

#[test]
fn no_folder_of_the_owner_stands_in_a_paper() {
    let home = Home::new();
    home.run_json(&["--instances", "3"]);
    let own = home.dir.path().display().to_string();
    for format in ["md", "latex", "csv", "text"] {
        let text = said(home.puma(&["report", "latest", "--format", format]));
        assert!(text.contains("tiny.gguf") && !text.contains(&own), "{text}");
    }
    let file = home.path("paper.tex").display().to_string();
    assert_eq!(said(home.puma(&["report", "latest", "--format", "latex", "--output", &file])), "");
    let written = std::fs::read_to_string(&file).expect("it was written");
    assert!(written.starts_with("% Needs") && written.ends_with("\\end{table}\n"));
    home.puma(&["report", "latest", "--format", "pdf"]).fails(2, &["md, latex, csv, text"]);
    home.puma(&["report", "nowhere"]).fails(1, &["no run is called"]);
}
