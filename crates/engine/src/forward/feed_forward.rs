//! The feed-forward block of a layer, and what both blocks add to the residual stream.

use super::pass::{Buffers, Forward};
use crate::config::Gate;
use crate::model::{FeedForward, Gated, Layer};
use puma_kernels::Columns;
use puma_kernels::float::activation;

impl Forward<'_> {
    /// The feed-forward block, dense or of experts, added to the residual stream.
    pub(super) fn feed_forward(&self, layer: &Layer, buffers: &mut Buffers) {
        let Buffers { hidden, normal, columns, gate, up, product, .. } = buffers;
        self.normalise(hidden, &layer.ffn_norm, normal);
        match &layer.feed_forward {
            FeedForward::Dense(block) => {
                columns.fill(self.kernels, normal, self.model.config.embedding_length);
                self.gated(block, columns, [gate, up], product);
            }
            FeedForward::Experts(experts) => self.experts(experts, buffers),
        }
        self.add_to_residual(layer.post_ffw_norm.as_deref(), buffers);
    }

    /// `down(act(gate(x)) * up(x))` of `columns`, which are lost, into `out`.
    pub(super) fn gated(
        &self,
        block: &Gated,
        columns: &mut Columns,
        [gate, up]: [&mut Vec<f32>; 2],
        out: &mut Vec<f32>,
    ) {
        self.linear(&block.gate, columns, gate);
        self.linear(&block.up, columns, up);
        let activate = match self.model.config.recipe().gate {
            Gate::Silu => self.kernels.silu_mul,
            Gate::Gelu => self.kernels.gelu_mul,
        };
        let part = gate.len().div_ceil(self.pool.threads()).max(1);
        self.pool.each(gate.chunks_mut(part).zip(up.chunks(part)).collect(), |(gate, up): (&mut [f32], &[f32])| {
            activate(gate, up);
        });
        columns.fill(self.kernels, gate, block.down.weight.len);
        self.linear(&block.down, columns, out);
    }

    /// Adds what a block gave to the residual stream, normalised or scaled first where the model says so.
    pub(super) fn add_to_residual(&self, post_norm: Option<&[f32]>, buffers: &mut Buffers) {
        let Buffers { hidden, normal, product, .. } = buffers;
        if let Some(norm) = post_norm {
            self.normalise(product, norm, normal);
            std::mem::swap(product, normal);
        }
        if self.model.config.residual_scale != 1.0 {
            activation::scale(product, self.model.config.residual_scale);
        }
        (self.kernels.add)(hidden, product);
    }
}
