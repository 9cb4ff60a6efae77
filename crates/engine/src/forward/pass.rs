//! One batch of tokens from embeddings to logits.

use super::rope::{Rotations, Turn};
use crate::kv::{KvCache, KvShape};
use crate::model::Model;
use crate::pool::Pool;
use puma_kernels::float::activation;
use puma_kernels::{Columns, Kernels};

/// One token of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) token: u32,
    /// Which cache the token belongs to. A sequence's tokens stand in order of position.
    pub(crate) sequence: usize,
    pub(crate) position: usize,
    /// Whether the logits after this token are wanted.
    pub(crate) wants_logits: bool,
}

/// What is needed to run a model, beside the tokens.
pub(crate) struct Forward<'a> {
    pub(crate) model: &'a Model,
    pub(crate) kernels: &'a Kernels,
    pub(crate) pool: &'a Pool,
    pub(crate) rotations: &'a Rotations,
}

/// Buffers reused from call to call, each `[token][numbers]`.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(super) hidden: Vec<f32>,
    pub(super) normal: Vec<f32>,
    pub(super) columns: Columns,
    pub(super) queries: Vec<f32>,
    pub(super) keys: Vec<f32>,
    pub(super) values: Vec<f32>,
    pub(super) attended: Vec<f32>,
    pub(super) gate: Vec<f32>,
    pub(super) up: Vec<f32>,
    pub(super) product: Vec<f32>,
    /// Numbers of one expert's tokens, of the blocks that its router chose.
    pub(super) gathered: Vec<f32>,
    pub(super) chosen: Vec<f32>,
    pub(super) logits: Vec<f32>,
}

/// The cache sizes `model` needs.
pub(crate) fn kv_shape(model: &Model) -> KvShape {
    let config = model.config();
    KvShape { layers: config.block_count, heads: config.head_count_kv, head_len: config.key_length }
}

impl Forward<'_> {
    /// Computes `batch` and returns the wanted logits, `[wanted][vocabulary]` in batch order.
    ///
    /// `caches` already reach over the batch's positions ([`KvCache::extend`]).
    pub(crate) fn run<'b>(
        &self,
        batch: &[Slot],
        caches: &mut [&mut KvCache],
        buffers: &'b mut Buffers,
    ) -> std::slice::ChunksExact<'b, f32> {
        let width = self.model.config.embedding_length;
        let turns: Vec<Turn> = batch.iter().map(|slot| self.rotations.turn(slot.position)).collect();
        buffers.hidden.resize(batch.len() * width, 0.0);
        for (slot, hidden) in batch.iter().zip(buffers.hidden.chunks_exact_mut(width)) {
            self.model.embed(slot.token, hidden);
        }
        for (index, layer) in self.model.layers.iter().enumerate() {
            self.attention(index, layer, batch, &turns, caches, buffers);
            self.feed_forward(layer, buffers);
        }
        self.logits(batch, buffers);
        buffers.logits.chunks_exact(self.model.vocabulary_len())
    }

    /// Logits of the tokens that want them.
    fn logits(&self, batch: &[Slot], buffers: &mut Buffers) {
        let width = self.model.config.embedding_length;
        let Buffers { hidden, columns, product, logits, .. } = buffers;
        product.clear();
        for (slot, hidden) in batch.iter().zip(hidden.chunks_exact(width)) {
            if slot.wants_logits {
                product.extend_from_slice(hidden);
            }
        }
        logits.clear();
        if product.is_empty() {
            return;
        }
        self.fill_normal(columns, product, &self.model.output_norm);
        self.multiply(&self.model.output, columns, logits);
        let config = &self.model.config;
        if config.logit_scale != 1.0 {
            activation::scale(logits, config.logit_scale);
        }
        if let Some(cap) = config.final_logit_softcapping {
            (self.kernels.soft_cap)(logits, cap);
        }
    }
}
