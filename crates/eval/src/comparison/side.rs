//! One side of a comparison: a model with a strategy under a perturbation, in one run.

use puma_core::{JobRecord, RecordedRun};
use serde::Serialize;

/// One model with one strategy under one perturbation of one run, and its jobs.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    pub run: &'a RecordedRun,
    pub model: &'a str,
    pub strategy: &'a str,
    /// `None` for the unperturbed originals.
    pub perturbation: Option<&'a str>,
    /// Sorted by instance, repetition and job.
    pub records: Vec<&'a JobRecord>,
}

/// How a side is called in reports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SideName {
    pub run_id: String,
    pub model: String,
    pub strategy: String,
    /// `None` for the unperturbed originals.
    pub perturbation: Option<String>,
}

/// What tells the sides of one run apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    Model,
    Strategy,
    Perturbation,
}

impl Dimension {
    pub const ALL: [Self; 3] = [Self::Model, Self::Strategy, Self::Perturbation];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Strategy => "strategy",
            Self::Perturbation => "perturbation",
        }
    }

    /// The dimension called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.as_str() == name)
    }
}

/// What a user types for the unperturbed originals.
pub const UNPERTURBED: &str = "none";

impl<'a> Side<'a> {
    /// Every side of `run` that has a job, in the order of its header: models, then strategies, then perturbations with
    /// the originals first.
    pub fn all(run: &'a RecordedRun) -> Vec<Self> {
        let mut sides: Vec<Self> = Vec::new();
        for record in &run.records {
            let key = (record.model.as_str(), record.strategy.as_str(), record.perturbation.as_deref());
            match sides.iter_mut().find(|side| side.key() == key) {
                Some(side) => side.records.push(record),
                None => {
                    let (model, strategy, perturbation) = key;
                    sides.push(Self { run, model, strategy, perturbation, records: vec![record] });
                }
            }
        }
        let models = |name: &str| run.header.models.iter().position(|model| model.name == name);
        let strategies = |name: &str| run.header.strategies.iter().position(|strategy| strategy == name);
        let place = |found: Option<usize>| found.unwrap_or(usize::MAX);
        sides.sort_by_key(|side| {
            (place(models(side.model)), side.model, place(strategies(side.strategy)), side.strategy, side.perturbation)
        });
        for side in &mut sides {
            side.records.sort_by_key(|record| (&record.instance_id, record.repeat, &record.job_id));
        }
        sides
    }

    fn key(&self) -> (&'a str, &'a str, Option<&'a str>) {
        (self.model, self.strategy, self.perturbation)
    }

    /// What the side has in `dimension`, the originals as [`UNPERTURBED`].
    pub fn value(&self, dimension: Dimension) -> &'a str {
        match dimension {
            Dimension::Model => self.model,
            Dimension::Strategy => self.strategy,
            Dimension::Perturbation => self.perturbation.unwrap_or(UNPERTURBED),
        }
    }

    pub fn name(&self) -> SideName {
        SideName {
            run_id: self.run.header.run_id.to_string(),
            model: self.model.to_owned(),
            strategy: self.strategy.to_owned(),
            perturbation: self.perturbation.map(str::to_owned),
        }
    }

    /// Jobs the plan holds for this side; `None` where the run does not tell.
    pub(crate) fn planned(&self) -> Option<usize> {
        let repeats = self.run.header.spec.get("repeat").map_or(Some(1), serde_json::Value::as_u64)?;
        (!self.run.instances.is_empty()).then(|| self.run.instances.len() * repeats as usize)
    }
}
