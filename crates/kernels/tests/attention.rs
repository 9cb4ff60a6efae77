//! Attention against the text of contract N1, section 5, written out one number at a time: every bit, at every level.

use proptest::prelude::*;
use puma_kernels::math::half::{f16_to_f32, f32_to_f16};
use puma_kernels::math::{exp::exp, tanh::tanh};
use puma_kernels::{Attention, BLOCK_LEN, Cached, Kernels, LayerBlock, Level};

mod common;
use common::Numbers;

/// Keys and values of a sequence, `[position][kv head][number]`, and how they are kept.
struct Cache {
    kv_heads: usize,
    head_len: usize,
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// Blocks as the kernels want them. Positions without keys hold `junk`, which no result may depend on.
struct Blocks {
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
    half_keys: Vec<Vec<u16>>,
    half_values: Vec<Vec<u16>>,
    in_half: bool,
}

impl Cache {
    fn positions(&self) -> usize {
        self.keys.len() / (self.kv_heads * self.head_len)
    }

    fn row<'a>(&self, numbers: &'a [f32], position: usize, head: usize) -> &'a [f32] {
        &numbers[(position * self.kv_heads + head) * self.head_len..][..self.head_len]
    }

    fn blocks(&self, in_half: bool, junk: f32) -> Blocks {
        let Self { kv_heads, head_len, .. } = *self;
        let width = head_len.next_multiple_of(16);
        let count = self.positions().div_ceil(BLOCK_LEN);
        let mut keys = vec![vec![junk; kv_heads * head_len * BLOCK_LEN]; count];
        let mut values = vec![vec![0.0; kv_heads * width * BLOCK_LEN]; count];
        for position in 0..count * BLOCK_LEN {
            let (block, slot) = (position / BLOCK_LEN, position % BLOCK_LEN);
            for head in 0..kv_heads {
                for d in 0..head_len {
                    let known = position < self.positions();
                    let at = (head * BLOCK_LEN + slot) * width + d;
                    values[block][at] = if known { self.row(&self.values, position, head)[d] } else { junk };
                    if known {
                        keys[block][(head * head_len + d) * BLOCK_LEN + slot] = self.row(&self.keys, position, head)[d];
                    }
                }
            }
        }
        let half = |blocks: &[Vec<f32>]| blocks.iter().map(|b| b.iter().map(|x| f32_to_f16(*x)).collect()).collect();
        Blocks { half_keys: half(&keys), half_values: half(&values), keys, values, in_half }
    }
}

impl Blocks {
    fn views(&self) -> Vec<LayerBlock<'_>> {
        (0..self.keys.len())
            .map(|block| match self.in_half {
                true => LayerBlock {
                    keys: Cached::F16(&self.half_keys[block]),
                    values: Cached::F16(&self.half_values[block]),
                },
                false => LayerBlock { keys: Cached::F32(&self.keys[block]), values: Cached::F32(&self.values[block]) },
            })
            .collect()
    }
}

/// 64 lanes from +0.0, then the tree.
fn lanes(terms: impl Iterator<Item = (usize, f32)>) -> f32 {
    let mut lanes = [0.0f32; 64];
    for (i, term) in terms {
        lanes[i % 64] += term;
    }
    for width in [32, 16, 8, 4, 2, 1] {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
    }
    lanes[0]
}

