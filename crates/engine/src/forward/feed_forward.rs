//! The feed-forward block of a layer, and what both blocks add to the residual stream.

use super::pass::{Buffers, Forward};
use crate::config::Gate;
use crate::model::{FeedForward, Gated, Layer};
use puma_kernels::Columns;
use puma_kernels::float::activation;

impl Forward<'_> {
    /// The feed-forward block, dense or of experts, added to the residual stream.
    pub(super) fn feed_forward(&self, layer: &Layer, buffers: &mut Buffers) {
        let Buffers { hidden, columns, gate, up, product, .. } = buffers;
        self.fill_normal(columns, hidden, &layer.ffn_norm);
        match &layer.feed_forward {
            FeedForward::Dense(block) => self.gated(block, columns, [gate, up], product),
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
        self.linear([&block.gate, &block.up], columns, [&mut *gate, &mut *up]);
        let activate = match self.model.config.recipe().gate {
            Gate::Silu => self.kernels.silu_mul,
            Gate::Gelu => self.kernels.gelu_mul,
        };
        let (len, count) = (block.down.weight.len, columns.count());
        self.fill(columns, count, len, &|token, column| {
            column.copy_from_slice(&gate[token * len..][..len]);
            activate(column, &up[token * len..][..len]);
        });
        self.linear([&block.down], columns, [out]);
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
        let part = self.tokens_a_part(hidden.len() / self.model.config.embedding_length);
        let part = part * self.model.config.embedding_length;
        self.pool.each(
            hidden.chunks_mut(part).zip(product.chunks(part)).collect(),
            |(hidden, product): (&mut [f32], _)| {
                (self.kernels.add)(hidden, product);
            },
        );
    }
}
