//! The feed-forward block of a layer.

use super::pass::{Buffers, Forward};
use crate::model::Layer;

impl Forward<'_> {
    /// SwiGLU: `down(silu(gate(x)) * up(x))`, added to the residual stream.
    pub(super) fn feed_forward(&self, layer: &Layer, buffers: &mut Buffers) {
        let config = &self.model.config;
        let Buffers { hidden, normal, columns, gate, up, product, .. } = buffers;
        self.normalise(hidden, &layer.ffn_norm, normal);
        columns.fill(self.kernels, normal, config.embedding_length);
        self.multiply(&layer.ffn_gate, columns, gate);
        self.multiply(&layer.ffn_up, columns, up);
        let part = gate.len().div_ceil(self.pool.threads()).max(1);
        self.pool.each(gate.chunks_mut(part).zip(up.chunks(part)).collect(), |(gate, up): (&mut [f32], &[f32])| {
            (self.kernels.silu_mul)(gate, up);
        });
        columns.fill(self.kernels, gate, config.feed_forward_length);
        self.multiply(&layer.ffn_down, columns, product);
        (self.kernels.add)(hidden, product);
    }
}
