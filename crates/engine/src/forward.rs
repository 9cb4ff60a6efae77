//! The forward pass: a batch of tokens of several sequences through all layers.
//!
//! Every token is computed from its own column and its sequence's cache alone, and every output element is summed in
//! the one order of the kernels; so batch, chunks, threads and neighbours change no bit.

use crate::forward_rope::{Angles, Rotation};
use crate::kv::{BLOCK_LEN, KvCache, KvShape};
use crate::model::{Layer, Linear, Matrix, Model};
use crate::pool::Pool;
use puma_kernels::{Attention, Columns, Kernels};

/// Fewer rows than this for each thread are not worth waking it for.
const ROWS_WORTH_A_THREAD: usize = 32;

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
    pub(crate) rotation: &'a Rotation,
}

/// Buffers reused from call to call, each `[token][numbers]`.
#[derive(Default)]
pub(crate) struct Buffers {
    hidden: Vec<f32>,
    normal: Vec<f32>,
    columns: Columns,
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    attended: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    product: Vec<f32>,
    logits: Vec<f32>,
}

/// The cache sizes `model` needs.
pub(crate) fn kv_shape(model: &Model) -> KvShape {
    KvShape { layers: model.config().block_count, width: model.config().kv_width() }
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
        let angles: Vec<Angles> = batch.iter().map(|slot| self.rotation.angles(slot.position)).collect();
        buffers.hidden.resize(batch.len() * width, 0.0);
        for (slot, hidden) in batch.iter().zip(buffers.hidden.chunks_exact_mut(width)) {
            self.model.embed(slot.token, hidden);
        }
        for (index, layer) in self.model.layers.iter().enumerate() {
            self.attention(index, layer, batch, &angles, caches, buffers);
            self.feed_forward(layer, buffers);
        }
        self.logits(batch, buffers);
        buffers.logits.chunks_exact(self.model.vocabulary_len())
    }

    fn attention(
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

    /// SwiGLU: `down(silu(gate(x)) * up(x))`, added to the residual stream.
    fn feed_forward(&self, layer: &Layer, buffers: &mut Buffers) {
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

    /// Logits of the tokens that want them.
    fn logits(&self, batch: &[Slot], buffers: &mut Buffers) {
        let width = self.model.config.embedding_length;
        let Buffers { hidden, normal, columns, product, logits, .. } = buffers;
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
        self.normalise(product, &self.model.output_norm, normal);
        columns.fill(self.kernels, normal, width);
        self.multiply(&self.model.output, columns, logits);
    }

    fn normalise(&self, x: &[f32], weight: &[f32], out: &mut Vec<f32>) {
        out.resize(x.len(), 0.0);
        for (x, out) in x.chunks_exact(weight.len()).zip(out.chunks_exact_mut(weight.len())) {
            (self.kernels.rms_norm)(x, weight, self.model.config.layer_norm_rms_epsilon, out);
        }
    }

    fn linear(&self, linear: &Linear, columns: &Columns, out: &mut Vec<f32>) {
        self.multiply(&linear.weight, columns, out);
        if let Some(bias) = &linear.bias {
            for out in out.chunks_exact_mut(bias.len()) {
                (self.kernels.add)(out, bias);
            }
        }
    }

    /// Multiplies `matrix` with every column; threads take ranges of rows.
    fn multiply(&self, matrix: &Matrix, columns: &Columns, out: &mut Vec<f32>) {
        let weights = self.model.weights(matrix);
        let rows = weights.rows;
        out.resize(rows * columns.count(), 0.0);
        let threads = self.pool.threads().min(rows.div_ceil(ROWS_WORTH_A_THREAD)).max(1);
        // A multiple of eight leaves no half-empty panel in the middle; the split itself changes no bit.
        let part = rows.div_ceil(threads).next_multiple_of(8);
        let mut parts: Vec<(usize, Vec<&mut [f32]>)> = (0..rows).step_by(part).map(|row| (row, Vec::new())).collect();
        for column in out.chunks_exact_mut(rows) {
            for (slice, (_, slices)) in column.chunks_mut(part).zip(&mut parts) {
                slices.push(slice);
            }
        }
        self.pool.each(parts, |(row, mut slices)| {
            self.kernels.multiply(&weights, row..(row + part).min(rows), columns, &mut slices);
        });
    }
}
