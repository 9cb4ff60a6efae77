//! Scores of the parts of the data: projects, short and long texts, right answers.

use super::super::judge::Group;
use super::super::task::{Options, Task, TaskKind};
use super::emit::Emit;
use super::mark::{Guesses, Mark, unit_of};
use super::permute::{InstanceSum, gap_p_value};
use super::report::{DivisionReport, PartScore};
use super::robustness::estimate;
use crate::stats::{Clustered, Estimate, Tally, wilson};
use puma_core::JobRecord;
use std::collections::BTreeMap;

/// Parts with fewer instances are shown but set no gap: one answer more or less would move them by a tenth and more.
const SMALLEST_PART: usize = 10;

/// Instances dealt at random in all rounds together, so that a run of 100,000 is judged in a second too.
const DEALT: u32 = 20_000_000;
/// Rounds of dealing however many instances there are.
const FEWEST_DEALS: u32 = 200;

/// One way of dividing the instances.
struct Division {
    name: &'static str,
    /// In the order in which they are shown, with the characters of the texts they span.
    parts: Vec<(String, Option<(u64, u64)>)>,
}

/// Divides the unperturbed records of one model with one strategy in every way that gives two parts at least.
pub(super) fn score(task: &Task, originals: &Group<'_>, options: &Options, emit: &mut Emit<'_>) -> Vec<DivisionReport> {
    let mut reports = Vec::new();
    let mut divide = |division: Division, part_of: &dyn Fn(&JobRecord) -> Option<usize>| {
        if division.parts.len() > 1 {
            reports.push(judge(task, originals, options, &division, part_of));
        }
    };
    let projects = names(originals, |record| record.group.clone());
    divide(plain("project", &projects), &|record| position(&projects, record.group.as_deref()?));
    let lengths = Tertiles::of(originals, &options.text_lengths);
    divide(lengths.division(), &|record| Some(lengths.part(*options.text_lengths.get(&record.instance_id)?)));
    if task.kind != TaskKind::Regression {
        let occurs = |label: &&String| originals.records.iter().any(|record| record.gold == **label);
        let golds: Vec<String> = task.labels.iter().filter(occurs).cloned().collect();
        divide(plain("right_answer", &golds), &|record| position(&golds, &record.gold));
    }
    reports.iter().for_each(|report| emit_division(report, emit));
    reports
}

fn names(group: &Group<'_>, name: impl Fn(&JobRecord) -> Option<String>) -> Vec<String> {
    let mut names: Vec<String> = group.records.iter().filter_map(|record| name(record)).collect();
    names.sort();
    names.dedup();
    names
}

fn position(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|other| other == name)
}

fn plain(name: &'static str, parts: &[String]) -> Division {
    Division { name, parts: parts.iter().map(|part| (part.clone(), None)).collect() }
}

/// Thirds by the length of the texts; equal lengths stay together.
struct Tertiles {
    /// Lengths of all instances, ascending.
    sorted: Vec<u64>,
}

impl Tertiles {
    fn of(group: &Group<'_>, lengths: &BTreeMap<puma_core::InstanceId, u64>) -> Self {
        let mut sorted: Vec<u64> =
            group.instances().filter_map(|records| lengths.get(&records[0].instance_id).copied()).collect();
        sorted.sort_unstable();
        Self { sorted }
    }

    fn part(&self, length: u64) -> usize {
        let edge = |third: usize| self.sorted.get(self.sorted.len() * third / 3).copied().unwrap_or(u64::MAX);
        usize::from(length >= edge(1)) + usize::from(length >= edge(2))
    }

    /// All three parts, or none if one of them would be empty.
    fn division(&self) -> Division {
        let range = |part: usize| {
            let mut inside = self.sorted.iter().copied().filter(|length| self.part(*length) == part);
            let first = inside.next()?;
            Some((first, inside.next_back().unwrap_or(first)))
        };
        let ranges: Vec<Option<(u64, u64)>> = (0..3).map(range).collect();
        let parts = if ranges.iter().all(Option::is_some) {
            ["short", "medium", "long"].iter().zip(ranges).map(|(name, range)| ((*name).to_owned(), range)).collect()
        } else {
            Vec::new()
        };
        Division { name: "length", parts }
    }
}

