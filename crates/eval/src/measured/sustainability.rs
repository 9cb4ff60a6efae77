//! Joules and grams as metrics of each model and strategy.

use super::energy::{EnergySummary, asked, energy};
use super::health::health;
use crate::metric::{MetricValue, Task, TaskKind, is_correct, resolve};
use puma_core::measure::{Phase, Quality, SessionMeasurement, counted_sources};
use puma_core::{JobRecord, Reading};
use std::collections::BTreeMap;

/// What one model with one strategy cost. Nothing is known of a run that a disturbance made void, or whose total is
/// unknown. `metrics` are the scores of the same run, for grams per point of quality.
///
/// Where several models or strategies share the joules, each gets its share of the time that models worked, loading
/// included, session by session; the quality is then [`Quality::Estimated`], and phases are left out.
pub fn sustainability(
    task: &Task,
    sessions: &[SessionMeasurement],
    records: &[JobRecord],
    metrics: &[MetricValue],
) -> Vec<MetricValue> {
    let void = health(sessions, records).is_some_and(|health| health.void);
    let measured = energy(sessions, records, task.kind).filter(|summary| !void && summary.total_j.is_some());
    let Some(summary) = measured else { return Vec::new() };
    let mut groups: BTreeMap<(&str, &str), Vec<&JobRecord>> = BTreeMap::new();
    for record in asked(sessions, records) {
        groups.entry((&record.model, &record.strategy)).or_default().push(record);
    }
    // A model that answered nothing but from the cache still shares its run with the others.
    let alone = groups.len() == 1;
    let mut rows = Vec::new();
    for ((model, strategy), jobs) in &groups {
        let cost = if alone {
            Some(Cost { joules: summary.total_j, grams: summary.co2e_g, quality: summary.quality })
        } else {
            shared(sessions, records, model, strategy)
        };
        let Some(cost) = cost else { continue };
        let mut bill =
            Bill { model, strategy, cost: &cost, source: counted_sources(&summary.channels), rows: &mut rows };
        bill.answers(task, jobs);
        bill.quality_points(metrics, jobs.len());
        if alone {
            bill.phases(&summary, jobs.len());
        }
    }
    rows
}

struct Cost {
    joules: Option<f64>,
    grams: Option<f64>,
    quality: Quality,
}

/// A model's part of each session's joules by model time; `None` if one session with jobs has no total.
fn shared(sessions: &[SessionMeasurement], records: &[JobRecord], model: &str, strategy: &str) -> Option<Cost> {
    let time = |jobs: &[&JobRecord]| jobs.iter().filter_map(|job| job.latency_ms()).sum::<f64>();
    let part_of = |jobs: Vec<&JobRecord>| {
        let own: Vec<&JobRecord> = jobs
            .iter()
            .copied()
            .filter(|job| (job.model.as_str(), job.strategy.as_str()) == (model, strategy))
            .collect();
        let all = time(&jobs);
        (all > 0.0).then(|| time(&own) / all)
    };
    let over_all = part_of(asked(sessions, records).collect())?;
    let (mut joules, mut grams) = (Some(0.0), Some(0.0));
    for session in sessions {
        let one = std::slice::from_ref(session);
        // A session that only loaded a model is divided like all others together.
        let part = part_of(asked(one, records).collect()).unwrap_or(over_all);
        let of_session = |value: Option<f64>, sum: Option<f64>| Some(sum? + value? * part);
        joules = of_session(session.energy.as_ref().and_then(|energy| energy.total_j), joules);
        grams = of_session(session.energy.as_ref().and_then(|energy| energy.co2e_g), grams);
    }
    Some(Cost { joules: Some(joules?), grams, quality: Quality::Estimated })
}

/// Writes the rows of one model with one strategy.
struct Bill<'a> {
    model: &'a str,
    strategy: &'a str,
    cost: &'a Cost,
    source: String,
    rows: &'a mut Vec<MetricValue>,
}

impl Bill<'_> {
    fn row(&mut self, name: &str, value: Option<Reading<f64>>, n: usize) {
        let Some(Reading { value, source, quality }) = value else { return };
        let (def, name) = resolve(name).expect("every metric that is computed stands in the table");
        self.rows.push(MetricValue {
            name,
            model: self.model.to_owned(),
            strategy: self.strategy.to_owned(),
            perturbation: None,
            subgroup: None,
            value,
            ci_low: None,
            ci_high: None,
            n,
            unit: def.unit.to_owned(),
            better: def.better,
            quality: Some(quality),
            source: Some(source),
        });
    }

    /// Joules, or grams, over `divisor`; nothing over 0.
    fn per(&self, total: Option<f64>, divisor: f64) -> Option<Reading<f64>> {
        let value = total.filter(|_| divisor > 0.0)? / divisor;
        Some(Reading::new(value, self.source.clone(), self.cost.quality))
    }

    fn answers(&mut self, task: &Task, jobs: &[&JobRecord]) {
        let n = jobs.len();
        let right = match task.kind {
            TaskKind::Regression => 0,
            TaskKind::Classification | TaskKind::Pairwise => {
                jobs.iter().filter(|job| is_correct(task, job) == Some(true)).count()
            }
        };
        let tokens = jobs.iter().map(|job| job.generated_tokens()).sum::<Option<u64>>().unwrap_or(0);
        let (joules, grams) = (self.cost.joules, self.cost.grams);
        for (name, total, divisor) in [
            ("energy_j", joules, 1.0),
            ("energy_j_per_job", joules, n as f64),
            ("energy_j_per_correct_answer", joules, right as f64),
            ("energy_j_per_1000_generated_tokens", joules, tokens as f64 / 1000.0),
            ("co2e_g", grams, 1.0),
            ("co2e_g_per_job", grams, n as f64),
            ("co2e_g_per_correct_answer", grams, right as f64),
        ] {
            let value = self.per(total, divisor);
            self.row(&format!("sustainability.{name}"), value, n);
        }
    }

    /// Grams per unperturbed F1 and per point of mean absolute error.
    fn quality_points(&mut self, metrics: &[MetricValue], n: usize) {
        for (score, name) in [("f1_macro", "co2e_g_per_f1_point"), ("mae", "co2e_g_per_mae_unit")] {
            let own = metrics.iter().find(|metric| {
                metric.name == score
                    && (metric.model.as_str(), metric.strategy.as_str()) == (self.model, self.strategy)
                    && metric.perturbation.is_none()
                    && metric.subgroup.is_none()
            });
            let value = own.and_then(|metric| self.per(self.cost.grams, metric.value));
            self.row(&format!("sustainability.{name}"), value, n);
        }
    }

    fn phases(&mut self, summary: &EnergySummary, n: usize) {
        for part in summary.phases.iter().filter(|part| part.phase != Phase::Idle) {
            let value = part.energy_j.map(|joules| Reading::new(joules, self.source.clone(), part.quality));
            self.row(&format!("sustainability.energy_j.{}", part.phase.as_str()), value, n);
        }
    }
}
