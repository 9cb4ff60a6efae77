//! Shapes of models of which only the catalogue knows anything: the dimensions their makers published.

use super::header::{ShapeProblem, shape_from_header};
use super::shape::{Experts, ModelShape, ShapeSource};
use serde_json::{Map, Value, json};

/// What a catalogue says about a model.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogueFacts<'a> {
    /// `general.architecture`
    pub architecture: &'a str,
    /// Parameters in billions.
    pub params_b: f64,
    /// Parameters used for one token in billions, where the model's name says so (`30b-a3b`).
    pub active_params_b: Option<f64>,
    /// Published size of the weights.
    pub size_bytes: u64,
    /// Context window in tokens.
    pub context_window: u32,
}

/// Published dimensions of one model.
struct Published {
    architecture: &'static str,
    params_b: f64,
    layers: u32,
    embedding: u32,
    heads: u32,
    kv_heads: u32,
    head_len: u32,
    feed_forward: u32,
    vocabulary: u32,
    window: u32,
}

/// One row of the table below, in its order of columns.
#[expect(clippy::too_many_arguments, reason = "a table's row")]
const fn row(
    architecture: &'static str,
    params_b: f64,
    layers: u32,
    embedding: u32,
    heads: u32,
    kv_heads: u32,
    head_len: u32,
    feed_forward: u32,
    vocabulary: u32,
    window: u32,
) -> Published {
    Published { architecture, params_b, layers, embedding, heads, kv_heads, head_len, feed_forward, vocabulary, window }
}

/// Dimensions from the configurations published with each model: SmolLM2, TinyLlama, Llama 3.x, Mistral, Qwen2.5,
/// Qwen3, Gemma 3, Phi-3.
const PUBLISHED: [Published; 29] = [
    row("llama", 0.135, 30, 576, 9, 3, 64, 1536, 49_152, 0),
    row("llama", 0.362, 32, 960, 15, 5, 64, 2560, 49_152, 0),
    row("llama", 1.1, 22, 2048, 32, 4, 64, 5632, 32_000, 0),
    row("llama", 1.24, 16, 2048, 32, 8, 64, 8192, 128_256, 0),
    row("llama", 1.71, 24, 2048, 32, 32, 64, 8192, 49_152, 0),
    row("llama", 3.21, 28, 3072, 24, 8, 128, 8192, 128_256, 0),
    row("llama", 7.25, 32, 4096, 32, 8, 128, 14_336, 32_768, 0),
    row("llama", 8.03, 32, 4096, 32, 8, 128, 14_336, 128_256, 0),
    row("llama", 70.6, 80, 8192, 64, 8, 128, 28_672, 128_256, 0),
    row("qwen2", 0.494, 24, 896, 14, 2, 64, 4864, 151_936, 0),
    row("qwen2", 1.54, 28, 1536, 12, 2, 128, 8960, 151_936, 0),
    row("qwen2", 3.09, 36, 2048, 16, 2, 128, 11_008, 151_936, 0),
    row("qwen2", 7.62, 28, 3584, 28, 4, 128, 18_944, 152_064, 0),
    row("qwen2", 14.8, 48, 5120, 40, 8, 128, 13_824, 152_064, 0),
    row("qwen2", 32.8, 64, 5120, 40, 8, 128, 27_648, 152_064, 0),
    row("qwen2", 72.7, 80, 8192, 64, 8, 128, 29_568, 152_064, 0),
    row("qwen3", 0.596, 28, 1024, 16, 8, 128, 3072, 151_936, 0),
    row("qwen3", 1.72, 28, 2048, 16, 8, 128, 6144, 151_936, 0),
    row("qwen3", 4.02, 36, 2560, 32, 8, 128, 9728, 151_936, 0),
    row("qwen3", 8.19, 36, 4096, 32, 8, 128, 12_288, 151_936, 0),
    row("qwen3", 14.8, 40, 5120, 40, 8, 128, 17_408, 151_936, 0),
    row("qwen3", 32.8, 64, 5120, 64, 8, 128, 25_600, 151_936, 0),
    row("qwen3moe", 30.5, 48, 2048, 32, 4, 128, 768, 151_936, 0),
    row("qwen3moe", 235.0, 94, 4096, 64, 4, 128, 1536, 151_936, 0),
    row("gemma3", 1.0, 26, 1152, 4, 1, 256, 6912, 262_144, 512),
    row("gemma3", 4.3, 34, 2560, 8, 4, 256, 10_240, 262_144, 1024),
    row("gemma3", 12.2, 48, 3840, 16, 8, 256, 15_360, 262_144, 1024),
    row("gemma3", 27.4, 62, 5376, 32, 16, 128, 21_504, 262_144, 1024),
    row("phi3", 3.8, 32, 3072, 32, 32, 96, 8192, 32_064, 0),
];

