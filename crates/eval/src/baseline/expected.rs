//! Judges that draw: scored by what they reach on average, without drawing.

use crate::metric::{CLASS_HEADLINE, ClassCounts, class_headline};
use crate::stats::{Clustered, Tally};

/// Counts the right answers of each class (an item is a label's position), and scores a judge that draws with fixed
/// probabilities: the metrics of [`CLASS_HEADLINE`] of the expected counts.
pub(super) struct DrawTally<'a> {
    /// Probability of each label; they sum to 1.
    draws: &'a [f64],
    support: Vec<f64>,
}

impl<'a> DrawTally<'a> {
    pub(super) const METRICS: [&'static str; CLASS_HEADLINE.len()] = CLASS_HEADLINE;

    pub(super) fn new(draws: &'a [f64]) -> Self {
        Self { draws, support: vec![0.0; draws.len()] }
    }
}

impl Tally for DrawTally<'_> {
    type Item = usize;

    fn clear(&mut self) {
        self.support.fill(0.0);
    }

    fn add(&mut self, class: &usize) {
        self.support[*class] += 1.0;
    }

    fn read(&mut self, values: &mut [f64]) {
        let n: f64 = self.support.iter().sum();
        let classes: Vec<ClassCounts> = self
            .support
            .iter()
            .zip(self.draws)
            .map(|(support, share)| ClassCounts { hits: support * share, predicted: n * share, support: *support })
            .collect();
        values.copy_from_slice(&class_headline(&classes));
    }
}

/// The mean of what each instance is expected to give.
#[derive(Default)]
pub(super) struct MeanTally {
    sum: f64,
    n: f64,
}

impl Tally for MeanTally {
    type Item = f64;

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, value: &f64) {
        self.sum += value;
        self.n += 1.0;
    }

    fn read(&mut self, values: &mut [f64]) {
        values[0] = self.sum / self.n;
    }
}

/// One item an instance.
pub(super) fn one_each<T>(values: impl IntoIterator<Item = T>) -> Clustered<T> {
    let mut sample = Clustered::default();
    values.into_iter().for_each(|value| sample.push([value]));
    sample
}
