//! Wilcoxon's signed-rank test of paired differences.

use super::hypothesis::Alternative;
use super::normal::p_of_z;
use super::signed_rank::tails;
use serde::Serialize;

/// What becomes of pairs without a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ZeroMethod {
    /// They are left out before ranking (Wilcoxon 1945).
    #[default]
    Wilcox,
    /// They are ranked and their ranks left out (Pratt 1959; variance after Cureton 1967).
    Pratt,
    /// They are ranked and half of their ranks goes to each side.
    Zsplit,
}

/// How the p-value is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WilcoxonMethod {
    /// SciPy's rule: exact for up to 50 pairs without ties and zeros, and for up to 13 with them; asymptotic otherwise.
    #[default]
    Auto,
    /// The distribution over all signs of the observed ranks, ties included; asymptotic above [`EXACT_PAIRS`] pairs.
    Exact,
    /// The normal approximation with tie correction.
    Asymptotic,
}

/// Up to how many ranked pairs the exact distribution is computed.
pub const EXACT_PAIRS: usize = 200;

/// The test: what to do with ties, direction and approximation. The default is SciPy's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wilcoxon {
    pub zeros: ZeroMethod,
    pub alternative: Alternative,
    pub method: WilcoxonMethod,
    /// Moves the asymptotic score half a unit towards its mean.
    pub continuity: bool,
}

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WilcoxonResult {
    /// Pairs given.
    pub n_pairs: usize,
    /// Pairs with a difference other than 0.
    pub n_nonzero: usize,
    /// Sum of the ranks of positive differences.
    pub rank_sum_positive: f64,
    /// Sum of the ranks of negative differences.
    pub rank_sum_negative: f64,
    /// The smaller rank sum when two-sided, that of the positive differences otherwise.
    pub statistic: f64,
    /// The asymptotic score, positive when positive differences prevail; `None` when every difference is 0.
    pub z: Option<f64>,
    pub p_value: f64,
    /// `Exact` or `Asymptotic`: how the p-value was found.
    pub method: WilcoxonMethod,
}

impl WilcoxonResult {
    /// The matched-pairs rank-biserial correlation (Kerby 2014): the share of the rank sum that favours positive
    /// differences minus the other share, between −1 and 1. `None` when every difference is 0.
    pub fn rank_biserial(&self) -> Option<f64> {
        let all = self.rank_sum_positive + self.rank_sum_negative;
        (self.n_nonzero > 0).then(|| (self.rank_sum_positive - self.rank_sum_negative) / all)
    }

    /// r = z / √N over all `n` instances, those without a difference included (Rosenthal 1991).
    pub fn effect_r(&self, n: usize) -> Option<f64> {
        self.z.filter(|_| n > 0).map(|z| z / (n as f64).sqrt())
    }
}

impl Wilcoxon {
    /// Tests whether `differences`, one a pair, lie symmetrically around 0. When all of them are 0 nothing speaks against
    /// that and the p-value is 1. `None` without pairs or with a difference that is no finite number.
    ///
    /// Source: Wilcoxon 1945; conventions of `scipy.stats.wilcoxon` 1.17.
    pub fn test(&self, differences: &[f64]) -> Option<WilcoxonResult> {
        if differences.is_empty() || differences.iter().any(|difference| !difference.is_finite()) {
            return None;
        }
        let ranked = Ranks::of(differences, self.zeros);
        let n_pairs = differences.len();
        let z = ranked.z(self.zeros, self.alternative, self.continuity);
        let method = self.chosen(n_pairs, &ranked);
        let p_value = match (method, z) {
            (_, None) => 1.0,
            (WilcoxonMethod::Asymptotic, Some(z)) => p_of_z(z, self.alternative),
            (WilcoxonMethod::Exact | WilcoxonMethod::Auto, Some(_)) => {
                let doubled = (2.0 * ranked.positive - ranked.zero_share).round() as usize;
                let (at_most, at_least) = tails(&ranked.doubled, doubled);
                self.alternative.p_value(at_most, at_least)
            }
        };
        let statistic = match self.alternative {
            Alternative::TwoSided => ranked.positive.min(ranked.negative),
            Alternative::Less | Alternative::Greater => ranked.positive,
        };
        Some(WilcoxonResult {
            n_pairs,
            n_nonzero: n_pairs - ranked.zeros,
            rank_sum_positive: ranked.positive,
            rank_sum_negative: ranked.negative,
            statistic,
            z,
            p_value,
            method,
        })
    }

    fn chosen(&self, n_pairs: usize, ranked: &Ranks) -> WilcoxonMethod {
        let exact = match self.method {
            WilcoxonMethod::Auto => {
                let limit = if ranked.ties.is_empty() && ranked.zeros == 0 { 50 } else { 13 };
                n_pairs <= limit
            }
            WilcoxonMethod::Exact => ranked.doubled.len() <= EXACT_PAIRS,
            WilcoxonMethod::Asymptotic => false,
        };
        if exact { WilcoxonMethod::Exact } else { WilcoxonMethod::Asymptotic }
    }
}

