//! How wrong predictions were: on what they were fitted from, and on what was held out.

use super::robust::median;
use serde::{Deserialize, Serialize};

/// Relative errors of predicted speeds, in percent of the measured speed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    pub count: usize,
    pub median_percent: f64,
    pub mean_percent: f64,
    pub max_percent: f64,
}

impl Errors {
    /// From natural logarithms of predicted by measured. `None` for none.
    pub(super) fn of(log_ratios: &[f64]) -> Option<Self> {
        let percent: Vec<f64> = log_ratios.iter().map(|ratio| ratio.exp_m1().abs() * 100.0).collect();
        Some(Self {
            count: percent.len(),
            median_percent: median(&percent)?,
            mean_percent: percent.iter().sum::<f64>() / percent.len() as f64,
            max_percent: percent.iter().copied().fold(0.0, f64::max),
        })
    }
}

/// The factor by which 90 % of new cases are off at most, judged by held-out `log_ratios`: the ceil(0.9 (n + 1))-th
/// smallest (conformal, no distribution assumed), and half as far again beyond the largest where fewer than nine were held out.
pub(super) fn spread(log_ratios: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = log_ratios.iter().map(|ratio| ratio.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let rank = (0.9 * (sizes.len() + 1) as f64).ceil() as usize;
    match sizes.get(rank.saturating_sub(1)) {
        Some(size) => size.exp(),
        None => (1.5 * sizes.last().copied().unwrap_or(EXTRAPOLATED_SPREAD.ln())).exp(),
    }
}

/// For numbers with one or two machines behind them: chosen, not fitted. Between the two measured cards with stacked
/// memory the overhead differs by 1.3, and card to card the effective arithmetic differs by 1.5.
pub(super) const EXTRAPOLATED_SPREAD: f64 = 1.6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_relative_to_the_measured_speed() {
        let errors = Errors::of(&[1.1_f64.ln(), 0.8_f64.ln(), 1.0_f64.ln()]).expect("there are three");
        assert!((errors.median_percent - 10.0).abs() < 1e-9 && (errors.mean_percent - 10.0).abs() < 1e-9);
        assert!((errors.max_percent - 20.0).abs() < 1e-9 && errors.count == 3);
    }

    #[test]
    fn nine_tenths_of_what_was_held_out_lie_inside_the_spread() {
        let ratios: Vec<f64> = (1..=79).map(|i| f64::from(i) / 1000.0 * if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert!((spread(&ratios).ln() - 0.072).abs() < 1e-12);
        let inside = ratios.iter().filter(|ratio| ratio.abs() <= spread(&ratios).ln() + 1e-12).count();
        assert!(inside * 10 >= ratios.len() * 9);
    }

    #[test]
    fn few_cases_make_a_wider_interval_than_the_worst_of_them() {
        assert!(spread(&[0.05, -0.1]) > 0.1_f64.exp());
    }
}
