//! A radix tree of token lists: every node's edge is a run of tokens, no two children of a node begin alike.

use crate::kv_block::Block;
use puma_kernels::BLOCK_LEN;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The root's place; it has no tokens and is never a leaf.
const ROOT: usize = 0;

#[derive(Debug, Default)]
struct Node {
    parent: usize,
    /// Position of the edge's first token.
    start: usize,
    tokens: Vec<u32>,
    /// Blocks from that of `start` to that of the last token. A block between two nodes stands in both.
    blocks: Vec<Arc<Block>>,
    /// By the first token of their edges.
    children: BTreeMap<u32, usize>,
    /// When it was last walked over.
    used: u64,
}

impl Node {
    fn end(&self) -> usize {
        self.start + self.tokens.len()
    }

    fn first_block(&self) -> usize {
        self.start / BLOCK_LEN
    }
}

/// Where a walk along some tokens ended.
struct Found {
    /// The last node that was entered.
    node: usize,
    /// Tokens that are known.
    length: usize,
}

/// Known token lists with the blocks that hold their keys and values.
#[derive(Debug)]
pub(crate) struct PrefixTree {
    nodes: Vec<Node>,
    free: Vec<usize>,
    /// Nodes without children, the one that was not used for longest first.
    leaves: BTreeSet<(u64, usize)>,
    clock: u64,
}

impl Default for PrefixTree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], free: Vec::new(), leaves: BTreeSet::new(), clock: 0 }
    }
}

impl PrefixTree {
    fn find(&self, tokens: &[u32]) -> Found {
        let mut found = Found { node: ROOT, length: 0 };
        while found.length < tokens.len() && found.length == self.nodes[found.node].end() {
            let Some(&child) = self.nodes[found.node].children.get(&tokens[found.length]) else { break };
            let edge = self.nodes[child].tokens.iter().zip(&tokens[found.length..]);
            found = Found { node: child, length: found.length + edge.take_while(|(a, b)| a == b).count() };
        }
        found
    }

    /// How many of `tokens`, from the first on, are known.
    pub(crate) fn covered(&self, tokens: &[u32]) -> usize {
        self.find(tokens).length
    }

    /// The blocks of the first `length` tokens, all of which must be known. Counts as a use.
    pub(crate) fn take(&mut self, tokens: &[u32], length: usize) -> Vec<Arc<Block>> {
        let found = self.find(&tokens[..length]);
        assert_eq!(found.length, length, "only known tokens are taken");
        self.touch(found.node);
        let mut blocks: Vec<Arc<Block>> = Vec::with_capacity(length.div_ceil(BLOCK_LEN));
        for node in self.path(found.node) {
            // The deeper node's block holds the other's positions too.
            blocks.truncate(self.nodes[node].first_block());
            blocks.extend(self.nodes[node].blocks.iter().cloned());
        }
        blocks.truncate(length.div_ceil(BLOCK_LEN));
        blocks
    }

    /// Remembers that `blocks` hold the keys and values of `tokens`, all of them. Counts as a use.
    pub(crate) fn insert(&mut self, tokens: &[u32], blocks: &[Arc<Block>]) {
        assert_eq!(blocks.len(), tokens.len().div_ceil(BLOCK_LEN), "as many blocks as the tokens need");
        let Found { node, length } = self.find(tokens);
        if length == tokens.len() {
            return self.touch(node);
        }
        let node = if length < self.nodes[node].end() { self.split(node, length) } else { node };
        // Nodes that end within the block where the new tokens begin need no copy of their own.
        let shared = length / BLOCK_LEN;
        for node in self.path(node) {
            let first = self.nodes[node].first_block();
            if self.nodes[node].end() > shared * BLOCK_LEN {
                self.nodes[node].blocks[shared - first] = Arc::clone(&blocks[shared]);
            }
        }
        let new = self.place(Node {
            parent: node,
            start: length,
            tokens: tokens[length..].to_vec(),
            blocks: blocks[shared..].to_vec(),
            ..Node::default()
        });
        self.leaves.remove(&(self.nodes[node].used, node));
        self.nodes[node].children.insert(tokens[length], new);
        self.leaves.insert((self.nodes[new].used, new));
        self.touch(new);
    }

