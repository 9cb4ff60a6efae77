//! What a study of a given size can see, and how large it must be to see something.

use super::binomial::Binomial;
use super::normal::normal_cdf;
use super::portable::normal_quantile;
use serde::Serialize;

/// A two-sided test whose power can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "test", rename_all = "kebab-case")]
pub enum Study {
    /// McNemar's exact test of two judges' accuracies on the same instances. `discordance` is the share of instances that
    /// exactly one of them gets right.
    PairedAccuracy { discordance: f64 },
    /// The exact binomial test of one judge's accuracy against a fixed value.
    FixedAccuracy { reference: f64 },
    /// The test of a mean paired difference (of absolute errors, say) whose standard deviation is `sd`.
    PairedMean { sd: f64 },
}

/// How a power was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PowerMethod {
    /// Summed over everything that can happen.
    Exact,
    /// By the normal approximation.
    Normal,
}

/// Up to this many instances the power of exact tests is summed; above, the normal approximation is within a few
/// thousandths of it.
pub const EXACT_POWER_INSTANCES: u32 = 2000;

/// No study is planned beyond this.
const MOST_INSTANCES: u32 = 1_000_000_000;

impl Study {
    /// The largest difference that can occur: all discordant pairs one way, or an accuracy of 0 or 1.
    pub fn largest_effect(&self) -> f64 {
        match self {
            Self::PairedAccuracy { discordance } => *discordance,
            Self::FixedAccuracy { reference } => reference.max(1.0 - reference),
            Self::PairedMean { .. } => f64::INFINITY,
        }
    }

    /// How the power of `n` instances is computed.
    pub fn method(&self, n: u32) -> PowerMethod {
        match self {
            Self::PairedAccuracy { .. } | Self::FixedAccuracy { .. } if n <= EXACT_POWER_INSTANCES => {
                PowerMethod::Exact
            }
            _ => PowerMethod::Normal,
        }
    }

    /// The probability that `n` instances show a true difference of `effect` at level `alpha`, in either direction.
    pub fn power(&self, n: u32, effect: f64, alpha: f64) -> f64 {
        match Rejection::of(self, n, alpha) {
            Some(rejection) => rejection.probability(effect),
            None => self.normal_power(n, effect, alpha),
        }
    }

    /// The normal approximation of [`power`](Self::power). With s₀ and s₁ the standard deviations of one instance's
    /// difference without and with the effect δ: Φ((|δ|√n − z s₀) / s₁) + Φ((−|δ|√n − z s₀) / s₁), z = Φ⁻¹(1 − α/2).
    ///
    /// For paired shares s₀² = ψ and s₁² = ψ − δ² (Miettinen 1968; Connor 1987), ψ being the discordance.
    pub fn normal_power(&self, n: u32, effect: f64, alpha: f64) -> f64 {
        let (null, alternative) = self.spread(effect);
        let shift = effect.abs() * f64::from(n).sqrt();
        let critical = -normal_quantile(alpha / 2.0) * null;
        if alternative <= 0.0 {
            return f64::from(u8::from(shift > critical));
        }
        normal_cdf((shift - critical) / alternative) + normal_cdf((-shift - critical) / alternative)
    }

    /// Standard deviations of one instance's difference without and with the effect.
    fn spread(&self, effect: f64) -> (f64, f64) {
        match self {
            Self::PairedAccuracy { discordance } => {
                (discordance.sqrt(), (discordance - effect * effect).max(0.0).sqrt())
            }
            Self::FixedAccuracy { reference } => {
                let share = true_share(*reference, effect);
                ((reference * (1.0 - reference)).sqrt(), (share * (1.0 - share)).max(0.0).sqrt())
            }
            Self::PairedMean { sd } => (*sd, *sd),
        }
    }

