//! Recorded machines: what fits on each, and how fast it is said to be.

use crate::models::{Dimensions, LLAMA_3_8B, QWEN2_5_3B, QWEN2_5_7B, QWEN3_30B_A3B, f16};
use puma_host::fit::{EngineRules, Question, Verdict, budget, judge, machine_key, speed_input};
use puma_host::speed::predict;
use puma_host::{Machine, RecordedHost};
use puma_testkit::machines;

fn machine(name: &str) -> Machine {
    let host = RecordedHost::parse(&machines::load(name)).expect("a recording of this repository");
    Machine::probe(&host)
}

/// Verdict and decode speed of a model at 8,192 tokens under llama.cpp's server.
fn judged(machine: &Machine, model: Dimensions) -> (Verdict, Option<f64>) {
    let (rules, shape, load) = (EngineRules::LLAMA_SERVER, model.shape(), f16(8192));
    let budget = budget(machine, &rules).expect("the memory is recorded");
    let fit = judge(&shape, &load, &rules, &budget);
    let question =
        Question { load: &load, rules: &rules, budget: &budget, fit: &fit, prompt_tokens: 512, memory_bandwidth: None };
    let speed = predict(&speed_input(&shape, machine, &question));
    (fit.verdict, speed.decode.estimate().map(|estimate| estimate.tokens_per_s))
}

/// Qwen2.5 3B and 7B, Llama 3 8B and Qwen3 30B-A3B, each with 8,192 tokens.
#[test]
fn each_recorded_machine_fits_what_it_should() {
    use Verdict::{Fits as F, PartialOffload as P, Tight as T, WillNotFit as N, WillPage as W};
    let expected = [
        ("desktop-amd-zen", [F, F, F, F]),
        ("docker-desktop-m3", [F, F, T, N]),
        ("gpu-a100-mig", [F, F, F, F]),
        ("gpu-arc-b580", [F, F, F, P]),
        ("gpu-gb10-spark", [F, F, F, F]),
        ("gpu-h200", [F, F, F, F]),
        ("gpu-rtx2060-mobile-6gb", [F, F, T, P]),
        ("gpu-rtx5090", [F, F, F, F]),
        ("gpu-rx7900xtx", [F, F, F, F]),
        ("gpu-ryzen-apu-and-rx7800xt", [F, F, F, P]),
        ("gpu-strix-halo-128gb", [F, F, F, F]),
        ("gpu-two-rtx3090", [F, F, F, F]),
        ("kubernetes-pod-4gb", [F, W, N, N]),
        ("laptop-intel-8gb", [F, W, N, N]),
        ("mac-a18-pro-8gb", [F, T, W, N]),
        ("mac-intel-i7-16gb", [F, F, F, N]),
        ("mac-m1-8gb", [F, T, W, N]),
        ("mac-m1-max-64gb", [F, F, F, F]),
        // Intel's build under Rosetta reaches no GPU; Metal's limit does not hold for processor cores.
        ("mac-m1-rosetta", [F, F, F, N]),
        ("mac-m2-24gb", [F, F, F, W]),
        ("mac-m2-pro-16gb-wired-limit", [F, F, F, N]),
        ("mac-m3-max-36gb", [F, F, F, F]),
        ("mac-m3-pro-18gb", [F, F, F, N]),
        ("mac-m4-16gb", [F, F, F, N]),
        ("mac-m4-pro-24gb", [F, F, F, W]),
        ("mac-m5-24gb", [F, F, F, T]),
        ("mac-m5-max-128gb", [F, F, F, F]),
        ("mac-m9-hyper-256gb", [F, F, F, F]),
        // A virtual Mac reaches no GPU either.
        ("mac-vm-m4-max", [W, N, N, N]),
    ];
    for (name, verdicts) in expected {
        let machine = machine(name);
        let found = [QWEN2_5_3B, QWEN2_5_7B, LLAMA_3_8B, QWEN3_30B_A3B].map(|model| judged(&machine, model).0);
        assert_eq!(found, verdicts, "{name}");
    }
}

/// llama.cpp on an M4 Pro with 24 GB, as its users published: 47.25, 49.62 and 70.55 tokens/s with Q4_K_M.
#[test]
fn speeds_published_for_a_mac_lie_within_an_eighth_of_the_prediction() {
    // The mixture needs more memory than that Mac gives its GPU with 8,192 tokens; the 48 GB one is as fast.
    for (name, model, published) in [
        ("mac-m4-pro-24gb", LLAMA_3_8B, 47.25),
        ("mac-m4-pro-24gb", QWEN2_5_7B, 49.62),
        ("mac-m4-pro-48gb", QWEN3_30B_A3B, 70.55),
    ] {
        let predicted = judged(&machine(name), model).1.expect("a speed is known for this chip");
        assert!((predicted / published - 1.0).abs() < 0.125, "{predicted:.1} instead of {published}");
    }
}

#[test]
fn no_recording_is_judged_without_a_memory_and_none_panics() {
    for name in machines::names() {
        let machine = machine(&name);
        let rules = [EngineRules::EMBEDDED, EngineRules::OLLAMA, EngineRules::MLX, EngineRules::TORCH];
        for rules in rules {
            match budget(&machine, &rules) {
                Ok(budget) => {
                    let fit = judge(&QWEN2_5_7B.shape(), &f16(4096), &rules, &budget);
                    assert!(fit.needs.total_bytes() > 0, "{name}");
                }
                Err(_) => assert_eq!(machine.memory_bytes, None, "{name}"),
            }
        }
    }
}

#[test]
fn machines_of_different_hardware_have_different_keys() {
    let mut keys: Vec<String> = machines::names().iter().map(|name| machine_key(&machine(name))).collect();
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count);
}
