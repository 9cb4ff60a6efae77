//! The binomial distribution: exact tails and the test of a share.

use super::hypothesis::Alternative;

/// The number of successes among `n` independent trials of probability `p`.
#[derive(Clone, Debug)]
pub struct Binomial {
    /// Probability of each number of successes from 0 to n.
    mass: Vec<f64>,
}

impl Binomial {
    /// Tabulates the distribution in O(n). `p` is taken between 0 and 1.
    ///
    /// Masses are made from the most likely number outwards, each from its neighbour, and divided by their sum: nothing
    /// overflows, no factorial is needed, and masses too small to be represented are too small to matter.
    pub fn new(n: u32, p: f64) -> Self {
        let p = p.clamp(0.0, 1.0);
        let mut mass = vec![0.0; n as usize + 1];
        let mode = (((f64::from(n) + 1.0) * p).floor() as usize).min(n as usize);
        mass[mode] = 1.0;
        // A p of 0 or 1 leaves the whole mass on the mode, which the ratios of 0 below do by themselves.
        let odds = p / (1.0 - p);
        for k in mode + 1..=n as usize {
            mass[k] = mass[k - 1] * odds * ((n as usize + 1 - k) as f64 / k as f64);
        }
        for k in (0..mode).rev() {
            mass[k] = mass[k + 1] / odds * ((k + 1) as f64 / (n as usize - k) as f64);
        }
        let total: f64 = mass.iter().sum();
        mass.iter_mut().for_each(|probability| *probability /= total);
        Self { mass }
    }

    /// The probability of exactly `k`.
    pub fn mass(&self, k: u32) -> f64 {
        self.mass.get(k as usize).copied().unwrap_or(0.0)
    }

    /// The probability of `k` or fewer, summed from the far end of the tail.
    pub fn at_most(&self, k: u32) -> f64 {
        self.mass.iter().take(k as usize + 1).sum()
    }

    /// The probability of `k` or more, summed from the far end of the tail.
    pub fn at_least(&self, k: u32) -> f64 {
        self.mass.iter().skip(k as usize).rev().sum()
    }

    /// The exact test's p-value of `k` successes. Two-sided: the probability of all numbers at most as likely as `k`,
    /// as R and SciPy have it, with the same relative slack of 1e-7 for numbers that are equally likely.
    pub fn p_value(&self, k: u32, alternative: Alternative) -> f64 {
        match alternative {
            Alternative::Less => self.at_most(k).min(1.0),
            Alternative::Greater => self.at_least(k).min(1.0),
            Alternative::TwoSided => {
                let limit = self.mass(k) * (1.0 + 1e-7);
                let rare: f64 = self.mass.iter().filter(|probability| **probability <= limit).sum();
                rare.min(1.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Binomial;
    use crate::stats::Alternative;

    #[test]
    fn certain_outcomes_have_all_the_mass() {
        for (p, k) in [(0.0, 0), (1.0, 9)] {
            let distribution = Binomial::new(9, p);
            assert_eq!(distribution.mass(k), 1.0, "p = {p}");
            assert_eq!(distribution.at_most(9), 1.0, "p = {p}");
        }
        assert_eq!(Binomial::new(0, 0.3).mass(0), 1.0);
    }

    #[test]
    fn a_long_run_neither_overflows_nor_vanishes() {
        let distribution = Binomial::new(100_000, 0.5);
        assert!((distribution.at_most(50_000) + distribution.at_least(50_001) - 1.0).abs() < 1e-12);
        // The central term by Stirling's series with one correction.
        let central = (1.0 - 1.0 / 400_000.0) / (std::f64::consts::PI * 50_000.0).sqrt();
        assert!((distribution.mass(50_000) / central - 1.0).abs() < 1e-9);
    }

    #[test]
    fn three_heads_of_three_are_a_quarter_unlikely() {
        let coin = Binomial::new(3, 0.5);
        assert_eq!(coin.p_value(3, Alternative::TwoSided), 0.25);
        assert_eq!(coin.p_value(3, Alternative::Greater), 0.125);
        assert_eq!(coin.p_value(3, Alternative::Less), 1.0);
    }
}