    /// The smallest difference that `n` instances show with probability `power`; `None` where not even the largest
    /// possible one is shown so often.
    pub fn detectable_effect(&self, n: u32, power: f64, alpha: f64) -> Option<f64> {
        let rejection = Rejection::of(self, n, alpha);
        let reached = |effect: f64| match &rejection {
            Some(rejection) => rejection.probability(effect) >= power,
            None => self.normal_power(n, effect, alpha) >= power,
        };
        let mut high = self.largest_effect();
        if high.is_infinite() {
            let (null, _) = self.spread(0.0);
            high = 20.0 * null / f64::from(n.max(1)).sqrt();
        }
        if n == 0 || !reached(high) {
            return None;
        }
        let mut low = 0.0;
        // 50 halvings leave a relative error of 1e-15.
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if reached(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }

    /// How many instances show a true difference of `effect` with probability `power`. Of the exact tests, whose power
    /// rises in teeth, the number nearest to the approximation's from which fewer would not do, or the first above it that
    /// does. `None` for an effect of 0, one that cannot occur, or more than a thousand million instances.
    pub fn needed_instances(&self, effect: f64, power: f64, alpha: f64) -> Option<u32> {
        if effect == 0.0 || effect.is_nan() || effect.abs() > self.largest_effect() {
            return None;
        }
        let (mut low, mut high) = (0_u32, 1_u32);
        while self.normal_power(high, effect, alpha) < power {
            low = high;
            high = high.checked_mul(2).filter(|n| *n <= MOST_INSTANCES)?;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.normal_power(middle, effect, alpha) >= power { high = middle } else { low = middle }
        }
        let mut n = high;
        if self.method(n) == PowerMethod::Normal {
            return Some(n);
        }
        if self.power(n, effect, alpha) >= power {
            while n > 1 && self.power(n - 1, effect, alpha) >= power {
                n -= 1;
            }
        } else {
            while self.power(n, effect, alpha) < power {
                n += 1;
            }
        }
        Some(n)
    }
}

/// The accuracy that lies `effect` above the reference, or below it where there is no room above.
fn true_share(reference: f64, effect: f64) -> f64 {
    let share = reference + effect;
    if (0.0..=1.0).contains(&share) { share } else { (reference - effect).clamp(0.0, 1.0) }
}

/// What an exact test of a given size rejects.
enum Rejection {
    Paired {
        discordance: f64,
        /// The distribution of the number of discordant pairs.
        discordant: Binomial,
        /// For each likely number of discordant pairs: up to how many wins of the weaker judge McNemar's test rejects.
        limits: Vec<(u32, u32)>,
    },
    /// Numbers of right answers out of `n` at or below, at or above which the binomial test rejects, half of alpha on each
    /// side.
    Fixed { reference: f64, n: u32, at_most: Option<u32>, at_least: Option<u32> },
}

impl Rejection {
    /// `None` where the power is not computed exactly.
    fn of(study: &Study, n: u32, alpha: f64) -> Option<Self> {
        if study.method(n) == PowerMethod::Normal {
            return None;
        }
        match *study {
            Study::PairedAccuracy { discordance } => {
                // Seven standard deviations around the mean hold all but 1e-11 of the probability.
                let mean = f64::from(n) * discordance;
                let reach = 7.0 * (mean * (1.0 - discordance)).max(0.0).sqrt() + 7.0;
                let likely = (mean - reach).max(0.0) as u32..=((mean + reach) as u32).min(n);
                let limit = |m: u32| Some((m, lower_limit(&Binomial::new(m, 0.5), m, alpha)?));
                let limits = likely.filter_map(limit).collect();
                Some(Self::Paired { discordance, discordant: Binomial::new(n, discordance), limits })
            }
            Study::FixedAccuracy { reference } => {
                let at_most = lower_limit(&Binomial::new(n, reference), n, alpha);
                let at_least = lower_limit(&Binomial::new(n, 1.0 - reference), n, alpha).map(|misses| n - misses);
                Some(Self::Fixed { reference, n, at_most, at_least })
            }
            Study::PairedMean { .. } => None,
        }
    }

