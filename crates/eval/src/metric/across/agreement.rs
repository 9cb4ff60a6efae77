//! How far several answers to the same instances agree.

use crate::stats::Tally;

/// All answers to one instance.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// Answers of each kind, no usable answer among them; at least two in all.
    counts: Vec<(usize, f64)>,
    /// The numbers among them, where numbers are asked for.
    numbers: Option<Vec<f64>>,
}

impl Unit {
    /// `kinds` tells the answers apart; `numbers` are their values, where they have some.
    pub(super) fn new(kinds: &[usize], numbers: Option<Vec<f64>>) -> Self {
        let mut counts: Vec<(usize, f64)> = Vec::new();
        for kind in kinds {
            match counts.iter_mut().find(|(other, _)| other == kind) {
                Some((_, count)) => *count += 1.0,
                None => counts.push((*kind, 1.0)),
            }
        }
        Self { counts, numbers }
    }

    fn answers(&self) -> f64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    pub(super) fn all_equal(&self) -> bool {
        self.counts.len() == 1
    }

    /// Share of the pairs of answers that agree.
    fn pairwise(&self) -> f64 {
        let m = self.answers();
        self.counts.iter().map(|(_, count)| count * (count - 1.0)).sum::<f64>() / (m * (m - 1.0))
    }
}

/// Reads the mean pairwise agreement and Krippendorff's alpha (Content Analysis, 2004, chapter 11): 1 − observed over
/// expected disagreement, where two labels disagree by 0 or 1 and two numbers by the square of their difference.
#[derive(Clone)]
pub(super) struct AgreementTally {
    units: f64,
    pairwise: f64,
    /// Σ over units of (disagreement summed over ordered pairs) / (answers − 1).
    observed: f64,
    /// How often each kind was answered.
    kinds: Vec<f64>,
    numbers: Spread,
}

impl AgreementTally {
    pub(super) fn new(kinds: usize) -> Self {
        Self { units: 0.0, pairwise: 0.0, observed: 0.0, kinds: vec![0.0; kinds], numbers: Spread::default() }
    }
}

/// Welford's running sum of squares (1962): exactly 0 when all numbers are equal.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, value: f64) {
        self.n += 1.0;
        let from_mean = value - self.mean;
        self.mean += from_mean / self.n;
        self.squares += from_mean * (value - self.mean);
    }

    /// Σ (x − y)² over all ordered pairs.
    fn disagreement(&self) -> f64 {
        2.0 * self.n * self.squares
    }
}

impl Tally for AgreementTally {
    type Item = Unit;

    fn clear(&mut self) {
        (self.units, self.pairwise, self.observed, self.numbers) = (0.0, 0.0, 0.0, Spread::default());
        self.kinds.fill(0.0);
    }

    fn add(&mut self, unit: &Unit) {
        self.units += 1.0;
        self.pairwise += unit.pairwise();
        match &unit.numbers {
            None => {
                let m = unit.answers();
                self.observed += (1.0 - unit.pairwise()) * m;
                unit.counts.iter().for_each(|(kind, count)| self.kinds[*kind] += count);
            }
            // A number alone has nothing to agree with.
            Some(numbers) if numbers.len() > 1 => {
                let mut own = Spread::default();
                for number in numbers {
                    own.add(*number);
                    self.numbers.add(*number);
                }
                self.observed += own.disagreement() / (own.n - 1.0);
            }
            Some(_) => {}
        }
    }

    fn read(&mut self, values: &mut [f64]) {
        let answers: f64 = self.kinds.iter().sum();
        let (n, expected) = if answers > 0.0 {
            (answers, answers * answers - self.kinds.iter().map(|count| count * count).sum::<f64>())
        } else {
            (self.numbers.n, self.numbers.disagreement())
        };
        let alpha = if expected > 0.0 { 1.0 - self.observed * (n - 1.0) / expected } else { f64::NAN };
        values.copy_from_slice(&[self.pairwise / self.units, alpha]);
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }
}