/// What a record adds to the score of its part: its share of rightness, or its error.
#[derive(Clone, Copy)]
struct Judged {
    /// One beyond the last part for a record of no part, which enters the score over all.
    part: usize,
    value: f64,
}

fn judge(
    task: &Task,
    group: &Group<'_>,
    options: &Options,
    division: &Division,
    part_of: &dyn Fn(&JobRecord) -> Option<usize>,
) -> DivisionReport {
    let numbers = task.kind == TaskKind::Regression;
    let guesses = Guesses::of(group);
    let value = |record: &JobRecord| {
        let mark = Mark::of(task, record)?;
        if numbers { guesses.error(&mark, record) } else { Some(f64::from(u8::from(mark.right))) }
    };
    let mut parts: Vec<PartScore> = division.parts.iter().map(|(name, range)| empty_part(name, *range)).collect();
    let sample: Clustered<Judged> = group.sample(|record| {
        let part = part_of(record).unwrap_or(parts.len());
        Some(Judged { part, value: value(record)? })
    });
    let mut answered = vec![0_usize; parts.len()];
    let mut completed = vec![0_usize; parts.len()];
    for records in group.instances() {
        let Some(part) = part_of(records[0]) else { continue };
        let marks: Vec<Mark> = records.iter().filter_map(|record| Mark::of(task, record)).collect();
        parts[part].instances += usize::from(!marks.is_empty());
        completed[part] += marks.len();
        answered[part] += marks.iter().filter(|mark| mark.answered).count();
    }
    for (part, score) in parts.iter_mut().enumerate() {
        score.n = sample.items().iter().filter(|item| item.part == part).count();
        score.coverage = (completed[part] > 0).then(|| answered[part] as f64 / completed[part] as f64);
        score.in_gap = score.instances >= SMALLEST_PART && score.n > 0;
    }
    let in_gap: Vec<bool> = parts.iter().map(|part| part.in_gap).collect();
    let mut tally = PartTally { sums: vec![(0.0, 0.0); parts.len() + 1], in_gap };
    let estimates = options.bootstrap.estimate(&sample, &mut tally, parts.len() + 2);
    let [gap, overall] = [estimates[parts.len()], estimates[parts.len() + 1]];
    for (part, estimate) in parts.iter_mut().zip(&estimates) {
        part.value = estimate.value;
        // A share of 0 or 1 would have a bootstrap interval without width; repetitions are no independent trials.
        let interval = match estimate.value {
            Some(share) if !numbers => wilson(share, part.instances, options.bootstrap.confidence),
            // A few errors drawn again and again say nothing of the others of their kind.
            _ => estimate.interval.filter(|_| part.in_gap),
        };
        (part.ci_low, part.ci_high) = (interval.map(|i| i.0), interval.map(|i| i.1));
        part.disparity = estimate.value.zip(overall.value).map(|(value, overall)| (value - overall).abs());
    }
    let metric = if numbers { "mae_imputed" } else { "accuracy" };
    DivisionReport {
        model: group.model.to_owned(),
        strategy: group.strategy.to_owned(),
        division: division.name.to_owned(),
        metric: metric.to_owned(),
        unit: unit_of(metric).to_owned(),
        overall: overall.value,
        smallest_part: SMALLEST_PART,
        worst: gap.value.and_then(|_| worst(&parts, numbers)),
        gap: gap.value,
        gap_ci_low: gap.interval.map(|(low, _)| low),
        gap_ci_high: gap.interval.map(|(_, high)| high),
        gap_p: gap_p(group, options, &parts, part_of, &value),
        parts,
    }
}

fn empty_part(name: &str, range: Option<(u64, u64)>) -> PartScore {
    PartScore {
        part: name.to_owned(),
        characters: range,
        instances: 0,
        n: 0,
        coverage: None,
        value: None,
        ci_low: None,
        ci_high: None,
        disparity: None,
        in_gap: false,
    }
}

