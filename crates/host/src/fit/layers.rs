//! What each layer keeps for the tokens so far: keys and values, a latent, a window of them, or a fixed state.
//!
//! The rules are llama.cpp's, which every GGUF file is written for (`llama-hparams.cpp`, `models/*.cpp`).

use super::header::{ShapeProblem, TensorFact};
use super::hyperparameters::{Keys, MOST_LAYERS};
use super::shape::LayerShape;
use std::collections::BTreeSet;

/// How architectures mix windowed and full layers where the file does not say: every `period`-th layer is full, the
/// last of its group or, where `full_first`, the first.
const WINDOW_PATTERNS: [(&str, u64, bool); 18] = [
    ("afmoe", 4, false),
    ("cohere2", 4, false),
    ("cohere2moe", 4, true),
    ("exaone-moe", 4, false),
    ("exaone4", 4, false),
    ("gemma-embedding", 6, false),
    ("gemma2", 2, false),
    ("gemma3", 6, false),
    ("gemma3n", 5, false),
    ("gpt-oss", 2, false),
    ("llama4", 4, false),
    ("mellum", 4, false),
    ("modern-bert", 3, true),
    ("muse-glimmer", 4, false),
    ("olmo2", 4, false),
    ("phi3", 1, false),
    ("plamo3", 8, false),
    ("smallthinker", 4, true),
];

/// Architectures whose every layer is recurrent.
const RECURRENT: [&str; 6] = ["mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"];

/// The caches of all layers; weights are left at 0.
pub(super) fn caches(keys: &Keys<'_>, tensors: &[TensorFact]) -> Result<Vec<LayerShape>, ShapeProblem> {
    let blocks = keys.required("block_count")?;
    if blocks == 0 || blocks > MOST_LAYERS {
        return Err(ShapeProblem::Absurd { key: keys.name("block_count"), value: blocks.to_string() });
    }
    let count = usize::try_from(blocks).expect("checked against MOST_LAYERS");
    let mut layers = vec![LayerShape::default(); count];
    if keys.flag("attention.causal") == Some(false) {
        return Ok(layers);
    }
    let recurrent = recurrent_layers(keys, tensors, count)?;
    let state = state_elements(keys)?;
    if recurrent.iter().any(|&is| is) && state == 0 {
        return Err(ShapeProblem::Missing(keys.name("ssm.state_size")));
    }
    let attention = if recurrent.iter().all(|&is| is) && !has_attention(tensors) {
        None
    } else {
        Some(Attention::read(keys, count)?)
    };
    let attentive = attentive_layers(tensors, &recurrent, count);
    for (index, layer) in layers.iter_mut().enumerate() {
        if recurrent[index] {
            layer.state_elements = state;
        }
        if let Some(attention) = attention.as_ref().filter(|_| attentive[index]) {
            attention.fill(index, layer);
        }
    }
    Ok(layers)
}

/// Numbers in one token's queries, of the widest layer.
pub(super) fn query_width(keys: &Keys<'_>) -> Result<Option<u64>, ShapeProblem> {
    let (heads, width) = (keys.largest("attention.head_count")?, keys.number("embedding_length")?);
    let key_length = keys.number("attention.key_length")?;
    Ok(match (heads, key_length) {
        (Some(heads), Some(length)) => heads.checked_mul(length),
        _ => width,
    })
}

/// Hyperparameters of attention, one entry a layer.
struct Attention {
    kv_heads: Vec<u64>,
    windowed: Vec<bool>,
    window: Option<u32>,
    full: HeadLengths,
    sliding: HeadLengths,
    /// Keys and values are one latent of this many numbers.
    latent: Option<u64>,
    /// Layers from here on read the cache of an earlier one.
    own_until: usize,
}

#[derive(Clone, Copy)]
struct HeadLengths {
    key: u64,
    value: u64,
}

