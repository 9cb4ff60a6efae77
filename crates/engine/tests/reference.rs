//! The forward pass against a naive one in f64, written from the papers and the GGUF conventions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use puma_engine::gguf::Gguf;
use puma_engine::{Engine, EngineError, EngineOptions, GenerateRequest, Generation, Model, Observer};
use puma_kernels::{TensorType, block};
use puma_testkit::gguf::{Architecture, RopeScaling, TinyModel};
use std::sync::Arc;

/// A tensor in f64, row after row; empty if the file has none of that name.
fn tensor(gguf: &Gguf, name: &str) -> Vec<f64> {
    let Some(info) = gguf.tensor(name) else { return Vec::new() };
    let len = info.shape[0] as usize;
    let mut row = vec![0.0f32; len];
    let rows = gguf.data(info).chunks(info.kind.row_bytes(len).unwrap());
    rows.flat_map(|bytes| {
        block::dequantise(info.kind, bytes, &mut row);
        row.iter().map(|&value| f64::from(value)).collect::<Vec<_>>()
    })
    .collect()
}

fn product(weights: &[f64], x: &[f64], bias: &[f64]) -> Vec<f64> {
    let rows = weights.chunks(x.len()).enumerate();
    rows.map(|(i, row)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + bias.get(i).unwrap_or(&0.0)).collect()
}

fn norm(x: &[f64], weight: &[f64]) -> Vec<f64> {
    let scale = 1.0 / (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64 + 1e-5).sqrt();
    x.iter().zip(weight).map(|(x, w)| x * scale * w).collect()
}

