//! Whether the difference is more than chance, and how large it is.
//!
//! Each comparison has one test that counts, named primary; only these form the family that is corrected for. Right and
//! wrong are tested by McNemar's exact test, numbers by Wilcoxon's signed ranks of the absolute errors. Where instances
//! were judged several times, jobs are no independent trials: then instances are, each with its mean.

use super::compare::Comparison;
use super::pairing::{PairedInstance, Pairing, usable};
use crate::metric::{GuessErrors, Task, TaskKind, is_correct, number};
use crate::stats::{PairedCounts, Permutation, Study, Wilcoxon, WilcoxonMethod, adjust, cliffs_delta};
use puma_core::JobRecord;
use serde::Serialize;

/// Below this a corrected p-value is called significant.
pub const ALPHA: f64 = 0.05;

/// The tests of one comparison and the sizes of its effects.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Significance {
    /// The primary test first.
    pub tests: Vec<Tested>,
    pub effects: Vec<Effect>,
    /// Who was right; `None` for numbers.
    pub agreement: Option<Agreement>,
    /// Numbers only: missing answers that were judged as guesses.
    pub imputed: Option<Imputed>,
    /// What a comparison of this size can see; `None` without a test.
    pub detectable: Option<Detectable>,
}

/// The smallest true difference that a comparison of this size would show.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Detectable {
    /// Of accuracy, or of the mean absolute error. `None` where not even the largest possible one would be shown.
    pub effect: Option<f64>,
    /// How likely it would be shown.
    pub power: f64,
    /// The level of one test: [`ALPHA`] divided by the size of the family, the worst case of Holm's correction.
    pub alpha: f64,
    /// Independent units.
    pub n: usize,
    /// What these pairs say of the noise: the share of discordant pairs, or the standard deviation of the differences of
    /// absolute errors.
    pub spread: f64,
}

/// The power that [`Detectable`] asks for (Cohen 1988's convention).
const POWER: f64 = 0.8;

impl Detectable {
    fn new(study: Study, spread: f64, n: usize, alpha: f64) -> Self {
        let instances = u32::try_from(n).unwrap_or(u32::MAX);
        let effect = (spread > 0.0).then(|| study.detectable_effect(instances, POWER, alpha)).flatten();
        Self { effect, power: POWER, alpha, n, spread }
    }

    /// For right and wrong, where `differences` lie between −1 and 1; a share of discordant pairs if all are whole.
    fn of_shares(differences: &[f64], alpha: f64) -> Self {
        let n = differences.len();
        let discordance = differences.iter().map(|difference| difference * difference).sum::<f64>() / n as f64;
        Self::new(Study::PairedAccuracy { discordance }, discordance, n, alpha)
    }

    fn of_errors(differences: &[f64], alpha: f64) -> Option<Self> {
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let squares: f64 = differences.iter().map(|difference| (difference - mean) * (difference - mean)).sum();
        let sd = (squares / (n - 1.0)).sqrt();
        (differences.len() > 1).then(|| Self::new(Study::PairedMean { sd }, sd, differences.len(), alpha))
    }
}

/// One test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tested {
    /// `mcnemar_exact`, `wilcoxon_signed_rank`, `paired_permutation`.
    pub test: String,
    /// What chance alone would mean, in words.
    pub null_hypothesis: String,
    /// Whether it belongs to the family that is corrected for.
    pub primary: bool,
    /// Independent units: pairs, or instances where they repeat.
    pub n: usize,
    /// Units that can speak for a side at all: discordant, or with a difference.
    pub n_different: usize,
    pub statistic: Option<f64>,
    /// Two-sided.
    pub p_value: f64,
    /// `exact`, `normal approximation`, or the number of resamples.
    pub method: String,
    /// Corrected over the family; `None` unless primary.
    pub p_holm: Option<f64>,
    pub p_benjamini_hochberg: Option<f64>,
}

/// The size of a difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// `odds_ratio`, `cohens_g`, `cliffs_delta`, `rank_biserial`.
    pub name: String,
    /// `None` where it is infinite or undefined.
    pub value: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Which values speak for the second side.
    pub reading: String,
}

