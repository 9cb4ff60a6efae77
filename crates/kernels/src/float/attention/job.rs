//! What attention is asked to compute, and how keys and values lie in memory.

use crate::arch::rows::ROWS;
use crate::math::half::f16_to_f32;

/// Positions in one block of the cache. Block `b` holds positions `32 b` to `32 b + 31`.
pub const BLOCK_LEN: usize = 32;

/// Floats that one position's values of one head take: the head's length up to whole registers.
pub const fn padded(head_len: usize) -> usize {
    head_len.next_multiple_of(ROWS)
}

/// Cached numbers, in the type they are kept as.
#[derive(Clone, Copy, Debug)]
pub enum Cached<'a> {
    F32(&'a [f32]),
    /// Bits of IEEE binary16.
    F16(&'a [u16]),
}

impl<'a> Cached<'a> {
    /// Numbers `start` to `start + len` as f32, converted into `scratch` (of that length) if they are not. Exact.
    #[inline(always)]
    pub(super) fn floats<'b>(self, start: usize, len: usize, scratch: &'b mut [f32]) -> &'b [f32]
    where
        'a: 'b,
    {
        match self {
            Self::F32(numbers) => &numbers[start..start + len],
            Self::F16(numbers) => {
                for (float, &bits) in scratch[..len].iter_mut().zip(&numbers[start..start + len]) {
                    *float = f16_to_f32(bits);
                }
                &scratch[..len]
            }
        }
    }
}

/// Keys and values of one layer at 32 positions.
#[derive(Clone, Copy, Debug)]
pub struct LayerBlock<'a> {
    /// `[kv heads][head length][32 positions]`.
    pub keys: Cached<'a>,
    /// `[kv heads][32 positions][padded head length]`; what [`padded`] adds is zero.
    pub values: Cached<'a>,
}

/// Consecutive tokens of one sequence with the query heads that share one head of keys and values.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// The sequence's blocks of this layer from position 0 on, at least to the last token.
    pub blocks: &'a [LayerBlock<'a>],
    /// Which head of keys and values.
    pub kv_head: usize,
    /// Numbers in a head of queries, keys or values.
    pub head_len: usize,
    /// Query heads for this head of keys and values.
    pub heads: usize,
    /// `heads * head_len` floats for each token, the first token's at 0.
    pub queries: &'a [f32],
    /// Floats from one token's queries to the next one's.
    pub query_stride: usize,
    /// Position of the first token; the others follow. A token attends to positions up to its own.
    pub position: usize,
    /// Positions that a token attends to at most, its own included; `usize::MAX` for all.
    pub window: usize,
    /// Factor of every score, usually `1 / sqrt(head length)`.
    pub scale: f32,
    /// `score = softcap * tanh(score / softcap)` after the factor; 0 for none.
    pub softcap: f32,
}

/// One token and query head of a job.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) query: &'a [f32],
    /// First position attended to.
    pub(super) first: usize,
    /// Positions are attended to below this one.
    pub(super) end: usize,
}

impl<'a> Attention<'a> {
    /// Row `index` of the job: token `index / heads`, head `index % heads`.
    #[inline(always)]
    pub(super) fn row(&self, index: usize) -> Row<'a> {
        let (token, head) = (index / self.heads, index % self.heads);
        let end = self.position + token + 1;
        let query = &self.queries[token * self.query_stride + head * self.head_len..][..self.head_len];
        Row { query, first: end.saturating_sub(self.window), end }
    }
}