fn rotate(tiny: &TinyModel, divisors: &[f64], heads: &mut [f64], position: usize) {
    let n = (tiny.embedding / tiny.heads) as usize;
    for head in heads.chunks_mut(n) {
        for i in 0..n / 2 {
            let divisor = divisors.get(i).unwrap_or(&1.0);
            let mut angle = position as f64 * f64::from(tiny.rope_freq_base).powf(-2.0 * i as f64 / n as f64) / divisor;
            let mut length = 1.0;
            match tiny.rope_scaling {
                RopeScaling::None | RopeScaling::FrequencyFactors => {}
                RopeScaling::Long { .. } => panic!("the naive pass has no divisors that depend on the window"),
                RopeScaling::Linear { factor } => angle /= f64::from(factor),
                RopeScaling::Yarn { factor, original_context } => {
                    let pair = |beta: f64| {
                        let turns = f64::from(original_context) / (beta * 2.0 * std::f64::consts::PI);
                        n as f64 * turns.ln() / (2.0 * f64::from(tiny.rope_freq_base).ln())
                    };
                    let (low, high) = (pair(32.0).floor().max(0.0), pair(1.0).ceil().min(n as f64 - 1.0));
                    let kept = 1.0 - ((i as f64 - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
                    angle = angle / f64::from(factor) * (1.0 - kept) + angle * kept;
                    length = 1.0 + 0.1 * f64::from(factor).ln();
                }
            }
            let (a, b) = if tiny.architecture == Architecture::Llama { (2 * i, 2 * i + 1) } else { (i, i + n / 2) };
            let (x, y, sin, cos) = (head[a], head[b], angle.sin() * length, angle.cos() * length);
            (head[a], head[b]) = (x * cos - y * sin, x * sin + y * cos);
        }
    }
}

/// Logits after the last of `tokens`.
fn naive(tiny: &TinyModel, gguf: &Gguf, tokens: &[u32]) -> Vec<f64> {
    let get = |name: String| tensor(gguf, &name);
    let width = tiny.embedding as usize;
    let head_len = width / tiny.heads as usize;
    let embeddings = get("token_embd.weight".to_owned());
    let divisors = get("rope_freqs.weight".to_owned());
    let mut states: Vec<Vec<f64>> =
        tokens.iter().map(|&token| embeddings[token as usize * width..][..width].to_vec()).collect();
    for layer in 0..tiny.layers {
        let part = |name: &str| get(format!("blk.{layer}.{name}"));
        let (mut queries, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (position, state) in states.iter().enumerate() {
            let x = norm(state, &part("attn_norm.weight"));
            let project = |name: &str| product(&part(&format!("{name}.weight")), &x, &part(&format!("{name}.bias")));
            let (mut q, mut k) = (project("attn_q"), project("attn_k"));
            values.push(project("attn_v"));
            rotate(tiny, &divisors, &mut q, position);
            rotate(tiny, &divisors, &mut k, position);
            queries.push(q);
            keys.push(k);
        }
        for (position, state) in states.iter_mut().enumerate() {
            let mut attended = Vec::new();
            for head in 0..tiny.heads as usize {
                let kv = head / (tiny.heads / tiny.kv_heads) as usize * head_len;
                let query = &queries[position][head * head_len..][..head_len];
                let score = |key: &Vec<f64>| query.iter().zip(&key[kv..]).map(|(q, k)| q * k).sum::<f64>();
                let weights: Vec<f64> =
                    keys[..=position].iter().map(|key| (score(key) / (head_len as f64).sqrt()).exp()).collect();
                let sum: f64 = weights.iter().sum();
                for d in 0..head_len {
                    attended.push(weights.iter().zip(&values).map(|(w, v)| w * v[kv + d]).sum::<f64>() / sum);
                }
            }
            let out = product(&part("attn_output.weight"), &attended, &[]);
            state.iter_mut().zip(out).for_each(|(state, out)| *state += out);
            let x = norm(state, &part("ffn_norm.weight"));
            let (gate, up) = (product(&part("ffn_gate.weight"), &x, &[]), product(&part("ffn_up.weight"), &x, &[]));
            let inner: Vec<f64> = gate.iter().zip(up).map(|(gate, up)| gate / (1.0 + (-gate).exp()) * up).collect();
            let out = product(&part("ffn_down.weight"), &inner, &[]);
            state.iter_mut().zip(out).for_each(|(state, out)| *state += out);
        }
    }
    let last = norm(states.last().unwrap(), &get("output_norm.weight".to_owned()));
    let output = if tiny.tied { embeddings } else { get("output.weight".to_owned()) };
    product(&output, &last, &[])
}

#[derive(Default)]
struct FirstLogits(Vec<f32>);

impl Observer for FirstLogits {
    fn logits(&mut self, _request: usize, logits: &[f32]) {
        if self.0.is_empty() {
            self.0 = logits.to_vec();
        }
    }
    fn finished(&mut self, _request: usize, result: Result<Generation, EngineError>) {
        result.unwrap();
    }
}

/// Root mean square of the difference, relative to the spread of the logits.
fn relative_error(tiny: &TinyModel) -> f64 {
    let gguf = Gguf::from_bytes(tiny.write()).unwrap();
    let vocabulary = gguf.tensor("token_embd.weight").unwrap().shape[1];
    let tokens: Vec<u32> = (0..45u64).map(|i| ((i * i * 31 + 7) % vocabulary) as u32).collect();
    let want = naive(tiny, &gguf, &tokens);
    let mut engine = Engine::new(Arc::new(Model::from_gguf(gguf).unwrap()), EngineOptions::default()).unwrap();
    let mut first = FirstLogits::default();
    let request = GenerateRequest { prompt: tokens, max_tokens: 1, ..GenerateRequest::default() };
    engine.generate(&[request], &|| false, &mut first);
    let square: f64 = want.iter().zip(&first.0).map(|(want, got)| (want - f64::from(*got)).powi(2)).sum();
    let mean = want.iter().sum::<f64>() / want.len() as f64;
    (square / want.iter().map(|want| (want - mean).powi(2)).sum::<f64>()).sqrt()
}

#[test]
fn float_weights_agree_with_the_naive_pass_to_rounding() {
    for architecture in [Architecture::Llama, Architecture::Qwen2] {
        for kind in [TensorType::F32, TensorType::F16, TensorType::BF16] {
            let error = relative_error(&TinyModel::new(architecture, kind));
            assert!(error < 1e-5, "{} {}: {error}", architecture.name(), kind.name());
        }
    }
}

#[test]
fn every_rope_variant_agrees_with_the_naive_pass_to_rounding() {
    for architecture in [Architecture::Llama, Architecture::Qwen2] {
        for rope_scaling in [
            RopeScaling::Linear { factor: 4.0 },
            RopeScaling::Yarn { factor: 4.0, original_context: 128 },
            RopeScaling::FrequencyFactors,
        ] {
            let tiny = TinyModel { rope_scaling, tied: false, ..TinyModel::new(architecture, TensorType::F32) };
            let error = relative_error(&tiny);
            assert!(error < 1e-5, "{} {rope_scaling:?}: {error}", architecture.name());
        }
    }
}

#[test]
fn quantised_weights_agree_within_what_eight_bit_activations_explain() {
    for architecture in [Architecture::Llama, Architecture::Qwen2] {
        for kind in TensorType::all().filter(|kind| kind.block_len() > 1) {
            let error = relative_error(&TinyModel::new(architecture, kind));
            assert!(error < 0.03, "{} {}: {error}", architecture.name(), kind.name());
        }
    }
}
