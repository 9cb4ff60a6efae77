//! How well one thing alone predicts the answer, and whether chance explains that.

use crate::stats::{SplitMix64, ln};
use std::collections::BTreeMap;

/// Shuffles of the answers behind a p-value.
const SHUFFLES: u32 = 499;
/// Shuffles where every word is looked at each time.
const WORD_SHUFFLES: u32 = 199;
const SEED: u64 = 42;

/// What a property of the rows (a key's prefix, a column's value) tells about their answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Predicts {
    /// Share of the rows whose answer is the commonest of their value.
    pub(super) accuracy: f64,
    /// Share of the commonest answer.
    pub(super) majority: f64,
    /// How often shuffled answers are predicted at least as well, itself counted.
    pub(super) p_value: f64,
}

/// Predicts each row's class by the commonest one of its value, and by the commonest of all where the value occurs once.
/// Many values fit any answers; the shuffles fit as many, so the p-value knows.
pub(super) fn predicts(values: &[&str], classes: &[usize], kinds: usize) -> Option<Predicts> {
    if values.is_empty() {
        return None;
    }
    let numbers: BTreeMap<&str, usize> = {
        let mut numbers: BTreeMap<&str, usize> = values.iter().map(|value| (*value, 0)).collect();
        numbers.values_mut().zip(0..).for_each(|(number, at)| *number = at);
        numbers
    };
    let cells: Vec<usize> = values.iter().map(|value| numbers[value]).collect();
    let mut counts = vec![0u32; numbers.len() * kinds];
    let found = hits(&cells, classes, kinds, &mut counts);
    let mut totals = vec![0usize; kinds];
    classes.iter().for_each(|class| totals[*class] += 1);
    let as_good = shuffled(classes, SHUFFLES, |shuffled| hits(&cells, shuffled, kinds, &mut counts) >= found);
    Some(Predicts {
        accuracy: found as f64 / classes.len() as f64,
        majority: totals.iter().copied().max().unwrap_or(0) as f64 / classes.len() as f64,
        p_value: as_good,
    })
}

fn hits(cells: &[usize], classes: &[usize], kinds: usize, counts: &mut [u32]) -> usize {
    counts.fill(0);
    let mut totals = vec![0u32; kinds];
    for (cell, class) in cells.iter().zip(classes) {
        counts[cell * kinds + class] += 1;
        totals[*class] += 1;
    }
    // Ties go to the first.
    let commonest = (0..kinds).rev().max_by_key(|&kind| totals[kind]).unwrap_or(0);
    let of_cell = |of_value: &[u32]| match of_value.iter().sum::<u32>() {
        1 => of_value[commonest],
        _ => of_value.iter().copied().max().unwrap_or(0),
    };
    counts.chunks(kinds).map(|of_value| of_cell(of_value) as usize).sum()
}

/// The share of `times` shuffles of `classes` (and the original) for which `as_extreme` holds.
pub(super) fn shuffled(classes: &[usize], times: u32, mut as_extreme: impl FnMut(&[usize]) -> bool) -> f64 {
    let mut generator = SplitMix64::new(SEED);
    let mut classes = classes.to_vec();
    let mut count = 1u32;
    for _ in 0..times {
        shuffle(&mut classes, &mut generator);
        count += u32::from(as_extreme(&classes));
    }
    f64::from(count) / f64::from(times + 1)
}

/// Fisher and Yates.
fn shuffle(values: &mut [usize], generator: &mut SplitMix64) {
    for last in (1..values.len()).rev() {
        let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
        values.swap(last, generator.below(bound) as usize);
    }
}

/// Rows that hold each of a set of words.
pub(super) struct Holders {
    /// Per word, positions of rows.
    pub(super) rows: Vec<Vec<u32>>,
}

/// How much each word tells about the answers (mutual information in nats), and how much the most telling word of
/// shuffled answers tells in all but one of twenty shuffles: what lies above that is no chance, however many words
/// there are (maximum statistic of Westfall and Young 1993).
pub(super) fn informative(holders: &Holders, classes: &[usize], kinds: usize) -> (Vec<f64>, f64) {
    let n = classes.len();
    // x·ln x for every count there can be.
    let table: Vec<f64> = (0..=n).map(|count| if count == 0 { 0.0 } else { count as f64 * ln(count as f64) }).collect();
    let mut totals = vec![0usize; kinds];
    classes.iter().for_each(|class| totals[*class] += 1);
    let mut held = vec![0usize; kinds];
    let mut information = |rows: &[u32], classes: &[usize]| {
        held.fill(0);
        rows.iter().for_each(|row| held[classes[*row as usize]] += 1);
        let joint: f64 = held.iter().zip(&totals).map(|(held, total)| table[*held] + table[total - held]).sum();
        let of_class: f64 = totals.iter().map(|total| table[*total]).sum();
        (joint - of_class - table[rows.len()] - table[n - rows.len()] + table[n]) / n as f64
    };
    let found: Vec<f64> = holders.rows.iter().map(|rows| information(rows, classes)).collect();
    let mut most: Vec<f64> = Vec::with_capacity(WORD_SHUFFLES as usize);
    shuffled(classes, WORD_SHUFFLES, |shuffled| {
        most.push(holders.rows.iter().map(|rows| information(rows, shuffled)).fold(0.0, f64::max));
        false
    });
    most.sort_unstable_by(f64::total_cmp);
    // The tenth largest of 199: beaten by chance with probability 0.05.
    let threshold = most.iter().rev().nth(WORD_SHUFFLES as usize / 20).copied().unwrap_or(f64::INFINITY);
    (found, threshold)
}
