//! Which side of one run is compared with which side of another.

use super::side::{Dimension, Side, SideName};
use std::collections::BTreeSet;

/// Sides a user asks for; `None` takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub model: Option<String>,
    pub strategy: Option<String>,
    /// [`UNPERTURBED`](super::UNPERTURBED) for the originals.
    pub perturbation: Option<String>,
}

impl Selection {
    fn of(&self, dimension: Dimension) -> Option<&str> {
        match dimension {
            Dimension::Model => self.model.as_deref(),
            Dimension::Strategy => self.strategy.as_deref(),
            Dimension::Perturbation => self.perturbation.as_deref(),
        }
    }

    fn takes(&self, side: &Side<'_>) -> bool {
        Dimension::ALL.into_iter().all(|dimension| self.of(dimension).is_none_or(|name| side.value(dimension) == name))
    }
}

/// Sides to compare, and those that have no counterpart.
#[derive(Clone, Debug, Default)]
pub struct Matched<'a> {
    pub pairs: Vec<(Side<'a>, Side<'a>)>,
    pub only_first: Vec<SideName>,
    pub only_second: Vec<SideName>,
}

/// Why sides cannot be matched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatchError {
    #[error("run {run_id} has no jobs yet")]
    Empty { run_id: String },
    #[error("run {run_id} has no jobs of what was asked for; it holds {}", sides.join("; "))]
    NothingSelected { run_id: String, sides: Vec<String> },
    #[error(
        "it is not clear which {dimension} to compare with which: {first_run} has {}, {second_run} has {}",
        first.join(", "), second.join(", ")
    )]
    Unclear { dimension: &'static str, first_run: String, first: Vec<String>, second_run: String, second: Vec<String> },
    #[error("no strategy and perturbation of {first_run} was run by its counterpart in {second_run}")]
    NoCommonGround { first_run: String, second_run: String },
    #[error("run {run_id} has only one {dimension}, {only}, so there is nothing to compare by {dimension}")]
    OnlyOne { run_id: String, dimension: &'static str, only: String },
}

/// Matches the sides of two runs. In each dimension equal names belong together; where no name is common, a single one
/// on either side is taken for the other's counterpart.
///
/// # Errors
/// A run has no such side, or several names face several others.
pub fn between<'a>(
    first: (&'a puma_core::RecordedRun, &Selection),
    second: (&'a puma_core::RecordedRun, &Selection),
) -> Result<Matched<'a>, MatchError> {
    let firsts = chosen(first.0, first.1)?;
    let seconds = chosen(second.0, second.1)?;
    for dimension in Dimension::ALL {
        let (left, right) = (values(&firsts, dimension), values(&seconds, dimension));
        if left.is_disjoint(&right) && (left.len() > 1 || right.len() > 1) {
            let owned = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
            return Err(MatchError::Unclear {
                dimension: dimension.as_str(),
                first_run: first.0.header.run_id.to_string(),
                first: owned(left),
                second_run: second.0.header.run_id.to_string(),
                second: owned(right),
            });
        }
    }
    let disjoint = Dimension::ALL.map(|d| values(&firsts, d).is_disjoint(&values(&seconds, d)));
    let belong = |left: &Side<'_>, right: &Side<'_>| {
        Dimension::ALL.into_iter().zip(disjoint).all(|(d, counterpart)| counterpart || left.value(d) == right.value(d))
    };
    let mut matched = Matched::default();
    for left in &firsts {
        match seconds.iter().find(|right| belong(left, right)) {
            Some(right) => matched.pairs.push((left.clone(), right.clone())),
            None => matched.only_first.push(left.name()),
        }
    }
    let lonely = |right: &&Side<'_>| !firsts.iter().any(|left| belong(left, right));
    matched.only_second = seconds.iter().filter(lonely).map(Side::name).collect();
    if matched.pairs.is_empty() {
        return Err(MatchError::NoCommonGround {
            first_run: first.0.header.run_id.to_string(),
            second_run: second.0.header.run_id.to_string(),
        });
    }
    Ok(matched)
}

/// Pairs the sides of one run that differ in `dimension` alone: the first with every other, or each with each.
///
/// # Errors
/// Only one name is left in that dimension.
pub fn within<'a>(
    run: &'a puma_core::RecordedRun,
    selection: &Selection,
    dimension: Dimension,
    all_pairs: bool,
) -> Result<Matched<'a>, MatchError> {
    let sides = chosen(run, selection)?;
    let names = values(&sides, dimension);
    if let (1, Some(only)) = (names.len(), names.first()) {
        return Err(MatchError::OnlyOne {
            run_id: run.header.run_id.to_string(),
            dimension: dimension.as_str(),
            only: (*only).to_owned(),
        });
    }
    let others_alike = |left: &Side<'_>, right: &Side<'_>| {
        Dimension::ALL.into_iter().filter(|other| *other != dimension).all(|d| left.value(d) == right.value(d))
    };
    let mut matched = Matched::default();
    for (index, left) in sides.iter().enumerate() {
        if !all_pairs && sides[..index].iter().any(|earlier| others_alike(earlier, left)) {
            continue;
        }
        let counterparts = sides[index + 1..].iter().filter(|right| others_alike(left, right));
        matched.pairs.extend(counterparts.map(|right| (left.clone(), right.clone())));
    }
    let compared = |side: &Side<'_>| {
        matched.pairs.iter().any(|(left, right)| left.name() == side.name() || right.name() == side.name())
    };
    matched.only_first = sides.iter().filter(|side| !compared(side)).map(Side::name).collect();
    Ok(matched)
}

fn chosen<'a>(run: &'a puma_core::RecordedRun, selection: &Selection) -> Result<Vec<Side<'a>>, MatchError> {
    let all = Side::all(run);
    let run_id = run.header.run_id.to_string();
    if all.is_empty() {
        return Err(MatchError::Empty { run_id });
    }
    let sides: Vec<Side<'a>> = all.iter().filter(|side| selection.takes(side)).cloned().collect();
    if sides.is_empty() {
        return Err(MatchError::NothingSelected { run_id, sides: all.iter().map(described).collect() });
    }
    Ok(sides)
}

fn described(side: &Side<'_>) -> String {
    let perturbation = side.perturbation.map_or_else(String::new, |name| format!(" with {name}"));
    format!("{} {}{perturbation}", side.model, side.strategy)
}

fn values<'a>(sides: &[Side<'a>], dimension: Dimension) -> BTreeSet<&'a str> {
    sides.iter().map(|side| side.value(dimension)).collect()
}
