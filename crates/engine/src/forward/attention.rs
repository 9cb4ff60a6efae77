//! The attention block of a layer.

use super::pass::{Buffers, Forward, Slot};
use super::rope::Turn;
use crate::kv::KvCache;
use crate::model::Layer;
use puma_kernels::Attention;
use puma_kernels::float::activation;
use std::cell::RefCell;

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
        self.fill_copied(columns, attended, config.query_width());
        self.linear([&layer.attn_output], columns, [product]);
        self.add_to_residual(layer.post_attention_norm.as_deref(), buffers);
    }

    /// The projections of the normalised stream, heads normalised where the model says so.
    fn queries_keys_values(&self, layer: &Layer, buffers: &mut Buffers) {
        let Buffers { hidden, normal, columns, queries, keys, values, .. } = buffers;
        self.fill_normal(columns, hidden, &layer.attn_norm);
        let outs = [&mut *queries, &mut *keys, values];
        self.linear([&layer.attn_q, &layer.attn_k, &layer.attn_v], columns, outs);
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
        let part = self.tokens_a_part(turns.len());
        let queries = buffers.queries.chunks_mut(part * config.query_width());
        let keys = buffers.keys.chunks_mut(part * config.kv_width());
        let parts = turns.chunks(part).zip(queries.zip(keys)).collect();
        self.pool.each(parts, |(turns, (queries, keys)): (&[Turn], (&mut [f32], &mut [f32]))| {
            let rows = queries.chunks_exact_mut(config.query_width()).zip(keys.chunks_exact_mut(config.kv_width()));
            for (turn, (queries, keys)) in turns.iter().zip(rows) {
                if let Some(rope) = config.layers[index].rope {
                    self.rotations.rotate(queries, config.key_length, turn, rope);
                    self.rotations.rotate(keys, config.key_length, turn, rope);
                }
                if turn.query_scale != 1.0 {
                    activation::scale(queries, turn.query_scale);
                }
            }
        });
    }

    /// Grouped-query attention of every token and head. A part is some tokens of a sequence with the query heads of one
    /// head of keys and values, which are so loaded once for all of them.
    fn attend(&self, index: usize, batch: &[Slot], caches: &[&mut KvCache], queries: &[f32], attended: &mut Vec<f32>) {
        let config = &self.model.config;
        let (head_len, width) = (config.key_length, config.query_width());
        let heads = config.head_count / config.head_count_kv;
        attended.resize(queries.len(), 0.0);
        let layers: Vec<_> = caches.iter().map(|cache| cache.layer(index)).collect();
        let mut parts: Vec<Part<'_>> = Vec::new();
        let mut rows = attended.chunks_exact_mut(width);
        let mut first = 0;
        for run in batch.chunk_by(|one, next| one.sequence == next.sequence && one.position + 1 == next.position) {
            for tokens in run.chunks(TOKENS_OF_A_PART) {
                let begin = parts.len();
                parts.extend((0..config.head_count_kv).map(|kv_head| Part { first, kv_head, out: Vec::new() }));
                for row in rows.by_ref().take(tokens.len()) {
                    for (part, out) in parts[begin..].iter_mut().zip(row.chunks_exact_mut(heads * head_len)) {
                        part.out.push(out);
                    }
                }
                first += tokens.len();
            }
        }
        // The last tokens of a prompt see most; whoever takes them last would keep the others waiting.
        parts.reverse();
        self.pool.each(parts, |mut part| {
            let slot = &batch[part.first];
            let attention = Attention {
                blocks: &layers[slot.sequence],
                kv_head: part.kv_head,
                head_len,
                heads,
                queries: &queries[part.first * width + part.kv_head * heads * head_len..],
                query_stride: width,
                position: slot.position,
                window: config.layers[index].window.unwrap_or(usize::MAX),
                scale: config.attention_scale,
                softcap: config.attn_logit_softcapping.unwrap_or(0.0),
            };
            SCRATCH.with_borrow_mut(|scratch| (self.kernels.attend)(&attention, scratch, &mut part.out));
        });
    }
}

/// Tokens that one part of attention computes: enough to load keys and values seldom, few enough to keep all threads busy.
const TOKENS_OF_A_PART: usize = 32;

/// Consecutive tokens of one sequence with one head of keys and values.
struct Part<'a> {
    /// The first token's place in the batch.
    first: usize,
    kv_head: usize,
    /// For each token, where its heads' results go.
    out: Vec<&'a mut [f32]>,
}

thread_local! {
    /// Scores and sums of a part; kept, because a part is shorter than the system needs to give memory.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}
