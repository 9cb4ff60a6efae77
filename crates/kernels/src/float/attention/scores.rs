//! Dot products of queries with the transposed keys of a block: lanes are positions.
//!
//! The order is that of [`order::dot`](crate::float::order::dot): lane `i` of 64 adds the products of elements `i`,
//! `i + 64`, …, then the tree adds lane `i + w` to lane `i` for `w` = 32, 16, 8, 4, 2, 1. Here the tree is walked depth
//! first, which needs few registers. Two additions are left out: that of a lane's first product to `+0.0`, and those of
//! lanes that a short head does not reach. They could only turn a score of `-0.0` into `+0.0`, and no exponential
//! depends on the sign of a zero score: `x - max` is the same or a zero, and `exp` of both zeros is 1.

use super::job::{BLOCK_LEN, Row};
use crate::arch::rows::{Arch, ROWS as WIDTH};
use crate::float::order::LANES;

/// Scores of all `rows` that see the block at `start`, before the factor; `scores` is `[rows][span]` from `base` on.
///
/// Positions of the block that a row does not attend to get numbers of no meaning.
#[inline(always)]
pub(super) fn block<A: Arch>(arch: A, keys: &[f32], start: usize, rows: &[Row<'_>], base: usize, scores: &mut [f32]) {
    let span = scores.len() / rows.len();
    let (keys, _) = keys.as_chunks::<BLOCK_LEN>();
    // Rows see more as they follow each other; leave out those that end before the block or begin after it.
    let from = rows.iter().take_while(|row| row.end <= start).count();
    let to = rows.iter().take_while(|row| row.first < start + BLOCK_LEN).count();
    let mut at = from;
    while at < to {
        let left = to - at;
        let place = at * span + start - base;
        // Above half a tile, a repeated row costs less than rows one by one.
        if A::QUERIES == 4 && left > 2 {
            let last = to - 1;
            let queries = [at, at + 1, (at + 2).min(last), (at + 3).min(last)];
            let queries = [rows[queries[0]], rows[queries[1]], rows[queries[2]], rows[queries[3]]];
            let queries = [queries[0].query, queries[1].query, queries[2].query, queries[3].query];
            let count = left.min(4);
            for (row, found) in head::<A, 4>(arch, keys, queries).iter().take(count).enumerate() {
                scores[place + row * span..][..BLOCK_LEN].copy_from_slice(found);
            }
            at += count;
        } else {
            let [found] = head(arch, keys, [rows[at].query]);
            scores[place..][..BLOCK_LEN].copy_from_slice(&found);
            at += 1;
        }
    }
}

/// Chooses the code for the usual head lengths, which have no missing lanes.
#[inline(always)]
fn head<A: Arch, const N: usize>(arch: A, keys: &[[f32; BLOCK_LEN]], queries: [&[f32]; N]) -> [[f32; BLOCK_LEN]; N] {
    match keys.len() {
        LANES => tile::<A, N, ONCE>(arch, keys, queries),
        len if len % LANES == 0 => tile::<A, N, WHOLE>(arch, keys, queries),
        _ => tile::<A, N, ANY>(arch, keys, queries),
    }
}

/// The head has 64 numbers, one for each lane.
const ONCE: u8 = 0;
/// The head has several numbers for each lane, as many for one as for another.
const WHOLE: u8 = 1;
/// The head has any length; lanes may be missing.
const ANY: u8 = 2;

#[inline(always)]
fn tile<A: Arch, const N: usize, const SHAPE: u8>(
    arch: A,
    keys: &[[f32; BLOCK_LEN]],
    queries: [&[f32]; N],
) -> [[f32; BLOCK_LEN]; N] {
    assert!(queries.iter().all(|query| query.len() == keys.len()), "queries and keys of one length");
    let mut out = [[0.0; BLOCK_LEN]; N];
    for half in 0..BLOCK_LEN / WIDTH {
        let tile = Tile::<A, N, SHAPE> { arch, keys, queries, half };
        for (out, sum) in out.iter_mut().zip(tile.sum()) {
            out[half * WIDTH..][..WIDTH].copy_from_slice(&arch.to_array(sum));
        }
    }
    out
}

/// Some rows against one half of a block; `SHAPE` is what is known of the head's length.
struct Tile<'a, A, const N: usize, const SHAPE: u8> {
    arch: A,
    keys: &'a [[f32; BLOCK_LEN]],
    queries: [&'a [f32]; N],
    half: usize,
}

/// Lane `i` of the tree at one width: lane `i` of the width above plus lane `i + width`, if the head reaches that far.
macro_rules! tree {
    ($($name:ident = $above:ident + $width:literal;)*) => {
        $(
            #[inline(always)]
            fn $name(&self, i: usize) -> [A::Floats; N] {
                let lane = self.$above(i);
                if self.has(i + $width) { self.add(lane, self.$above(i + $width)) } else { lane }
            }
        )*
    };
}

impl<A: Arch, const N: usize, const SHAPE: u8> Tile<'_, A, N, SHAPE> {
    #[inline(always)]
    fn has(&self, lane: usize) -> bool {
        SHAPE != ANY || lane < self.keys.len()
    }

    #[inline(always)]
    fn product(&self, element: usize) -> [A::Floats; N] {
        let (halves, _) = self.keys[element].as_chunks::<WIDTH>();
        let key = self.arch.floats(&halves[self.half]);
        let mut products = [key; N];
        for (product, query) in products.iter_mut().zip(self.queries) {
            *product = self.arch.mul(self.arch.splat(query[element]), key);
        }
        products
    }

    #[inline(always)]
    fn add(&self, left: [A::Floats; N], right: [A::Floats; N]) -> [A::Floats; N] {
        let mut sums = left;
        for (sum, right) in sums.iter_mut().zip(right) {
            *sum = self.arch.add(*sum, right);
        }
        sums
    }

    /// Lane `i` before the tree.
    #[inline(always)]
    fn lane(&self, i: usize) -> [A::Floats; N] {
        let mut sum = self.product(i);
        if SHAPE != ONCE {
            let mut element = i + LANES;
            while element < self.keys.len() {
                sum = self.add(sum, self.product(element));
                element += LANES;
            }
        }
        sum
    }

    tree! {
        lane32 = lane + 32;
        lane16 = lane32 + 16;
        lane8 = lane16 + 8;
        lane4 = lane8 + 4;
    }

    /// Lane 0 at the tree's end. The last two widths are written out, so that the rest is code for one lane of four.
    #[inline(always)]
    fn sum(&self) -> [A::Floats; N] {
        let mut quarters = [[self.arch.splat(0.0); N]; 4];
        for (i, quarter) in quarters.iter_mut().enumerate() {
            if self.has(i) {
                *quarter = self.lane4(i);
            }
        }
        let [first, second, third, fourth] = quarters;
        let even = if self.has(2) { self.add(first, third) } else { first };
        let odd = if self.has(3) { self.add(second, fourth) } else { second };
        if self.has(1) { self.add(even, odd) } else { even }
    }
}