/// The ranks of the absolute differences.
struct Ranks {
    /// How many values took part in the ranking, zeros included where the method ranks them.
    count: usize,
    zeros: usize,
    positive: f64,
    negative: f64,
    /// What each side got of the zeros' ranks, doubled.
    zero_share: f64,
    /// Twice the rank of every difference other than 0: whole numbers.
    doubled: Vec<usize>,
    /// Sizes of the groups of equal absolute differences other than 0 that have more than one member.
    ties: Vec<usize>,
}

impl Ranks {
    fn of(differences: &[f64], method: ZeroMethod) -> Self {
        let mut sorted: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
        sorted.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
        let zeros = differences.len() - sorted.len();
        let before = match method {
            ZeroMethod::Wilcox => 0,
            ZeroMethod::Pratt | ZeroMethod::Zsplit => zeros,
        };
        let mut ranks = Self {
            count: before + sorted.len(),
            zeros,
            positive: 0.0,
            negative: 0.0,
            zero_share: 0.0,
            doubled: Vec::with_capacity(sorted.len()),
            ties: Vec::new(),
        };
        for group in sorted.chunk_by(|a, b| a.abs() == b.abs()) {
            // The mean of consecutive ranks is half the sum of the first and the last.
            let doubled = 2 * (before + ranks.doubled.len()) + 1 + group.len();
            let ups = group.iter().filter(|difference| **difference > 0.0).count();
            ranks.positive += (doubled * ups) as f64 / 2.0;
            ranks.negative += (doubled * (group.len() - ups)) as f64 / 2.0;
            ranks.doubled.extend(std::iter::repeat_n(doubled, group.len()));
            if group.len() > 1 {
                ranks.ties.push(group.len());
            }
        }
        if method == ZeroMethod::Zsplit {
            let half = (zeros * (zeros + 1)) as f64 / 4.0;
            ranks.positive += half;
            ranks.negative += half;
            ranks.zero_share = 2.0 * half;
        }
        ranks
    }

    /// The score of the positive rank sum under the normal approximation; `None` when all differences are 0.
    fn z(&self, method: ZeroMethod, alternative: Alternative, continuity: bool) -> Option<f64> {
        if self.doubled.is_empty() {
            return None;
        }
        let squares = |n: f64| n * (n + 1.0) * (2.0 * n + 1.0);
        let (count, zeros) = (self.count as f64, self.zeros as f64);
        let mut mean = count * (count + 1.0) / 4.0;
        let mut variance = squares(count);
        let cubes = |size: usize| (size as f64) * (size as f64) * (size as f64) - size as f64;
        let mut ties: f64 = self.ties.iter().map(|size| cubes(*size)).sum();
        match method {
            ZeroMethod::Wilcox => {}
            ZeroMethod::Pratt => {
                mean -= zeros * (zeros + 1.0) / 4.0;
                variance -= squares(zeros);
            }
            // As SciPy has it: the zeros are a group of ties like any other.
            ZeroMethod::Zsplit => ties += cubes(self.zeros),
        }
        let deviation = ((variance - ties / 2.0) / 24.0).sqrt();
        let z = (self.positive - mean) / deviation;
        let towards_mean = match alternative {
            Alternative::Greater => 1.0,
            Alternative::Less => -1.0,
            Alternative::TwoSided if z == 0.0 => 0.0,
            Alternative::TwoSided => z.signum(),
        };
        Some(if continuity { z - towards_mean * 0.5 / deviation } else { z })
    }
}

#[cfg(test)]
mod tests {
    use super::{Wilcoxon, WilcoxonMethod};
    use crate::stats::Alternative;

    #[test]
    fn five_rises_of_five_are_as_unlikely_as_five_heads() {
        let result = Wilcoxon::default().test(&[1.0, 2.0, 3.0, 4.0, 5.0]).expect("five pairs");
        assert_eq!((result.statistic, result.p_value), (0.0, 2.0 / 32.0));
        assert_eq!((result.method, result.rank_biserial()), (WilcoxonMethod::Exact, Some(1.0)));
        let greater = Wilcoxon { alternative: Alternative::Greater, ..Wilcoxon::default() };
        assert_eq!(greater.test(&[1.0, 2.0, 3.0, 4.0, 5.0]).expect("five pairs").p_value, 1.0 / 32.0);
    }

    #[test]
    fn without_any_difference_nothing_speaks_against_equality() {
        for n in [1, 13, 60] {
            let result = Wilcoxon::default().test(&vec![0.0; n]).expect("pairs");
            assert_eq!((result.p_value, result.z, result.n_nonzero), (1.0, None, 0));
            assert_eq!((result.rank_biserial(), result.effect_r(n)), (None, None));
        }
    }

    #[test]
    fn nothing_and_no_number_are_no_test() {
        assert_eq!(Wilcoxon::default().test(&[]), None);
        assert_eq!(Wilcoxon::default().test(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn exact_and_approximate_meet_in_large_samples() {
        let differences: Vec<f64> = (0..180).map(|i| f64::from(i * 37 % 181) - 80.0).collect();
        let p = |method| Wilcoxon { method, ..Wilcoxon::default() }.test(&differences).expect("pairs").p_value;
        let (exact, normal) = (p(WilcoxonMethod::Exact), p(WilcoxonMethod::Asymptotic));
        assert!((exact - normal).abs() < 0.002, "{exact} {normal}");
    }
}