    /// Forgets the leaf that was not used for longest; false if there is nothing to forget.
    pub(crate) fn forget_one(&mut self) -> bool {
        let Some((_, leaf)) = self.leaves.pop_first() else { return false };
        let Node { parent, tokens, .. } = std::mem::take(&mut self.nodes[leaf]);
        self.free.push(leaf);
        self.nodes[parent].children.remove(&tokens[0]);
        if parent != ROOT && self.nodes[parent].children.is_empty() {
            self.leaves.insert((self.nodes[parent].used, parent));
        }
        true
    }

    /// Blocks that nobody but this tree holds: what forgetting everything would give back.
    pub(crate) fn own_blocks(&self) -> usize {
        let mut held: BTreeMap<*const Block, (usize, usize)> = BTreeMap::new();
        for block in self.nodes.iter().flat_map(|node| &node.blocks) {
            let entry = held.entry(Arc::as_ptr(block)).or_insert((0, Arc::strong_count(block)));
            entry.0 += 1;
        }
        held.values().filter(|(here, everywhere)| here == everywhere).count()
    }

    /// Nodes from below the root to `node`.
    fn path(&self, node: usize) -> Vec<usize> {
        let mut path = Vec::new();
        let mut at = node;
        while at != ROOT {
            path.push(at);
            at = self.nodes[at].parent;
        }
        path.reverse();
        path
    }

    /// Counts a use of `node` and all above it.
    fn touch(&mut self, node: usize) {
        self.clock += 1;
        for node in self.path(node) {
            let is_leaf = self.leaves.remove(&(self.nodes[node].used, node));
            self.nodes[node].used = self.clock;
            if is_leaf {
                self.leaves.insert((self.clock, node));
            }
        }
    }

