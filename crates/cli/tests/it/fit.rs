//! `puma fit` and `puma models recommended`: on this machine, on recorded ones, and after own runs.

use crate::support::{Ended, Home};
use puma_core::measure::HealthReport;
use puma_core::{RunId, Timestamp};
use puma_host::speed::{Engine, Observation, Phase};
use puma_store::{SpeedRow, Store};
use puma_testkit::gguf::{GgufWriter, MetadataValue};
use puma_testkit::machines;
use serde_json::Value;

fn on(home: &Home, machine: &str, args: &[&str]) -> Ended {
    let path = machines::path(machine).display().to_string();
    let mut all = vec!["--host", &path];
    all.extend(args);
    home.puma(&all)
}

fn rows(report: &Value) -> &Vec<Value> {
    report["models"].as_array().expect("a list of models")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text under {key} in {value}"))
}

#[test]
fn every_catalogue_model_is_judged_and_the_best_verdict_comes_first() {
    let home = Home::new();
    let report = on(&home, "gpu-rtx2060-mobile-6gb", &["fit", "--json"]).json();
    let order = ["FITS", "TIGHT", "PARTIAL_OFFLOAD", "WILL_PAGE", "WILL_NOT_FIT"];
    let places: Vec<usize> = rows(&report)
        .iter()
        .map(|row| order.iter().position(|verdict| *verdict == text(row, "verdict")).expect("a known verdict"))
        .collect();
    assert!(places.len() >= 20 && places.is_sorted(), "{places:?}");
    assert!(places.contains(&0) && places.contains(&2));
    let of = |name: &str| {
        rows(&report).iter().find(|row| row["model"] == name).unwrap_or_else(|| panic!("{name} is missing"))
    };
    assert_eq!((text(of("qwen2.5:3b"), "verdict"), text(of("qwen2.5:3b"), "engine")), ("FITS", "ollama"));
    assert_eq!(text(of("qwen2.5:7b"), "verdict"), "TIGHT");
    assert_eq!(text(of("gemma3:27b"), "verdict"), "PARTIAL_OFFLOAD");
    assert!(
        of("qwen2.5:3b")["speed"]["decode"]["predicted"]["tokens_per_s"].as_f64().is_some_and(|speed| speed > 50.0)
    );
}

#[test]
fn a_named_model_that_will_not_fit_ends_with_its_own_code_and_still_reports() {
    let home = Home::new();
    let ended = on(&home, "mac-m1-8gb", &["fit", "gemma3:27b", "--json"]);
    let report: Value = serde_json::from_str(&ended.stdout).expect("the report is printed");
    assert_eq!(text(&rows(&report)[0], "verdict"), "WILL_NOT_FIT");
    assert!(rows(&report)[0]["speed"].is_null(), "what does not run has no speed");
    ended.fails(4, &["gemma3:27b", "8192 tokens", "5.33 GiB", "hint:"]);
    on(&home, "mac-m1-8gb", &["fit", "gemma3:27b", "qwen2.5:1.5b"]).fails(4, &["gemma3:27b"]);
    assert_eq!(on(&home, "mac-m1-8gb", &["fit", "qwen2.5:1.5b"]).code, Some(0));
    home.puma(&["fit", "no-such-model:1b"]).fails(1, &["no-such-model"]);
    home.puma(&["fit", "--profile", "m1-ultra"]).fails(2, &["m1-ultra", "apple-silicon-m3"]);
    home.puma(&["fit", "--backend", "openai"]).fails(2, &["llama-server"]);
}

