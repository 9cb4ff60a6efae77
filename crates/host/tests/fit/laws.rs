//! What must hold for every model, every load and every machine.

use crate::models::GIB;
use proptest::prelude::*;
use puma_core::measure::Quality;
use puma_host::fit::{
    Budget, CONTEXT_STEP, ContextLimit, EngineRules, KvType, LayerShape, Load, MARGIN_BYTES, ModelShape, Pool,
    PoolKind, ShapeSource, Verdict, judge, largest_context,
};

fn layer() -> impl Strategy<Value = LayerShape> {
    (1_u64..1 << 29, 0_u64..4096, 0_u64..4096, prop::option::of(128_u32..8192), 0_u64..1 << 20).prop_map(
        |(weights_bytes, key_width, value_width, window, state_elements)| LayerShape {
            weights_bytes,
            key_width: key_width.next_multiple_of(32),
            value_width: value_width.next_multiple_of(32),
            window,
            state_elements,
        },
    )
}

fn shape() -> impl Strategy<Value = ModelShape> {
    (prop::collection::vec(layer(), 1..80), 0_u64..1 << 30, 0_u64..1 << 30, any::<bool>(), 256_u32..1 << 18).prop_map(
        |(layers, output_bytes, lookup, tied_output, trained)| {
            let lookup_bytes = if tied_output { 0 } else { lookup };
            let in_layers: u64 = layers.iter().map(|layer| layer.weights_bytes).sum();
            let weights_bytes = in_layers + output_bytes + lookup_bytes;
            ModelShape {
                architecture: None,
                parameters: Some(weights_bytes),
                weights_bytes,
                output_bytes,
                lookup_bytes,
                tied_output,
                active_bytes: weights_bytes - lookup_bytes,
                active_parameters: None,
                float_weights: false,
                layers,
                experts: None,
                vocabulary: Some(32_000),
                embedding_length: Some(2048),
                feed_forward_length: Some(8192),
                head_count: Some(16),
                query_width: Some(2048),
                trained_context: Some(trained),
                source: ShapeSource::TensorTable,
            }
        },
    )
}

fn pool(kind: PoolKind, total_bytes: u64, available_bytes: u64) -> Pool {
    Pool {
        kind,
        name: "a memory".to_owned(),
        total_bytes,
        available_bytes: available_bytes.min(total_bytes),
        margin_bytes: MARGIN_BYTES,
        source: "drawn".to_owned(),
        quality: Quality::Measured,
    }
}

/// A machine of each kind with up to 96 GiB of main memory, and the same machine with `more` bytes everywhere.
fn budgets() -> impl Strategy<Value = (Budget, Budget)> {
    let bytes = || (1_u64..96).prop_map(|gib| gib * GIB);
    (0..4_u8, bytes(), bytes(), bytes(), 0_u64..16 * GIB).prop_map(|(kind, host, gpu, second, more)| {
        let build = |host: u64, gpu: u64, second: u64| {
            let ram = pool(PoolKind::Ram, host, host);
            match kind {
                0 => Budget::Cpu { host: ram },
                1 => Budget::Metal {
                    working_set: pool(PoolKind::MetalWorkingSet, host / 3 * 2, host),
                    memory_bytes: host,
                },
                2 => Budget::Discrete {
                    devices: vec![pool(PoolKind::Vram, gpu, gpu), pool(PoolKind::Vram, second, second)],
                    host: ram,
                },
                _ => Budget::Integrated {
                    pool: pool(PoolKind::SharedGpu, gpu / 8 + host / 2, gpu / 8 + host / 2),
                    carve_out_bytes: gpu / 8,
                    host: ram,
                },
            }
        };
        (build(host, gpu, second), build(host + more, gpu + more, second + more))
    })
}

fn load() -> impl Strategy<Value = Load> {
    (256_u32..1 << 17, 0..4_usize, 1_u32..5).prop_map(|(context, kind, sequences)| Load {
        context,
        kv_type: KvType::ALL[kind],
        sequences,
    })
}

fn rules() -> impl Strategy<Value = EngineRules> {
    prop_oneof![
        Just(EngineRules::EMBEDDED),
        Just(EngineRules::LLAMA_SERVER),
        Just(EngineRules::OLLAMA),
        Just(EngineRules::MLX),
        Just(EngineRules::TORCH)
    ]
}

