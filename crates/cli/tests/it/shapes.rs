//! The documented JSON shapes: which keys there are and of which kind, with values that move left out.

use crate::support::Home;
use serde_json::{Map, Value};

/// A value with every leaf replaced by its kind, arrays reduced to their first element.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), shape(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().take(1).map(shape).collect()),
        Value::Null => Value::Null,
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "text".into(),
    }
}

#[test]
fn run_has_its_documented_shape() {
    let mut report = Home::new().run_json(&["--instances", "4"]);
    report["groups"].take();
    report["models"].take();
    report["dataset"].take();
    // These say what the machine told at that moment; `documented` holds them to their page.
    report["energy"].take();
    report["health"].take();
    insta::assert_json_snapshot!(shape(&report));
}

#[test]
fn validate_baseline_has_its_documented_shape() {
    let home = Home::new();
    home.run_json(&["--instances", "4"]);
    let args = ["validate-baseline", "--run", "latest", "--expected-f1", "0", "--tolerance", "1", "--json"];
    insta::assert_json_snapshot!(shape(&home.puma(&args).json()));
}

#[test]
fn engine_digest_has_its_documented_shape() {
    let home = Home::new();
    let model = home.model();
    insta::assert_json_snapshot!(shape(&home.puma(&["engine", "digest", &model, "--json"]).json()));
}

#[test]
fn list_runs_has_its_documented_shape() {
    let home = Home::new();
    home.run_json(&["--instances", "2"]);
    insta::assert_json_snapshot!(shape(&home.puma(&["list-runs", "--json"]).json()));
}
