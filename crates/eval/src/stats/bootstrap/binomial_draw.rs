//! Random numbers of successes.

use crate::stats::portable::{exp, ln};
use crate::stats::random::SplitMix64;

/// Logarithms of factorials, the part of binomial probabilities that is dear.
#[derive(Clone, Debug)]
pub(super) struct LnFactorials(Vec<f64>);

impl LnFactorials {
    /// ln 0! to ln `most`!.
    pub(super) fn up_to(most: u32) -> Self {
        let mut sum = 0.0;
        Self(
            (0..=most)
                .map(|i| {
                    sum += ln(f64::from(i.max(1)));
                    sum
                })
                .collect(),
        )
    }
}

/// Draws from binomial distributions of one probability.
#[derive(Clone, Copy, Debug)]
pub(super) struct BinomialDraw {
    p: f64,
    odds: f64,
    ln_p: f64,
    ln_q: f64,
}

impl BinomialDraw {
    /// For a probability of `part / whole`, both exact.
    pub(super) fn new(part: u32, whole: u32) -> Self {
        let rest = f64::from(whole - part);
        let (part, whole) = (f64::from(part), f64::from(whole));
        Self { p: part / whole, odds: part / rest, ln_p: ln(part / whole), ln_q: ln(rest / whole) }
    }

    /// How many of `n` trials succeed. By inversion from the most likely number outwards, whose expected length is of the
    /// order of the standard deviation (Kemp 1986).
    pub(super) fn draw(&self, n: u32, factorials: &LnFactorials, generator: &mut SplitMix64) -> u32 {
        if n == 0 || self.p >= 1.0 {
            return n;
        }
        let mode = (((f64::from(n) + 1.0) * self.p) as u32).min(n);
        let LnFactorials(ln_factorial) = factorials;
        let ln_ways = ln_factorial[n as usize] - ln_factorial[mode as usize] - ln_factorial[(n - mode) as usize];
        let at_mode = exp(ln_ways + f64::from(mode) * self.ln_p + f64::from(n - mode) * self.ln_q);
        let mut left = generator.unit() - at_mode;
        let (mut up, mut down) = (mode, mode);
        let (mut mass_up, mut mass_down) = (at_mode, at_mode);
        while left >= 0.0 {
            if up == n && down == 0 {
                // Rounding left a share of about 1e-10 that belongs to no number.
                return mode;
            }
            if up < n {
                up += 1;
                mass_up *= self.odds * f64::from(n - up + 1) / f64::from(up);
                left -= mass_up;
                if left < 0.0 {
                    return up;
                }
            }
            if down > 0 {
                down -= 1;
                mass_down *= f64::from(down + 1) / (self.odds * f64::from(n - down));
                left -= mass_down;
                if left < 0.0 {
                    return down;
                }
            }
            if mass_up + mass_down < 1e-300 {
                return mode;
            }
        }
        mode
    }
}

#[cfg(test)]
mod tests {
    use super::{BinomialDraw, LnFactorials};
    use crate::stats::{Binomial, SplitMix64};

    #[test]
    fn draws_are_as_frequent_as_the_distribution_says() {
        const DRAWS: u32 = 40_000;
        for (n, part, whole) in [(1, 1, 3), (12, 1, 4), (60, 9, 10), (900, 1, 2), (5000, 1, 5000)] {
            let (draw, factorials) = (BinomialDraw::new(part, whole), LnFactorials::up_to(n));
            let exact = Binomial::new(n, f64::from(part) / f64::from(whole));
            let mut generator = SplitMix64::new(u64::from(n));
            let mut seen = vec![0_u32; n as usize + 1];
            (0..DRAWS).for_each(|_| seen[draw.draw(n, &factorials, &mut generator) as usize] += 1);
            // χ² over the numbers that are expected at least 20 times; its mean is their count, its variance twice that.
            let expected: Vec<f64> = (0..=n).map(|k| exact.mass(k) * f64::from(DRAWS)).collect();
            let cells: Vec<f64> = expected
                .iter()
                .zip(&seen)
                .filter(|(expected, _)| **expected >= 20.0)
                .map(|(expected, seen)| (f64::from(*seen) - expected) * (f64::from(*seen) - expected) / expected)
                .collect();
            let (chi_square, degrees) = (cells.iter().sum::<f64>(), cells.len() as f64);
            assert!(chi_square < degrees + 4.5 * (2.0 * degrees).sqrt(), "n = {n}: {chi_square} over {degrees} cells");
        }
    }

    #[test]
    fn certain_trials_all_succeed() {
        let mut generator = SplitMix64::new(1);
        assert_eq!(BinomialDraw::new(7, 7).draw(31, &LnFactorials::up_to(31), &mut generator), 31);
        assert_eq!(BinomialDraw::new(1, 7).draw(0, &LnFactorials::up_to(31), &mut generator), 0);
    }
}
