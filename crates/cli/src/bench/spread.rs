//! What repeated measurements say together.

use puma_eval::stats;
use serde::Serialize;

/// The middle and the spread of repeated values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// Median distance from the median, in percent of it: what an outlier cannot move.
    pub mad_percent: f64,
    pub n: usize,
    /// Every value, in the order of measuring.
    pub values: Vec<f64>,
}

impl Spread {
    /// `None` for no values.
    pub(crate) fn of(values: Vec<f64>) -> Option<Self> {
        let median = middle(&values)?;
        let distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
        Some(Self {
            median,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mad_percent: 100.0 * middle(&distances)? / median,
            n: values.len(),
            values,
        })
    }
}

fn middle(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    stats::median(&sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_repetition_moves_the_range_and_not_the_middle() {
        let spread = Spread::of(vec![100.0, 10.0, 102.0, 98.0, 101.0]).unwrap();
        assert_eq!((spread.median, spread.min, spread.max, spread.n), (100.0, 10.0, 102.0, 5));
        assert_eq!(spread.mad_percent, 2.0);
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
