//! The cache of keys and values: blocks of fixed absolute positions that sequences may share.

use crate::kv_block::{Block, Ledger};
pub(crate) use puma_kernels::BLOCK_LEN;
use puma_kernels::float::attention::padded;
use puma_kernels::{CONTRACT, LayerBlock};
use std::sync::Arc;

/// What keys and values are kept as. The only option that changes bits, so each type has a contract of its own name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvType {
    /// As computed.
    #[default]
    F32,
    /// Rounded once to IEEE binary16, ties to even, when written: half the memory.
    F16,
}

impl KvType {
    /// Both types.
    pub const ALL: [Self; 2] = [Self::F32, Self::F16];

    /// The spelling used on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }

    /// The numerics contract of an engine with this cache, as stored with every run.
    pub fn contract(self) -> &'static str {
        match self {
            Self::F32 => CONTRACT,
            Self::F16 => "N1+kv-f16",
        }
    }

    /// Bytes of one number.
    fn bytes(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::F16 => size_of::<u16>(),
        }
    }
}

/// The sizes of a model's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KvShape {
    pub(crate) layers: usize,
    /// Heads of keys and values.
    pub(crate) heads: usize,
    /// Numbers in a head.
    pub(crate) head_len: usize,
}

impl KvShape {
    /// Numbers in the keys of one layer of a block.
    pub(crate) fn keys(self) -> usize {
        self.heads * self.head_len * BLOCK_LEN
    }

    /// Numbers in the values of one layer of a block, each position's padded to whole registers.
    pub(crate) fn values(self) -> usize {
        self.heads * padded(self.head_len) * BLOCK_LEN
    }

    /// Bytes of one block of all layers.
    pub(crate) fn block_bytes(self, kind: KvType) -> usize {
        self.layers * (self.keys() + self.values()) * kind.bytes()
    }
}

/// The keys and values of one sequence's first positions. A clone shares its blocks; writing copies a shared block.
#[derive(Debug)]
pub(crate) struct KvCache {
    shape: KvShape,
    kind: KvType,
    ledger: Arc<Ledger>,
    blocks: Vec<Arc<Block>>,
    length: usize,
    /// Blocks that were promised and not made yet.
    promise: usize,
}

impl KvCache {
    /// `blocks` hold the first `length` positions and are of this shape and type.
    pub(crate) fn new(
        shape: KvShape,
        kind: KvType,
        ledger: Arc<Ledger>,
        blocks: Vec<Arc<Block>>,
        length: usize,
    ) -> Self {
        assert_eq!(blocks.len(), length.div_ceil(BLOCK_LEN), "as many blocks as the positions need");
        Self { shape, kind, ledger, blocks, length, promise: 0 }
    }

    /// Positions that are computed.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The blocks of these positions.
    pub(crate) fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// Blocks this cache will make to hold `positions`: new ones, and a copy of its last one where that is shared and
    /// not full.
    pub(crate) fn missing(&self, positions: usize) -> usize {
        let shared = |block: &Arc<Block>| Arc::strong_count(block) > 1;
        let copied = !self.length.is_multiple_of(BLOCK_LEN) && self.blocks.last().is_some_and(shared);
        positions.div_ceil(BLOCK_LEN).saturating_sub(self.blocks.len()) + usize::from(copied)
    }

    /// Lets this cache make `blocks` more without anyone else using their memory.
    pub(crate) fn promise(&mut self, blocks: usize) {
        self.ledger.promise(blocks);
        self.promise += blocks;
    }

    /// A block is about to be made.
    fn spend(&mut self) {
        if self.promise > 0 {
            self.promise -= 1;
            self.ledger.release(1);
        }
    }

    /// Makes room for `count` more positions, to be written next.
    pub(crate) fn extend(&mut self, count: usize) {
        let blocks = (self.length + count).div_ceil(BLOCK_LEN);
        while self.blocks.len() < blocks {
            self.spend();
            self.blocks.push(Arc::new(Block::zeroed(self.shape, self.kind, &self.ledger)));
        }
        self.length += count;
    }

