//! Whether a model that says "90 % sure" is right nine times in ten, and whether its doubt tells right from wrong.

use super::bins::{Bins, equal_mass_edges, equal_mass_of, equal_width_of};
use super::compute::Values;
use super::judge::{Group, Verdict, agrees, verdict};
use super::report::{GroupReport, ReliabilityBin, SelectivePoint};
use super::sampled::{Sampled, is_completed, of_each};
use super::selective::{Place, SelectiveTally};
use super::task::{MissingAnswers, Options, Task};
use crate::stats::{Ranked, Tally, ln};
use puma_core::JobRecord;

/// Bins of `ece`, of `mce`, of `ece_equal_mass` and of the reliability diagrams.
const BINS: usize = 15;
/// Bins of `ece_10`.
const COARSE_BINS: usize = 10;
/// Probabilities below this count as this in the logarithm.
const SMALLEST_PROBABILITY: f64 = 1e-15;

/// The metrics over answers with a confidence, in the tally's order.
const CONFIDENT: [&str; 9] = [
    "ece",
    "ece_10",
    "ece_equal_mass",
    "mce",
    "brier",
    "brier_reliability",
    "brier_resolution",
    "brier_uncertainty",
    "brier_remainder",
];
/// The metrics over records with a probability for every label, after [`CONFIDENT`].
const PROBABLE: [&str; 2] = ["brier_multiclass", "log_loss"];
/// The metrics over every record, after [`PROBABLE`].
const SELECTIVE: [&str; 4] =
    ["aurc", "selective_accuracy_at_50", "selective_accuracy_at_80", "selective_accuracy_at_90"];
/// Percents of the records that are answered in [`SELECTIVE`].
const COVERAGES: [usize; 3] = [50, 80, 90];

/// One record: its answer with how sure the model was of it, and what its probabilities cost.
pub(super) struct Bet {
    right: bool,
    sure: Option<Sure>,
    place: Place,
    loss: Option<Loss>,
}

/// A confidence and the bins it falls into.
struct Sure {
    confidence: f64,
    bin: usize,
    coarse_bin: usize,
    mass_bin: usize,
}

/// Squared and logarithmic loss of one record's probabilities.
struct Loss {
    squared: f64,
    logarithmic: f64,
}

/// Reads the metrics of [`CONFIDENT`], [`PROBABLE`] and [`SELECTIVE`].
#[derive(Clone)]
pub(super) struct BetTally {
    squares: f64,
    bins: Bins<BINS>,
    coarse_bins: Bins<COARSE_BINS>,
    mass_bins: Bins<BINS>,
    losses: f64,
    squared: f64,
    logarithmic: f64,
    selective: SelectiveTally,
}

impl BetTally {
    fn new(confidences: Vec<f64>) -> Self {
        Self {
            squares: 0.0,
            bins: Bins::default(),
            coarse_bins: Bins::default(),
            mass_bins: Bins::default(),
            losses: 0.0,
            squared: 0.0,
            logarithmic: 0.0,
            selective: SelectiveTally::new(confidences),
        }
    }
}

impl Tally for BetTally {
    type Item = Bet;

    fn clear(&mut self) {
        self.squares = 0.0;
        self.bins = Bins::default();
        self.coarse_bins = Bins::default();
        self.mass_bins = Bins::default();
        (self.losses, self.squared, self.logarithmic) = (0.0, 0.0, 0.0);
        self.selective.clear();
    }

