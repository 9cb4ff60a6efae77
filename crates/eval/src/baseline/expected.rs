//! Judges that draw: scored by what they reach on average, without drawing.

use super::report::Baseline;
use crate::metric::{CLASS_HEADLINE, ClassCounts, class_headline};
use crate::stats::{Bootstrap, Clustered, Estimate, Tally};

/// Counts the right answers of each class, and scores a judge that draws with fixed probabilities.
struct ExpectedCounts<'a> {
    /// Probability of each label; they sum to 1.
    draws: &'a [f64],
    support: Vec<f64>,
}

impl Tally for ExpectedCounts<'_> {
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

/// The scores of expected counts when each of `golds` (label positions) is answered with a draw from `draws`.
pub(super) fn drawn_labels(golds: &[usize], draws: &[f64], bootstrap: &Bootstrap, of: (&str, &str)) -> Vec<Baseline> {
    let mut tally = ExpectedCounts { draws, support: vec![0.0; draws.len()] };
    let estimates = bootstrap.estimate(&one_each(golds.iter().copied()), &mut tally, CLASS_HEADLINE.len());
    CLASS_HEADLINE
        .iter()
        .zip(estimates)
        .filter_map(|(metric, estimate)| row(of, metric, estimate, golds.len()))
        .collect()
}

struct Mean {
    sum: f64,
    n: f64,
}

impl Tally for Mean {
    type Item = f64;

    fn clear(&mut self) {
        (self.sum, self.n) = (0.0, 0.0);
    }

    fn add(&mut self, value: &f64) {
        self.sum += value;
        self.n += 1.0;
    }

    fn read(&mut self, values: &mut [f64]) {
        values[0] = self.sum / self.n;
    }
}

/// The mean of what each instance is expected to give.
pub(super) fn mean_of(values: &[f64], bootstrap: &Bootstrap, metric: &str, of: (&str, &str)) -> Option<Baseline> {
    let sample = one_each(values.iter().copied());
    let estimate = bootstrap.estimate(&sample, &mut Mean { sum: 0.0, n: 0.0 }, 1)[0];
    row(of, metric, estimate, values.len())
}

fn one_each<T>(values: impl Iterator<Item = T>) -> Clustered<T> {
    let mut sample = Clustered::default();
    values.for_each(|value| sample.push([value]));
    sample
}

fn row((name, basis): (&str, &str), metric: &str, estimate: Estimate, n: usize) -> Option<Baseline> {
    Some(Baseline {
        name: name.to_owned(),
        metric: metric.to_owned(),
        value: estimate.value?,
        ci_low: estimate.interval.map(|(low, _)| low),
        ci_high: estimate.interval.map(|(_, high)| high),
        basis: basis.to_owned(),
        n,
    })
}
