//! The memory of an engine for keys and values: one bound for running sequences and for beginnings that are kept, so
//! that prompts with the same beginning compute it once.

use crate::kv::{BLOCK_LEN, KvCache, KvShape, KvType};
use crate::kv_block::Ledger;
use crate::kv_tree::PrefixTree;
use std::sync::Arc;

/// Prefixes shorter than this are not worth sharing, in tokens.
pub(crate) const WORTHWHILE: usize = 8;

/// Memory for keys and values, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvMemory {
    /// The bound.
    pub limit_bytes: usize,
    /// In use now, by running sequences and kept beginnings; blocks that several share count once.
    pub used_bytes: usize,
    /// The most that ever was in use at once.
    pub peak_bytes: usize,
}

/// Gives out caches and keeps beginnings. Reuse never changes a bit: the keys and values at a position depend on the
/// tokens up to it alone.
#[derive(Debug)]
pub(crate) struct PrefixStore {
    shape: KvShape,
    kind: KvType,
    limit_bytes: usize,
    reuse: bool,
    ledger: Arc<Ledger>,
    tree: PrefixTree,
}

/// Length of the common beginning of two token lists.
pub(crate) fn common_prefix(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

impl PrefixStore {
    /// Bounds all caches together to `limit_bytes`; keeps nothing without `reuse`.
    pub(crate) fn new(shape: KvShape, kind: KvType, limit_bytes: usize, reuse: bool) -> Self {
        Self { shape, kind, limit_bytes, reuse, ledger: Arc::default(), tree: PrefixTree::default() }
    }

    pub(crate) fn clear(&mut self) {
        self.tree = PrefixTree::default();
    }

    /// Whether beginnings are kept at all.
    pub(crate) fn is_enabled(&self) -> bool {
        self.reuse
    }

    pub(crate) fn memory(&self) -> KvMemory {
        let bytes = self.shape.block_bytes(self.kind);
        KvMemory {
            limit_bytes: self.limit_bytes,
            used_bytes: self.ledger.live() * bytes,
            peak_bytes: self.ledger.peak() * bytes,
        }
    }

    /// Bytes of a cache of `positions` that shares nothing.
    pub(crate) fn bytes_of(&self, positions: usize) -> usize {
        positions.div_ceil(BLOCK_LEN).saturating_mul(self.shape.block_bytes(self.kind))
    }

    /// How many of `tokens` [`open`](Self::open) would give.
    pub(crate) fn covered(&self, tokens: &[u32]) -> usize {
        Some(self.tree.covered(tokens)).filter(|&length| length >= WORTHWHILE).unwrap_or(0)
    }

    /// A cache holding the longest known beginning of `tokens`, if it is worthwhile, else an empty one.
    pub(crate) fn open(&mut self, tokens: &[u32]) -> KvCache {
        let length = self.covered(tokens);
        let blocks = if length == 0 { Vec::new() } else { self.tree.take(tokens, length) };
        KvCache::new(self.shape, self.kind, Arc::clone(&self.ledger), blocks, length)
    }

    /// Promises `cache` the blocks to grow to `positions`, forgetting what was not used for longest where they lack.
    /// False, and nothing is forgotten, if not even that makes room.
    pub(crate) fn reserve(&mut self, cache: &mut KvCache, positions: usize) -> bool {
        let missing = cache.missing(positions);
        let room = self.make_room(missing);
        if room {
            cache.promise(missing);
        }
        room
    }

    /// Remembers the positions of `cache` that were computed for `tokens`. Takes no memory: blocks are shared.
    ///
    /// A cache that goes on being written copies its last block if that is not full; the promise for that copy is made
    /// here, and where there is no room for it, the block is left out.
    pub(crate) fn insert(&mut self, tokens: &[u32], cache: &mut KvCache, goes_on: bool) {
        let mut length = cache.length().min(tokens.len());
        if goes_on && !cache.length().is_multiple_of(BLOCK_LEN) && length.div_ceil(BLOCK_LEN) == cache.blocks().len() {
            let shared = cache.missing(cache.length()) == 1;
            if !shared && self.make_room(1) {
                cache.promise(1);
            } else if !shared {
                length = length / BLOCK_LEN * BLOCK_LEN;
            }
        }
        if self.reuse && length >= WORTHWHILE {
            self.tree.insert(&tokens[..length], &cache.blocks()[..length.div_ceil(BLOCK_LEN)]);
        }
    }

    fn make_room(&mut self, blocks: usize) -> bool {
        let limit = self.limit_bytes / self.shape.block_bytes(self.kind);
        let fits = |ledger: &Ledger, blocks: usize| ledger.live() + ledger.promised() + blocks <= limit;
        if fits(&self.ledger, blocks) {
            return true;
        }
        let own = self.tree.own_blocks();
        if self.ledger.live() - own + self.ledger.promised() + blocks > limit {
            return false;
        }
        while !fits(&self.ledger, blocks) {
            assert!(self.tree.forget_one(), "forgetting everything was found to be enough");
        }
        true
    }
}