    fn place(&mut self, node: Node) -> usize {
        match self.free.pop() {
            Some(place) => {
                self.nodes[place] = node;
                place
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        }
    }

    /// Cuts `node`'s edge at position `at`, inside it, and returns the new node that ends there.
    fn split(&mut self, node: usize, at: usize) -> usize {
        let lower = &mut self.nodes[node];
        let (start, used, parent) = (lower.start, lower.used, lower.parent);
        let rest = lower.tokens.split_off(at - start);
        let tokens = std::mem::replace(&mut lower.tokens, rest);
        let first = start / BLOCK_LEN;
        let blocks = lower.blocks[..at.div_ceil(BLOCK_LEN) - first].to_vec();
        lower.blocks.drain(..at / BLOCK_LEN - first);
        lower.start = at;
        let (above, below) = (tokens[0], lower.tokens[0]);
        let upper = Node { parent, start, tokens, blocks, children: BTreeMap::from([(below, node)]), used };
        let upper = self.place(upper);
        self.nodes[node].parent = upper;
        self.nodes[parent].children.insert(above, upper);
        upper
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::{KvCache, KvShape, KvType};
    use crate::kv_prefix::{PrefixStore, WORTHWHILE, common_prefix};
    use proptest::prelude::*;
    use puma_kernels::Cached;

    const SHAPE: KvShape = KvShape { layers: 1, heads: 1, head_len: 2 };

    /// What the key at the last of `tokens` must be: it depends on all of them, as in a model.
    fn key(tokens: &[u32]) -> f32 {
        let hash = tokens.iter().fold(17u32, |hash, &token| hash.wrapping_mul(31).wrapping_add(token + 1));
        (hash % 1_000_003) as f32
    }

    fn key_at(cache: &KvCache, position: usize) -> f32 {
        let Cached::F32(keys) = cache.layer(0)[position / BLOCK_LEN].keys else { panic!("kept as f32") };
        keys[position % BLOCK_LEN]
    }

    /// Computes what the cache lacks of `tokens`.
    fn compute(cache: &mut KvCache, tokens: &[u32]) {
        let start = cache.length();
        cache.extend(tokens.len() - start);
        for position in start..tokens.len() {
            let key = key(&tokens[..=position]);
            cache.write(0, position, &[key; 2], &[key; 2]);
        }
    }

    fn store(blocks: usize) -> PrefixStore {
        PrefixStore::new(SHAPE, KvType::F32, blocks * SHAPE.block_bytes(KvType::F32), true)
    }

    /// Lists over two tokens that often begin alike, of lengths around the blocks' borders.
    fn tokens() -> impl Strategy<Value = Vec<u32>> {
        let pieces = prop::collection::vec((0u32..2, prop::sample::select(vec![1usize, 5, 16, 31, 32, 33])), 1..6);
        pieces.prop_map(|pieces| pieces.into_iter().flat_map(|(token, count)| vec![token; count]).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

        /// Against a list of everything inserted, searched from end to end.
        #[test]
        fn the_tree_knows_what_a_list_knows(lists in prop::collection::vec((tokens(), any::<bool>()), 1..25)) {
            let mut store = store(10_000);
            let mut model: Vec<Vec<u32>> = Vec::new();
            for (tokens, keep) in &lists {
                let known = model.iter().map(|other| common_prefix(other, tokens)).max().unwrap_or(0);
                let worthwhile = if known < WORTHWHILE { 0 } else { known };
                prop_assert_eq!(store.covered(tokens), worthwhile);
                let mut cache = store.open(tokens);
                prop_assert_eq!(cache.length(), worthwhile);
                compute(&mut cache, tokens);
                for position in 0..tokens.len() {
                    prop_assert_eq!(key_at(&cache, position), key(&tokens[..=position]));
                }
                if *keep && tokens.len() >= WORTHWHILE {
                    store.insert(tokens, &mut cache, false);
                    model.push(tokens.clone());
                }
            }
        }

        /// Several sequences at once, shared beginnings stored half way, little memory.
        #[test]
        fn the_bound_holds_whatever_runs_and_is_kept(
            lists in prop::collection::vec((tokens(), 0usize..40), 1..30), blocks in 6usize..20,
        ) {
            let mut store = store(blocks);
            let limit = store.memory().limit_bytes;
            let mut running: Vec<(Vec<u32>, KvCache)> = Vec::new();
            for (tokens, half) in &lists {
                let mut cache = store.open(tokens);
                let before = store.memory().used_bytes;
                let room = store.reserve(&mut cache, tokens.len());
                prop_assert!(room || store.memory().used_bytes == before, "refused, but something was forgotten");
                if room {
                    let half = tokens.len().min(cache.length() + half);
                    compute(&mut cache, &tokens[..half]);
                    store.insert(&tokens[..half], &mut cache, true);
                    running.push((tokens.clone(), cache));
                } else {
                    drop(cache);
                    prop_assert!(!running.is_empty() || tokens.len().div_ceil(BLOCK_LEN) + 1 > blocks);
                }
                if !room || running.len() > 3 {
                    for (tokens, mut cache) in running.drain(..) {
                        compute(&mut cache, &tokens);
                        for position in 0..tokens.len() {
                            prop_assert_eq!(key_at(&cache, position), key(&tokens[..=position]));
                        }
                        store.insert(&tokens, &mut cache, false);
                    }
                }
                prop_assert!(store.memory().used_bytes <= limit);
            }
            drop(running);
            prop_assert!(store.memory().peak_bytes <= limit);
            store.clear();
            prop_assert_eq!(store.memory().used_bytes, 0);
            let mut cache = store.open(&[]);
            prop_assert!(store.reserve(&mut cache, blocks * BLOCK_LEN), "all promises were taken back");
        }
    }

    #[test]
    fn the_least_recently_used_leaf_goes_first() {
        let mut store = store(4);
        let lists = [[0u32; 32], [1; 32], [2; 32]];
        for tokens in &lists {
            let mut cache = store.open(tokens);
            assert!(store.reserve(&mut cache, 32));
            compute(&mut cache, tokens);
            store.insert(tokens, &mut cache, false);
        }
        drop(store.open(&lists[0]));
        let mut cache = store.open(&[9; 64]);
        assert!(store.reserve(&mut cache, 64));
        assert_eq!(lists.map(|tokens| store.covered(&tokens)), [32, 0, 32]);
        let mut other = store.open(&[]);
        assert!(!store.reserve(&mut other, 5 * 32));
        assert_eq!(lists.map(|tokens| store.covered(&tokens)), [32, 0, 32], "a refusal forgets nothing");
    }

    #[test]
    fn a_beginning_that_ends_inside_a_block_costs_no_block_of_its_own() {
        let mut store = store(100);
        let tokens: Vec<u32> = (0..100).collect();
        for length in [40, 45, 50, 100] {
            let mut cache = store.open(&tokens[..length]);
            compute(&mut cache, &tokens[..length]);
            store.insert(&tokens[..length], &mut cache, false);
        }
        assert_eq!(store.memory().used_bytes, 4 * SHAPE.block_bytes(KvType::F32));
        assert_eq!([9, 41, 100].map(|length| store.covered(&tokens[..length])), [9, 41, 100]);
    }
}
