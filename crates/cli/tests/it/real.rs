//! The main job on real input: SmolLM2-135M on upstream's triage set and on a Deep-SE project.

use crate::support::{Home, real_data};
use puma_testkit::real_model::smollm2;
use serde_json::Value;

/// The fields that must not move.
fn fingerprint(report: &Value) -> [Value; 4] {
    assert_eq!(report["status"], "done", "{report}");
    ["predictions_summary_hash", "logprobs_digest", "outcomes", "jobs"].map(|key| report[key].clone())
}

#[test]
fn a_real_model_gives_the_same_answers_to_real_issues_in_any_order_and_with_any_threads() {
    let (Some(model), Some(data)) = (smollm2("real triage"), real_data("jira_balanced_200.csv")) else { return };
    let home = Home::new();
    let run = |more: &[&str]| {
        let (model, data) = (model.display().to_string(), data.display().to_string());
        let args = ["run", "--scenario", "triage_jira", "--model", &model, "--data", &data, "--instances", "24"];
        let fixed = ["--strategy", "contextual-anchoring", "--no-cache", "--json"];
        home.puma(&[&args[..], &fixed, more].concat()).json()
    };
    let first = run(&["--threads", "2"]);
    assert_eq!(first["model"]["architecture"], "llama");
    assert!(first["model"]["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
    let answered = first["outcomes"]["answered"].as_u64().expect("a count");
    assert!(answered >= 12, "the model answered only {answered} of 24");
    let expected = fingerprint(&first);
    assert_eq!(fingerprint(&run(&["--threads", "1", "--shuffle", "5"])), expected);
    assert_eq!(fingerprint(&run(&["--simd", "scalar", "--batch", "1"])), expected);
}

#[test]
fn estimation_judges_the_test_split_under_stable_ids_beside_median_and_mean() {
    let (Some(model), Some(data)) = (smollm2("real estimation"), real_data("deepse/mesos.csv")) else { return };
    let home = Home::new();
    let (model, data) = (model.display().to_string(), data.display().to_string());
    let args = ["run", "--scenario", "estimation_tawos", "--model", &model, "--data", &data, "--instances", "12"];
    let report = home.puma(&[&args[..], &["--strategy", "few-shot-3", "--json"]].concat()).json();
    assert_eq!(report["dataset"]["examples"], "train-split");
    let metric = report["metrics"].as_array().and_then(|all| all.iter().find(|metric| metric["name"] == "mae"));
    let mae = metric.expect("the model estimates something");
    assert!(mae["ci_low"].as_f64() <= mae["value"].as_f64() && mae["value"].as_f64() <= mae["ci_high"].as_f64());
    for name in ["median", "mean"] {
        let baseline = report["baselines"]
            .as_array()
            .and_then(|all| all.iter().find(|baseline| baseline["name"] == name && baseline["metric"] == "mae"));
        assert!(
            baseline.is_some_and(|b| b["basis"].as_str().is_some_and(|text| text.starts_with("train pool"))),
            "{name}"
        );
    }
    let lines = home.puma(&["show", "--predictions"]).stdout;
    assert!(lines.lines().all(|line| line.contains("\"instance_id\":\"MESOS-")), "{lines}");
}
