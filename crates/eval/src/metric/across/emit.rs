//! Where values across groups become rows of the report.

use super::super::report::MetricValue;
use super::super::table::resolve;
use crate::stats::Estimate;

/// Collects the values of one model with one strategy.
pub(super) struct Emit<'a> {
    pub(super) model: &'a str,
    pub(super) strategy: &'a str,
    pub(super) metrics: &'a mut Vec<MetricValue>,
}

impl Emit<'_> {
    /// Adds a metric of the table; an undefined value is left out, never written as 0.
    pub(super) fn push(
        &mut self,
        name: &str,
        perturbation: Option<&str>,
        subgroup: Option<&str>,
        estimate: Estimate,
        n: usize,
    ) {
        let Some(value) = estimate.value else { return };
        let (def, name) = resolve(name).expect("every metric that is computed stands in the table");
        self.metrics.push(MetricValue {
            name,
            model: self.model.to_owned(),
            strategy: self.strategy.to_owned(),
            perturbation: perturbation.map(str::to_owned),
            subgroup: subgroup.map(str::to_owned),
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
    pub(super) fn plain(&mut self, name: &str, perturbation: Option<&str>, value: Option<f64>, n: usize) {
        self.push(name, perturbation, None, Estimate { value, ..Estimate::default() }, n);
    }
}
