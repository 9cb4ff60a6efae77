//! Measured speeds of other machines, engines and models: graphics cards, newer builds, mixtures of experts.

use super::input::Engine;
use serde::Deserialize;
use std::sync::LazyLock;

/// What a row is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Use {
    /// Constants come from it.
    Fit,
    /// Only the stated errors come from it.
    Check,
}

/// One measurement. Units as in the table's header.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Row {
    pub(super) decode: Option<Use>,
    pub(super) prefill: Option<Use>,
    pub(super) engine: Engine,
    pub(super) machine: String,
    pub(super) bandwidth_gb_s: f64,
    pub(super) fp16_tflops: Option<f64>,
    pub(super) apple_generation: Option<u32>,
    pub(super) gpu_cores: Option<u32>,
    #[cfg(test)]
    pub(super) model: String,
    /// 1e9 bytes.
    pub(super) active_gb: f64,
    /// 1e9 parameters.
    pub(super) active_b: f64,
    pub(super) layers: u32,
    /// 1 for a mixture of experts.
    pub(super) mixture: u8,
    pub(super) attention_width: u32,
    pub(super) prompt_tokens: Option<u32>,
    pub(super) pp_tok_s: Option<f64>,
    pub(super) tg_tok_s: Option<f64>,
    #[cfg(test)]
    pub(super) source: String,
}

impl Row {
    /// 2 operations a parameter, the cost of attention taken out; in 1e12 per second.
    pub(super) fn effective_tflops(&self) -> Option<f64> {
        let parameters = (self.active_b * 1e9) as u64;
        let factor =
            super::prefill::attention_factor(self.prompt_tokens?, self.layers, Some(self.attention_width), parameters);
        Some(self.pp_tok_s? * 2.0 * self.active_b * 1e9 / factor / 1e12)
    }
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let text = include_str!("../../../../assets/hardware/engine_speeds.csv");
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("the embedded table is read by a test")).collect()
});

/// All rows, in the order of the table.
pub(super) fn rows() -> &'static [Row] {
    &ROWS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_says_what_it_is_for() {
        assert_eq!(rows().len(), 48);
        for row in rows() {
            assert_eq!(row.tg_tok_s.is_some(), row.decode.is_some(), "{} {}", row.machine, row.model);
            assert_eq!(row.pp_tok_s.is_some(), row.prefill.is_some(), "{} {}", row.machine, row.model);
            assert!(!row.source.is_empty() && row.mixture <= 1);
        }
    }

    #[test]
    fn no_row_is_faster_than_its_memory() {
        // Faster means speculative decoding or a wrong bandwidth; such a row would spoil the fit.
        for row in rows() {
            let roof = row.bandwidth_gb_s / row.active_gb;
            assert!(row.tg_tok_s.is_none_or(|speed| speed < roof), "{} {}", row.machine, row.model);
        }
    }
}
