//! What the layers of each family of architectures keep, by hand.

use crate::models::{f16, keys, tensor};
use puma_host::fit::{EngineRules, LayerShape, ModelShape, ShapeProblem, TensorFact, shape_from_header};
use serde_json::{Value, json};

const LLAMA_CPP: EngineRules = EngineRules::LLAMA_SERVER;

fn shape(architecture: &str, entries: &[(&str, Value)], tensors: &[TensorFact]) -> ModelShape {
    shape_from_header(&keys(architecture, entries), tensors, Some(1_000_000)).expect("a header of this family")
}

#[test]
fn gemma_3_keeps_five_windows_to_one_full_layer() {
    let gemma = shape(
        "gemma3",
        &[
            ("block_count", json!(62)),
            ("embedding_length", json!(5376)),
            ("attention.head_count", json!(32)),
            ("attention.head_count_kv", json!(16)),
            ("attention.key_length", json!(128)),
            ("attention.value_length", json!(128)),
            ("attention.sliding_window", json!(1024)),
            ("context_length", json!(131_072)),
        ],
        &[],
    );
    let full: Vec<usize> = (0..62).filter(|&index| gemma.layers[index].window.is_none()).collect();
    assert_eq!(full, [5, 11, 17, 23, 29, 35, 41, 47, 53, 59]);
    // 10 full layers of 32,768 positions, 52 windows of 1,024 + 512; 2 x 16 heads x 128 numbers of 2 bytes.
    assert_eq!(gemma.kv_bytes(&f16(32_768), &LLAMA_CPP), (10 * 32_768 + 52 * 1536) * 2 * 16 * 128 * 2);
    // An engine that keeps everything keeps everything.
    let all = EngineRules { keeps_windows: false, ..LLAMA_CPP };
    assert_eq!(gemma.kv_bytes(&f16(32_768), &all), 62 * 32_768 * 2 * 16 * 128 * 2);
}

#[test]
fn a_pattern_in_the_file_wins_over_the_architectures() {
    let head = |pattern: Value| {
        shape(
            "gemma3",
            &[
                ("block_count", json!(6)),
                ("embedding_length", json!(512)),
                ("attention.head_count", json!(4)),
                ("attention.sliding_window", json!(256)),
                ("attention.sliding_window_pattern", pattern),
            ],
            &[],
        )
    };
    let windowed =
        |shape: &ModelShape| -> Vec<bool> { shape.layers.iter().map(|layer| layer.window.is_some()).collect() };
    assert_eq!(windowed(&head(json!(3))), [true, true, false, true, true, false]);
    assert_eq!(windowed(&head(json!([true, false]))), [true, false, true, false, true, false]);
    assert_eq!(windowed(&head(json!([1, 1, 1, 0, 1, 1]))), [true, true, true, false, true, true]);
    assert_eq!(windowed(&head(json!(1))), [false; 6]);
    assert_eq!(windowed(&head(json!(0))), [true; 6]);
}

#[test]
fn a_window_of_an_unknown_architecture_is_taken_for_full_attention() {
    let entries = [
        ("block_count", json!(2)),
        ("embedding_length", json!(64)),
        ("attention.head_count", json!(1)),
        ("attention.sliding_window", json!(8)),
    ];
    assert!(shape("newcomer", &entries, &[]).layers.iter().all(|layer| layer.window.is_none()));
}

#[test]
fn latent_attention_caches_the_latent_and_old_conversions_cache_heads() {
    let mut entries = vec![
        ("block_count", json!(27)),
        ("embedding_length", json!(2048)),
        ("attention.head_count", json!(16)),
        ("attention.head_count_kv", json!(16)),
        ("attention.key_length", json!(192)),
        ("attention.value_length", json!(128)),
        ("attention.kv_lora_rank", json!(512)),
        ("rope.dimension_count", json!(64)),
    ];
    let old = shape("deepseek2", &entries, &[]);
    assert_eq!(old.kv_bytes(&f16(8192), &LLAMA_CPP), 27 * 8192 * 16 * (192 + 128) * 2);
    entries.push(("attention.key_length_mla", json!(192)));
    entries.push(("attention.value_length_mla", json!(128)));
    let new = shape("deepseek2", &entries, &[]);
    assert_eq!(new.kv_bytes(&f16(8192), &LLAMA_CPP), 27 * 8192 * 576 * 2);
}

#[test]
fn recurrent_layers_keep_a_state_of_fixed_size() {
    let mamba = shape(
        "mamba",
        &[
            ("block_count", json!(64)),
            ("embedding_length", json!(2560)),
            ("ssm.conv_kernel", json!(4)),
            ("ssm.inner_size", json!(5120)),
            ("ssm.state_size", json!(16)),
            ("ssm.time_step_rank", json!(160)),
        ],
        &[],
    );
    let state = 64 * (3 * 5120 + 16 * 5120) * 4;
    assert_eq!(mamba.kv_bytes(&f16(256), &LLAMA_CPP), state);
    assert_eq!(mamba.kv_bytes(&f16(1 << 20), &LLAMA_CPP), state);
    let rwkv = shape(
        "rwkv7",
        &[("block_count", json!(24)), ("embedding_length", json!(2048)), ("wkv.head_size", json!(64))],
        &[],
    );
    assert_eq!(rwkv.kv_bytes(&f16(4096), &LLAMA_CPP), 24 * 2048 * (2 + 64) * 4);
}

