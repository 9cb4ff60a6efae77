//! The attention block of a layer.

use super::pass::{Buffers, Forward, Slot};
use super::rope::Angles;
use crate::kv::{BLOCK_LEN, KvCache};
use crate::model::Layer;
use puma_kernels::Attention;

impl Forward<'_> {
    /// Attention over the cached positions, added to the residual stream.
    pub(super) fn attention(
        &self,
        index: usize,
        layer: &Layer,
        batch: &[Slot],
        angles: &[Angles],
        caches: &mut [&mut KvCache],
        buffers: &mut Buffers,
    ) {
        let config = &self.model.config;
        let (head_len, query_width, kv_width) = (config.key_length, config.query_width(), config.kv_width());
        let Buffers { hidden, normal, columns, queries, keys, values, attended, product, .. } = buffers;
        self.normalise(hidden, &layer.attn_norm, normal);
        columns.fill(self.kernels, normal, config.embedding_length);
        self.linear(&layer.attn_q, columns, queries);
        self.linear(&layer.attn_k, columns, keys);
        self.linear(&layer.attn_v, columns, values);
        for (token, (slot, angles)) in batch.iter().zip(angles).enumerate() {
            let keys = &mut keys[token * kv_width..][..kv_width];
            self.rotation.rotate(&mut queries[token * query_width..][..query_width], head_len, angles);
            self.rotation.rotate(keys, head_len, angles);
            caches[slot.sequence].write(index, slot.position, keys, &values[token * kv_width..][..kv_width]);
        }
        self.attend(index, batch, caches, queries, attended);
        columns.fill(self.kernels, attended, query_width);
        self.linear(&layer.attn_output, columns, product);
        (self.kernels.add)(hidden, product);
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
                let attention = Attention {
                    keys,
                    values,
                    block_len: BLOCK_LEN,
                    stride: config.kv_width(),
                    offset: head / heads_per_kv * head_len,
                    length: slot.position + 1,
                    scale: config.attention_scale,
                };
                let query = &queries[token * width + head * head_len..][..head_len];
                (self.kernels.attend)(query, &attention, &mut scores, out);
            }
        });
    }
}
