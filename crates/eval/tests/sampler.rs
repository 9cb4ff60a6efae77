//! The samplers against NumPy, pandas and CPython; the golden file is written by `scripts/golden/sampler.py`.

use puma_eval::sample::{NumpyRandom, PythonRandom, dataframe_sample, plain, stratified};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/sampler.json")).expect("the golden file holds it")
}

fn numbers(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .expect("the golden file holds it")
        .iter()
        .map(|n| n.as_u64().expect("the golden file holds it") as usize)
        .collect()
}

#[test]
fn permutations_equal_numpys_legacy_random_state() {
    let golden = golden();
    let cases = golden["permutation"].as_array().unwrap();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let (len, seed) = (case[0].as_u64().unwrap() as usize, case[1].as_u64().unwrap() as u32);
        let mut order = NumpyRandom::new(seed).permutation(len);
        order.truncate(12);
        assert_eq!(order, numbers(&case[2]), "permutation({len}) with seed {seed}");
    }
}

#[test]
fn row_draws_equal_pandas_dataframe_sample() {
    for case in golden()["dataframe_sample"].as_array().unwrap() {
        let [len, count, seed] = [0, 1, 2].map(|at| case[at].as_u64().unwrap() as usize);
        assert_eq!(dataframe_sample(len, count, seed as u32), numbers(&case[3]), "{len} rows, {count} drawn");
    }
}

#[test]
fn the_triage_sampler_picks_the_issues_upstream_picks() {
    let keys: Vec<(String, &str)> = [("CRIT", "Critical"), ("MAJR", "Major"), ("MINR", "Minor"), ("TRIV", "Trivial")]
        .into_iter()
        .flat_map(|(key, class)| (1..=50).map(move |number| (format!("{key}-{number:03}"), class)))
        .collect();
    let classes: Vec<&str> = keys.iter().map(|(_, class)| *class).collect();
    let golden = golden();
    let cases = golden["jira"].as_array().unwrap();
    assert_eq!(cases.len(), 22);
    for case in cases {
        let (seed, count) = (case[0].as_u64().unwrap() as u32, case[1].as_u64().unwrap() as usize);
        let picked: Vec<&str> = stratified(&classes, count, seed).into_iter().map(|at| keys[at].0.as_str()).collect();
        let expected: Vec<&str> = case[2].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
        assert_eq!(picked, expected, "seed {seed}, {count} issues");
    }
    assert_eq!(stratified(&classes, 200, 42), (0..200).collect::<Vec<_>>(), "the whole set stays in file order");
}

#[test]
fn the_triage_sampler_fills_up_from_large_classes_when_small_ones_run_out() {
    let classes: Vec<&str> = [vec!["b"; 3], vec!["a"; 40], vec!["c"; 7]].concat();
    for case in golden()["uneven_classes"].as_array().unwrap() {
        let (seed, count) = (case[0].as_u64().unwrap() as u32, case[1].as_u64().unwrap() as usize);
        assert_eq!(stratified(&classes, count, seed), numbers(&case[2]), "seed {seed}, {count} rows");
    }
}

#[test]
fn the_estimation_sampler_picks_upstreams_canonical_200_stories() {
    assert_eq!(plain(9020, 200, 42), numbers(&golden()["tawos_9020_seed42"]));
    assert_eq!(plain(5, 5, 42), [0, 1, 2, 3, 4]);
}

#[test]
fn python_draws_equal_cpythons() {
    for case in golden()["python"].as_array().unwrap() {
        let mut random = PythonRandom::new(case["seed"].as_u64().unwrap());
        for draw in case["getrandbits"].as_array().unwrap() {
            assert_eq!(random.getrandbits(draw[0].as_u64().unwrap() as u32), draw[1].as_u64().unwrap());
        }
        for bits in numbers(&case["random_times_2_53"]) {
            assert_eq!(random.random(), bits as f64 / 9_007_199_254_740_992.0);
        }
        let drawn: Vec<usize> = (0..8).map(|_| random.randint(9)).collect();
        assert_eq!(drawn, numbers(&case["randint_9"]));
        let items: Vec<usize> = (0..7).collect();
        let chosen: Vec<usize> = (0..8).map(|_| *random.choice(&items).unwrap()).collect();
        assert_eq!(chosen, numbers(&case["choice_of_7"]));
        for sample in case["sample"].as_array().unwrap() {
            let [len, count] = [0, 1].map(|at| sample[at].as_u64().unwrap() as usize);
            assert_eq!(random.sample(len, count), numbers(&sample[2]), "sample of {count} from {len}");
        }
        let mut deck: Vec<usize> = (0..12).collect();
        random.shuffle(&mut deck);
        assert_eq!(deck, numbers(&case["shuffle_12"]));
    }
}