#[test]
fn hybrids_are_told_layer_by_layer() {
    let entries = [
        ("block_count", json!(8)),
        ("embedding_length", json!(1024)),
        ("attention.head_count", json!(8)),
        ("attention.head_count_kv", json!(2)),
        ("attention.key_length", json!(256)),
        ("attention.value_length", json!(256)),
        ("full_attention_interval", json!(4)),
        ("ssm.conv_kernel", json!(4)),
        ("ssm.inner_size", json!(2048)),
        ("ssm.state_size", json!(128)),
        ("ssm.group_count", json!(16)),
    ];
    let by_keys = shape("qwen3next", &entries, &[]);
    let attends = |layer: &LayerShape| layer.key_width > 0;
    let expected = [false, false, false, true, false, false, false, true];
    assert_eq!(by_keys.layers.iter().map(attends).collect::<Vec<_>>(), expected);
    // Linear attention names its fused projection as full attention does; the state's tensors tell them apart.
    let mut tensors = vec![tensor("token_embd.weight", &[1024, 100], "F16")];
    for (layer, attends) in expected.into_iter().enumerate() {
        if attends {
            tensors.push(tensor(&format!("blk.{layer}.attn_k.weight"), &[1024, 512], "F16"));
        } else {
            tensors.push(tensor(&format!("blk.{layer}.attn_qkv.weight"), &[1024, 512], "F16"));
            tensors.push(tensor(&format!("blk.{layer}.ssm_conv1d.weight"), &[4, 512], "F32"));
        }
    }
    let by_tensors = shape("qwen3next", &entries, &tensors);
    assert_eq!(by_tensors.layers.iter().map(attends).collect::<Vec<_>>(), expected);
    for layer in &by_tensors.layers {
        assert_eq!(layer.state_elements, if attends(layer) { 0 } else { 3 * (2048 + 2 * 16 * 128) + 128 * 2048 });
    }
}

#[test]
fn heads_that_a_layer_does_not_have_are_not_cached() {
    let lfm = shape(
        "lfm2",
        &[
            ("block_count", json!(4)),
            ("embedding_length", json!(1024)),
            ("attention.head_count", json!(16)),
            ("attention.head_count_kv", json!([0, 8, 0, 8])),
            ("shortconv.l_cache", json!(3)),
        ],
        &[],
    );
    let widths: Vec<(u64, u64)> = lfm.layers.iter().map(|layer| (layer.key_width, layer.state_elements)).collect();
    assert_eq!(widths, [(0, 2048), (512, 0), (0, 2048), (512, 0)]);
}

#[test]
fn layers_that_share_an_earlier_cache_add_none() {
    let entries = [
        ("block_count", json!(35)),
        ("embedding_length", json!(2048)),
        ("attention.head_count", json!(8)),
        ("attention.head_count_kv", json!(2)),
        ("attention.key_length", json!(256)),
        ("attention.value_length", json!(256)),
        ("attention.sliding_window", json!(512)),
        ("attention.shared_kv_layers", json!(15)),
    ];
    let caching = shape("gemma3n", &entries, &[]).layers.iter().filter(|layer| layer.key_width > 0).count();
    assert_eq!(caching, 20);
}

#[test]
fn embedding_models_keep_nothing() {
    let bert = shape(
        "bert",
        &[
            ("block_count", json!(12)),
            ("embedding_length", json!(384)),
            ("attention.head_count", json!(12)),
            ("attention.causal", json!(false)),
            ("context_length", json!(512)),
        ],
        &[],
    );
    assert_eq!(bert.kv_bytes(&f16(512), &LLAMA_CPP), 0);
}

#[test]
fn what_is_no_language_model_is_called_so() {
    let clip = shape_from_header(&keys("clip", &[("block_count", json!(24))]), &[], Some(1));
    assert!(matches!(clip, Err(ShapeProblem::NotALanguageModel(_))));
    let empty = shape_from_header(&serde_json::Map::new(), &[], Some(1));
    assert_eq!(empty, Err(ShapeProblem::Missing("general.architecture".to_owned())));
}

#[test]
fn absurd_numbers_are_refused_with_the_key() {
    for (value, shown) in
        [(json!(0), "0"), (json!(-3), "-3"), (json!(1e300), "1e+300"), (json!(100_000), "100000"), (json!(1.5), "1.5")]
    {
        let damaged = keys("llama", &[("block_count", value), ("attention.head_count", json!(8))]);
        let problem = shape_from_header(&damaged, &[], Some(1)).unwrap_err();
        assert_eq!(problem.to_string(), format!("the header says `llama.block_count` is {shown}, which no model has"));
    }
    let silent = shape_from_header(&keys("llama", &[("block_count", json!(8))]), &[], Some(1)).unwrap_err();
    assert_eq!(silent, ShapeProblem::Missing("llama.attention.head_count".to_owned()));
    let sizeless = keys(
        "llama",
        &[("block_count", json!(1)), ("attention.head_count", json!(1)), ("embedding_length", json!(64))],
    );
    assert_eq!(shape_from_header(&sizeless, &[], None), Err(ShapeProblem::NoSize));
}

#[test]
fn a_tensor_of_an_unknown_type_falls_back_to_the_files_size() {
    let head = keys(
        "llama",
        &[("block_count", json!(2)), ("attention.head_count", json!(1)), ("embedding_length", json!(64))],
    );
    let mut tensors =
        vec![tensor("blk.0.attn_k.weight", &[64, 64], "Q8_0"), tensor("blk.1.attn_k.weight", &[64, 64], "Q99_X")];
    let estimated = shape_from_header(&head, &tensors, Some(7_000)).unwrap();
    assert_eq!((estimated.weights_bytes, estimated.source.as_str()), (7_000, "file size"));
    tensors.pop();
    let exact = shape_from_header(&head, &tensors, Some(7_000)).unwrap();
    assert_eq!((exact.weights_bytes, exact.source.as_str()), (64 * 2 * 34, "tensor table"));
}
