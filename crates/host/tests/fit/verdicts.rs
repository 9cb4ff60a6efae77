//! What fits on every recorded machine, and how long its context may be.
//!
//! The expected values are not PUMA's: `scripts/golden/machines.py` computes them from facts kept by hand and the
//! published rules.

use crate::models::{QWEN2_5_3B, QWEN2_5_7B, QWEN3_30B_A3B, SMOLLM2_135M, f16};
use puma_host::fit::{EngineRules, Verdict, budget, judge, largest_context};
use puma_host::{Machine, RecordedHost};
use puma_testkit::machines;

const GOLDEN: &str = include_str!("golden/machines.txt");

/// The machine's line of the golden file, as it is.
fn line(name: &str) -> String {
    let host = RecordedHost::parse(&machines::load(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let rules = EngineRules::OLLAMA;
    let Ok(budget) = budget(&Machine::probe(&host), &rules) else { return format!("{name}: memory unknown") };
    let models = [
        ("smollm2:135m", SMOLLM2_135M),
        ("qwen2.5:3b", QWEN2_5_3B),
        ("qwen2.5:7b", QWEN2_5_7B),
        ("qwen3:30b-a3b", QWEN3_30B_A3B),
    ];
    let verdicts = models.map(|(model, dimensions)| {
        let (shape, load) = (dimensions.shape(), f16(8192));
        let fit = judge(&shape, &load, &rules, &budget);
        let longest = largest_context(&shape, &load, &rules, &budget, Verdict::Fits);
        let tokens = longest.map_or("-".to_owned(), |longest| longest.tokens.to_string());
        assert!(!fit.reason.is_empty(), "{name} {model}");
        format!("{model} {} {tokens}", fit.verdict.as_str())
    });
    format!("{name}: {}", verdicts.join(", "))
}

#[test]
fn every_recorded_machine_fits_what_the_published_rules_say() {
    let expected: Vec<&str> = GOLDEN.lines().filter(|line| !line.starts_with('#')).collect();
    let found: Vec<String> = machines::names().iter().map(|name| line(name)).collect();
    let differing = expected.iter().zip(&found).filter(|(expected, found)| *expected != found);
    let differing: Vec<String> =
        differing.map(|(expected, found)| format!("expected {expected}\n   found {found}")).collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert_eq!(found.len(), expected.len(), "a recorded machine is missing");
}