impl Attention {
    fn read(keys: &Keys<'_>, count: usize) -> Result<Self, ShapeProblem> {
        let heads = keys.per_layer("attention.head_count", count)?;
        let kv_heads = match keys.per_layer("attention.head_count_kv", count)? {
            Some(kv_heads) => kv_heads,
            None => heads.clone().ok_or_else(|| ShapeProblem::Missing(keys.name("attention.head_count")))?,
        };
        let full = head_lengths(keys, heads.as_deref())?;
        let sliding = HeadLengths {
            key: keys.number("attention.key_length_swa")?.unwrap_or(full.key),
            value: keys.number("attention.value_length_swa")?.unwrap_or(full.value),
        };
        let window = keys.number("attention.sliding_window")?.filter(|&window| window > 0);
        let window = window.and_then(|window| u32::try_from(window).ok());
        let windowed = match window {
            Some(_) => windowed_layers(keys, count)?,
            None => vec![false; count],
        };
        Ok(Self {
            latent: latent(keys, &kv_heads)?,
            own_until: own_until(keys, count)?,
            kv_heads,
            windowed,
            window,
            full,
            sliding,
        })
    }

    fn fill(&self, index: usize, layer: &mut LayerShape) {
        if index >= self.own_until {
            return;
        }
        if let Some(latent) = self.latent {
            layer.key_width = latent;
            return;
        }
        let lengths = if self.windowed[index] { self.sliding } else { self.full };
        layer.key_width = self.kv_heads[index].saturating_mul(lengths.key);
        layer.value_width = self.kv_heads[index].saturating_mul(lengths.value);
        layer.window = self.window.filter(|_| self.windowed[index]);
    }
}

/// The lengths of one head. A file that is silent divides the embedding among the query heads; where it speaks, that
/// counts: a model's heads may be shorter or longer than that share.
fn head_lengths(keys: &Keys<'_>, heads: Option<&[u64]>) -> Result<HeadLengths, ShapeProblem> {
    let said = (keys.number("attention.key_length")?, keys.number("attention.value_length")?);
    let derived = || {
        let most = heads.and_then(|heads| heads.iter().copied().max()).filter(|&heads| heads > 0);
        let most = most.ok_or_else(|| ShapeProblem::Missing(keys.name("attention.head_count")))?;
        Ok(keys.required("embedding_length")? / most)
    };
    Ok(match said {
        (Some(key), Some(value)) => HeadLengths { key, value },
        (Some(key), None) => HeadLengths { key, value: derived()? },
        (None, Some(value)) => HeadLengths { key: derived()?, value },
        (None, None) => {
            let length = derived()?;
            HeadLengths { key: length, value: length }
        }
    })
}

/// Multi-head latent attention caches the compressed latent and its rotated part. Older conversions of the same models
/// have no `key_length_mla`; they are run, and cached, with full heads.
fn latent(keys: &Keys<'_>, kv_heads: &[u64]) -> Result<Option<u64>, ShapeProblem> {
    let Some(rank) = keys.number("attention.kv_lora_rank")? else { return Ok(None) };
    let converted = keys.number("attention.key_length_mla")?.is_some() || kv_heads.iter().all(|&heads| heads == 1);
    if !converted {
        return Ok(None);
    }
    Ok(Some(rank + keys.number("rope.dimension_count")?.unwrap_or(64)))
}

/// The first layer that has no cache of its own: layers that share an earlier layer's keys and values, and layers that
/// only predict further tokens, come last.
fn own_until(keys: &Keys<'_>, count: usize) -> Result<usize, ShapeProblem> {
    let narrow = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let ahead = narrow(keys.number("nextn_predict_layers")?.unwrap_or(0));
    let shared = match keys.number("attention.shared_kv_layers")? {
        Some(shared) => narrow(shared),
        // The two sizes of Gemma 3n keep the caches of their first 20 layers.
        None if keys.architecture()? == "gemma3n" => count.saturating_sub(20),
        None => 0,
    };
    Ok(count.saturating_sub(ahead.max(shared)))
}

fn windowed_layers(keys: &Keys<'_>, count: usize) -> Result<Vec<bool>, ShapeProblem> {
    const PATTERN: &str = "attention.sliding_window_pattern";
    let architecture = keys.architecture()?;
    let known = WINDOW_PATTERNS.iter().find(|(name, ..)| *name == architecture);
    let full_first = known.is_some_and(|(_, _, full_first)| *full_first);
    if keys.value(PATTERN).is_some_and(serde_json::Value::is_array) {
        let flags = keys.per_layer(PATTERN, count)?.unwrap_or_default();
        return Ok(flags.into_iter().map(|flag| flag != 0).collect());
    }
    // An unknown architecture is taken at its dearest: every layer looks at everything.
    let Some(period) = keys.number(PATTERN)?.or(known.map(|(_, period, _)| *period)) else {
        return Ok(vec![false; count]);
    };
    let position = |index: usize| index as u64 % period.max(1);
    Ok((0..count)
        .map(|index| match (period, full_first) {
            (0, _) => true,
            (_, true) => position(index) != 0,
            (_, false) => position(index) < period - 1,
        })
        .collect())
}