    /// The probability of a rejection when the true difference is `effect`.
    fn probability(&self, effect: f64) -> f64 {
        match self {
            Self::Paired { discordance, discordant, limits } => {
                let won = if *discordance > 0.0 { (1.0 + effect / discordance) / 2.0 } else { 0.5 };
                limits.iter().fold(0.0, |power, (m, limit)| {
                    let wins = Binomial::new(*m, won);
                    power + discordant.mass(*m) * (wins.at_most(*limit) + wins.at_least(m - limit))
                })
            }
            Self::Fixed { reference, n, at_most, at_least } => {
                let hits = Binomial::new(*n, true_share(*reference, effect));
                at_most.map_or(0.0, |k| hits.at_most(k)) + at_least.map_or(0.0, |k| hits.at_least(k))
            }
        }
    }
}

/// The largest k with P(X ≤ k) ≤ alpha / 2; `None` if even 0 is too likely.
fn lower_limit(distribution: &Binomial, n: u32, alpha: f64) -> Option<u32> {
    let mut tail = 0.0;
    let mut limit = None;
    for k in 0..=n {
        tail += distribution.mass(k);
        if tail > alpha / 2.0 {
            break;
        }
        limit = Some(k);
    }
    limit
}

#[cfg(test)]
mod tests {
    use super::{PowerMethod, Study};

    const MCNEMAR: Study = Study::PairedAccuracy { discordance: 0.3 };

    #[test]
    fn without_an_effect_the_power_is_at_most_the_level() {
        for n in [10, 57, 200] {
            assert!(MCNEMAR.power(n, 0.0, 0.05) <= 0.05, "{n}");
            assert!(Study::FixedAccuracy { reference: 0.6 }.power(n, 0.0, 0.05) <= 0.05, "{n}");
        }
        assert!((Study::PairedMean { sd: 2.0 }.power(50, 0.0, 0.05) - 0.05).abs() < 1e-12);
    }

    #[test]
    fn more_instances_and_larger_effects_are_seen_more_often() {
        for study in [MCNEMAR, Study::FixedAccuracy { reference: 0.5 }, Study::PairedMean { sd: 1.0 }] {
            let powers: Vec<f64> = [0.02, 0.05, 0.1, 0.2].map(|effect| study.power(200, effect, 0.05)).to_vec();
            assert!(powers.is_sorted(), "{study:?} {powers:?}");
            assert!(study.power(800, 0.1, 0.05) > study.power(200, 0.1, 0.05), "{study:?}");
        }
    }

    #[test]
    fn exact_and_approximate_power_meet_where_the_method_changes() {
        assert_eq!((MCNEMAR.method(2000), MCNEMAR.method(2001)), (PowerMethod::Exact, PowerMethod::Normal));
        let (exact, normal) = (MCNEMAR.power(2000, 0.034, 0.05), MCNEMAR.power(2001, 0.034, 0.05));
        assert!((exact - normal).abs() < 0.015, "{exact} {normal}");
    }

    #[test]
    fn the_detectable_effect_is_detected_and_a_smaller_one_is_not() {
        for study in [MCNEMAR, Study::FixedAccuracy { reference: 0.5 }, Study::PairedMean { sd: 3.0 }] {
            let effect = study.detectable_effect(200, 0.8, 0.05).expect("200 instances see something");
            assert!(study.power(200, effect, 0.05) >= 0.8 && study.power(200, effect * 0.99, 0.05) < 0.8, "{study:?}");
        }
    }

    #[test]
    fn the_needed_instances_suffice_and_one_fewer_does_not() {
        for study in [MCNEMAR, Study::FixedAccuracy { reference: 0.4 }, Study::PairedMean { sd: 1.0 }] {
            let n = study.needed_instances(0.1, 0.8, 0.05).expect("a plan");
            assert!(study.power(n, 0.1, 0.05) >= 0.8 && study.power(n - 1, 0.1, 0.05) < 0.8, "{study:?} {n}");
        }
    }

    #[test]
    fn what_cannot_be_is_not_planned() {
        assert_eq!(MCNEMAR.detectable_effect(5, 0.8, 0.05), None);
        assert_eq!(MCNEMAR.needed_instances(0.0, 0.8, 0.05), None);
        assert_eq!(MCNEMAR.needed_instances(0.31, 0.8, 0.05), None);
        assert_eq!(Study::PairedMean { sd: 1e6 }.needed_instances(1e-9, 0.8, 0.05), None);
    }
}
