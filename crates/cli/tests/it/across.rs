//! Robustness, fairness and stability as a user meets them.

use crate::support::Home;
use serde_json::Value;

const FORMS: [&str; 8] = [
    "--perturbation",
    "gender_swap_prefix_male",
    "--perturbation",
    "gender_swap_prefix_female",
    "--repeat",
    "2",
    "--instances",
    "6",
];

fn named<'a>(report: &'a Value, name: &str) -> Vec<&'a Value> {
    report["metrics"].as_array().expect("a list").iter().filter(|metric| metric["name"] == name).collect()
}

#[test]
fn a_perturbed_and_repeated_run_tells_flips_cues_and_agreement() {
    let home = Home::new();
    let report = home.run_json(&FORMS);
    let pair = &report["robustness"][0]["perturbations"][0];
    assert_eq!((&pair["pairs"], &pair["instances"]), (&Value::from(12), &Value::from(6)));
    let (first, second) = (named(&report, "accuracy"), named(&report, "robustness.delta.accuracy"));
    let perturbed = first.iter().find(|metric| metric["perturbation"] == pair["second"]).expect("it has a score");
    let original = first.iter().find(|metric| metric["perturbation"].is_null()).expect("it has a score");
    let delta = perturbed["value"].as_f64().unwrap() - original["value"].as_f64().unwrap();
    assert_eq!(second.len(), 2);
    assert!((pair["changes"][0]["delta"].as_f64().unwrap() - delta).abs() < 1e-12, "{pair}");
    assert_eq!(named(&report, "fairness.flip_rate")[0]["subgroup"], "gender_swap_prefix_male");
    // Nothing is drawn at temperature 0.
    assert_eq!(report["stability"][0]["all_equal"], 1.0);
    let shown = home.puma(&["show", "latest"]);
    for text in [
        "Perturbed against unperturbed",
        "by the worst form of each instance",
        "A cue that must not matter",
        "female against male",
        "By length",
        "no gap is stated: it takes two parts of 10 instances",
        "The same questions 2 times",
    ] {
        assert!(shown.stdout.contains(text), "{text:?} is not in\n{}", shown.stdout);
    }
    let stored = home.puma(&["stability", "latest", "--json"]).json();
    let without_names = |stability: &Value| stability[0]["alpha"].clone();
    assert_eq!(without_names(&stored["stability"]), without_names(&report["stability"]));
}

#[test]
fn runs_with_other_seeds_are_compared_over_the_instances_they_share() {
    let home = Home::new();
    let ids: Vec<String> = ["1", "2"]
        .iter()
        .map(|seed| {
            let run = home.run_json(&["--instances", "40", "--seed", seed]);
            run["run_id"].as_str().expect("an id").to_owned()
        })
        .collect();
    home.puma(&["stability", &ids[0]]).fails(5, &["asked the same question twice", "--repeat"]);
    home.puma(&["stability", &ids[0], &ids[0]]).fails(2, &["is named twice"]);
    let report = home.puma(&["stability", &ids[0], &ids[1], "--json"]).json();
    assert_eq!(report["stability"][0]["replicates"], Value::from(ids.clone()));
    assert!(report["stability"][0]["instances"].as_u64() > Some(0));
    let text = home.puma(&["stability", &ids[0], &ids[1]]).stdout;
    assert!(text.contains("The same questions 2 times") && text.contains("one answer throughout in 1.000"), "{text}");
}
