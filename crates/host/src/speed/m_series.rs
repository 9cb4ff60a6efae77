//! The table of LLaMA-7B on Apple Silicon: the measurements most constants are fitted from.

use serde::Deserialize;
use std::sync::LazyLock;

/// LLaMA-7B v2.
pub(super) const LAYERS: u32 = 32;
pub(super) const ATTENTION_WIDTH: u32 = 4096;
/// Without the token embedding table, of which a token reads one row.
pub(super) const PARAMETERS_ACTIVE: u64 = 6_738_415_616 - EMBEDDING_PARAMETERS;
const EMBEDDING_PARAMETERS: u64 = 32_000 * 4096;
pub(super) const PROMPT_TOKENS: u32 = 512;
/// Keys and values in 16 bits, on average over the 128 generated tokens.
const KV_BYTES: f64 = 64.0 * 2.0 * 32.0 * 4096.0 * 2.0;
const GIB: f64 = 1_073_741_824.0;

/// How the weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weights {
    F16,
    Q8,
    Q4,
}

impl Weights {
    pub(super) const ALL: [Self; 3] = [Self::F16, Self::Q8, Self::Q4];

    /// Bytes one token reads: the file without its embedding table, and the cache.
    pub(super) fn bytes(self) -> f64 {
        let (file_gib, bytes_per_parameter) = match self {
            Self::F16 => (12.55, 2.0),
            Self::Q8 => (6.67, 34.0 / 32.0),
            Self::Q4 => (3.56, 18.0 / 32.0),
        };
        file_gib * GIB - EMBEDDING_PARAMETERS as f64 * bytes_per_parameter + KV_BYTES
    }
}

/// One chip with one kind of weights.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) chip: String,
    pub(super) generation: u32,
    pub(super) gpu_cores: u32,
    pub(super) bandwidth_gb_s: f64,
    pub(super) weights: Weights,
    pub(super) prefill_tokens_per_s: Option<f64>,
    pub(super) decode_tokens_per_s: Option<f64>,
}

#[derive(Deserialize)]
struct Row {
    chip: String,
    gpu_cores: u32,
    bandwidth_gb_s: f64,
    f16_pp512: Option<f64>,
    f16_tg128: Option<f64>,
    q8_0_pp512: Option<f64>,
    q8_0_tg128: Option<f64>,
    q4_0_pp512: Option<f64>,
    q4_0_tg128: Option<f64>,
}

static CELLS: LazyLock<Vec<Cell>> = LazyLock::new(|| {
    let text = include_str!("../../../../assets/hardware/m_series_llama7b.csv");
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    reader.deserialize().flat_map(|row| cells(&row.expect("the embedded table is read by a test"))).collect()
});

/// All cells, in the order of the table.
pub(super) fn table() -> &'static [Cell] {
    &CELLS
}

fn cells(row: &Row) -> Vec<Cell> {
    let generation = super::gpu_name::apple_generation(&row.chip).expect("every chip of the table has a generation");
    Weights::ALL
        .into_iter()
        .map(|weights| {
            let (prefill, decode) = match weights {
                Weights::F16 => (row.f16_pp512, row.f16_tg128),
                Weights::Q8 => (row.q8_0_pp512, row.q8_0_tg128),
                Weights::Q4 => (row.q4_0_pp512, row.q4_0_tg128),
            };
            Cell {
                chip: row.chip.clone(),
                generation,
                gpu_cores: row.gpu_cores,
                bandwidth_gb_s: row.bandwidth_gb_s,
                weights,
                prefill_tokens_per_s: prefill,
                decode_tokens_per_s: decode,
            }
        })
        .filter(|cell| cell.decode_tokens_per_s.is_some() || cell.prefill_tokens_per_s.is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_28_chips_and_79_decode_cells() {
        let chips: std::collections::BTreeSet<_> = table().iter().map(|c| (c.chip.clone(), c.gpu_cores)).collect();
        assert_eq!(chips.len(), 28);
        assert_eq!(table().iter().filter(|cell| cell.decode_tokens_per_s.is_some()).count(), 79);
        assert_eq!(table().iter().map(|cell| cell.generation).max(), Some(4));
    }
}
