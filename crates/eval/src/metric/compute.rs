//! From records to report.

use super::judge::{Group, check_gold, fits};
use super::report::{GroupReport, MetricReport, MetricValue, OutcomeCounts};
use super::table::resolve;
use super::task::{MetricError, Options, Task, TaskKind};
use super::{
    across, calibration, classification, efficiency, goodput, outcomes, pairwise, project, ranking, regression, swap,
};
use crate::baseline::{Golds, baselines};
use crate::stats::Estimate;
use puma_core::JobRecord;

/// Scores `records`. The order of the records does not matter; the same records, options and task give the same bits on
/// every machine.
///
/// # Errors
/// A right answer does not fit the task.
pub fn compute(task: &Task, records: &[JobRecord], options: &Options) -> Result<MetricReport, MetricError> {
    records.iter().try_for_each(|record| check_gold(task, record))?;
    if let Some(gold) = options.train_gold.iter().find(|gold| !fits(task, gold)) {
        return Err(MetricError::TrainGold { gold: gold.clone() });
    }
    let counts = OutcomeCounts::count(records.iter().map(|record| record.outcome));
    let mut report = MetricReport {
        comparable: counts.backend_failed == 0,
        outcomes: counts,
        metrics: Vec::new(),
        baselines: baselines(task, &golds(records), options),
        groups: Vec::new(),
        across: across::AcrossReport::default(),
    };
    let groups = Group::all(records);
    for group in &groups {
        let mut values = Values::new(group, &mut report.metrics);
        let described = describe(task, group, options, &mut values);
        if let Some(straight) = swap::straight_of(group, &groups) {
            swap::score(task, group, straight, options, &mut values);
        }
        report.groups.push(described);
    }
    report.across = across::score(task, records, &groups, options);
    Ok(report)
}

/// The distinct instances of `records`, whether they were answered or not.
fn golds(records: &[JobRecord]) -> Golds<'_> {
    records.iter().map(|record| (&record.instance_id, record.gold.as_str())).collect()
}

/// Every metric of records whose right answers fit the task, without baselines: how baselines themselves are scored.
pub(crate) fn scores(task: &Task, records: &[JobRecord], options: &Options) -> Vec<MetricValue> {
    let mut metrics = Vec::new();
    for group in Group::all(records) {
        describe(task, &group, options, &mut Values::new(&group, &mut metrics));
    }
    metrics
}

fn describe(task: &Task, group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) -> GroupReport {
    let outcomes = OutcomeCounts::count(group.records.iter().map(|record| record.outcome));
    let mut report = GroupReport {
        model: group.model.to_owned(),
        strategy: group.strategy.to_owned(),
        perturbation: group.perturbation.map(str::to_owned),
        comparable: outcomes.backend_failed == 0,
        outcomes,
        instances: group.instances().count(),
        ..GroupReport::default()
    };
    judged(task, group, options, values, &mut report);
    report.by_project = project::scores(task, group, options);
    calibration::score(task, group, options, values, &mut report);
    report.cached_completions = efficiency::score(group, options, values);
    goodput::score(task, group, options, values);
    outcomes::score(group, options, values);
    report
}

/// Writes the metrics of the answers alone: what the task asks for.
pub(super) fn judged(
    task: &Task,
    group: &Group<'_>,
    options: &Options,
    values: &mut Values<'_, '_>,
    report: &mut GroupReport,
) {
    match task.kind {
        TaskKind::Classification => {
            let (confusion, per_class) = classification::score(task, group, options, values);
            (report.confusion, report.per_class) = (Some(confusion), per_class);
        }
        TaskKind::Regression => report.by_bin = regression::score(group, options, values),
        TaskKind::Pairwise => {
            report.confusion = Some(pairwise::score(task, group, options, values));
            ranking::score(group, options, values);
        }
    }
}

/// Collects the values of one group.
pub(super) struct Values<'a, 'g> {
    group: &'a Group<'g>,
    metrics: &'a mut Vec<MetricValue>,
}

impl<'a, 'g> Values<'a, 'g> {
    pub(super) fn new(group: &'a Group<'g>, metrics: &'a mut Vec<MetricValue>) -> Self {
        Self { group, metrics }
    }

    /// Adds a metric of the table; an undefined value is left out, never written as 0.
    pub(super) fn push(&mut self, name: &str, estimate: Estimate, n: usize) {
        let Some(value) = estimate.value else { return };
        let (def, name) = resolve(name).expect("every metric that is computed stands in the table");
        self.metrics.push(MetricValue {
            name,
            model: self.group.model.to_owned(),
            strategy: self.group.strategy.to_owned(),
            perturbation: self.group.perturbation.map(str::to_owned),
            subgroup: None,
            value,
            ci_low: estimate.interval.map(|(low, _)| low),
            ci_high: estimate.interval.map(|(_, high)| high),
            n,
            unit: def.unit.to_owned(),
            better: def.better,
            quality: None,
            source: None,
        });
    }

    /// Adds a metric that has no interval.
    pub(super) fn plain(&mut self, name: &str, value: Option<f64>, n: usize) {
        self.push(name, Estimate::plain(value), n);
    }
}
