//! Laws of prediction: monotone, bounded by memory, never a number out of nothing.

use super::input::{Engine, Offload, Paging, Processor, SpeedInput};
use super::predict::predict;
use super::prediction::Basis;
use proptest::prelude::*;
use puma_core::measure::{Quality, Reading};

fn gb_s(value: f64) -> Option<Reading<f64>> {
    Some(Reading::new(value, "test", Quality::Estimated))
}

/// An 8B model with 4 bits on an M4 Pro.
fn input() -> SpeedInput {
    SpeedInput {
        engine: Engine::Metal2026,
        processor: Processor::AppleGpu { generation: 4, gpu_cores: Some(16) },
        bandwidth_gb_s: gb_s(273.0),
        weights_active_bytes: 4_625_000_000,
        kv_bytes_at_position: 60_000_000,
        layers: 32,
        mixture_of_experts: false,
        parameters_active: Some(7_505_000_000),
        attention_width: Some(4096),
        prompt_tokens: 512,
        float_weights: false,
        offload: None,
        paging: None,
    }
}

fn card(engine: Engine, name: &str, bandwidth_gb_s: f64) -> SpeedInput {
    SpeedInput {
        engine,
        processor: Processor::Gpu { name: name.into(), fp16_tflops: None },
        bandwidth_gb_s: gb_s(bandwidth_gb_s),
        ..input()
    }
}

fn decode(input: &SpeedInput) -> f64 {
    predict(input).decode.estimate().expect("decode is known").tokens_per_s
}

fn prefill(input: &SpeedInput) -> f64 {
    predict(input).prefill.estimate().expect("prefill is known").tokens_per_s
}

fn engines() -> impl Strategy<Value = SpeedInput> {
    prop_oneof![
        Just(input()),
        Just(SpeedInput { engine: Engine::Metal2025, ..input() }),
        Just(card(Engine::Cuda, "NVIDIA GeForce RTX 4090", 1008.0)),
        Just(card(Engine::Cuda, "NVIDIA H200", 4800.0)),
        Just(card(Engine::Vulkan, "AMD Radeon RX 7900 XTX", 960.0)),
        Just(card(Engine::Rocm, "AMD Radeon RX 7900 XTX", 960.0)),
        Just(SpeedInput { engine: Engine::Embedded, processor: Processor::Cpu, ..input() }),
        Just(SpeedInput { engine: Engine::LlamaCpu, processor: Processor::Cpu, ..input() }),
    ]
}

