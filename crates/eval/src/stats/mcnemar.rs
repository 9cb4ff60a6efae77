//! Two judges of the same instances: the exact paired test, and how far apart they are.

use super::wilson::wilson;

/// How two judges of the same instances differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairedCounts {
    pub both_right: u64,
    pub only_first_right: u64,
    pub only_second_right: u64,
    pub both_wrong: u64,
}

impl PairedCounts {
    /// Counts pairs of (first is right, second is right).
    pub fn count(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for pair in pairs {
            *match pair {
                (true, true) => &mut counts.both_right,
                (true, false) => &mut counts.only_first_right,
                (false, true) => &mut counts.only_second_right,
                (false, false) => &mut counts.both_wrong,
            } += 1;
        }
        counts
    }

    /// Two-sided exact p-value of the hypothesis that both are right equally often.
    pub fn p_value(&self) -> f64 {
        mcnemar_exact(self.only_first_right, self.only_second_right)
    }

    /// All pairs.
    pub fn total(&self) -> u64 {
        self.both_right + self.discordant() + self.both_wrong
    }

    /// Pairs in which one is right and the other wrong.
    pub fn discordant(&self) -> u64 {
        self.only_first_right + self.only_second_right
    }

    /// Accuracy of the first minus that of the second; `None` without pairs.
    pub fn difference(&self) -> Option<f64> {
        let gained = self.only_first_right as f64 - self.only_second_right as f64;
        (self.total() > 0).then(|| gained / self.total() as f64)
    }

    /// How many times likelier it is that only the first is right than that only the second is: the conditional
    /// maximum-likelihood odds ratio b / c, infinite when c is 0, and its interval, Wilson's for b / (b + c) carried over
    /// to odds (Fagerland, Lydersen and Laake 2014). `None` without discordant pairs.
    pub fn odds_ratio(&self, confidence: f64) -> Option<(f64, (f64, f64))> {
        let (b, n) = (self.only_first_right as f64, self.discordant() as f64);
        let (low, high) = wilson(b / n, self.discordant() as usize, confidence)?;
        let odds = |share: f64| share / (1.0 - share);
        Some((b / self.only_second_right as f64, (odds(low), odds(high))))
    }

    /// Cohen's g (1988): how far the share of discordant pairs won by the first lies from one half; 0.05, 0.15 and 0.25
    /// are called small, medium and large. Positive when the first wins more. `None` without discordant pairs.
    pub fn cohens_g(&self) -> Option<f64> {
        (self.discordant() > 0).then(|| self.only_first_right as f64 / self.discordant() as f64 - 0.5)
    }

    /// The interval of [`difference`](Self::difference) by Newcombe's method 10 (1998): the Wilson intervals of both
    /// accuracies, joined with their correlation. `None` without pairs.
    pub fn difference_interval(&self, confidence: f64) -> Option<(f64, f64)> {
        let n = self.total();
        let (b, c) = (self.only_first_right as f64, self.only_second_right as f64);
        let (both, neither) = (self.both_right as f64, self.both_wrong as f64);
        let (first, second) = ((both + b) / n as f64, (both + c) / n as f64);
        let (low_1, high_1) = wilson(first, n as usize, confidence)?;
        let (low_2, high_2) = wilson(second, n as usize, confidence)?;
        let margins = (both + b) * (c + neither) * (both + c) * (b + neither);
        let correlation = if margins > 0.0 {
            // Newcombe's continuity correction, by which a positive correlation is not overstated.
            let product = both * neither - b * c;
            let corrected = if product > 0.0 { (product - n as f64 / 2.0).max(0.0) } else { product };
            corrected / margins.sqrt()
        } else {
            0.0
        };
        let distance = |down_1: f64, up_2: f64| {
            (down_1 * down_1 - 2.0 * correlation * down_1 * up_2 + up_2 * up_2).max(0.0).sqrt()
        };
        let difference = first - second;
        let low = difference - distance(first - low_1, high_2 - second);
        let high = difference + distance(high_1 - first, second - low_2);
        Some((low.max(-1.0), high.min(1.0)))
    }
}

/// Two-sided exact McNemar test: the probability of a split of `b + c` fair coins at least as uneven as `b` to `c`.
/// 1 when there are no discordant pairs.
pub fn mcnemar_exact(b: u64, c: u64) -> f64 {
    if b == c {
        return 1.0;
    }
    let tail = FairCoins::split(b, c);
    (2.0 * tail.fewer_or_equal / tail.all).min(1.0)
}

/// The mid-p variant (Lancaster 1961): a split as uneven as the observed one counts half. Less conservative than the
/// exact test, and its level stays near the nominal one (Fagerland, Lydersen and Laake 2013).
pub fn mcnemar_mid_p(b: u64, c: u64) -> f64 {
    let tail = FairCoins::split(b, c);
    if b == c {
        return 1.0 - tail.exactly / tail.all / 2.0;
    }
    (2.0 * tail.fewer_or_equal - tail.exactly) / tail.all
}

/// The probability that of `b + c` fair coins at most `b` show heads.
pub(super) fn fair_coin_tail(b: u64, c: u64) -> f64 {
    let tail = FairCoins::split(b, c);
    if b <= c { tail.fewer_or_equal / tail.all } else { 1.0 - (tail.fewer_or_equal - tail.exactly) / tail.all }
}