/// The first of the worst parts that set the gap.
fn worst(parts: &[PartScore], numbers: bool) -> Option<String> {
    let badness = |part: &PartScore| part.value.map(|value| if numbers { value } else { -value });
    let shown = parts.iter().filter(|part| part.in_gap && part.value.is_some());
    let worst = shown.rev().max_by(|a, b| badness(a).partial_cmp(&badness(b)).expect("a score is no NaN"));
    worst.map(|part| part.part.clone())
}

fn gap_p(
    group: &Group<'_>,
    options: &Options,
    parts: &[PartScore],
    part_of: &dyn Fn(&JobRecord) -> Option<usize>,
    value: &dyn Fn(&JobRecord) -> Option<f64>,
) -> Option<f64> {
    let places: Vec<usize> = (0..parts.len()).filter(|part| parts[*part].in_gap).collect();
    let mut sums = Vec::new();
    for records in group.instances() {
        let Some(part) = part_of(records[0]).and_then(|part| places.iter().position(|place| *place == part)) else {
            continue;
        };
        let values: Vec<f64> = records.iter().filter_map(|record| value(record)).collect();
        sums.push(InstanceSum { part, sum: values.iter().sum(), n: values.len() as f64 });
    }
    let rounds = options.bootstrap.resamples.min(DEALT / u32::try_from(sums.len().max(1)).unwrap_or(u32::MAX));
    gap_p_value(&sums, places.len(), rounds.max(options.bootstrap.resamples.min(FEWEST_DEALS)), options.bootstrap.seed)
}

/// The mean of each part, the gap between those that set it, and the mean over all.
#[derive(Clone)]
struct PartTally {
    /// (sum, count) of each part, and of what is in none.
    sums: Vec<(f64, f64)>,
    in_gap: Vec<bool>,
}

impl Tally for PartTally {
    type Item = Judged;

    fn clear(&mut self) {
        self.sums.fill((0.0, 0.0));
    }

    fn add(&mut self, item: &Judged) {
        self.sums[item.part].0 += item.value;
        self.sums[item.part].1 += 1.0;
    }

    fn read(&mut self, values: &mut [f64]) {
        let (parts, over_all) = values.split_at_mut(self.in_gap.len());
        for (value, (sum, n)) in parts.iter_mut().zip(&self.sums) {
            *value = sum / n;
        }
        let in_gap: Vec<f64> =
            parts.iter().zip(&self.in_gap).filter(|(_, counts)| **counts).map(|(value, _)| *value).collect();
        over_all[0] = if in_gap.len() < 2 || in_gap.iter().any(|value| value.is_nan()) {
            f64::NAN
        } else {
            in_gap.iter().copied().fold(f64::MIN, f64::max) - in_gap.iter().copied().fold(f64::MAX, f64::min)
        };
        let (sum, n) = self.sums.iter().fold((0.0, 0.0), |(sum, n), part| (sum + part.0, n + part.1));
        over_all[1] = sum / n;
    }

    fn kind(&self, item: &Judged) -> Option<u128> {
        Some(u128::from(item.value.to_bits()) << 64 | item.part as u128)
    }

    fn add_times(&mut self, item: &Judged, times: u32) {
        self.sums[item.part].0 += item.value * f64::from(times);
        self.sums[item.part].1 += f64::from(times);
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }
}

fn emit_division(report: &DivisionReport, emit: &mut Emit<'_>) {
    let metric = &report.metric;
    for part in &report.parts {
        let subgroup = format!("{}: {}", report.division, part.part);
        let value = estimate(part.value, part.ci_low, part.ci_high);
        emit.push(&format!("fairness.part.{metric}"), None, Some(&subgroup), value, part.n);
        emit.push("fairness.part.coverage", None, Some(&subgroup), estimate(part.coverage, None, None), part.instances);
    }
    let n = report.parts.iter().filter(|part| part.in_gap).map(|part| part.n).sum();
    let gap = estimate(report.gap, report.gap_ci_low, report.gap_ci_high);
    emit.push(&format!("fairness.gap.{metric}"), None, Some(&report.division), gap, n);
    let p = Estimate { value: report.gap_p.filter(|_| report.gap.is_some()), ..Estimate::default() };
    emit.push("fairness.gap_p", None, Some(&report.division), p, n);
}
