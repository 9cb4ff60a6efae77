//! The exact paired test for two judges of the same instances.

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
}

/// Two-sided exact McNemar test: the probability of a split of `b + c` fair coins at least as uneven as `b` to `c`.
/// 1 when there are no discordant pairs.
pub fn mcnemar_exact(b: u64, c: u64) -> f64 {
    let n = b + c;
    let fewer = b.min(c);
    if b == c {
        return 1.0;
    }
    // Binomial terms relative to the central one, so that nothing overflows and 2^-n never appears. Terms fall from
    // the centre outwards; those too small to be represented are too small to matter.
    let mut term = 1.0;
    let mut centre_and_below = 0.0;
    let mut tail = 0.0;
    for k in (0..=n / 2).rev() {
        centre_and_below += term;
        if k <= fewer {
            tail += term;
        }
        term *= k as f64 / (n - k + 1) as f64;
    }
    let all = if n.is_multiple_of(2) { 2.0 * centre_and_below - 1.0 } else { 2.0 * centre_and_below };
    (2.0 * tail / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::{PairedCounts, mcnemar_exact};

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
}