/// One token and head by the contract's text.
fn oracle(
    cache: &Cache,
    kept: impl Fn(f32) -> f32,
    query: &[f32],
    head: usize,
    end: usize,
    job: &Attention<'_>,
) -> Vec<f32> {
    let first = end.saturating_sub(job.window);
    let scores: Vec<f32> = (first..end)
        .map(|p| {
            let key = cache.row(&cache.keys, p, head);
            let dot = lanes(query.iter().zip(key).map(|(q, k)| q * kept(*k)).enumerate());
            let score = dot * job.scale;
            if job.softcap == 0.0 { score } else { job.softcap * tanh(score / job.softcap) }
        })
        .collect();
    let max = scores.iter().fold(f32::NEG_INFINITY, |max, score| if *score > max { *score } else { max });
    let e: Vec<f32> = scores.iter().map(|score| exp(score - max)).collect();
    let inverse = 1.0 / lanes((first..end).zip(e.iter().copied()));
    (0..cache.head_len)
        .map(|d| {
            let sum =
                (first..end).zip(&e).fold(0.0f32, |sum, (p, e)| sum + e * kept(cache.row(&cache.values, p, head)[d]));
            sum * inverse
        })
        .collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Numbers of which some are zeros of both signs, so that sums meet -0.0.
fn numbers(numbers: &mut Numbers, count: usize, size: f32) -> Vec<f32> {
    (0..count)
        .map(|_| match numbers.next() % 16 {
            0 => 0.0,
            1 => -0.0,
            _ => numbers.float(size),
        })
        .collect()
}

struct Case {
    cache: Cache,
    queries: Vec<f32>,
    heads: usize,
    tokens: usize,
    window: usize,
    softcap: f32,
    in_half: bool,
}

impl Case {
    /// The last `tokens` positions attend, `heads` query heads to each head of keys.
    fn job<'a>(&self, blocks: &'a [LayerBlock<'a>], queries: &'a [f32], kv_head: usize) -> Attention<'a> {
        let Self { cache, heads, tokens, window, softcap, .. } = self;
        let group = heads * cache.head_len;
        Attention {
            blocks,
            kv_head,
            head_len: cache.head_len,
            heads: *heads,
            queries: &queries[kv_head * group..],
            query_stride: cache.kv_heads * group,
            position: cache.positions() - tokens,
            window: *window,
            scale: 1.0 / (cache.head_len as f32).sqrt(),
            softcap: *softcap,
        }
    }

    fn check(&self) {
        let Self { cache, queries, heads, tokens, in_half, .. } = self;
        let kept = |x: f32| if *in_half { f16_to_f32(f32_to_f16(x)) } else { x };
        let group = heads * cache.head_len;
        for junk in [0.0, 1e4] {
            let blocks = cache.blocks(*in_half, junk);
            let views = blocks.views();
            for kv_head in 0..cache.kv_heads {
                let job = self.job(&views, queries, kv_head);
                let want: Vec<f32> = (0..tokens * heads)
                    .flat_map(|row| {
                        let (token, head) = (row / heads, row % heads);
                        let at = token * job.query_stride + head * cache.head_len;
                        let query = &job.queries[at..at + cache.head_len];
                        oracle(cache, kept, query, kv_head, job.position + token + 1, &job)
                    })
                    .collect();
                for level in Level::available() {
                    let mut out = vec![0.0; tokens * group];
                    let mut slices: Vec<&mut [f32]> = out.chunks_mut(group).collect();
                    // What scratch held before is of no account.
                    let mut scratch = vec![f32::NAN; 1000];
                    (Kernels::new(level).attend)(&job, &mut scratch, &mut slices);
                    assert_eq!(bits(&out), bits(&want), "{level} head {kv_head}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..Default::default() })]

    #[test]
    fn attention_has_the_bits_of_the_contract(
        seed in any::<u64>(), usual in prop::sample::select(vec![0usize, 0, 64, 64, 80, 96, 128, 256]), odd in 2usize..=256,
        kv_heads in 1usize..3, heads in 1usize..6, earlier in 0usize..140, tokens in 1usize..40,
        window in prop::sample::select(vec![usize::MAX, usize::MAX, 1, 5, 32, 33, 64, 100]),
        softcap in prop::sample::select(vec![0.0f32, 0.0, 0.5, 50.0]), in_half in any::<bool>(),
    ) {
        let head_len = if usual == 0 { odd } else { usual };
        let mut source = Numbers::new(seed);
        let count = (earlier + tokens) * kv_heads * head_len;
        let keys = numbers(&mut source, count, 3.0);
        let values = numbers(&mut source, count, 2.0);
        let queries = numbers(&mut source, tokens * kv_heads * heads * head_len, 3.0);
        let cache = Cache { kv_heads, head_len, keys, values };
        Case { cache, queries, heads, tokens, window, softcap, in_half }.check();
    }
}

#[test]
fn scores_of_both_zeros_give_the_same_bits() {
    let zeros = |count: usize, zero: f32| vec![zero; count];
    for head_len in [3, 64, 70] {
        for zero in [0.0, -0.0] {
            let cache =
                Cache { kv_heads: 1, head_len, keys: zeros(50 * head_len, zero), values: zeros(50 * head_len, zero) };
            let queries = zeros(head_len, 1.0);
            Case { cache, queries, heads: 1, tokens: 1, window: usize::MAX, softcap: 0.0, in_half: false }.check();
        }
    }
}

#[test]
fn equal_keys_average_the_values() {
    let values: Vec<f32> = (0..10u8).map(f32::from).collect();
    let cache = Cache { kv_heads: 1, head_len: 2, keys: vec![1.0; 10], values };
    let blocks = cache.blocks(false, 0.0);
    let views = blocks.views();
    let case =
        Case { cache, queries: vec![1.0, 2.0], heads: 1, tokens: 1, window: usize::MAX, softcap: 0.0, in_half: false };
    let mut out = [0.0; 2];
    (Kernels::new(Level::best()).attend)(&case.job(&views, &case.queries, 0), &mut Vec::new(), &mut [&mut out]);
    // Positions 0 to 4, values 2p and 2p + 1: the mean is that of p = 2.
    assert!((out[0] - 4.0).abs() < 1e-5 && (out[1] - 5.0).abs() < 1e-5, "{out:?}");
}