#[test]
fn a_context_beyond_what_a_model_was_trained_for_is_said() {
    let home = Home::new();
    let ended = on(&home, "mac-m2-24gb", &["fit", "--context", "16384", "smollm2:135m", "qwen2.5:7b"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("trained for: smollm2:135m (8192)\n"), "{}", ended.stderr);
    assert!(!on(&home, "mac-m2-24gb", &["fit", "smollm2:135m"]).stderr.contains("trained for"));
}

#[test]
fn what_is_the_same_in_every_row_is_said_once() {
    let home = Home::new();
    let one_machine = on(&home, "mac-m1-8gb", &["fit"]).stdout;
    let beneath = one_machine.lines().last().expect("a line");
    assert_eq!(beneath, "in every row: engine ollama, here no, context 8192, has 5.33 GiB");
    assert!(!one_machine.lines().next().expect("a header").contains("has"));
    let contexts = on(&home, "mac-m1-8gb", &["fit", "qwen2.5:3b", "--context", "2048", "--context", "4096"]).stdout;
    assert!(contexts.lines().next().expect("a header").contains("context"), "{contexts}");
}

#[test]
fn longer_contexts_and_wider_caches_need_more_and_the_largest_context_is_said() {
    let home = Home::new();
    let needs = |kind: &str| -> Vec<u64> {
        let args = ["fit", "llama3.1:8b", "--context", "2048,8192,32768", "--kv-type", kind, "--json"];
        let report = on(&home, "mac-m2-24gb", &args).json();
        rows(&report).iter().map(|row| row["needs"]["kv_bytes"].as_u64().expect("a size")).collect()
    };
    assert_eq!(needs("f16"), [1 << 28, 1 << 30, 1 << 32]);
    assert_eq!(needs("f32"), [1 << 29, 1 << 31, 1 << 33]);
    let report = on(&home, "mac-m2-24gb", &["fit", "llama3.1:8b", "--sequences", "2", "--json"]).json();
    let row = &rows(&report)[0];
    assert_eq!(row["needs"]["kv_bytes"], 1_u64 << 31);
    let largest = row["largest_context"]["tokens"].as_u64().expect("it fits");
    assert!(largest.is_multiple_of(256) && largest >= 8192, "{largest}");
    let at = |tokens: u64| {
        let tokens = tokens.to_string();
        let args = ["fit", "llama3.1:8b", "--sequences", "2", "--context", &tokens, "--json"];
        let report = on(&home, "mac-m2-24gb", &args).json();
        text(&rows(&report)[0], "verdict").to_owned()
    };
    assert_eq!((at(largest).as_str(), at(largest + 256).as_str()), ("FITS", "TIGHT"));
}

#[test]
fn a_file_the_engine_cannot_run_is_judged_by_its_header() {
    let home = Home::new();
    let mut writer = GgufWriter::new(3);
    writer.metadata("general.architecture", "gemma-embedding");
    for (key, value) in [
        ("block_count", 6),
        ("embedding_length", 256),
        ("feed_forward_length", 512),
        ("attention.head_count", 2),
        ("attention.head_count_kv", 1),
        ("attention.key_length", 128),
        ("attention.value_length", 128),
        ("attention.sliding_window", 512),
        ("context_length", 32_768),
    ] {
        writer.metadata(&format!("gemma-embedding.{key}"), MetadataValue::U32(value));
    }
    // IQ3_XXS, which the embedded engine does not compute with: 98 bytes for 256 numbers.
    writer.raw_tensor("token_embd.weight", &[256, 64], 18, vec![0; 64 * 98]);
    for layer in 0..6 {
        writer.raw_tensor(&format!("blk.{layer}.attn_k.weight"), &[256, 128], 18, vec![0; 128 * 98]);
    }
    let path = home.write("gemma.gguf", writer.finish());
    let report = home.puma(&["fit", &path, "--json"]).json();
    let row = &rows(&report)[0];
    assert_eq!((text(row, "source"), text(row, "quality")), ("tensor_table", "measured"));
    assert_eq!(row["weights_bytes"], (64 + 6 * 128) * 98);
    // Not the embedded engine's, so a server would answer, which keeps windows: one full layer of six.
    assert_eq!((text(row, "engine"), &row["runs_embedded"]), ("ollama", &Value::Bool(false)));
    assert_eq!(row["needs"]["kv_bytes"], (8192 + 5 * (512 + 512)) * 2 * 128 * 2);
    let broken = home.write("broken.gguf", b"GGUF, but no more");
    let ended = home.puma(&["fit", &broken, "--json"]).fails(1, &["broken.gguf"]);
    let report: Value = serde_json::from_str(&ended.stdout).expect("the report is printed");
    assert!(text(&rows(&report)[0], "problem").contains("broken.gguf"));
}

#[test]
fn a_run_adds_its_speed_to_the_ledger_unless_it_was_disturbed() {
    let home = Home::new();
    let model = home.model();
    let run = ["run", "--scenario", "triage", "--model", &model, "--instances", "8", "--max-tokens", "24", "--json"];
    let report = home.puma(&run).json();
    let store = Store::open(home.path("data/puma.db")).expect("the run made it");
    let sessions = store.sessions(&RunId::new(text(&report, "run_id"))).expect("it can be read");
    let disturbed = sessions.iter().filter_map(|session| session.health.as_ref()).any(HealthReport::is_void);
    let report = home.puma(&["fit", &model, "--json"]).json();
    let prefill = &rows(&report)[0]["speed"]["prefill"];
    let runs: u64 = u64::from(!disturbed);
    assert_eq!(prefill["measured"][0]["runs"].as_u64().unwrap_or(0), runs, "{prefill}");
    assert_eq!(prefill["correction"]["runs"].as_u64().unwrap_or(0), runs, "{prefill}");
}

#[test]
fn own_runs_stand_beside_the_prediction_and_correct_it_for_their_machine_only() {
    let home = Home::new();
    let run_id = RunId::new(text(&home.run_json(&["--instances", "1"]), "run_id"));
    let fit = |machine: &str| on(&home, machine, &["fit", "qwen2.5:3b", "--json"]).json();
    let before = fit("mac-m2-24gb");
    let predicted = rows(&before)[0]["speed"]["decode"]["predicted"]["tokens_per_s"].as_f64().expect("a known chip");
    let observation = Observation {
        engine: Engine::Metal2026,
        model: "sha256:00".to_owned(),
        phase: Phase::Decode,
        at: Timestamp(0),
        predicted_tokens_per_s: Some(predicted),
        measured_tokens_per_s: predicted / 2.0,
        work_per_token: 2e9,
        layers: 36,
        bandwidth_gb_s: Some(100.0),
        plain: true,
    };
    let row = SpeedRow {
        run_id: run_id.clone(),
        model: "qwen2.5:3b".to_owned(),
        phase: "decode".to_owned(),
        machine_key: text(&before["machine"], "key").to_owned(),
        backend: "ollama".to_owned(),
        digest: None,
        sequences: 1,
        tokens: 500,
        predicted_tokens_per_s: Some(predicted),
        predicted_low: None,
        predicted_high: None,
        measured_tokens_per_s: predicted / 2.0,
        measured_at: Timestamp(0),
        observation: serde_json::to_value(observation).expect("an observation is JSON"),
    };
    let store = Store::open(home.path("data/puma.db")).expect("the run made it");
    store.save_speeds(&run_id, &[row]).expect("the run is there");
    let after = fit("mac-m2-24gb");
    let decode = &rows(&after)[0]["speed"]["decode"];
    assert_eq!(decode["predicted"]["tokens_per_s"].as_f64(), Some(predicted), "the prediction itself stays");
    assert_eq!(decode["measured"][0]["tokens_per_s"].as_f64(), Some(predicted / 2.0));
    let corrected = decode["corrected"]["tokens_per_s"].as_f64().expect("corrected");
    assert!(predicted / 2.0 < corrected && corrected < predicted, "one run moves it, but not all the way: {decode}");
    assert!(rows(&fit("mac-m1-8gb"))[0]["speed"]["decode"]["correction"].is_null());
    let shown = on(&home, "mac-m2-24gb", &["fit", "qwen2.5:3b"]).stdout;
    assert!(shown.contains("1 own run of 1 model") && shown.contains("measured in 1 run, 500 tokens"), "{shown}");
}

#[test]
fn recommendations_fit_and_say_what_they_are_based_on() {
    let home = Home::new();
    let names = |machine: &str| -> Vec<String> {
        let report = on(&home, machine, &["models", "recommended", "--json"]).json();
        assert!(rows(&report).iter().all(|row| row["basis"] == "prior" && row["verdict"] != "WILL_PAGE"));
        rows(&report).iter().map(|row| text(row, "tag").to_owned()).collect()
    };
    let (small, large) = (names("mac-m1-8gb"), names("mac-m2-ultra-192gb"));
    assert!(small.iter().all(|tag| large.contains(tag)), "more memory never takes a model away");
    assert!(small.contains(&"qwen2.5:3b".to_owned()) && !small.contains(&"gemma3:27b".to_owned()));
    assert!(large.contains(&"gemma3:27b".to_owned()));
    let pod = on(&home, "kubernetes-pod-4gb", &["models", "recommended", "--json"]).json();
    assert_eq!(pod["engine"], "embedded");
    assert!(rows(&pod).iter().all(|row| !text(row, "tag").starts_with("gemma4")), "the engine does not run gemma4");
}

#[test]
fn a_model_with_own_runs_is_ranked_by_what_it_did() {
    let home = Home::new();
    // The tiny model where PUMA would have put the catalogue's.
    let own = home.path("data/models/smollm2/135m");
    std::fs::create_dir_all(&own).expect("the folder can be made");
    std::fs::copy(home.path("tiny.gguf"), own.join("hugging-face.gguf")).expect("the model can be copied");
    let run =
        ["run", "--scenario", "triage", "--model", "smollm2:135m", "--instances", "6", "--max-tokens", "4", "--json"];
    home.puma(&run).json();
    let report = home.puma(&["models", "recommended", "--backend", "embedded", "--json"]).json();
    let first = &rows(&report)[0];
    assert_eq!((text(first, "tag"), text(first, "basis")), ("smollm2:135m", "measured"));
    let quality = &first["quality"][0];
    assert_eq!((text(quality, "scenario"), text(quality, "metric")), ("triage_jira", "f1_macro"));
    assert_eq!(quality["n"], 6);
    assert!(quality["ci_low"].is_number() && quality["ci_high"].is_number());
    assert!(rows(&report)[1..].iter().all(|row| row["basis"] == "prior"));
    // On another machine those runs say nothing.
    let elsewhere = on(&home, "mac-m2-24gb", &["models", "recommended", "--backend", "embedded", "--json"]).json();
    assert!(rows(&elsewhere).iter().all(|row| row["basis"] == "prior"));
}
