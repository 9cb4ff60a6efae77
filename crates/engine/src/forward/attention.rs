//! The attention block of a layer.

use super::pass::{Buffers, Forward, Slot};
use super::rope::Turn;
use crate::kv::{BLOCK_LEN, KvCache};
use crate::model::Layer;
use puma_kernels::Attention;
use puma_kernels::float::activation;

impl Forward<'_> {
    /// Attention over the cached positions, added to the residual stream.
    pub(super) fn attention(
        &self,
        index: usize,
        layer: &Layer,
        batch: &[Slot],
        turns: &[Turn],
        caches: &mut [&mut KvCache],
        buffers: &mut Buffers,
    ) {
        let config = &self.model.config;
        let kv_width = config.kv_width();
        self.queries_keys_values(layer, buffers);
        self.rotate(index, turns, buffers);
        let Buffers { columns, queries, keys, values, attended, product, .. } = buffers;
        let rows = keys.chunks_exact(kv_width).zip(values.chunks_exact(kv_width));
        for (slot, (keys, values)) in batch.iter().zip(rows) {
            caches[slot.sequence].write(index, slot.position, keys, values);
        }
        self.attend(index, batch, caches, queries, attended);
        columns.fill(self.kernels, attended, config.query_width());
        self.linear(&layer.attn_output, columns, product);
        self.add_to_residual(layer.post_attention_norm.as_deref(), buffers);
    }

    /// The projections of the normalised stream, heads normalised where the model says so.
    fn queries_keys_values(&self, layer: &Layer, buffers: &mut Buffers) {
        let Buffers { hidden, normal, columns, queries, keys, values, .. } = buffers;
        self.normalise(hidden, &layer.attn_norm, normal);
        columns.fill(self.kernels, normal, self.model.config.embedding_length);
        self.linear(&layer.attn_q, columns, queries);
        self.linear(&layer.attn_k, columns, keys);
        self.linear(&layer.attn_v, columns, values);
        for (heads, norm) in [(queries, &layer.attn_q_norm), (keys, &layer.attn_k_norm)] {
            if let Some(norm) = norm {
                self.normalise(heads, norm, normal);
                std::mem::swap(heads, normal);
            }
        }
    }

    /// Turns queries and keys by their positions.
    fn rotate(&self, index: usize, turns: &[Turn], buffers: &mut Buffers) {
        let config = &self.model.config;
        let rows = buffers.queries.chunks_exact_mut(config.query_width());
        let rows = rows.zip(buffers.keys.chunks_exact_mut(config.kv_width()));
        for (turn, (queries, keys)) in turns.iter().zip(rows) {
            if let Some(rope) = config.layers[index].rope {
                self.rotations.rotate(queries, config.key_length, turn, rope);
                self.rotations.rotate(keys, config.key_length, turn, rope);
            }
            if turn.query_scale != 1.0 {
                activation::scale(queries, turn.query_scale);
            }
        }
    }

    /// Grouped-query attention of every token and head; threads take whole heads.
    fn attend(&self, index: usize, batch: &[Slot], caches: &[&mut KvCache], queries: &[f32], attended: &mut Vec<f32>) {
        let config = &self.model.config;
        let (head_len, width) = (config.key_length, config.query_width());
        let heads_per_kv = config.head_count / config.head_count_kv;
        attended.resize(queries.len(), 0.0);
        let layers: Vec<_> = caches.iter().map(|cache| cache.layer(index)).collect();
        let most = batch.iter().map(|slot| slot.position + 1).max().unwrap_or(0);
        let heads = batch.len() * config.head_count;
        let part = heads.div_ceil(self.pool.threads()).max(1);
        let parts: Vec<(usize, &mut [f32])> = attended.chunks_mut(part * head_len).enumerate().collect();
        self.pool.each(parts, |(number, out)| {
            let mut scores = vec![0.0; most];
            for (offset, out) in out.chunks_exact_mut(head_len).enumerate() {
                let (token, head) =
                    ((number * part + offset) / config.head_count, (number * part + offset) % config.head_count);
                let slot = &batch[token];
                let (keys, values) = &layers[slot.sequence];
                let length = slot.position + 1;
                let attention = Attention {
                    keys,
                    values,
                    block_len: BLOCK_LEN,
                    stride: config.kv_width(),
                    offset: head / heads_per_kv * head_len,
                    first: config.layers[index].window.map_or(0, |window| length.saturating_sub(window)),
                    length,
                    scale: config.attention_scale,
                    softcap: config.attn_logit_softcapping.unwrap_or(0.0),
                };
                let query = &queries[token * width + head * head_len..][..head_len];
                (self.kernels.attend)(query, &attention, &mut scores, out);
            }
        });
    }
}