/// Published routed experts of an architecture, all sizes alike.
const EXPERTS: [(&str, Experts); 1] = [("qwen3moe", Experts { total: 128, used: 8 })];

/// Catalogues round: a model of another size than the published one by less than this factor is taken for it.
const SAME_MODEL: f64 = 1.2;

/// The shape that the catalogue's facts make likely. Weights are the published size; dimensions are those of the
/// published model nearest in size, of the same architecture where there is one.
///
/// # Errors
/// The catalogue's numbers are not those of a model.
pub fn shape_from_catalogue(facts: &CatalogueFacts<'_>) -> Result<ModelShape, ShapeProblem> {
    if !(facts.params_b > 0.0 && facts.params_b < 1e5) {
        return Err(ShapeProblem::Absurd { key: "params_b".to_owned(), value: facts.params_b.to_string() });
    }
    let distance = |row: &Published| (row.params_b / facts.params_b).ln().abs();
    let nearest = |of: &dyn Fn(&&Published) -> bool| {
        PUBLISHED.iter().filter(of).min_by(|a, b| distance(a).total_cmp(&distance(b)))
    };
    let own = nearest(&|row| row.architecture == facts.architecture).filter(|row| distance(row) <= SAME_MODEL.ln());
    let likely = own.or_else(|| nearest(&|row| row.window == 0 && !is_sparse(row.architecture)));
    let likely = likely.expect("the table is not empty");
    let params_b = own.map_or(facts.params_b, |own| own.params_b);
    let mut shape = shape_from_header(&likely.keys(params_b, facts.context_window), &[], Some(facts.size_bytes))?;
    shape.architecture = Some(facts.architecture.to_owned());
    shape.source = ShapeSource::Catalogue;
    if let Some(active) = facts.active_params_b.filter(|&active| active > 0.0 && active < facts.params_b) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a size in bytes")]
        let bytes = (facts.size_bytes as f64 * active / facts.params_b) as u64;
        shape.active_bytes = bytes;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "below the checked parameter count"
        )]
        let parameters = (active * 1e9) as u64;
        shape.active_parameters = Some(parameters);
    }
    Ok(shape)
}

fn is_sparse(architecture: &str) -> bool {
    EXPERTS.iter().any(|(name, _)| *name == architecture)
}

impl Published {
    /// The row as the keys of a GGUF header.
    fn keys(&self, params_b: f64, context_window: u32) -> Map<String, Value> {
        let mut keys = Map::new();
        let prefix = self.architecture;
        keys.insert("general.architecture".to_owned(), json!(prefix));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be positive and small")]
        let parameters = (params_b * 1e9) as u64;
        keys.insert("general.parameter_count".to_owned(), json!(parameters));
        let mut put = |key: &str, value: u32| keys.insert(format!("{prefix}.{key}"), json!(value));
        put("block_count", self.layers);
        put("embedding_length", self.embedding);
        put("feed_forward_length", self.feed_forward);
        put("attention.head_count", self.heads);
        put("attention.head_count_kv", self.kv_heads);
        put("attention.key_length", self.head_len);
        put("attention.value_length", self.head_len);
        put("vocab_size", self.vocabulary);
        put("context_length", context_window);
        if self.window > 0 {
            put("attention.sliding_window", self.window);
        }
        if let Some((_, experts)) = EXPERTS.iter().find(|(name, _)| *name == prefix) {
            put("expert_count", experts.total);
            put("expert_used_count", experts.used);
            put("expert_feed_forward_length", self.feed_forward);
        }
        keys
    }
}

