//! The perturbations against an independent Python version; the golden file is written by `scripts/golden/perturb.py`.

mod dataset_files;

use puma_core::InstanceId;
use puma_core::canon::short_hash;
use puma_eval::Instance;
use puma_eval::dataset::{ReadOptions, read};
use puma_eval::perturb::{Kind, TABLE, View, find};
use puma_eval::scenario;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/perturb.json")).expect("the golden file holds it")
}

#[test]
fn texts_come_out_as_python_writes_them() {
    let golden = golden();
    let cases = golden["own"].as_array().unwrap();
    let names: Vec<&str> =
        TABLE.iter().filter(|each| each.kind() == Kind::Text).map(|perturbation| perturbation.name).collect();
    for name in names {
        assert_eq!(cases.iter().filter(|case| case[0] == name).count(), 2 * 12, "{name}");
    }
    for case in cases {
        let (name, seed) = (case[0].as_str().unwrap(), case[1].as_u64().unwrap());
        let (text, expected) = (case[2].as_str().unwrap(), case[3].as_str().unwrap());
        let changed = find(name).unwrap().on_text(seed, text).unwrap();
        assert_eq!(changed, expected, "{name}, seed {seed}, on {text:?}");
    }
}

#[test]
fn options_and_examples_are_ordered_as_python_orders_them() {
    let golden = golden();
    let cases = golden["label_order"].as_array().unwrap();
    assert_eq!(cases.len(), 3 * 2 * 20);
    for case in cases {
        let [scenario, id] = [&case[0], &case[2]].map(|value| value.as_str().unwrap());
        let scenario = scenario::find(scenario).unwrap();
        let gold = scenario.answer_texts()[0].to_owned();
        let instance = Instance { id: InstanceId::new(id), fields: [].into(), gold, group: None };
        let view = View::perturbed(&instance, scenario, find("label_order").unwrap(), case[1].as_u64().unwrap());
        assert_eq!(Value::from(view.answers.clone()), case[3], "{id}");
        assert_eq!(Value::from(view.order_examples((0..8).collect::<Vec<u64>>())), case[4], "{id}");
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
            let changed = find(name).unwrap().on_text(42, &row.fields[field]).unwrap();
            assert_eq!(short_hash(&changed), expected.as_str().unwrap(), "{name} on the {field} of {key}");
        }
    }
}
