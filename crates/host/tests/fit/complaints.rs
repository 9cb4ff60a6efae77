//! What users of other tools complained about, kept from happening here. Names: repository#issue.

use crate::machines::{apu, card, fit, linux, mac};
use crate::models::{Dimensions, GIB, LLAMA_3_8B, QWEN2_5_7B, QWEN3_30B_A3B, f16, keys};
use puma_host::fit::{
    Budget, ContextLimit, EngineRules, PoolKind, Verdict, budget, judge, largest_context, shape_from_header,
};
use puma_host::machine::Gpu;
use serde_json::json;

/// llmfit#302: a 5.3 GB file "needs 26.3 GB", because its cache was counted at the 262,144 tokens it was trained for.
#[test]
fn a_long_trained_context_does_not_make_a_small_model_large() {
    let model = Dimensions { context: 262_144, ..LLAMA_3_8B };
    let machine = mac("Apple M2", 16, "15.0");
    let judged = fit(&machine, model, 8192);
    assert_eq!(judged.verdict, Verdict::Fits);
    assert!(judged.needs.total_bytes() < 6 * GIB);
    let rules = EngineRules::LLAMA_SERVER;
    let budget = budget(&machine, &rules).unwrap();
    let found = largest_context(&model.shape(), &f16(8192), &rules, &budget, Verdict::Fits).unwrap();
    assert_eq!(found.limit, ContextLimit::Memory);
    assert!((30_000..60_000).contains(&found.tokens), "{}", found.tokens);
}

/// whichllm#44, #49: a 40 GB model "fits" a Mac of 32 GB, whose memory was counted as RAM and as VRAM.
#[test]
fn unified_memory_is_counted_once() {
    let model = Dimensions { layers: 260, ..LLAMA_3_8B };
    let machine = mac("Apple M1 Max", 32, "15.0");
    let judged = fit(&machine, model, 4096);
    assert!(judged.needs.weights_bytes > 28 * GIB);
    assert_eq!(judged.verdict, Verdict::WillNotFit);
    assert_eq!(budget(&machine, &EngineRules::OLLAMA).unwrap().pools().len(), 1);
}

/// llmfit#88, #544: speed and memory of a mixture from all its parameters, or from a catalogue's wrong active ones.
#[test]
fn a_mixture_takes_all_its_weights_in_memory_and_few_of_them_per_token() {
    let shape = QWEN3_30B_A3B.shape();
    assert!(shape.weights_bytes > 15 * GIB);
    assert!(shape.active_bytes < 2 * GIB);
    let laptop = linux(16, 14, Vec::new());
    assert_ne!(fit(&laptop, QWEN3_30B_A3B, 4096).verdict, Verdict::Fits);
}

/// llmfit#1044, #635: Macs with an A chip had "VRAM unknown" and no unified memory.
#[test]
fn a_mac_with_a_phones_chip_has_a_working_set() {
    let neo = mac("Apple A18 Pro", 8, "26.3");
    let Budget::Metal { working_set, .. } = budget(&neo, &EngineRules::OLLAMA).unwrap() else { panic!() };
    assert_eq!(working_set.kind, PoolKind::MetalWorkingSet);
    assert!((working_set.total_bytes as f64 / GIB as f64 - 5.33).abs() < 0.01);
}

/// lmstudio-bug-tracker#1038: "NaN undefined" for RWKV, which has no heads to divide by.
#[test]
fn a_model_without_attention_has_a_size() {
    let head = keys(
        "rwkv7",
        &[
            ("block_count", json!(32)),
            ("embedding_length", json!(2560)),
            ("wkv.head_size", json!(64)),
            ("attention.head_count", json!(0)),
        ],
    );
    let shape = shape_from_header(&head, &[], Some(3_000_000_000)).unwrap();
    let rules = EngineRules::OLLAMA;
    let judged = judge(&shape, &f16(8192), &rules, &budget(&mac("Apple M1", 8, "15.0"), &rules).unwrap());
    assert_eq!(judged.verdict, Verdict::Fits);
}