/// Pairs by who was right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    pub both_right: u64,
    pub only_first_right: u64,
    pub only_second_right: u64,
    pub both_wrong: u64,
}

/// Missing answers judged by the error expected of guessing the right answer of another instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Imputed {
    pub first: usize,
    pub second: usize,
    /// Mean absolute error over all pairs, missing answers so judged.
    pub mae_first: Option<f64>,
    pub mae_second: Option<f64>,
}

/// Tests one comparison; the family is corrected by [`correct`].
pub(super) fn significance(task: &Task, pairing: &Pairing<'_>, confidence: f64) -> Significance {
    match task.kind {
        TaskKind::Regression => of_numbers(pairing),
        TaskKind::Classification | TaskKind::Pairwise => of_labels(task, pairing, confidence),
    }
}

fn of_labels(task: &Task, pairing: &Pairing<'_>, confidence: f64) -> Significance {
    let right = |record: &JobRecord| is_correct(task, record) == Some(true);
    let counts = PairedCounts::count(pairing.pairs().map(|(left, second)| (right(left), right(second))));
    let agreement = Agreement {
        both_right: counts.both_right,
        only_first_right: counts.only_first_right,
        only_second_right: counts.only_second_right,
        both_wrong: counts.both_wrong,
    };
    let null_hypothesis = "both sides are right equally often".to_owned();
    let mut found = Significance { agreement: Some(agreement), ..Significance::default() };
    if pairing.counts.pairs == 0 {
        return found;
    }
    let difference = |(left, second): &(&JobRecord, &JobRecord)| flag(right(second)) - flag(right(left));
    let differences: Vec<f64> = pairing.instances.iter().map(|instance| mean(instance, difference)).collect();
    found.detectable = Some(Detectable::of_shares(&differences, ALPHA));
    if pairing.has_repeats() {
        found.tests.extend(permutation(&differences, null_hypothesis, true));
    } else {
        found.tests.push(Tested {
            test: "mcnemar_exact".to_owned(),
            null_hypothesis,
            primary: true,
            n: pairing.counts.pairs,
            n_different: counts.discordant() as usize,
            statistic: Some(counts.only_first_right.min(counts.only_second_right) as f64),
            p_value: counts.p_value(),
            method: "exact".to_owned(),
            p_holm: None,
            p_benjamini_hochberg: None,
        });
    }
    // Turned round, so that more than 1 speaks for the second side.
    let turned = PairedCounts {
        only_first_right: counts.only_second_right,
        only_second_right: counts.only_first_right,
        ..counts
    };
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    if let Some((odds, (low, high))) = turned.odds_ratio(confidence) {
        found.effects.push(Effect {
            name: "odds_ratio".to_owned(),
            value: finite(odds),
            ci_low: finite(low),
            ci_high: finite(high),
            reading: "pairs only the second side gets right per pair only the first does; above 1 speaks for the \
                      second, no value means that the first never wins"
                .to_owned(),
        });
    }
    found
}

