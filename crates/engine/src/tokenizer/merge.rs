//! Merging neighbouring symbols, cheapest pair first: the loop that both kinds of vocabulary share.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A piece of the text. `start..end` is empty once the piece has become part of its left neighbour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbol {
    pub(super) start: usize,
    pub(super) end: usize,
    /// What the piece is to the vocabulary; its meaning is the caller's.
    pub(super) id: u32,
    previous: usize,
    next: usize,
}

/// What two neighbours become.
pub(super) struct Merged {
    /// Lowest first; equal costs go to the leftmost pair.
    pub(super) cost: i64,
    pub(super) id: u32,
}

const NONE: usize = usize::MAX;

/// A pair that could be merged: cost, index of the left symbol, of the right one, their length, the id they become.
/// The order of the fields is the order of merging.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate(i64, usize, usize, usize, u32);

/// Working memory, kept between words.
#[derive(Default)]
pub(super) struct Merger {
    symbols: Vec<Symbol>,
    queue: BinaryHeap<Reverse<Candidate>>,
}

impl Merger {
    /// Starts with the given pieces, each `(length in bytes, id)`, from left to right.
    pub(super) fn load(&mut self, pieces: impl Iterator<Item = (usize, u32)>) {
        self.symbols.clear();
        self.queue.clear();
        let mut start = 0;
        for (index, (length, id)) in pieces.enumerate() {
            let previous = if index == 0 { NONE } else { index - 1 };
            self.symbols.push(Symbol { start, end: start + length, id, previous, next: index + 1 });
            start += length;
        }
        if let Some(last) = self.symbols.last_mut() {
            last.next = NONE;
        }
    }

    /// Merges until no pair can be merged, and returns what is left, from left to right.
    pub(super) fn run(&mut self, pair: impl Fn(&Symbol, &Symbol) -> Option<Merged>) -> impl Iterator<Item = &Symbol> {
        for right in 1..self.symbols.len() {
            self.offer(right - 1, right, &pair);
        }
        while let Some(Reverse(Candidate(_, left, right, length, id))) = self.queue.pop() {
            let (left_symbol, right_symbol) = (self.symbols[left], self.symbols[right]);
            let left_length = left_symbol.end - left_symbol.start;
            let right_length = right_symbol.end - right_symbol.start;
            // One of the two was merged with another neighbour since.
            if left_length == 0 || right_length == 0 || left_length + right_length != length {
                continue;
            }
            self.symbols[left].end = right_symbol.end;
            self.symbols[left].id = id;
            self.symbols[left].next = right_symbol.next;
            self.symbols[right].end = right_symbol.start;
            if right_symbol.next != NONE {
                self.symbols[right_symbol.next].previous = left;
                self.offer(left, right_symbol.next, &pair);
            }
            if left_symbol.previous != NONE {
                self.offer(left_symbol.previous, left, &pair);
            }
        }
        self.symbols.iter().filter(|symbol| symbol.end > symbol.start)
    }

    fn offer(&mut self, left: usize, right: usize, pair: &impl Fn(&Symbol, &Symbol) -> Option<Merged>) {
        let (left_symbol, right_symbol) = (&self.symbols[left], &self.symbols[right]);
        if let Some(merged) = pair(left_symbol, right_symbol) {
            let length = right_symbol.end - left_symbol.start;
            self.queue.push(Reverse(Candidate(merged.cost, left, right, length, merged.id)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Merges = BTreeMap<(u32, u32), (i64, u32)>;

    /// Looks through all neighbours for the cheapest, leftmost pair, again and again.
    fn naive(mut ids: Vec<u32>, merges: &Merges) -> Vec<u32> {
        loop {
            let pairs = ids.windows(2).enumerate();
            let known =
                pairs.filter_map(|(at, pair)| merges.get(&(pair[0], pair[1])).map(|&(cost, id)| (cost, at, id)));
            let Some((_, at, id)) = known.min() else { return ids };
            ids[at] = id;
            ids.remove(at + 1);
        }
    }

    proptest! {
        #[test]
        fn merging_equals_the_naive_search(
            ids in proptest::collection::vec(0u32..4, 0..40),
            merges in proptest::collection::btree_map((0u32..8, 0u32..8), (0i64..5, 4u32..8), 0..24),
        ) {
            let mut merger = Merger::default();
            merger.load(ids.iter().map(|&id| (1, id)));
            let merged = merger.run(|left, right| {
                merges.get(&(left.id, right.id)).map(|&(cost, id)| Merged { cost, id })
            });
            let merged: Vec<u32> = merged.map(|symbol| symbol.id).collect();
            prop_assert_eq!(merged, naive(ids, &merges));
        }
    }
}
