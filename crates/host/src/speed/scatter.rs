//! How far models of one machine scatter about what was learned, and the interval that follows.

/// Believed before the first run, as a standard deviation of the logarithm of speed: predictions for one machine were
/// seen 3 to 11 % apart from model to model.
pub(super) const PRIOR_SCATTER: f64 = 0.1;
/// As firmly as this many models would show it.
const PRIOR_WEIGHT: f64 = 4.0;

/// The scatter of logarithms of speeds, what was believed and what was seen taken together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scatter {
    pub(super) variance: f64,
    /// Half of the 90 % interval of the next model's logarithm.
    pub(super) log_spread: f64,
}

impl Scatter {
    /// Of `count` models about a prediction with `unknowns` numbers learned from them; `seen` is their standard deviation.
    pub(super) fn of(seen: f64, count: usize, unknowns: usize) -> Self {
        let (n, free) = (count as f64, count.saturating_sub(unknowns) as f64);
        let freedom = PRIOR_WEIGHT + free;
        let variance = (PRIOR_WEIGHT * PRIOR_SCATTER.powi(2) + free * seen.powi(2)) / freedom;
        let log_spread = quantile_95(freedom) * (variance * (1.0 + unknowns as f64 / n)).sqrt();
        Self { variance, log_spread }
    }

    pub(super) fn before_any() -> Self {
        Self { variance: PRIOR_SCATTER.powi(2), log_spread: quantile_95(PRIOR_WEIGHT) * PRIOR_SCATTER }
    }
}

/// The 95 % quantile of Student's t, by the expansion of Cornish and Fisher; within 1 % from 4 degrees of freedom on.
fn quantile_95(freedom: f64) -> f64 {
    let z: f64 = 1.644_853_626_951_472_7;
    let first = (z.powi(3) + z) / (4.0 * freedom);
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * freedom * freedom);
    z + first + second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_of_student_agree_with_the_tables() {
        for (freedom, table) in [(4.0, 2.1318), (6.0, 1.9432), (10.0, 1.8125), (30.0, 1.6973), (1e9, 1.6449)] {
            assert!((quantile_95(freedom) / table - 1.0).abs() < 0.01, "{freedom}");
        }
    }

    #[test]
    fn more_models_and_less_scatter_make_a_narrower_interval() {
        let spread = |seen: f64, count: usize| Scatter::of(seen, count, 1).log_spread;
        assert!(spread(0.1, 3) < spread(0.1, 1) && spread(0.05, 3) < spread(0.1, 3));
        assert!(spread(0.3, 20) > 0.3, "what is seen outweighs what was believed");
    }
}
