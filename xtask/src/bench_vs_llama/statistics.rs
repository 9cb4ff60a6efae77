//! The middle and the spread of repeated measurements.

use serde_json::{Value, json};

/// Repeated values of one measurement.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Values(Vec<f64>);

impl Values {
    pub(super) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// `None` for no values.
    pub(super) fn median(&self) -> Option<f64> {
        middle(&self.0)
    }

    /// Median distance from the median, in percent of it.
    pub(super) fn spread_percent(&self) -> Option<f64> {
        let median = self.median()?;
        let distances: Vec<f64> = self.0.iter().map(|value| (value - median).abs()).collect();
        Some(100.0 * middle(&distances)? / median)
    }

    pub(super) fn json(&self) -> Value {
        json!({ "median": self.median(), "spread_percent": self.spread_percent(), "values": self.0 })
    }
}

fn middle(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[half]),
        _ => Some(f64::midpoint(sorted[half - 1], sorted[half])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_lies_between_two_and_an_outlier_moves_nothing() {
        assert_eq!(Values(vec![4.0, 1.0, 3.0, 100.0]).median(), Some(3.5));
        assert_eq!(Values(vec![10.0, 11.0, 9.0, 500.0, 10.0]).spread_percent(), Some(10.0));
        assert_eq!(Values::default().median(), None);
    }
}