proptest! {
    #[test]
    fn a_longer_context_never_needs_less_nor_fits_better(
        shape in shape(), load in load(), rules in rules(), budgets in budgets(), longer in 1_u32..1 << 17
    ) {
        let long = Load { context: load.context + longer, ..load };
        prop_assert!(shape.needs(&long, &rules).total_bytes() >= shape.needs(&load, &rules).total_bytes());
        let (now, then) = (judge(&shape, &load, &rules, &budgets.0), judge(&shape, &long, &rules, &budgets.0));
        prop_assert!(then.verdict >= now.verdict, "{:?} after {:?}", then, now);
    }

    #[test]
    fn more_memory_never_fits_worse(shape in shape(), load in load(), rules in rules(), budgets in budgets()) {
        let (less, more) = (judge(&shape, &load, &rules, &budgets.0), judge(&shape, &load, &rules, &budgets.1));
        prop_assert!(more.verdict <= less.verdict, "{:?} after {:?}", more, less);
    }

    #[test]
    fn the_largest_context_fits_and_the_next_does_not(
        shape in shape(), load in load(), rules in rules(), budgets in budgets(), tight in any::<bool>()
    ) {
        let at_worst = if tight { Verdict::Tight } else { Verdict::Fits };
        let verdict = |context: u32| judge(&shape, &Load { context, ..load }, &rules, &budgets.0).verdict;
        match largest_context(&shape, &load, &rules, &budgets.0, at_worst) {
            Some(found) if found.limit == ContextLimit::Memory => {
                prop_assert_eq!(found.tokens % CONTEXT_STEP, 0);
                prop_assert!(verdict(found.tokens) <= at_worst);
                prop_assert!(verdict(found.tokens + CONTEXT_STEP) > at_worst);
            }
            Some(found) => {
                prop_assert_eq!(Some(found.tokens), shape.trained_context);
                prop_assert!(verdict(found.tokens) <= at_worst);
            }
            None => prop_assert!(verdict(CONTEXT_STEP) > at_worst),
        }
    }

    #[test]
    fn no_byte_is_promised_twice(shape in shape(), load in load(), rules in rules(), budgets in budgets()) {
        let fit = judge(&shape, &load, &rules, &budgets.0);
        let all = fit.verdict <= Verdict::PartialOffload;
        match &budgets.0 {
            Budget::Cpu { host } => prop_assert!(!all || fit.needs.total_bytes() <= host.total_bytes),
            Budget::Metal { memory_bytes, .. } => prop_assert!(!all || fit.needs.total_bytes() <= *memory_bytes),
            Budget::Discrete { devices, host } => {
                prop_assert!(fit.gpu_bytes <= devices.iter().map(Pool::limit_bytes).sum());
                prop_assert!(!all || fit.host_bytes <= host.total_bytes);
                prop_assert!(fit.gpu_bytes + fit.host_bytes >= fit.needs.weights_bytes + fit.needs.kv_bytes);
            }
            Budget::Integrated { carve_out_bytes, host, .. } => {
                // Carve-out and main memory together hold everything, once.
                prop_assert!(!all || fit.host_bytes <= host.total_bytes);
                let both = carve_out_bytes + host.total_bytes;
                prop_assert!(!all || fit.needs.weights_bytes + fit.needs.kv_bytes <= both);
            }
        }
        prop_assert!(fit.gpu_layers.is_none_or(|layers| layers as usize <= shape.layers.len()));
    }

    #[test]
    fn caches_grow_with_the_number_of_sequences_and_the_width_of_a_number(shape in shape(), load in load()) {
        let rules = EngineRules::LLAMA_SERVER;
        let bytes = |kv_type, sequences| shape.kv_bytes(&Load { kv_type, sequences, ..load }, &rules);
        prop_assert_eq!(bytes(KvType::F16, 3), 3 * bytes(KvType::F16, 1));
        prop_assert!(bytes(KvType::F32, 1) >= bytes(KvType::F16, 1));
        prop_assert!(bytes(KvType::F16, 1) >= bytes(KvType::Q8_0, 1));
        prop_assert!(bytes(KvType::Q8_0, 1) >= bytes(KvType::Q4_0, 1));
    }
}
