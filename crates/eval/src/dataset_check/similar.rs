//! Pairs of texts that share nearly all of their word triples, without comparing every text with every other.

use std::collections::{BTreeMap, BTreeSet};

/// Words in a shingle.
const SHINGLE: usize = 3;

/// Pairs (i, j), i < j, of `texts` (words between blanks) whose sets of word triples have a Jaccard similarity of at
/// least `threshold`, with that similarity. Texts of fewer than three words are one shingle.
///
/// Exact: shingles are ordered by how rare they are, and two texts that are similar enough must share one among the
/// first few of each (prefix filter of Chaudhuri, Ganti and Kaushik, ICDE 2006; length bound of Bayardo, Ma and
/// Srikant, WWW 2007). Shingles are compared by a 64-bit hash.
pub fn similar_pairs(texts: &[&str], threshold: f64) -> Vec<(usize, usize, f64)> {
    let hashed: Vec<Vec<u64>> = texts.iter().map(|text| shingles(text)).collect();
    let ranked = by_rarity(&hashed);
    // Short texts first, so that a text meets only those that are not longer.
    let mut order: Vec<usize> = (0..ranked.len()).filter(|&at| !ranked[at].is_empty()).collect();
    order.sort_by_key(|&at| (ranked[at].len(), at));
    let mut seen: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut pairs = Vec::new();
    for &at in &order {
        let own = &ranked[at];
        let shortest = (threshold * own.len() as f64).ceil() as usize;
        let prefix = own.len() - shortest.min(own.len()) + 1;
        let mut candidates: BTreeSet<usize> = BTreeSet::new();
        for rank in &own[..prefix.min(own.len())] {
            let holders = seen.entry(*rank).or_default();
            candidates.extend(holders.iter().filter(|&&other| ranked[other].len() >= shortest));
            holders.push(at);
        }
        for other in candidates {
            let similarity = jaccard(own, &ranked[other]);
            if similarity >= threshold {
                pairs.push((at.min(other), at.max(other), similarity));
            }
        }
    }
    pairs.sort_by_key(|(first, second, _)| (*first, *second));
    pairs
}

/// The distinct shingles of a text.
fn shingles(text: &str) -> Vec<u64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let size = SHINGLE.min(words.len());
    if size == 0 {
        return Vec::new();
    }
    let mut hashes: Vec<u64> = words.windows(size).map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// FNV-1a over the words with a separator that is no part of a word.
fn hash(words: &[&str]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Each shingle as its rank, the rarest first; ascending within a text.
fn by_rarity(texts: &[Vec<u64>]) -> Vec<Vec<u32>> {
    let mut all: Vec<u64> = texts.iter().flatten().copied().collect();
    all.sort_unstable();
    let mut counted: Vec<(usize, u64)> = all.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
    counted.sort_unstable();
    let mut ranks: Vec<(u64, u32)> = counted.into_iter().zip(0..).map(|((_, hash), rank)| (hash, rank)).collect();
    ranks.sort_unstable();
    let rank_of = |hash: &u64| ranks[ranks.partition_point(|(known, _)| known < hash)].1;
    texts
        .iter()
        .map(|hashes| {
            let mut ranks: Vec<u32> = hashes.iter().map(rank_of).collect();
            ranks.sort_unstable();
            ranks
        })
        .collect()
}

fn jaccard(left: &[u32], right: &[u32]) -> f64 {
    let (mut at, mut shared) = (0, 0usize);
    for rank in left {
        while right.get(at).is_some_and(|other| other < rank) {
            at += 1;
        }
        shared += usize::from(right.get(at) == Some(rank));
    }
    shared as f64 / (left.len() + right.len() - shared) as f64
}
