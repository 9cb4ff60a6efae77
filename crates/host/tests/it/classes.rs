//! What every recorded machine is to PUMA: its class, what models run on there, and who counts its joules.
//!
//! The expected values are not PUMA's: `scripts/golden/machines.py` computes them from facts kept by hand and the
//! published rules.

use crate::machines::host;
use puma_core::measure::TrackingMode;
use puma_host::Machine;
use puma_host::energy::{Chain, ChainOptions, chain};
use puma_host::profile::MachineSnapshot;
use puma_host::source::HostSource;
use puma_testkit::machines;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const GOLDEN: &str = include_str!("golden/machines.txt");

/// The lines under each name, as `(key, value)`.
fn expected() -> BTreeMap<&'static str, Vec<(&'static str, &'static str)>> {
    let mut machines = BTreeMap::new();
    let mut name = "";
    for line in GOLDEN.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            None => name = line,
            Some(fact) => {
                let fact = fact.split_once(": ").unwrap_or_else(|| panic!("{name}: no key in `{fact}`"));
                machines.entry(name).or_insert_with(Vec::new).push(fact);
            }
        }
    }
    machines
}

fn of_recording(name: &str, options: &ChainOptions) -> Chain {
    let source: Arc<dyn HostSource> = Arc::new(host(name));
    chain(&source, &Machine::probe(source.as_ref()), options)
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.collect();
    if texts.is_empty() { "-".to_owned() } else { texts.join("; ") }
}

/// The word that JSON has for a value without fields.
fn word(value: impl serde::Serialize) -> String {
    match json!(value) {
        Value::String(word) => word,
        other => panic!("{other} is no word"),
    }
}

fn differing(differences: &mut Vec<String>, name: &str, what: &str, expected: &str, found: &str) {
    if expected != found {
        differences.push(format!("{name}: {what}: expected {expected}, found {found}"));
    }
}

#[test]
fn no_recorded_machine_is_left_out() {
    assert_eq!(expected().into_keys().map(str::to_owned).collect::<Vec<_>>(), machines::names());
}

#[test]
fn every_recorded_machine_has_the_profile_the_mode_and_the_warning_that_the_rules_give() {
    let mut differences = Vec::new();
    for (name, facts) in expected() {
        let snapshot = MachineSnapshot::take(&host(name), None).unwrap_or_else(|error| panic!("{name}: {error}"));
        let warnings = &snapshot.mode.warnings;
        let first = warnings.first().map_or("-", |warning| warning.message.as_str());
        for (key, expected) in facts {
            let found = match key {
                "profile" => snapshot.profile.id.clone(),
                "upstream" => snapshot.profile.upstream_id.unwrap_or("-").to_owned(),
                "rule" => word(snapshot.profile.rule),
                "mode" => word(snapshot.mode.kind),
                "warns" if first.contains(expected) => continue,
                "warns" => first.to_owned(),
                "energy" | "lacks" => continue,
                other => panic!("the golden file has an unknown key `{other}`"),
            };
            differing(&mut differences, name, key, expected, &found);
        }
        assert!(warnings.iter().all(|warning| !warning.message.is_empty() && !warning.hint.is_empty()), "{name}");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_recorded_machine_opens_the_meters_it_has_and_says_why_others_are_missing() {
    let mut differences = Vec::new();
    for (name, facts) in expected() {
        let chain = of_recording(name, &ChainOptions::default());
        let opened = joined(chain.meters.iter().map(|meter| meter.source()));
        let of = |wanted: &'static str| facts.iter().filter(move |(key, _)| *key == wanted).map(|(_, value)| *value);
        differing(&mut differences, name, "energy", &joined(of("energy")), &opened);

        let reasons: Vec<(&str, &str)> = of("lacks").filter_map(|lack| lack.split_once(": ")).collect();
        let mut named: Vec<&str> = reasons.iter().map(|(source, _)| *source).collect();
        let mut missing: Vec<&str> = chain.missing.iter().map(|missing| missing.source.as_str()).collect();
        for sources in [&mut named, &mut missing] {
            sources.sort_unstable();
            sources.dedup();
        }
        differing(&mut differences, name, "lacks", &named.join("; "), &missing.join("; "));
        for (source, reason) in reasons.into_iter().filter(|(_, reason)| *reason != "-") {
            let first = chain.missing.iter().find(|missing| missing.source == source);
            let told = first.map_or("", |missing| missing.reason.as_str());
            if !told.contains(reason) {
                differing(&mut differences, name, source, reason, told);
            }
        }
        assert!(chain.missing.iter().all(|missing| !missing.reason.is_empty()), "{name}: {:?}", chain.missing);
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Upstream's vector 13 says `machine` with no warning on Linux, and on a Mac without `powermetrics` `process` with one
/// warning, whose number then passes for the run's although the model runs in Ollama. Here no mode counts a process
/// where the model runs in another: the wish for it ends in no meter and the one sentence why.
#[test]
fn no_process_number_is_given_for_a_model_that_runs_in_a_server() {
    let wish = |model_in_this_process| ChainOptions {
        mode: Some(TrackingMode::Process),
        model_in_this_process,
        ..ChainOptions::default()
    };
    for name in machines::names() {
        let chain = of_recording(&name, &wish(false));
        assert!(chain.meters.is_empty(), "{name}");
        let [why] = chain.missing.as_slice() else { panic!("{name}: {:?}", chain.missing) };
        assert!(why.reason.contains("the model runs in another"), "{name}: {why:?}");
        assert!(why.hint.as_deref().is_some_and(|hint| hint.contains("machine")), "{name}: {why:?}");
    }
    // A Mac has no account of a process's processor time that could be shared, not even for the embedded engine.
    let chain = of_recording("mac-m4-pro-24gb", &wish(true));
    assert!(chain.meters.is_empty() && chain.missing.len() == 1, "{:?}", chain.missing);
}

/// The rest of vector 13: what a Mac without `powermetrics` counts is the machine all the same, and nobody is warned of
/// a source that is not needed.
#[test]
fn a_mac_without_powermetrics_counts_the_machine_without_a_warning() {
    for name in machines::names() {
        let machine = Machine::probe(&host(&name));
        let machine_wide = ChainOptions { mode: Some(TrackingMode::Machine), ..ChainOptions::default() };
        let (automatic, wished) = (of_recording(&name, &ChainOptions::default()), of_recording(&name, &machine_wide));
        let sources = |chain: &Chain| joined(chain.meters.iter().map(|meter| meter.source()));
        assert_eq!(sources(&automatic), sources(&wished), "{name}: `machine` is what is taken unasked");
        if machine.apple.is_some() && sources(&automatic).contains("IOReport energy counters; IOReport") {
            assert!(automatic.missing.is_empty(), "{name}: {:?}", automatic.missing);
        }
    }
}

#[test]
fn energy_that_is_off_opens_nothing_and_misses_nothing() {
    let off = ChainOptions { mode: Some(TrackingMode::Off), ..ChainOptions::default() };
    for name in machines::names() {
        let chain = of_recording(&name, &off);
        assert!(chain.meters.is_empty() && chain.missing.is_empty(), "{name}");
    }
}