fn of_numbers(pairing: &Pairing<'_>) -> Significance {
    let golds: Vec<f64> =
        pairing.instances.iter().filter_map(|instance| number(&instance.pairs.first()?.0.gold)).collect();
    let guesses = GuessErrors::new(&golds);
    let error = |record: &JobRecord| {
        let gold = number(&record.gold)?;
        match usable(record).and_then(number) {
            Some(answer) => Some((answer - gold).abs()),
            None => guesses.of(gold),
        }
    };
    let of_side = |side: usize| -> Option<Vec<f64>> {
        let mean_error = |instance: &PairedInstance<'_>| {
            let errors: Option<Vec<f64>> = instance.pairs.iter().map(|pair| error([pair.0, pair.1][side])).collect();
            errors.map(|errors| errors.iter().sum::<f64>() / errors.len() as f64)
        };
        pairing.instances.iter().map(mean_error).collect()
    };
    // A single instance has no other whose right answer could be guessed.
    let (Some(first), Some(second)) = (of_side(0), of_side(1)) else {
        return Significance::default();
    };
    let differences: Vec<f64> = first.iter().zip(&second).map(|(first, second)| second - first).collect();
    let mut found = Significance {
        imputed: Some(imputed(pairing, &first, &second)),
        detectable: Detectable::of_errors(&differences, ALPHA),
        ..Significance::default()
    };
    let Some(ranks) = Wilcoxon::default().test(&differences) else { return found };
    found.tests.push(Tested {
        test: "wilcoxon_signed_rank".to_owned(),
        null_hypothesis: "the absolute errors of both sides are equally large".to_owned(),
        primary: true,
        n: ranks.n_pairs,
        n_different: ranks.n_nonzero,
        statistic: Some(ranks.statistic),
        p_value: ranks.p_value,
        method: if ranks.method == WilcoxonMethod::Exact { "exact" } else { "normal approximation" }.to_owned(),
        p_holm: None,
        p_benjamini_hochberg: None,
    });
    let null_hypothesis = "the mean absolute errors of both sides are equal".to_owned();
    found.tests.extend(permutation(&differences, null_hypothesis, false));
    let effect = |name: &str, value: Option<f64>, reading: &str| Effect {
        name: name.to_owned(),
        value,
        ci_low: None,
        ci_high: None,
        reading: reading.to_owned(),
    };
    found.effects.push(effect(
        "rank_biserial",
        ranks.rank_biserial(),
        "share of rank sums by which the second side's errors are larger; below 0 speaks for the second",
    ));
    found.effects.push(effect(
        "cliffs_delta",
        cliffs_delta(&second, &first),
        "chance that an error of the second side is larger than one of the first, minus the reverse; below 0 speaks \
         for the second",
    ));
    found
}

fn imputed(pairing: &Pairing<'_>, first: &[f64], second: &[f64]) -> Imputed {
    let missing = |side: usize| pairing.pairs().filter(|pair| usable([pair.0, pair.1][side]).is_none()).count();
    let mean = |errors: &[f64]| (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64);
    Imputed { first: missing(0), second: missing(1), mae_first: mean(first), mae_second: mean(second) }
}

fn permutation(differences: &[f64], null_hypothesis: String, primary: bool) -> Option<Tested> {
    let result = Permutation::default().test(differences)?;
    Some(Tested {
        test: "paired_permutation".to_owned(),
        null_hypothesis,
        primary,
        n: result.n_pairs,
        n_different: differences.iter().filter(|difference| **difference != 0.0).count(),
        statistic: Some(result.mean_difference),
        p_value: result.p_value,
        method: if result.exact { "exact".to_owned() } else { format!("{} resamples", result.resamples) },
        p_holm: None,
        p_benjamini_hochberg: None,
    })
}

fn mean(instance: &PairedInstance<'_>, of: impl Fn(&(&JobRecord, &JobRecord)) -> f64) -> f64 {
    instance.pairs.iter().map(of).sum::<f64>() / instance.pairs.len() as f64
}

fn flag(right: bool) -> f64 {
    f64::from(u8::from(right))
}

/// Corrects the primary tests of `comparisons`, which together are the family.
pub fn correct(comparisons: &mut [Comparison]) {
    let primary = |comparison: &Comparison| {
        comparison.significance.tests.iter().find(|test| test.primary).map(|test| test.p_value)
    };
    let family: Vec<(usize, f64)> =
        comparisons.iter().enumerate().filter_map(|(index, comparison)| Some((index, primary(comparison)?))).collect();
    let alpha = ALPHA / family.len().max(1) as f64;
    for (index, _) in &family {
        let significance = &mut comparisons[*index].significance;
        let numbers = significance.agreement.is_none();
        significance.detectable = significance.detectable.map(|Detectable { spread, n, .. }| {
            let study =
                if numbers { Study::PairedMean { sd: spread } } else { Study::PairedAccuracy { discordance: spread } };
            Detectable::new(study, spread, n, alpha)
        });
    }
    let adjusted = adjust(family.iter().map(|(index, p_value)| (index.to_string(), *p_value)));
    for ((index, _), adjusted) in family.into_iter().zip(adjusted) {
        for test in comparisons[index].significance.tests.iter_mut().filter(|test| test.primary) {
            test.p_holm = Some(adjusted.p_holm);
            test.p_benjamini_hochberg = Some(adjusted.p_benjamini_hochberg);
        }
    }
}
