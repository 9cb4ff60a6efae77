//! Attention per level: a prompt of 128 tokens and one token, at the end of 512 positions, 9 heads of 64 numbers over 3
//! heads of keys and values.
//!
//! `cargo bench -p puma-kernels --bench attention`; the item counter is float operations, four for each number of a key
//! that is looked at: a product and an addition for its score, and again for the weighted values.

use divan::counter::ItemsCount;
use puma_kernels::{Attention, BLOCK_LEN, Cached, Kernels, LayerBlock, Level};

const POSITIONS: usize = 512;
const HEAD: usize = 64;
const HEADS: usize = 3;
const KV_HEADS: usize = 3;
/// Tokens given to the kernel at once, as the engine does.
const PART: usize = 32;

fn main() {
    divan::main();
}

fn cases() -> Vec<(&'static str, usize, bool)> {
    let mut cases = Vec::new();
    for level in Level::available() {
        for tokens in [1, 128] {
            cases.extend([false, true].map(|in_half| (level.name(), tokens, in_half)));
        }
    }
    cases
}

#[divan::bench(args = cases(), sample_count = 20)]
fn attend(bencher: divan::Bencher<'_, '_>, (level, tokens, in_half): (&str, usize, bool)) {
    let kernels = Kernels::new(level.parse::<Level>().expect("an available level"));
    let numbers = |count: usize| (0..count).map(|i| (i % 23) as f32 / 11.0 - 1.0).collect::<Vec<f32>>();
    let block = numbers(2 * KV_HEADS * HEAD * BLOCK_LEN);
    let halves = vec![0x3555u16; 2 * KV_HEADS * HEAD * BLOCK_LEN];
    let (start, end) = block.split_at(block.len() / 2);
    let (half_start, half_end) = halves.split_at(halves.len() / 2);
    // Every block the same memory would be kinder to the caches than a model is.
    let copies: Vec<(Vec<f32>, Vec<f32>)> =
        (0..POSITIONS / BLOCK_LEN).map(|_| (start.to_vec(), end.to_vec())).collect();
    let blocks: Vec<LayerBlock<'_>> = copies
        .iter()
        .map(|(keys, values)| match in_half {
            false => LayerBlock { keys: Cached::F32(keys), values: Cached::F32(values) },
            true => LayerBlock { keys: Cached::F16(half_start), values: Cached::F16(half_end) },
        })
        .collect();
    let width = KV_HEADS * HEADS * HEAD;
    let queries = numbers(tokens * width);
    let mut out = vec![0.0f32; tokens * width];
    let mut scratch = Vec::new();
    let looked_at: usize = (POSITIONS - tokens + 1..=POSITIONS).sum();
    bencher.counter(ItemsCount::new(4 * looked_at * width)).bench_local(|| {
        for kv_head in 0..KV_HEADS {
            for first in (0..tokens).step_by(PART) {
                let job = Attention {
                    blocks: &blocks,
                    kv_head,
                    head_len: HEAD,
                    heads: HEADS,
                    queries: &queries[first * width + kv_head * HEADS * HEAD..],
                    query_stride: width,
                    position: POSITIONS - tokens + first,
                    window: usize::MAX,
                    scale: 0.125,
                    softcap: 0.0,
                };
                let rows = out.chunks_exact_mut(width).skip(first).take(PART);
                let group = kv_head * HEADS * HEAD..(kv_head + 1) * HEADS * HEAD;
                let mut slices: Vec<&mut [f32]> = rows.map(|row| &mut row[group.clone()]).collect();
                (kernels.attend)(&job, &mut scratch, &mut slices);
            }
        }
    });
}
