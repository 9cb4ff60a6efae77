//! The cache of keys and values: blocks of fixed absolute positions that sequences may share.

use puma_kernels::CONTRACT;
use puma_kernels::math::half::{f16_to_f32, f32_to_f16};
use std::sync::Arc;

/// Positions in one block. Block `b` holds positions `32 b` to `32 b + 31`, whoever computed them.
pub(crate) const BLOCK_LEN: usize = 32;

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

    fn round(self, value: f32) -> f32 {
        match self {
            Self::F32 => value,
            Self::F16 => f16_to_f32(f32_to_f16(value)),
        }
    }
}

/// The sizes of a model's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KvShape {
    pub(crate) layers: usize,
    /// Numbers in the keys, or the values, of one position and layer.
    pub(crate) width: usize,
}

impl KvShape {
    fn floats(self) -> usize {
        self.layers * 2 * BLOCK_LEN * self.width
    }

    /// Bytes of one block of all layers.
    pub(crate) fn block_bytes(self) -> usize {
        self.floats() * size_of::<f32>()
    }
}

/// Keys and values of 32 positions: for each layer `[keys [32][width], values [32][width]]`.
#[derive(Clone, Debug)]
pub(crate) struct Block(Vec<f32>);

/// The keys and values of one sequence's first positions. A clone shares its blocks; writing copies a shared block.
#[derive(Clone, Debug)]
pub(crate) struct KvCache {
    shape: KvShape,
    kind: KvType,
    blocks: Vec<Arc<Block>>,
    length: usize,
}

impl KvCache {
    pub(crate) fn new(shape: KvShape, kind: KvType) -> Self {
        Self { shape, kind, blocks: Vec::new(), length: 0 }
    }

    /// Positions that are computed.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Makes room for `count` more positions, to be written next.
    pub(crate) fn extend(&mut self, count: usize) {
        let blocks = (self.length + count).div_ceil(BLOCK_LEN);
        while self.blocks.len() < blocks {
            self.blocks.push(Arc::new(Block(vec![0.0; self.shape.floats()])));
        }
        self.length += count;
    }

    /// Writes the keys and values of `layer` at `position`, which must be below the length.
    pub(crate) fn write(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let width = self.shape.width;
        let block = Arc::make_mut(&mut self.blocks[position / BLOCK_LEN]);
        let at = (layer * 2 * BLOCK_LEN + position % BLOCK_LEN) * width;
        for (kept, key) in block.0[at..at + width].iter_mut().zip(keys) {
            *kept = self.kind.round(*key);
        }
        let at = at + BLOCK_LEN * width;
        for (kept, value) in block.0[at..at + width].iter_mut().zip(values) {
            *kept = self.kind.round(*value);
        }
    }

    /// Per block, the keys and the values of `layer`, each `[32][width]`.
    pub(crate) fn layer(&self, layer: usize) -> (Vec<&[f32]>, Vec<&[f32]>) {
        let size = BLOCK_LEN * self.shape.width;
        let at = layer * 2 * size;
        self.blocks.iter().map(|block| (&block.0[at..at + size], &block.0[at + size..at + 2 * size])).unzip()
    }

    /// The first `length` positions, sharing their blocks.
    pub(crate) fn prefix(&self, length: usize) -> Self {
        assert!(length <= self.length, "a prefix is not longer than the whole");
        Self { shape: self.shape, kind: self.kind, blocks: self.blocks[..length.div_ceil(BLOCK_LEN)].to_vec(), length }
    }

    /// Addresses of the blocks, to count shared ones once.
    pub(crate) fn block_addresses(&self) -> impl Iterator<Item = usize> {
        self.blocks.iter().map(|block| Arc::as_ptr(block).addr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_into_a_shared_block_leaves_the_other_sequence_alone() {
        let mut one = KvCache::new(KvShape { layers: 2, width: 3 }, KvType::F32);
        one.extend(40);
        for position in 0..40 {
            one.write(1, position, &[position as f32; 3], &[1.0; 3]);
        }
        let mut two = one.prefix(35);
        two.extend(1);
        two.write(1, 35, &[-1.0; 3], &[-2.0; 3]);
        let ((one_keys, _), (two_keys, two_values)) = (one.layer(1), two.layer(1));
        assert_eq!(one_keys[1][3 * 3], 35.0);
        assert_eq!((two_keys[1][3 * 3], two_values[1][3 * 3]), (-1.0, -2.0));
        assert_eq!(one_keys[0].as_ptr(), two_keys[0].as_ptr());
        assert_eq!(two_keys[1][2 * 3], 34.0);
    }
}
