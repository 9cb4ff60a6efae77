//! The weights in the order of the kernels: made once for a model, beside the file's mapping, where memory allows it.

use super::loaded::Model;
use super::tensors::Matrix;
use crate::pool::Pool;
use puma_kernels::{Packed, Weights};
use std::collections::BTreeMap;

/// Packed matrices by the address of their weights in the mapping.
#[derive(Debug, Default)]
pub(super) struct PackedWeights(BTreeMap<usize, Packed>);

impl PackedWeights {
    fn key(weights: &Weights<'_>) -> usize {
        weights.bytes.as_ptr().addr()
    }

    /// The packed form of `weights`, if there is one.
    pub(super) fn of(&self, weights: &Weights<'_>) -> Option<&Packed> {
        self.0.get(&Self::key(weights))
    }
}

impl Model {
    /// Packs every matrix that is multiplied with, once for all engines that share this model. The packed form is the same
    /// on all instruction sets, and no bit depends on it.
    pub(crate) fn pack(&self, pool: &Pool) {
        self.packed.get_or_init(|| {
            let room = |matrix: &Matrix| {
                let weights = matrix.weights(self.gguf());
                Packed::zeroed(&weights).map(|packed| (weights, packed))
            };
            let matrices = self.layers.iter().flat_map(|layer| layer.matrices()).chain([&self.output]);
            let mut packed: Vec<(Weights<'_>, Packed)> = matrices.filter_map(room).collect();
            let panels = packed.iter_mut().flat_map(|(weights, packed)| {
                let weights = *weights;
                packed.panels_mut().enumerate().map(move |(index, panel)| (weights, index, panel))
            });
            pool.each(panels.collect(), |(weights, index, panel)| Packed::pack_panel(&weights, index, panel));
            PackedWeights(packed.into_iter().map(|(weights, packed)| (PackedWeights::key(&weights), packed)).collect())
        });
    }
}
