//! Whether a model that says "90 % sure" is right nine times in ten.

use super::compute::Values;
use super::judge::{Group, Verdict, agrees, verdict};
use super::report::ReliabilityBin;
use super::task::{MissingAnswers, Options, Task};
use crate::stats::{Clustered, Tally, ln};
use puma_core::JobRecord;

/// Bins of `ece` and of the reliability diagram.
const BINS: usize = 15;
/// Bins of `ece_10`.
const COARSE_BINS: usize = 10;
/// Probabilities below this count as this in the logarithm.
const SMALLEST_PROBABILITY: f64 = 1e-15;

/// The bin of `confidence` among `bins` of equal width: index i with i/bins ≤ confidence < (i+1)/bins, 1 in the last.
fn bin_of(confidence: f64, bins: usize) -> usize {
    let edge = |index: usize| index as f64 / bins as f64;
    // Rounding of the product can miss the exact edge by one bin either way.
    let near = ((confidence * bins as f64) as usize).min(bins - 1);
    let lowered = if confidence < edge(near) { near - 1 } else { near };
    if lowered + 1 < bins && confidence >= edge(lowered + 1) { lowered + 1 } else { lowered }
}

/// An answer and how sure the model was of it.
pub(super) struct Bet {
    confidence: f64,
    right: bool,
    bin: usize,
    coarse_bin: usize,
}

#[derive(Clone, Copy, Default)]
struct Bin {
    n: f64,
    confidence: f64,
    right: f64,
}

impl Bin {
    fn add(&mut self, bet: &Bet) {
        self.n += 1.0;
        self.confidence += bet.confidence;
        self.right += f64::from(u8::from(bet.right));
    }
    /// n·|mean confidence − accuracy|.
    fn weighted_gap(&self) -> f64 {
        (self.confidence - self.right).abs()
    }
}

#[derive(Default)]
pub(super) struct BetTally {
    n: f64,
    squares: f64,
    bins: [Bin; BINS],
    coarse_bins: [Bin; COARSE_BINS],
}

impl Tally for BetTally {
    type Item = Bet;

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, bet: &Bet) {
        let miss = bet.confidence - f64::from(u8::from(bet.right));
        self.n += 1.0;
        self.squares += miss * miss;
        self.bins[bet.bin].add(bet);
        self.coarse_bins[bet.coarse_bin].add(bet);
    }

    fn read(&mut self, values: &mut [f64]) {
        let gaps = |bins: &[Bin]| bins.iter().map(Bin::weighted_gap).sum::<f64>();
        let largest = self.bins.iter().filter(|bin| bin.n > 0.0).map(|bin| bin.weighted_gap() / bin.n);
        values.copy_from_slice(&[
            gaps(&self.bins) / self.n,
            gaps(&self.coarse_bins) / self.n,
            largest.fold(f64::NAN, f64::max),
            self.squares / self.n,
        ]);
    }
}

/// Squared and logarithmic loss of one record's probabilities.
struct Loss {
    squared: f64,
    logarithmic: f64,
}

#[derive(Default)]
struct LossTally {
    n: f64,
    squared: f64,
    logarithmic: f64,
}

impl Tally for LossTally {
    type Item = Loss;

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, loss: &Loss) {
        self.n += 1.0;
        self.squared += loss.squared;
        self.logarithmic += loss.logarithmic;
    }

    fn read(&mut self, values: &mut [f64]) {
        values.copy_from_slice(&[self.squared / self.n, self.logarithmic / self.n]);
    }
}

pub(super) fn bet(task: &Task, record: &JobRecord) -> Option<Bet> {
    let Verdict::Answer(answer) = verdict(record, MissingAnswers::Wrong) else { return None };
    let confidence = record.confidence.filter(|confidence| !confidence.is_nan())?.clamp(0.0, 1.0);
    Some(Bet {
        confidence,
        right: agrees(task.kind, answer, &record.gold),
        bin: bin_of(confidence, BINS),
        coarse_bin: bin_of(confidence, COARSE_BINS),
    })
}

/// The losses of a record that has a probability for every label. What is missing to 1 went to other text: an outcome
/// of its own, which is never the right one.
fn loss(task: &Task, record: &JobRecord) -> Option<Loss> {
    if task.labels.is_empty() {
        return None;
    }
    let (mut squared, mut mass, mut of_gold) = (0.0, 0.0, None);
    for label in &task.labels {
        let probability = *record.label_probabilities.get(label).filter(|p| !p.is_nan())?;
        let right = agrees(task.kind, label, &record.gold);
        let miss = probability - f64::from(u8::from(right));
        squared += miss * miss;
        mass += probability;
        if right {
            of_gold = Some(probability);
        }
    }
    let elsewhere = (1.0 - mass).max(0.0);
    // A right answer outside the deck (a story of 4 points) has no probability and cannot be judged so.
    Some(Loss { squared: squared + elsewhere * elsewhere, logarithmic: -ln(of_gold?.clamp(SMALLEST_PROBABILITY, 1.0)) })
}

/// Scores one group: writes its metrics, gives its reliability diagram. Without logprobs it writes nothing.
pub(super) fn score(
    task: &Task,
    group: &Group<'_>,
    options: &Options,
    values: &mut Values<'_, '_>,
) -> Vec<ReliabilityBin> {
    let losses: Clustered<Loss> = group.sample(|record| loss(task, record));
    let judged = losses.items().len();
    if judged > 0 {
        let estimates = options.bootstrap.estimate(&losses, &mut LossTally::default(), 2);
        values.push("brier_multiclass", estimates[0], judged);
        values.push("log_loss", estimates[1], judged);
        values.plain("n_with_probabilities", Some(judged as f64), judged);
    }
    let bets: Clustered<Bet> = group.sample(|record| bet(task, record));
    let n = bets.items().len();
    if n == 0 {
        return Vec::new();
    }
    let mut tally = BetTally::default();
    let estimates = options.bootstrap.estimate(&bets, &mut tally, 4);
    for (name, estimate) in ["ece", "ece_10", "mce", "brier"].iter().zip(estimates) {
        values.push(name, estimate, n);
    }
    values.plain("n_with_confidence", Some(n as f64), n);
    tally.clear();
    bets.items().iter().for_each(|bet| tally.add(bet));
    let diagram = tally.bins.iter().enumerate().map(|(index, bin)| ReliabilityBin {
        low: index as f64 / BINS as f64,
        high: (index + 1) as f64 / BINS as f64,
        n: bin.n as usize,
        mean_confidence: (bin.n > 0.0).then(|| bin.confidence / bin.n),
        accuracy: (bin.n > 0.0).then(|| bin.right / bin.n),
    });
    diagram.collect()
}

#[cfg(test)]
mod tests {
    use super::bin_of;

    #[test]
    fn every_edge_opens_its_own_bin_and_one_closes_the_last() {
        for bins in [10, 15] {
            for index in 0..bins {
                let edge = index as f64 / bins as f64;
                assert_eq!(bin_of(edge, bins), index, "{edge} among {bins}");
                if index > 0 {
                    assert_eq!(bin_of(edge.next_down(), bins), index - 1, "just below {edge} among {bins}");
                }
            }
            assert_eq!(bin_of(1.0, bins), bins - 1);
        }
    }
}
