//! Records in pairs: the same instance and repetition in two forms.

use super::super::judge::{Verdict, agrees, number, verdict};
use super::super::task::{MissingAnswers, Options, Task, TaskKind};
use super::mark::{Mark, Scores, score_names, unit_of};
use super::report::{Flips, PairReport, ScoreChange};
use crate::stats::{Clustered, Estimate, PairedCounts, Tally, Wilcoxon, holm};
use puma_core::{InstanceId, JobRecord};
use std::collections::BTreeMap;

/// One pair.
#[derive(Clone, Copy, Debug)]
struct Pair {
    first: Mark,
    second: Mark,
    flipped: bool,
    /// Numbers: second − first where both are answered.
    change: Option<f64>,
}

impl Pair {
    /// `None` when the backend failed on a side.
    fn of(task: &Task, first: &JobRecord, second: &JobRecord) -> Option<Self> {
        let (mut one, mut other) = (Mark::of(task, first)?, Mark::of(task, second)?);
        if one.error.is_none() || other.error.is_none() {
            // Errors of different instances must not be compared: a model would gain by leaving hard ones out.
            (one.error, other.error) = (None, None);
        }
        let numbers = || Some(number(second.answer.as_deref()?)? - number(first.answer.as_deref()?)?);
        let both = one.answered && other.answered && task.kind == TaskKind::Regression;
        let change = both.then(numbers).flatten();
        Some(Self { first: one, second: other, flipped: !same_answer(task, first, second), change })
    }
}

/// Whether two forms of an instance got the same answer; no usable answer equals no usable answer. Where a form swaps the
/// two sides of a pair, and with them its right answer, the same content under the other letter is the same answer.
pub(super) fn same_answer(task: &Task, first: &JobRecord, second: &JobRecord) -> bool {
    let answer = |record| match verdict(record, MissingAnswers::Wrong) {
        Verdict::Answer(answer) => Some(answer),
        Verdict::NoAnswer | Verdict::Excluded => None,
    };
    match (answer(first), answer(second)) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            let swapped = task.kind == TaskKind::Pairwise && first.gold != second.gold;
            if swapped { one != other } else { agrees(task.kind, other, one) }
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The pairs of two groups, by instance and repetition.
pub(super) struct Pairs<'a> {
    first: Option<&'a str>,
    second: Option<&'a str>,
    pairs: Vec<(&'a InstanceId, Pair)>,
    excluded: usize,
    unpaired: usize,
}

impl<'a> Pairs<'a> {
    /// Pairs the records of one perturbation (`None`: the originals) with those of another. Each slice is sorted by
    /// instance and repetition.
    pub(super) fn new(
        task: &Task,
        (first, firsts): (Option<&'a str>, &[&'a JobRecord]),
        (second, seconds): (Option<&'a str>, &[&'a JobRecord]),
    ) -> Self {
        let key = |record: &'a JobRecord| (&record.instance_id, record.repeat);
        let mut partners: BTreeMap<_, &JobRecord> = seconds.iter().map(|record| (key(record), *record)).collect();
        let mut made = Self { first, second, pairs: Vec::new(), excluded: 0, unpaired: 0 };
        for record in firsts {
            match partners.remove(&key(record)) {
                None => made.unpaired += 1,
                Some(partner) => match Pair::of(task, record, partner) {
                    None => made.excluded += 1,
                    Some(pair) => made.pairs.push((&record.instance_id, pair)),
                },
            }
        }
        made.unpaired += partners.len();
        made
    }

    fn flips(&self, rate: Estimate) -> Flips {
        let count =
            |wanted: &dyn Fn(&Pair) -> bool| self.pairs.iter().filter(|(_, pair)| pair.flipped && wanted(pair)).count();
        Flips {
            flips: count(&|_| true),
            rate: rate.value,
            ci_low: rate.interval.map(|(low, _)| low),
            ci_high: rate.interval.map(|(_, high)| high),
            to_correct: count(&|pair| !pair.first.right && pair.second.right),
            to_wrong: count(&|pair| pair.first.right && !pair.second.right),
            to_no_answer: count(&|pair| pair.first.answered && !pair.second.answered),
            from_no_answer: count(&|pair| !pair.first.answered && pair.second.answered),
        }
    }

    /// One pair an instance: repetitions are no independent trials.
    fn mcnemar(&self) -> Option<f64> {
        let one_each =
            self.pairs.chunk_by(|a, b| a.0 == b.0).map(|pairs| (pairs[0].1.first.right, pairs[0].1.second.right));
        (!self.pairs.is_empty()).then(|| PairedCounts::count(one_each).p_value())
    }

    /// One pair an instance, of those answered on both sides.
    fn wilcoxon(&self) -> Option<f64> {
        let worse = |pair: &Pair| Some(pair.second.error? - pair.first.error?);
        let one_each: Vec<f64> = self
            .pairs
            .chunk_by(|a, b| a.0 == b.0)
            .filter_map(|pairs| pairs.iter().find_map(|(_, pair)| worse(pair)))
            .collect();
        Wilcoxon::default().test(&one_each).map(|found| found.p_value)
    }

    fn mean_of(&self, value: impl Fn(f64) -> f64) -> Option<f64> {
        let changes: Vec<f64> = self.pairs.iter().filter_map(|(_, pair)| pair.change).map(value).collect();
        (!changes.is_empty()).then(|| changes.iter().sum::<f64>() / changes.len() as f64)
    }

    fn report(&self, task: &Task, deltas: &[Estimate], flip_rate: Estimate) -> PairReport {
        let (mut first, mut second) = (Scores::new(task), Scores::new(task));
        for (_, pair) in &self.pairs {
            first.add(&pair.first);
            second.add(&pair.second);
        }
        let names = score_names(task.kind);
        let (mut before, mut after) = (vec![f64::NAN; names.len()], vec![f64::NAN; names.len()]);
        first.read(&mut before);
        second.read(&mut after);
        let defined = |value: f64| (!value.is_nan()).then_some(value);
        let changes = names.iter().enumerate().map(|(index, name)| ScoreChange {
            metric: (*name).to_owned(),
            unit: unit_of(name).to_owned(),
            first: defined(before[index]),
            second: defined(after[index]),
            delta: deltas[index].value,
            ci_low: deltas[index].interval.map(|(low, _)| low),
            ci_high: deltas[index].interval.map(|(_, high)| high),
            n: first.n(index),
        });
        PairReport {
            first: self.first.map(str::to_owned),
            second: self.second.map(str::to_owned),
            pairs: self.pairs.len(),
            instances: self.pairs.chunk_by(|a, b| a.0 == b.0).count(),
            excluded: self.excluded,
            unpaired: self.unpaired,
            changes: changes.collect(),
            flips: self.flips(flip_rate),
            mean_change: self.mean_of(|change| change),
            mean_absolute_change: self.mean_of(f64::abs),
            mcnemar_p: if task.kind == TaskKind::Regression { None } else { self.mcnemar() },
            wilcoxon_p: if task.kind == TaskKind::Regression { self.wilcoxon() } else { None },
            p_holm: None,
        }
    }
}

