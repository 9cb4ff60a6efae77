//! The perturbations against an independent Python version; the golden file is written by `scripts/golden/perturb.py`.

mod dataset_files;

use puma_core::canon::short_hash;
use puma_eval::dataset::{ReadOptions, read};
use puma_eval::perturb::{PERTURBATIONS, apply};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/perturb.json")).expect("the golden file holds it")
}

#[test]
fn our_own_texts_come_out_as_python_writes_them() {
    let golden = golden();
    let cases = golden["own"].as_array().unwrap();
    assert_eq!(cases.len(), PERTURBATIONS.len() * 2 * 8);
    for case in cases {
        let (name, seed) = (case[0].as_str().unwrap(), case[1].as_u64().unwrap());
        let (text, expected) = (case[2].as_str().unwrap(), case[3].as_str().unwrap());
        assert_eq!(apply(name, seed, text).unwrap(), expected, "{name}, seed {seed}, on {text:?}");
    }
}

#[test]
fn upstreams_issues_come_out_as_upstream_perturbs_them() {
    let Some(bytes) = dataset_files::file("jira_balanced_200.csv") else { return };
    let dataset = read(&bytes, ReadOptions::named("jira_balanced_200.csv")).unwrap();
    let golden = golden();
    let cases = golden["upstream_seed42"].as_array().unwrap();
    assert_eq!(cases.len(), 43 * 8);
    for case in cases {
        let (key, name) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        let row = dataset.rows.iter().find(|row| row.key.as_deref() == Some(key)).unwrap();
        for (field, expected) in [("title", &case[2]), ("description", &case[3])] {
            let changed = apply(name, 42, &row.fields[field]).unwrap();
            assert_eq!(short_hash(&changed), expected.as_str().unwrap(), "{name} on the {field} of {key}");
        }
    }
}