/// lmstudio-bug-tracker#1202: Mistral-Nemo "requires 273.25 GB". Its heads are shorter than width / heads, and it was
/// trained for a million tokens.
#[test]
fn head_lengths_are_read_and_not_derived_where_the_file_says_them() {
    let nemo = Dimensions {
        layers: 40,
        embedding: 5120,
        head_len: 128,
        vocabulary: 131_072,
        context: 1_024_000,
        ..LLAMA_3_8B
    };
    let shape = nemo.shape();
    assert_eq!(shape.layers[0].key_width, 8 * 128);
    let judged = fit(&mac("Apple M2 Pro", 16, "15.0"), nemo, 8192);
    assert_eq!(judged.verdict, Verdict::Fits, "{}", judged.reason);
    assert!(judged.needs.total_bytes() < 10 * GIB);
}

/// llmfit#964, #995: an APU's carve-out hidden, its GTT pool unseen; and both added to main memory.
#[test]
fn an_apu_uses_its_carve_out_and_gtt_but_never_more_than_there_is() {
    // 128 GiB, half of it carved out: the kernel sees 64.
    let halo = linux(64, 60, vec![apu(64, 32)]);
    let rules = EngineRules::LLAMA_SERVER;
    let Budget::Integrated { pool, carve_out_bytes, .. } = budget(&halo, &rules).unwrap() else { panic!() };
    assert_eq!((pool.total_bytes, carve_out_bytes), (96 * GIB, 64 * GIB));
    // ROCm sees the larger of the two only.
    let Budget::Integrated { pool, .. } = budget(&halo, &EngineRules::OLLAMA).unwrap() else { panic!() };
    assert_eq!(pool.total_bytes, 64 * GIB);
    // 512 MiB carved out of 32: GTT is main memory, and what is not free there is not free for the GPU.
    let small = linux(31, 5, vec![apu(1, 15)]);
    let judged = fit(&small, Dimensions { layers: 64, ..LLAMA_3_8B }, 4096);
    assert!(judged.verdict > Verdict::Tight, "{}", judged.reason);
}

/// llmfit#271: the integrated GPU counted as a second card.
#[test]
fn an_integrated_gpu_beside_a_card_is_left_out() {
    let machine = linux(32, 28, vec![apu(2, 16), card("NVIDIA GeForce RTX 4090", "0000:01:00.0", 24 * GIB, None)]);
    let Budget::Discrete { devices, .. } = budget(&machine, &EngineRules::OLLAMA).unwrap() else { panic!() };
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].total_bytes, 24 * GIB);
}

/// lmstudio-bug-tracker#2295: memory that other programs use on the card is not there.
#[test]
fn only_free_memory_of_a_card_counts() {
    let busy = |free| linux(64, 60, vec![card("NVIDIA GeForce RTX 4090", "0000:01:00.0", 24 * GIB, Some(free))]);
    assert_eq!(fit(&busy(23 * GIB), QWEN2_5_7B, 8192).verdict, Verdict::Fits);
    assert_eq!(fit(&busy(4 * GIB), QWEN2_5_7B, 8192).verdict, Verdict::PartialOffload);
}

/// lmstudio-bug-tracker#2017: a 22 GB model refused on 64 GB with a working set of 51 GB, for lack of *free* pages.
#[test]
fn free_pages_are_not_the_limit_of_a_mac() {
    let mut machine = mac("Apple M1 Max", 64, "26.1");
    machine.memory_available_bytes = Some(9 * GIB);
    let model = Dimensions { layers: 160, ..LLAMA_3_8B };
    let judged = fit(&machine, model, 8192);
    assert!(judged.needs.weights_bytes > 18 * GIB);
    assert_eq!(judged.verdict, Verdict::Fits);
}

/// A card of which nothing but the name is known promises nothing.
#[test]
fn a_card_of_unknown_memory_is_not_used() {
    let unknown = Gpu { memory_bytes: None, ..card("a card", "0000:01:00.0", 0, None) };
    assert!(matches!(budget(&linux(16, 14, vec![unknown]), &EngineRules::OLLAMA).unwrap(), Budget::Cpu { .. }));
}