/// Corrects the tests of `reports` as one family.
pub(super) fn correct<'a>(reports: impl IntoIterator<Item = &'a mut PairReport>) {
    let reports: Vec<&mut PairReport> = reports.into_iter().collect();
    let p_of = |report: &&mut PairReport| report.mcnemar_p.or(report.wilcoxon_p).unwrap_or(f64::NAN);
    let corrected = holm(&reports.iter().map(p_of).collect::<Vec<f64>>());
    for (report, p) in reports.into_iter().zip(corrected) {
        report.p_holm = (!p.is_nan()).then_some(p);
    }
}

/// What [`compare`] gives: a report for each set of pairs, and means over the sets.
pub(super) struct Comparison {
    pub(super) reports: Vec<PairReport>,
    pub(super) mean_changes: Vec<ScoreChange>,
    pub(super) mean_flip_rate: Estimate,
}

/// Judges several sets of pairs over the same instances with one resampling, so that means over them have intervals too.
pub(super) fn compare(task: &Task, sets: &[Pairs<'_>], options: &Options) -> Comparison {
    let names = score_names(task.kind);
    let width = names.len() + 1;
    let mut by_instance: BTreeMap<&InstanceId, Vec<(usize, Pair)>> = BTreeMap::new();
    for (set, pairs) in sets.iter().enumerate() {
        for (instance, pair) in &pairs.pairs {
            by_instance.entry(instance).or_default().push((set, *pair));
        }
    }
    let mut sample = Clustered::default();
    by_instance.into_values().for_each(|items| sample.push(items));
    let mut tally = DeltaTally::new(task, sets.len());
    let estimates = options.bootstrap.estimate(&sample, &mut tally, width * (sets.len() + 1));
    let (each, means) = estimates.split_at(width * sets.len());
    let reports = sets
        .iter()
        .zip(each.chunks_exact(width))
        .map(|(pairs, estimates)| pairs.report(task, &estimates[..names.len()], estimates[names.len()]));
    let mean_changes = names.iter().zip(means).map(|(name, estimate)| ScoreChange {
        metric: (*name).to_owned(),
        unit: unit_of(name).to_owned(),
        first: None,
        second: None,
        delta: estimate.value,
        ci_low: estimate.interval.map(|(low, _)| low),
        ci_high: estimate.interval.map(|(_, high)| high),
        n: sets.len(),
    });
    Comparison { reports: reports.collect(), mean_changes: mean_changes.collect(), mean_flip_rate: means[names.len()] }
}

/// Reads for every set the change of each score and the flip rate, then their means over the sets.
#[derive(Clone)]
struct DeltaTally {
    sets: Vec<(Scores, Scores)>,
    pairs: Vec<(f64, f64)>,
    scores: usize,
    before: Vec<f64>,
}

impl DeltaTally {
    fn new(task: &Task, sets: usize) -> Self {
        let scores = score_names(task.kind).len();
        Self {
            sets: vec![(Scores::new(task), Scores::new(task)); sets],
            pairs: vec![(0.0, 0.0); sets],
            scores,
            before: vec![0.0; scores],
        }
    }
}

impl Tally for DeltaTally {
    type Item = (usize, Pair);

    fn clear(&mut self) {
        for (first, second) in &mut self.sets {
            first.clear();
            second.clear();
        }
        self.pairs.fill((0.0, 0.0));
    }

    fn add(&mut self, (set, pair): &(usize, Pair)) {
        let (first, second) = &mut self.sets[*set];
        first.add(&pair.first);
        second.add(&pair.second);
        let (flips, pairs) = &mut self.pairs[*set];
        *flips += f64::from(u8::from(pair.flipped));
        *pairs += 1.0;
    }

    fn read(&mut self, values: &mut [f64]) {
        let width = self.scores + 1;
        let (each, means) = values.split_at_mut(width * self.sets.len());
        means.fill(0.0);
        for (set, values) in each.chunks_exact_mut(width).enumerate() {
            self.sets[set].0.read(&mut self.before);
            self.sets[set].1.read(&mut values[..self.scores]);
            for (value, before) in values.iter_mut().zip(&self.before) {
                *value -= before;
            }
            let (flips, pairs) = self.pairs[set];
            values[self.scores] = flips / pairs;
            for (mean, value) in means.iter_mut().zip(values.iter()) {
                *mean += value / self.sets.len() as f64;
            }
        }
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }
}