/// Weights of how many of some fair coins show heads, relative to the most likely number.
struct FairCoins {
    exactly: f64,
    fewer_or_equal: f64,
    all: f64,
}

impl FairCoins {
    /// The weight of the smaller of `b` and `c`, and of all numbers up to it, among `b + c` coins.
    ///
    /// Binomial terms relative to the central one, so that nothing overflows and 2^-n never appears. Terms fall from the
    /// centre outwards; those too small to be represented are too small to matter.
    fn split(b: u64, c: u64) -> Self {
        let (n, fewer) = (b + c, b.min(c));
        let (mut term, mut centre_and_below, mut exactly, mut tail) = (1.0, 0.0, 0.0, 0.0);
        for k in (0..=n / 2).rev() {
            centre_and_below += term;
            if k <= fewer {
                tail += term;
            }
            if k == fewer {
                exactly = term;
            }
            term *= k as f64 / (n - k + 1) as f64;
        }
        let all = if n.is_multiple_of(2) { 2.0 * centre_and_below - 1.0 } else { 2.0 * centre_and_below };
        Self { exactly, fewer_or_equal: tail, all }
    }
}

#[cfg(test)]
mod tests {
    use super::{PairedCounts, fair_coin_tail, mcnemar_exact, mcnemar_mid_p};

    #[test]
    fn small_tables_match_hand_counted_coins() {
        assert_eq!(mcnemar_exact(0, 0), 1.0);
        assert_eq!(mcnemar_exact(1, 0), 1.0);
        for (b, c, p) in [(0, 5, 2.0 / 32.0), (5, 1, 14.0 / 64.0), (7, 3, 352.0 / 1024.0)] {
            assert!((mcnemar_exact(b, c) - p).abs() < 1e-15, "{b} against {c}");
        }
        assert_eq!(mcnemar_exact(3, 3), 1.0);
    }

    #[test]
    fn the_order_of_the_judges_does_not_matter() {
        for (b, c) in [(13, 6), (77, 10), (100_000, 99_000)] {
            assert_eq!(mcnemar_exact(b, c), mcnemar_exact(c, b));
        }
    }

    #[test]
    fn pairs_are_counted_by_who_is_right() {
        let counts = PairedCounts::count([(true, true), (true, false), (true, false), (false, true), (false, false)]);
        assert_eq!(counts, PairedCounts { both_right: 1, only_first_right: 2, only_second_right: 1, both_wrong: 1 });
        assert_eq!(counts.p_value(), 1.0);
    }

    #[test]
    fn mid_p_counts_the_observed_split_half() {
        assert_eq!(mcnemar_mid_p(0, 5), 1.0 / 32.0);
        assert_eq!(mcnemar_mid_p(1, 1), 0.75);
        assert_eq!(mcnemar_mid_p(0, 0), 0.5);
        for (b, c) in [(13, 6), (77, 10), (2, 30)] {
            assert!(mcnemar_mid_p(b, c) < mcnemar_exact(b, c), "{b} against {c}");
        }
    }

    #[test]
    fn one_sided_tails_share_only_the_observed_number() {
        for (b, c) in [(0_u64, 4_u64), (3, 2), (11, 30)] {
            let both = fair_coin_tail(b, c) + fair_coin_tail(c, b);
            let coins = crate::stats::Binomial::new((b + c) as u32, 0.5);
            assert!((both - 1.0 - coins.mass(b as u32)).abs() < 1e-14, "{b} against {c}");
        }
    }

    #[test]
    fn effect_sizes_point_to_the_better_judge() {
        let counts = PairedCounts { both_right: 50, only_first_right: 12, only_second_right: 4, both_wrong: 34 };
        let (odds, (low, high)) = counts.odds_ratio(0.95).expect("discordant pairs");
        assert!(odds == 3.0 && 1.0 < low && low < 3.0 && high > 3.0, "{low} {high}");
        assert_eq!((counts.cohens_g(), counts.difference()), (Some(0.25), Some(0.08)));
        let (low, high) = counts.difference_interval(0.95).expect("pairs");
        assert!(low < 0.08 && 0.08 < high && low > 0.0, "{low} {high}");
    }

    #[test]
    fn newcombes_printed_example_comes_out() {
        // Newcombe 1998 (Statistics in Medicine 17:2635), table III, method 10: 36, 12, 2, 0 gives 0.0569 to 0.3404.
        let counts = PairedCounts { both_right: 36, only_first_right: 12, only_second_right: 2, both_wrong: 0 };
        let (low, high) = counts.difference_interval(0.95).expect("pairs");
        assert!((low - 0.0569).abs() < 5e-5 && (high - 0.3404).abs() < 5e-5, "{low} {high}");
    }

    #[test]
    fn without_discordant_pairs_there_is_no_ratio() {
        let equal = PairedCounts { both_right: 5, ..PairedCounts::default() };
        assert_eq!((equal.odds_ratio(0.95), equal.cohens_g()), (None, None));
        assert_eq!(PairedCounts::default().difference_interval(0.95), None);
    }
}
