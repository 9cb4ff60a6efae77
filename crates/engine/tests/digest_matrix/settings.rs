//! What may not change a bit, and its combinations.

use super::cover;
use puma_engine::{DigestOptions, Level};

/// The values of each setting.
pub(crate) struct Settings {
    pub(crate) levels: Vec<Level>,
    pub(crate) threads: Vec<usize>,
    pub(crate) batches: Vec<usize>,
    pub(crate) reuse: Vec<bool>,
    pub(crate) orders: Vec<Option<u64>>,
    pub(crate) chunks: Vec<usize>,
}

impl Settings {
    pub(crate) fn all() -> Self {
        Self {
            levels: Level::available(),
            threads: vec![1, 2, 3, 7],
            batches: vec![1, 2, 8, 64],
            reuse: vec![false, true],
            orders: vec![None, Some(1)],
            chunks: vec![5, 64, 512],
        }
    }

    fn sizes(&self) -> [usize; 6] {
        let Self { levels, threads, batches, reuse, orders, chunks } = self;
        [levels.len(), threads.len(), batches.len(), reuse.len(), orders.len(), chunks.len()]
    }

    fn options(&self, row: &[usize]) -> DigestOptions {
        DigestOptions {
            level: self.levels[row[0]],
            threads: self.threads[row[1]],
            batch: self.batches[row[2]],
            reuse_prefixes: self.reuse[row[3]],
            order: self.orders[row[4]],
            chunk_tokens: self.chunks[row[5]],
            ..DigestOptions::default()
        }
    }

    /// Every combination.
    pub(crate) fn product(&self) -> Vec<DigestOptions> {
        cover::product(&self.sizes()).iter().map(|row| self.options(row)).collect()
    }

    /// Combinations in which every two values of two settings meet.
    pub(crate) fn pairwise(&self) -> Vec<DigestOptions> {
        cover::pairwise(&self.sizes()).iter().map(|row| self.options(row)).collect()
    }
}

/// Another order and other steps for each row, by its number.
pub(crate) fn vary((number, options): (usize, DigestOptions)) -> DigestOptions {
    // Strides that share no factor with the numbers of the other settings' values.
    let order = [None, Some(1), Some(2), Some(3), Some(4)][number % 5];
    let chunk_tokens = [1, 7, 40, 64, 128, 300, 512][number % 7];
    DigestOptions { order, chunk_tokens, ..options }
}