fn recurrent_layers(keys: &Keys<'_>, tensors: &[TensorFact], count: usize) -> Result<Vec<bool>, ShapeProblem> {
    if RECURRENT.contains(&keys.architecture()?) {
        return Ok(vec![true; count]);
    }
    if let Some(flags) = keys.per_layer("attention.recurrent_layers", count)? {
        return Ok(flags.into_iter().map(|flag| flag != 0).collect());
    }
    let parts = [".ssm_", ".shortconv", ".time_mix"];
    if !tensors.is_empty() {
        let with_state: BTreeSet<usize> = tensors
            .iter()
            .filter(|tensor| parts.iter().any(|part| tensor.name.contains(part)))
            .filter_map(TensorFact::layer)
            .collect();
        return Ok((0..count).map(|index| with_state.contains(&index)).collect());
    }
    if state_elements(keys)? == 0 {
        return Ok(vec![false; count]);
    }
    if let Some(interval) = keys.number("full_attention_interval")?.filter(|&interval| interval > 0) {
        return Ok((0..count).map(|index| !(index as u64 + 1).is_multiple_of(interval)).collect());
    }
    let kv_heads = keys.per_layer("attention.head_count_kv", count)?;
    Ok(match kv_heads {
        Some(kv_heads) if kv_heads.contains(&0) => kv_heads.into_iter().map(|heads| heads == 0).collect(),
        _ => vec![true; count],
    })
}

fn has_attention(tensors: &[TensorFact]) -> bool {
    tensors.iter().any(|tensor| is_attention(&tensor.name))
}

fn is_attention(name: &str) -> bool {
    [".attn_k.", ".attn_k_b.", ".attn_kv_a_mqa.", ".attn_kv_b."].iter().any(|part| name.contains(part))
}

/// Layers that attend: those with key matrices or, where no tensors are known, those that are not recurrent.
fn attentive_layers(tensors: &[TensorFact], recurrent: &[bool], count: usize) -> Vec<bool> {
    if tensors.is_empty() {
        return recurrent.iter().map(|is| !is).collect();
    }
    let mut attentive = vec![false; count];
    for tensor in tensors {
        let Some(index) = tensor.layer().filter(|&index| index < count) else { continue };
        // Linear attention names its fused matrix as full attention does.
        let fused = tensor.name.contains(".attn_qkv.") && !recurrent[index];
        attentive[index] |= fused || is_attention(&tensor.name);
    }
    attentive
}

/// Numbers of state a recurrent layer keeps: the last inputs of its convolution and the state itself.
fn state_elements(keys: &Keys<'_>) -> Result<u64, ShapeProblem> {
    let number = |key: &str| keys.number(key).map(Option::unwrap_or_default);
    let width = number("embedding_length")?;
    let head_size = number("wkv.head_size")?;
    if head_size > 0 {
        let shifts = keys.number("token_shift_count")?.unwrap_or(2);
        return Ok(width.saturating_mul(shifts.saturating_add(head_size)));
    }
    let taps = number("shortconv.l_cache")?;
    if taps > 0 {
        return Ok(width.saturating_mul(taps - 1));
    }
    let kernel = number("ssm.conv_kernel")?.saturating_sub(1);
    let delta_head = number("kda.head_dim")?;
    if delta_head > 0 {
        let heads = keys.largest("attention.head_count")?.unwrap_or_default();
        let per_head = (3 * kernel.max(1)).saturating_mul(delta_head).saturating_add(delta_head * delta_head);
        return Ok(heads.saturating_mul(per_head));
    }
    let (inner, state, groups) = (number("ssm.inner_size")?, number("ssm.state_size")?, number("ssm.group_count")?);
    let convolution = kernel.saturating_mul(inner.saturating_add(2 * groups.saturating_mul(state)));
    Ok(convolution.saturating_add(state.saturating_mul(inner)))
}