    /// Writes the keys and values of `layer` at `position`, which must be below the length.
    pub(crate) fn write(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let index = position / BLOCK_LEN;
        if Arc::get_mut(&mut self.blocks[index]).is_none() {
            self.spend();
        }
        let block = Arc::make_mut(&mut self.blocks[index]);
        block.write(self.shape, layer, position % BLOCK_LEN, keys, values);
    }

    /// The blocks' views of one layer.
    pub(crate) fn layer(&self, layer: usize) -> Vec<LayerBlock<'_>> {
        self.blocks.iter().map(|block| block.layer(self.shape, layer)).collect()
    }
}

impl Clone for KvCache {
    /// Shares the blocks, not what was promised.
    fn clone(&self) -> Self {
        Self {
            ledger: Arc::clone(&self.ledger),
            blocks: self.blocks.clone(),
            shape: self.shape,
            kind: self.kind,
            length: self.length,
            promise: 0,
        }
    }
}

impl Drop for KvCache {
    fn drop(&mut self) {
        self.ledger.release(self.promise);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_kernels::Cached;
    use puma_kernels::math::half::f32_to_f16;

    fn empty(shape: KvShape, kind: KvType) -> KvCache {
        KvCache::new(shape, kind, Arc::default(), Vec::new(), 0)
    }

    /// What is kept at one position of layer 1, keys then values, of a cache with two heads of three numbers.
    fn kept(cache: &KvCache, position: usize) -> [Vec<f32>; 2] {
        let block = &cache.layer(1)[position / BLOCK_LEN];
        let (Cached::F32(keys), Cached::F32(values)) = (block.keys, block.values) else { panic!("kept as f32") };
        let slot = position % BLOCK_LEN;
        let keys = (0..6).map(|number| keys[number * BLOCK_LEN + slot]).collect();
        let values = (0..6).map(|number| values[(number / 3 * BLOCK_LEN + slot) * 16 + number % 3]).collect();
        [keys, values]
    }

    #[test]
    fn writing_into_a_shared_block_leaves_the_other_sequence_alone() {
        let mut one = empty(KvShape { layers: 2, heads: 2, head_len: 3 }, KvType::F32);
        one.extend(40);
        for position in 0..40 {
            let keys = [0, 1, 2, 3, 4, 5].map(|number| (position * 10 + number) as f32);
            one.write(1, position, &keys, &keys.map(|key| -key));
        }
        let mut two = one.clone();
        assert_eq!((one.missing(40), two.missing(64), two.missing(65)), (1, 1, 2));
        two.promise(2);
        assert_eq!((two.ledger.live(), two.ledger.promised()), (2, 2));
        two.write(1, 35, &[7.0; 6], &[8.0; 6]);
        assert_eq!(kept(&one, 35)[0], [350.0, 351.0, 352.0, 353.0, 354.0, 355.0]);
        assert_eq!(kept(&two, 35), [[7.0; 6], [8.0; 6]]);
        assert_eq!(kept(&two, 34)[1], [-340.0, -341.0, -342.0, -343.0, -344.0, -345.0]);
        assert_eq!((one.missing(40), two.ledger.live(), two.ledger.promised()), (0, 3, 1));
        assert!(Arc::ptr_eq(&one.blocks[0], &two.blocks[0]) && !Arc::ptr_eq(&one.blocks[1], &two.blocks[1]));
        let ledger = Arc::clone(&one.ledger);
        drop((one, two));
        assert_eq!((ledger.live(), ledger.promised(), ledger.peak()), (0, 0, 3));
    }

    #[test]
    fn f16_takes_half_the_memory_and_rounds_once() {
        let shape = KvShape { layers: 1, heads: 1, head_len: 16 };
        assert_eq!(shape.block_bytes(KvType::F32), 2 * 16 * 32 * 4);
        assert_eq!(shape.block_bytes(KvType::F16), 2 * 16 * 32 * 2);
        let mut cache = empty(shape, KvType::F16);
        cache.extend(1);
        cache.write(0, 0, &[1.0 / 3.0; 16], &[-1e9; 16]);
        let block = &cache.layer(0)[0];
        let (Cached::F16(keys), Cached::F16(values)) = (block.keys, block.values) else { panic!("kept as f16") };
        assert_eq!((keys[0], values[0]), (f32_to_f16(1.0 / 3.0), 0xfc00));
    }
}
