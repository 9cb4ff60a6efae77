//! Sizes that others report: llama.cpp's own buffers (`scripts/golden/llama_buffers.sh`), published files, and the
//! worked examples of the literature.

use crate::models::{GIB, LLAMA_2_7B, LLAMA_3_8B, MIB, QWEN2_5_7B, QWEN3_30B_A3B, SMOLLM2_135M, f16};
use puma_host::fit::{EngineRules, KvType, Load};

/// `context,flash attention,kv type,kv MiB,compute MiB` as llama-server reports them for SmolLM2-135M.
const BUFFERS: &str = include_str!("golden/llama_server_buffers.csv");

#[test]
fn caches_and_buffers_are_those_llama_server_reports() {
    let shape = SMOLLM2_135M.shape();
    let mut rows = 0;
    for line in BUFFERS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let columns: Vec<&str> = line.split(',').collect();
        let [context, flash, kv_type, kv_mib, compute_mib] = columns[..] else { panic!("{line}") };
        let kv_type = KvType::ALL.into_iter().find(|kind| kind.as_str() == kv_type).unwrap();
        let load = Load { context: context.parse().unwrap(), kv_type, sequences: 1 };
        let rules = EngineRules { scores_at_once: flash == "off", ..EngineRules::LLAMA_SERVER };
        let kv = shape.kv_bytes(&load, &rules) as f64 / MIB;
        let reported: f64 = kv_mib.parse().unwrap();
        assert!((kv - reported).abs() < 0.01, "{line}: cache {kv:.2} MiB");
        let compute = shape.compute_bytes(&load, &rules) as f64 / MIB;
        let reported: f64 = compute_mib.parse().unwrap();
        assert!((compute - reported).abs() <= 2.0, "{line}: buffers {compute:.2} MiB");
        rows += 1;
    }
    assert!(rows >= 8);
}

#[test]
fn ollamas_runner_keeps_the_logits_of_a_chunk() {
    // Reported by a runner with a micro-batch of 128 and of 512 tokens: 24.28 and 324.51 MiB, without flash attention.
    let shape = SMOLLM2_135M.shape();
    let rules = EngineRules { scores_at_once: true, ..EngineRules::OLLAMA };
    let small = shape.compute_bytes(&f16(128), &rules) as f64 / MIB;
    assert!((small - 24.28).abs() < 0.1, "{small:.2}");
    let large = shape.compute_bytes(&f16(16_384), &rules) as f64 / MIB;
    assert!((large - 324.51).abs() < 0.1, "{large:.2}");
    assert_eq!(shape.kv_bytes(&f16(16_384), &rules) as f64 / MIB, 360.0);
}

#[test]
fn worked_examples_of_the_cache_come_out() {
    let cache = |dimensions: crate::models::Dimensions, context| {
        dimensions.shape().kv_bytes(&f16(context), &EngineRules::LLAMA_SERVER)
    };
    assert_eq!(cache(LLAMA_3_8B, 8192), GIB);
    assert_eq!(cache(LLAMA_2_7B, 8192), 4 * GIB);
    let qwen = cache(QWEN2_5_7B, 8192) as f64 / GIB as f64;
    assert!((qwen - 0.4375).abs() < 1e-9, "{qwen}");
    let load = Load { kv_type: KvType::Q8_0, ..f16(8192) };
    assert_eq!(LLAMA_3_8B.shape().kv_bytes(&load, &EngineRules::LLAMA_SERVER), GIB / 32 * 17);
    let load = Load { kv_type: KvType::Q4_0, ..f16(8192) };
    assert_eq!(LLAMA_3_8B.shape().kv_bytes(&load, &EngineRules::LLAMA_SERVER), GIB / 32 * 9);
}

#[test]
fn weights_are_those_of_published_files() {
    let gib = |bytes: u64| bytes as f64 / GIB as f64;
    // llama.cpp's table: LLaMA-7B F16 12.55 GiB, Q8_0 6.67, Q4_0 3.56 (output in Q6_K).
    for (kind, table, expected) in [("F16", "F16", 12.55), ("Q8_0", "Q8_0", 6.67)] {
        let shape = crate::models::Dimensions { kind, table_kind: table, ..LLAMA_2_7B }.shape();
        assert!((gib(shape.weights_bytes) - expected).abs() < 0.01, "{kind}: {}", gib(shape.weights_bytes));
    }
    let llama = crate::models::Dimensions { kind: "Q8_0", table_kind: "Q8_0", ..LLAMA_3_8B }.shape();
    assert!((gib(llama.weights_bytes) - 7.95).abs() < 0.01, "{}", gib(llama.weights_bytes));
    assert_eq!(llama.parameters, Some(8_030_261_248));
}

#[test]
fn a_mixture_reads_its_active_experts_only() {
    let shape = QWEN3_30B_A3B.shape();
    let active = shape.active_parameters.unwrap() as f64;
    let all = shape.parameters.unwrap() as f64;
    // Published: 30.5 billion, 3.3 of them activated, the embeddings of which a token reads one row.
    assert!((all / 30.5e9 - 1.0).abs() < 0.01, "{all:e}");
    assert!(((active + 151_936.0 * 2048.0) / 3.3e9 - 1.0).abs() < 0.03, "{active:e}");
    assert!(shape.active_bytes < shape.weights_bytes / 7);
    // With the sizes alone the same comes out, near enough.
    let mut keys = QWEN3_30B_A3B.keys();
    keys.insert("general.parameter_count".to_owned(), serde_json::json!(30_532_122_624_u64));
    let sizes = puma_host::fit::shape_from_header(&keys, &[], Some(shape.weights_bytes)).unwrap();
    let share = sizes.active_bytes as f64 / shape.active_bytes as f64;
    assert!((share - 1.0).abs() < 0.15, "{share}");
}