/// The `3` of `30b-a3b`: parameters in use, in billions, where a model's name says so.
pub fn active_params_in_name(name: &str) -> Option<f64> {
    let lower = name.to_ascii_lowercase();
    lower.split(['-', ':', '_', '/']).find_map(|part| {
        let number: f64 = part.strip_prefix('a')?.strip_suffix('b')?.parse().ok()?;
        (number > 0.0 && number < 1e4).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(architecture: &'static str, params_b: f64, size_bytes: u64) -> CatalogueFacts<'static> {
        CatalogueFacts { architecture, params_b, active_params_b: None, size_bytes, context_window: 32_768 }
    }

    #[test]
    fn every_published_row_gives_a_shape_that_keeps_the_catalogues_size() {
        for row in &PUBLISHED {
            let shape = shape_from_catalogue(&facts(row.architecture, row.params_b, 4_000_000_000)).unwrap();
            assert_eq!(shape.layers.len(), row.layers as usize);
            assert_eq!(shape.weights_bytes, 4_000_000_000);
            let in_layers: u64 = shape.layers.iter().map(|layer| layer.weights_bytes).sum();
            assert_eq!(in_layers + shape.output_bytes, shape.weights_bytes, "{} {}", row.architecture, row.params_b);
            assert_eq!(shape.source, ShapeSource::Catalogue);
        }
    }

    #[test]
    fn dimensions_and_parameters_of_the_table_agree() {
        for row in &PUBLISHED {
            let (width, inner) = (f64::from(row.embedding), f64::from(row.feed_forward));
            let queries = f64::from(row.heads * row.head_len);
            let kv = f64::from(row.kv_heads * row.head_len);
            let experts = EXPERTS.iter().find(|(name, _)| *name == row.architecture).map_or(1, |(_, e)| e.total);
            let layer = 2.0 * width * (queries + kv) + 3.0 * width * inner * f64::from(experts);
            let table = width * f64::from(row.vocabulary);
            let least = f64::from(row.layers) * layer + table;
            let published = row.params_b * 1e9;
            // With one or two tables, biases and norms, the published count lies between these.
            assert!(
                published > least * 0.98 && published < (least + table) * 1.05,
                "{} {}: {least:.3e}",
                row.architecture,
                row.params_b
            );
        }
    }

    #[test]
    fn a_family_nobody_published_gets_the_dimensions_of_its_size() {
        let shape = shape_from_catalogue(&facts("gemma4", 8.0, 7_200_000_000)).unwrap();
        assert_eq!((shape.layers.len(), shape.architecture.as_deref()), (32, Some("gemma4")));
    }

    #[test]
    fn a_sparse_model_reads_its_active_share() {
        let sparse = shape_from_catalogue(&facts("qwen3moe", 30.5, 18_600_000_000)).unwrap();
        let share = sparse.active_bytes as f64 / sparse.weights_bytes as f64;
        assert!((share - 3.3 / 30.5).abs() < 0.02, "{share}");
        let mut named = facts("gemma4", 26.0, 16_000_000_000);
        named.active_params_b = active_params_in_name("gemma4:26b-a4b");
        let shape = shape_from_catalogue(&named).unwrap();
        assert_eq!(shape.active_bytes, 2_461_538_461);
    }

    #[test]
    fn active_parameters_are_read_from_names_only_where_they_stand() {
        assert_eq!(active_params_in_name("qwen3:30b-a3b"), Some(3.0));
        assert_eq!(active_params_in_name("Qwen3-30B-A3.3B-Instruct"), Some(3.3));
        assert_eq!(active_params_in_name("gemma3:27b"), None);
        assert_eq!(active_params_in_name("alibaba"), None);
    }

    #[test]
    fn numbers_no_model_has_are_refused() {
        for params_b in [f64::NAN, -1.0, 0.0, f64::INFINITY] {
            assert!(shape_from_catalogue(&facts("llama", params_b, 1)).is_err());
        }
    }
}