proptest! {
    #[test]
    fn more_bandwidth_is_never_slower(base in engines(), low in 10.0..2000.0, more in 1.0..8.0) {
        let slow = SpeedInput { bandwidth_gb_s: gb_s(low), ..base.clone() };
        let fast = SpeedInput { bandwidth_gb_s: gb_s(low * more), ..base };
        prop_assert!(decode(&fast) >= decode(&slow));
    }

    #[test]
    fn more_bytes_are_slower(base in engines(), bytes in 1_000_000_u64..100_000_000_000, more in 1_000_000_u64..1_000_000_000) {
        let small = SpeedInput { weights_active_bytes: bytes, ..base.clone() };
        let large = SpeedInput { weights_active_bytes: bytes + more, ..base.clone() };
        let late = SpeedInput { kv_bytes_at_position: base.kv_bytes_at_position + more, ..small.clone() };
        prop_assert!(decode(&large) < decode(&small));
        prop_assert!(decode(&late) < decode(&small));
    }

    #[test]
    fn nothing_is_faster_than_its_memory(base in engines(), bandwidth in 10.0..5000.0, bytes in 1_000_000_u64..100_000_000_000) {
        let asked = SpeedInput { bandwidth_gb_s: gb_s(bandwidth), weights_active_bytes: bytes, ..base };
        prop_assert!(decode(&asked) < bandwidth * 1e9 / bytes as f64);
    }

    #[test]
    fn the_interval_holds_the_value_and_the_terms_add_up(base in engines(), layers in 1_u32..200) {
        let asked = SpeedInput { layers, ..base };
        let prediction = predict(&asked);
        let estimate = prediction.decode.estimate().expect("decode is known");
        prop_assert!(0.0 < estimate.low && estimate.low < estimate.tokens_per_s && estimate.tokens_per_s < estimate.high);
        let terms = &estimate.terms;
        let total_ms = terms.read_ms + terms.overhead_ms + terms.offload_ms + terms.paging_ms;
        prop_assert!((1000.0 / total_ms / estimate.tokens_per_s - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_longer_prompt_and_a_larger_model_prefill_slower(tokens in 1_u32..30_000, more in 1_u32..30_000, billions in 0.1..100.0) {
        let short = SpeedInput { prompt_tokens: tokens, ..input() };
        let long = SpeedInput { prompt_tokens: tokens + more, ..input() };
        prop_assert!(prefill(&long) < prefill(&short));
        let larger = SpeedInput { parameters_active: Some(7_505_000_000 + (billions * 1e9) as u64), ..short.clone() };
        prop_assert!(prefill(&larger) < prefill(&short));
    }

    #[test]
    fn moving_weights_to_a_slower_place_is_slower(share in 0.01..0.99) {
        let base = card(Engine::Cuda, "NVIDIA GeForce RTX 4090", 1008.0);
        let moved = (4_625_000_000.0 * share) as u64;
        let offload = Some(Offload { cpu_bytes: moved, bandwidth_gb_s: gb_s(60.0) });
        let offloaded = SpeedInput { offload, ..base.clone() };
        let paging = Some(Paging { missing_bytes: moved, disk_gb_s: gb_s(3.0) });
        let paged = SpeedInput { paging, ..base.clone() };
        prop_assert!(decode(&offloaded) < decode(&base));
        prop_assert!(decode(&paged) < decode(&offloaded));
        // The disk alone already bounds it.
        prop_assert!(decode(&paged) <= 3.0e9 / moved as f64);
    }
}

#[test]
fn what_is_not_known_is_not_predicted() {
    let nameless = card(Engine::Cuda, "NVIDIA Something 9000", 500.0);
    let without_bandwidth = SpeedInput { bandwidth_gb_s: None, ..input() };
    let nonsense = SpeedInput { bandwidth_gb_s: gb_s(f64::NAN), ..input() };
    let without_layers = SpeedInput { layers: 0, ..input() };
    let amd = card(Engine::Rocm, "AMD Instinct MI300X", 5300.0);
    for asked in [without_bandwidth, nonsense, without_layers, amd] {
        let reason = predict(&asked).decode.reason().map(str::to_owned).expect("there is no number");
        assert!(reason.starts_with("Decoding is not predicted: ") && reason.ends_with('.'), "{reason}");
    }
    let processor = Processor::AppleGpu { generation: 4, gpu_cores: None };
    let without_cores = SpeedInput { processor, ..input() };
    let without_parameters = SpeedInput { parameters_active: None, ..input() };
    let without_prompt = SpeedInput { prompt_tokens: 0, ..input() };
    let embedded = SpeedInput { engine: Engine::Embedded, processor: Processor::Cpu, ..input() };
    for asked in [nameless, without_cores, without_parameters, without_prompt, embedded] {
        let reason = predict(&asked).prefill.reason().map(str::to_owned).expect("there is no number");
        assert!(reason.starts_with("Prefill ") && reason.ends_with('.'), "{reason}");
    }
}

#[test]
fn a_model_that_pages_has_only_an_upper_bound() {
    let paging = Some(Paging { missing_bytes: 2_000_000_000, disk_gb_s: gb_s(5.0) });
    let prediction = predict(&SpeedInput { paging, ..input() });
    let estimate = prediction.decode.estimate().expect("the disk's speed is known");
    assert_eq!(estimate.low, 0.0);
    assert!(estimate.notes.iter().any(|note| note.contains("upper bound")), "{:?}", estimate.notes);
    let unknown = Some(Paging { missing_bytes: 2_000_000_000, disk_gb_s: None });
    assert!(predict(&SpeedInput { paging: unknown, ..input() }).decode.estimate().is_none());
}

#[test]
fn the_basis_says_how_near_the_measurements_are() {
    let basis = |input: &SpeedInput| predict(input).decode.estimate().map(|estimate| estimate.basis);
    assert_eq!(basis(&card(Engine::Cuda, "NVIDIA GeForce RTX 4090", 1008.0)), Some(Basis::Table));
    assert_eq!(basis(&card(Engine::Cuda, "NVIDIA GeForce RTX 4090 Laptop GPU", 576.0)), Some(Basis::Fitted));
    assert_eq!(basis(&card(Engine::Cuda, "NVIDIA H200", 4800.0)), Some(Basis::Extrapolated));
    assert_eq!(basis(&SpeedInput { engine: Engine::Metal2025, ..input() }), Some(Basis::Fitted));
    let unseen = Processor::AppleGpu { generation: 9, gpu_cores: Some(12) };
    assert_eq!(
        basis(&SpeedInput { engine: Engine::Metal2025, processor: unseen, ..input() }),
        Some(Basis::Extrapolated)
    );
}

#[test]
fn a_generation_nobody_measured_is_predicted_with_a_wider_interval() {
    let of = |generation: u32| {
        let processor = Processor::AppleGpu { generation, gpu_cores: Some(10) };
        let prediction = predict(&SpeedInput { processor, ..input() });
        let estimate = prediction.prefill.estimate().expect("cores and generation are known").clone();
        (estimate.tokens_per_s, estimate.high / estimate.tokens_per_s, estimate.basis)
    };
    let (fourth, fifth, sixth, seventh) = (of(4), of(5), of(6), of(7));
    assert_eq!((fourth.2, fifth.2, sixth.2), (Basis::Fitted, Basis::Extrapolated, Basis::Extrapolated));
    assert!(fourth.0 < fifth.0 && fifth.0 < sixth.0 && sixth.0 < seventh.0);
    assert!(fourth.1 < fifth.1 && fifth.1 < sixth.1 && sixth.1 < seventh.1, "{fourth:?} {fifth:?} {sixth:?}");
}

#[test]
fn experts_cost_time_in_every_layer() {
    let dense = decode(&input());
    let mixture = decode(&SpeedInput { mixture_of_experts: true, ..input() });
    assert!(mixture < dense);
}
