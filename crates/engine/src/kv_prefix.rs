//! Recently computed prefixes, kept so that prompts with the same beginning compute it once.

use crate::kv::{BLOCK_LEN, KvCache, KvShape};
use std::collections::BTreeSet;

/// Prefixes shorter than this are not worth sharing, in tokens.
pub(crate) const WORTHWHILE: usize = 8;
/// Prefixes remembered at once.
const MOST_ENTRIES: usize = 64;

#[derive(Debug)]
struct Entry {
    tokens: Vec<u32>,
    cache: KvCache,
}

/// The store; the most recently used entry is last. Reuse never changes a bit: the keys and values at a position depend
/// on the tokens up to it alone.
#[derive(Debug)]
pub(crate) struct PrefixStore {
    shape: KvShape,
    limit_bytes: usize,
    entries: Vec<Entry>,
}

/// Length of the common beginning of two token lists.
pub(crate) fn common_prefix(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

impl PrefixStore {
    /// A store that keeps at most `limit_bytes` of blocks; 0 keeps nothing.
    pub(crate) fn new(shape: KvShape, limit_bytes: usize) -> Self {
        Self { shape, limit_bytes, entries: Vec::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Whether the store can keep a prefix at all.
    pub(crate) fn is_enabled(&self) -> bool {
        self.limit_bytes >= self.shape.block_bytes()
    }

    fn best(&self, tokens: &[u32]) -> Option<(usize, usize)> {
        let lengths = self.entries.iter().map(|entry| common_prefix(&entry.tokens, tokens));
        lengths.enumerate().max_by_key(|&(index, length)| (length, index)).filter(|&(_, length)| length >= WORTHWHILE)
    }

    /// How many of `tokens` [`take`](Self::take) would give.
    pub(crate) fn covered(&self, tokens: &[u32]) -> usize {
        self.best(tokens).map_or(0, |(_, length)| length)
    }

    /// A cache holding the longest known beginning of `tokens`; `None` if none is worthwhile.
    pub(crate) fn take(&mut self, tokens: &[u32]) -> Option<KvCache> {
        let (index, length) = self.best(tokens)?;
        let entry = self.entries.remove(index);
        let cache = entry.cache.prefix(length);
        self.entries.push(entry);
        Some(cache)
    }

    /// Remembers `cache`, computed for `tokens`, and forgets what was not used for longest until it fits the limit.
    pub(crate) fn insert(&mut self, tokens: &[u32], cache: &KvCache) {
        let most = self.limit_bytes / self.shape.block_bytes().max(1) * BLOCK_LEN;
        let length = cache.length().min(tokens.len()).min(most);
        if length < WORTHWHILE {
            return;
        }
        let tokens = &tokens[..length];
        if self.covered(tokens) == length {
            return;
        }
        // What the new entry begins with it can stand for.
        self.entries.retain(|entry| !tokens.starts_with(&entry.tokens));
        self.entries.push(Entry { tokens: tokens.to_vec(), cache: cache.prefix(length) });
        while self.bytes() > self.limit_bytes || self.entries.len() > MOST_ENTRIES {
            self.entries.remove(0);
        }
    }

    /// Bytes of the distinct blocks held.
    fn bytes(&self) -> usize {
        let blocks: BTreeSet<usize> = self.entries.iter().flat_map(|entry| entry.cache.block_addresses()).collect();
        blocks.len() * self.shape.block_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: KvShape = KvShape { layers: 1, width: 2 };

    fn computed(length: usize) -> KvCache {
        let mut cache = KvCache::new(SHAPE, crate::kv::KvType::F32);
        cache.extend(length);
        cache
    }

    #[test]
    fn the_longest_common_beginning_is_found() {
        let mut store = PrefixStore::new(SHAPE, 1 << 20);
        let tokens: Vec<u32> = (0..100).collect();
        store.insert(&tokens[..40], &computed(40));
        store.insert(&tokens[..70], &computed(70));
        let mut other = tokens.clone();
        other[55] = 7;
        assert_eq!(store.covered(&other), 55);
        assert_eq!(store.take(&other).unwrap().length(), 55);
        assert!(store.take(&[9; 50]).is_none());
    }

    #[test]
    fn the_limit_holds_and_the_least_recently_used_goes_first() {
        let mut store = PrefixStore::new(SHAPE, 3 * SHAPE.block_bytes());
        for start in 0..3u32 {
            store.insert(&[start; 32], &computed(32));
        }
        assert!(store.take(&[0; 40]).is_some());
        store.insert(&[9; 32], &computed(32));
        assert_eq!([0, 1, 2, 9].map(|start| store.covered(&[start; 32])), [32, 0, 32, 32]);
        assert!(store.bytes() <= 3 * SHAPE.block_bytes());
        store.insert(&[5; 500], &computed(500));
        assert_eq!(store.covered(&[5; 500]), 96);
    }
}
