//! What a row of the table says.

use super::super::task::TaskKind;
use super::missing::Missing;
use serde::{Deserialize, Serialize};

/// Which direction is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    Higher,
    Lower,
    /// It describes, it does not judge.
    Neither,
}

impl Better {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Neither => "neither",
        }
    }
}

/// What a metric looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Which label.
    Accuracy,
    /// Which number.
    Regression,
    /// Which of two.
    Ranking,
    Calibration,
    Efficiency,
    Outcomes,
    /// Perturbed against unperturbed.
    Robustness,
    /// Between cues that must not matter, and between parts of the data.
    Fairness,
    /// Between repetitions.
    Stability,
    /// Joules and grams.
    Sustainability,
}

impl Family {
    /// Every family, in the order of the reference.
    pub const ALL: [Self; 10] = [
        Self::Accuracy,
        Self::Regression,
        Self::Ranking,
        Self::Calibration,
        Self::Efficiency,
        Self::Outcomes,
        Self::Robustness,
        Self::Fairness,
        Self::Stability,
        Self::Sustainability,
    ];

    /// Whether records of a task of this kind have metrics of this family.
    pub fn fits(self, kind: TaskKind) -> bool {
        match self {
            Self::Accuracy => kind == TaskKind::Classification,
            Self::Regression => kind == TaskKind::Regression,
            Self::Ranking => kind == TaskKind::Pairwise,
            Self::Calibration
            | Self::Efficiency
            | Self::Outcomes
            | Self::Robustness
            | Self::Fairness
            | Self::Stability
            | Self::Sustainability => true,
        }
    }

    /// The word used in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Regression => "regression",
            Self::Ranking => "ranking",
            Self::Calibration => "calibration",
            Self::Efficiency => "efficiency",
            Self::Outcomes => "outcomes",
            Self::Robustness => "robustness",
            Self::Fairness => "fairness",
            Self::Stability => "stability",
            Self::Sustainability => "sustainability",
        }
    }
}

/// Unit, direction and range of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    /// Empty for pure numbers.
    pub(super) unit: &'static str,
    pub(super) better: Better,
    /// The values it can take, in words: `0 to 1`, `0 or more`.
    pub(super) range: &'static str,
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricDef {
    /// May hold one placeholder: `{label}`.
    pub name: &'static str,
    /// Other names a spec may use.
    pub aliases: &'static [&'static str],
    pub families: &'static [Family],
    /// Empty for pure numbers.
    pub unit: &'static str,
    pub better: Better,
    /// The values it can take, in words: `0 to 1`, `0 or more`.
    pub range: &'static str,
    /// What it is, with its formula.
    pub doc: &'static str,
    /// Who defined it.
    pub source: &'static str,
    /// What becomes of records without a usable answer.
    pub missing: Missing,
}

impl MetricDef {
    /// Whether `name` is this metric's name, or its pattern filled in.
    pub(super) fn is_called(&self, name: &str) -> bool {
        match self.name.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1))) {
            Some((before, after)) => {
                name.len() > before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
            }
            None => self.name == name,
        }
    }
}

pub(super) const SCORE: Scale = Scale { unit: "", better: Better::Higher, range: "0 to 1" };
pub(super) const GAP: Scale = Scale { unit: "", better: Better::Lower, range: "0 to 1" };
pub(super) const FACT: Scale = Scale { unit: "", better: Better::Neither, range: "0 to 1" };
/// Scores above chance.
pub(super) const AGREEMENT: Scale = Scale { unit: "", better: Better::Higher, range: "-1 to 1" };
pub(super) const COUNT: Scale = Scale { unit: "count", better: Better::Neither, range: "0 or more" };

pub(super) const fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    families: &'static [Family],
    Scale { unit, better, range }: Scale,
    doc: &'static str,
    (source, missing): (&'static str, Missing),
) -> MetricDef {
    MetricDef { name, aliases, families, unit, better, range, doc, source, missing }
}
