//! The order of issues that the answers about pairs imply, against the order of their priorities.

use super::compute::Values;
use super::issues::issues_shown;
use super::judge::{Group, Verdict, verdict};
use super::sampled::{Sampled, of_each};
use super::task::{MissingAnswers, Options};
use crate::stats::{Tally, ln};
use puma_core::JobRecord;
use std::collections::{BTreeMap, BTreeSet};

/// The metrics in the tally's order.
const METRICS: [&str; 2] = ["kendall_tau", "ndcg"];

/// One pair: which of the known issues was put first.
pub(super) struct Comparison {
    first: u32,
    second: u32,
}

/// Orders issues by the share of their comparisons they won (Copeland 1951; Shah and Wainwright 2018 show that counting
/// wins ranks as well as any model of the comparisons can).
#[derive(Clone)]
pub(super) struct OrderTally {
    /// Place of each issue's priority among the priorities that occur, 0 for the lowest.
    levels: Vec<usize>,
    /// Gain of each level: the priority itself.
    gains: Vec<f64>,
    /// Sum of the discounts 1/log₂(place + 2) of the first places.
    discounts: Vec<f64>,
    wins: Vec<u32>,
    comparisons: Vec<u32>,
    /// (share won, level) of the compared issues; kept to spare allocations.
    ranked: Vec<(f64, usize)>,
}

impl OrderTally {
    /// `priorities` of the issues, higher ones first in the right order.
    fn new(priorities: &[u32]) -> Self {
        let occurring: Vec<u32> = priorities.iter().copied().collect::<BTreeSet<u32>>().into_iter().collect();
        let level = |priority: &u32| occurring.partition_point(|other| other < priority);
        let mut discounts = vec![0.0];
        let mut sum = 0.0;
        for place in 0..priorities.len() {
            sum += ln(2.0) / ln(place as f64 + 2.0);
            discounts.push(sum);
        }
        Self {
            levels: priorities.iter().map(level).collect(),
            gains: occurring.iter().map(|priority| f64::from(*priority)).collect(),
            discounts,
            wins: vec![0; priorities.len()],
            comparisons: vec![0; priorities.len()],
            ranked: Vec::with_capacity(priorities.len()),
        }
    }

    /// Kendall's tau-b and the normalised discounted gain of `ranked`, which is sorted by share, the highest first.
    fn agreement(&self) -> [f64; 2] {
        let mut above = vec![0.0; self.gains.len()];
        let (mut concordant, mut discordant, mut tied, mut gain) = (0.0, 0.0, 0.0, 0.0);
        let mut place = 0;
        for block in self.ranked.chunk_by(|a, b| a.0 == b.0) {
            let mut own = vec![0.0; self.gains.len()];
            block.iter().for_each(|(_, level)| own[*level] += 1.0);
            for (level, count) in own.iter().enumerate() {
                concordant += count * above[level + 1..].iter().sum::<f64>();
                discordant += count * above[..level].iter().sum::<f64>();
            }
            let size = block.len() as f64;
            tied += pairs_of(size);
            let mean_gain = own.iter().zip(&self.gains).map(|(count, gain)| count * gain).sum::<f64>() / size;
            gain += mean_gain * (self.discounts[place + block.len()] - self.discounts[place]);
            place += block.len();
            above.iter_mut().zip(&own).for_each(|(above, own)| *above += own);
        }
        let mut ideal = 0.0;
        let mut best = 0;
        for (count, gain) in above.iter().zip(&self.gains).rev() {
            let end = best + *count as usize;
            ideal += gain * (self.discounts[end] - self.discounts[best]);
            best = end;
        }
        let all = pairs_of(self.ranked.len() as f64);
        let alike: f64 = above.iter().map(|count| pairs_of(*count)).sum();
        let scale = ((all - tied) * (all - alike)).sqrt();
        [
            if scale > 0.0 { (concordant - discordant) / scale } else { f64::NAN },
            if ideal > 0.0 { gain / ideal } else { f64::NAN },
        ]
    }
}

fn pairs_of(n: f64) -> f64 {
    n * (n - 1.0) / 2.0
}

impl Tally for OrderTally {
    type Item = Comparison;

    fn clear(&mut self) {
        self.wins.fill(0);
        self.comparisons.fill(0);
    }

    fn add(&mut self, comparison: &Comparison) {
        self.wins[comparison.first as usize] += 1;
        self.comparisons[comparison.first as usize] += 1;
        self.comparisons[comparison.second as usize] += 1;
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn read(&mut self, values: &mut [f64]) {
        self.ranked.clear();
        for (issue, level) in self.levels.iter().enumerate() {
            if self.comparisons[issue] > 0 {
                self.ranked.push((f64::from(self.wins[issue]) / f64::from(self.comparisons[issue]), *level));
            }
        }
        self.ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        values.copy_from_slice(&self.agreement());
    }
}

/// The comparisons of each instance's records, and the tally that orders the issues by them. A pair without an answer
/// counts as decided for the issue that should have come second.
fn comparisons(
    instances: &[&[&JobRecord]],
    missing: MissingAnswers,
    priorities: &BTreeMap<String, u32>,
) -> Sampled<OrderTally> {
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    for record in instances.iter().flat_map(|records| records.iter()) {
        for issue in issues_shown(record, priorities).into_iter().flatten() {
            numbers.entry(issue).or_default();
        }
    }
    numbers.values_mut().zip(0..).for_each(|(number, next)| *number = next);
    let items = of_each(instances, |record| {
        let [a, b] = issues_shown(record, priorities)?.map(|issue| numbers[issue]);
        let a_is_first = match verdict(record, missing) {
            Verdict::Answer(answer) => answer == "A",
            Verdict::NoAnswer => record.gold != "A",
            Verdict::Excluded => return None,
        };
        Some(if a_is_first { Comparison { first: a, second: b } } else { Comparison { first: b, second: a } })
    });
    let known: Vec<u32> = numbers.keys().map(|issue| priorities[*issue]).collect();
    let n = items.iter().map(Vec::len).sum();
    let names = METRICS.map(str::to_owned).to_vec();
    Sampled { names, counts: vec![n; METRICS.len()], instances: items, tally: OrderTally::new(&known) }
}

/// Scores one group: writes the metrics of the implied order, where the priorities of the issues are known.
pub(super) fn score(group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) {
    if options.priorities.is_empty() {
        return;
    }
    let instances: Vec<&[&JobRecord]> = group.instances().collect();
    comparisons(&instances, options.missing, &options.priorities).score(&instances, options, values);
}