    fn add(&mut self, bet: &Bet) {
        self.selective.add(bet.place, bet.right);
        if let Some(loss) = &bet.loss {
            self.losses += 1.0;
            self.squared += loss.squared;
            self.logarithmic += loss.logarithmic;
        }
        let Some(sure) = &bet.sure else { return };
        let miss = sure.confidence - f64::from(u8::from(bet.right));
        self.squares += miss * miss;
        self.bins.add(sure.bin, sure.confidence, bet.right);
        self.coarse_bins.add(sure.coarse_bin, sure.confidence, bet.right);
        self.mass_bins.add(sure.mass_bin, sure.confidence, bet.right);
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn read(&mut self, values: &mut [f64]) {
        let brier = self.squares / self.bins.n();
        let [reliability, resolution, uncertainty] = self.bins.murphy();
        let (confident, rest) = values.split_at_mut(CONFIDENT.len());
        confident.copy_from_slice(&[
            self.bins.mean_gap(),
            self.coarse_bins.mean_gap(),
            self.mass_bins.mean_gap(),
            self.bins.largest_gap(),
            brier,
            reliability,
            resolution,
            uncertainty,
            brier - (reliability - resolution + uncertainty),
        ]);
        let (probable, selective) = rest.split_at_mut(PROBABLE.len());
        probable.copy_from_slice(&[self.squared / self.losses, self.logarithmic / self.losses]);
        selective[0] = self.selective.area();
        for (value, coverage) in selective[1..].iter_mut().zip(COVERAGES) {
            *value = self.selective.accuracy_at(coverage);
        }
    }
}

/// How sure the model was of its answer; `None` without an answer or without logprobs.
fn confidence(record: &JobRecord) -> Option<f64> {
    let Verdict::Answer(_) = verdict(record, MissingAnswers::Wrong) else { return None };
    Some(record.confidence.filter(|confidence| !confidence.is_nan())?.clamp(0.0, 1.0))
}

/// The losses of a record that has a probability for every label. What is missing to 1 went to other text: an outcome
/// of its own, which is never the right one.
fn loss(task: &Task, record: &JobRecord) -> Option<Loss> {
    if task.labels.is_empty() {
        return None;
    }
    let (mut squared, mut mass, mut of_gold) = (0.0, 0.0, None);
    for label in &task.labels {
        let probability = *record.label_probabilities.get(label).filter(|p| !p.is_nan())?;
        let right = agrees(task.kind, label, &record.gold);
        let miss = probability - f64::from(u8::from(right));
        squared += miss * miss;
        mass += probability;
        if right {
            of_gold = Some(probability);
        }
    }
    let elsewhere = (1.0 - mass).max(0.0);
    // A right answer outside the deck (a story of 4 points) has no probability and cannot be judged so.
    Some(Loss { squared: squared + elsewhere * elsewhere, logarithmic: -ln(of_gold?.clamp(SMALLEST_PROBABILITY, 1.0)) })
}

/// The bets of each instance's records, the tally that reads them, and the edges of the bins of equal mass.
pub(super) fn bets(task: &Task, instances: &[&[&JobRecord]], missing: MissingAnswers) -> (Sampled<BetTally>, Vec<f64>) {
    let completed = || instances.iter().flat_map(|records| records.iter()).filter(|record| is_completed(record));
    let mut sorted: Vec<f64> = completed().filter_map(|record| confidence(record)).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let edges = equal_mass_edges(&sorted, BINS);
    let ranks = Ranked::new(sorted.iter().copied());
    let items = of_each(instances, |record| {
        let (right, answered) = match verdict(record, missing) {
            Verdict::Answer(answer) => (agrees(task.kind, answer, &record.gold), true),
            Verdict::NoAnswer => (false, false),
            Verdict::Excluded => return None,
        };
        let sure = confidence(record).map(|confidence| Sure {
            confidence,
            bin: equal_width_of(confidence, BINS),
            coarse_bin: equal_width_of(confidence, COARSE_BINS),
            mass_bin: equal_mass_of(confidence, &edges),
        });
        let place = match &sure {
            Some(sure) => Place::Sure(ranks.rank(sure.confidence)),
            None if answered => Place::Unknown,
            None => Place::NoAnswer,
        };
        Some(Bet { right, sure, place, loss: loss(task, record) })
    });
    let count = |counted: fn(&Bet) -> bool| items.iter().flatten().filter(|bet| counted(bet)).count();
    let mut counts = vec![count(|bet| bet.sure.is_some()); CONFIDENT.len()];
    counts.extend([count(|bet| bet.loss.is_some()); PROBABLE.len()]);
    counts.extend([count(|_| true); SELECTIVE.len()]);
    let names = CONFIDENT.into_iter().chain(PROBABLE).chain(SELECTIVE).map(str::to_owned).collect();
    (Sampled { names, counts, instances: items, tally: BetTally::new(sorted) }, edges)
}

/// Scores one group: writes its metrics, and into `report` its diagrams. Of answers without logprobs it says nothing.
pub(super) fn score(
    task: &Task,
    group: &Group<'_>,
    options: &Options,
    values: &mut Values<'_, '_>,
    report: &mut GroupReport,
) {
    let instances: Vec<&[&JobRecord]> = group.instances().collect();
    let (sampled, edges) = bets(task, &instances, options.missing);
    let (confident, probable) = (sampled.counts[0], sampled.counts[CONFIDENT.len()]);
    let tally = sampled.score(&instances, options, values);
    if probable > 0 {
        values.plain("n_with_probabilities", Some(probable as f64), probable);
    }
    if confident > 0 {
        values.plain("n_with_confidence", Some(confident as f64), confident);
        let width = |index: usize| index as f64 / BINS as f64;
        report.reliability = diagram(&tally.bins, width);
        report.reliability_equal_mass = diagram(&tally.mass_bins, |index| edges[index]);
        report.selective = curve(&tally.selective);
    }
}

fn diagram(bins: &Bins<BINS>, edge: impl Fn(usize) -> f64) -> Vec<ReliabilityBin> {
    bins.all()
        .enumerate()
        .map(|(index, bin)| ReliabilityBin {
            low: edge(index),
            high: edge(index + 1),
            n: bin.n as usize,
            mean_confidence: (bin.n > 0.0).then(|| bin.confidence / bin.n),
            accuracy: (bin.n > 0.0).then(|| bin.right / bin.n),
        })
        .collect()
}

/// The accuracy of the most confident hundredth, two hundredths, … of the records.
fn curve(selective: &SelectiveTally) -> Vec<SelectivePoint> {
    let mut points: Vec<SelectivePoint> = Vec::new();
    for percent in 1..=100_usize {
        let n = (selective.records() * percent).div_ceil(100);
        if points.last().is_none_or(|last| last.n < n) {
            let coverage = n as f64 / selective.records() as f64;
            points.push(SelectivePoint {
                n,
                coverage,
                confidence: selective.confidence_of(n),
                accuracy: selective.accuracy_of_first(n as f64),
            });
        }
    }
    points
}
