//! Which models to try on this machine, best first.

use super::assess::{Ground, Wish, assess};
use super::engine;
use super::models::{Candidate, Shelves};
use super::report::{FitRow, SLOW_TOKENS_PER_S};
use crate::context::Context;
use crate::failure::Failure;
use crate::options::BackendKind;
use puma_host::Machine;
use puma_host::fit::{Verdict, machine_key};
use puma_store::{QualityRow, Store};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What stands behind a row's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Basis {
    /// Own runs on this machine.
    Measured,
    /// No own run: models that fit before those that only just do, fast enough before slow, larger before smaller.
    Prior,
}

/// The whole answer.
#[derive(Debug, Serialize)]
pub(crate) struct RecommendedReport {
    /// Memory that this process may use.
    pub ram_bytes: Option<u64>,
    /// What a model may use of the memory that decides.
    pub budget_bytes: u64,
    pub engine: String,
    /// The profile whose list `in_profile` tells.
    pub profile: Option<String>,
    /// Best first.
    pub models: Vec<Recommendation>,
}

/// One model.
#[derive(Debug, Serialize)]
pub(crate) struct Recommendation {
    pub tag: String,
    pub params_b: Option<f64>,
    pub quantization: Option<String>,
    pub size_bytes: Option<u64>,
    pub needs_bytes: u64,
    pub verdict: Verdict,
    /// Predicted, after what own runs taught.
    pub decode_tokens_per_s: Option<f64>,
    pub on_this_machine: bool,
    pub is_default: bool,
    /// Whether upstream's catalogue lists it for the machine's profile.
    pub in_profile: bool,
    pub basis: Basis,
    /// Mean over scenarios of `quality[].score`; what measured rows are ordered by.
    pub score: Option<f64>,
    /// By scenario, from the newest own run on this machine.
    pub quality: Vec<Quality>,
}

/// How well a model did in one scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Quality {
    pub scenario: String,
    /// The scenario's headline metric: `f1_macro`, `mae`, `accuracy`.
    pub metric: String,
    pub value: f64,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub n: Option<u64>,
    /// The one that did best in that run.
    pub strategy: Option<String>,
    pub run_id: String,
    /// Comparable between scenarios, 1 at best: F1, accuracy, or for errors the share by which guessing is beaten.
    pub score: Option<f64>,
}

/// Recommends among the catalogue's models for `kind`, or for what this machine would use.
///
/// # Errors
/// The memory of the machine or the database cannot be read.
pub(crate) fn recommend(
    context: &Context,
    shelves: &Shelves<'_>,
    kind: Option<BackendKind>,
) -> Result<RecommendedReport, Failure> {
    let ground = Ground::of(context)?;
    let kind = kind.unwrap_or_else(|| engine::default_kind(&ground.machine));
    let wish = Wish { rules: engine::rules(kind)?, kv_type: None, sequences: 1 };
    let measured = match context.db.exists() {
        true => qualities(&context.existing_store()?, &ground.key)?,
        false => BTreeMap::new(),
    };
    let profile = profile_of(&ground.machine);
    let mut budget_bytes = 0;
    let mut models = Vec::new();
    for candidate in shelves.catalogue() {
        if kind == BackendKind::Embedded && candidate.runs_embedded() != Some(true) {
            continue;
        }
        let row = assess(&ground, &candidate, &wish, None)?;
        budget_bytes = row.budget.as_ref().map_or(budget_bytes, puma_host::fit::Budget::fast_bytes);
        let quality = measured.get(&candidate.name).cloned().unwrap_or_default();
        models.extend(recommendation(&candidate, &row, quality, profile.as_deref()));
    }
    models.sort_by(order);
    Ok(RecommendedReport {
        ram_bytes: ground.machine.usable_memory_bytes(),
        budget_bytes,
        engine: wish.rules.name.to_owned(),
        profile,
        models,
    })
}

fn recommendation(
    candidate: &Candidate,
    row: &FitRow,
    quality: Vec<Quality>,
    profile: Option<&str>,
) -> Option<Recommendation> {
    let fit = row.fit.as_ref().filter(|fit| fit.verdict <= Verdict::PartialOffload)?;
    let scores: Vec<f64> = quality.iter().filter_map(|quality| quality.score).collect();
    let score = (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64);
    let listed = candidate.profiles.as_ref().zip(profile);
    Some(Recommendation {
        tag: candidate.name.clone(),
        params_b: candidate.params_b,
        quantization: candidate.quantization.clone(),
        size_bytes: candidate.size_bytes,
        needs_bytes: fit.needs.total_bytes(),
        verdict: fit.verdict,
        decode_tokens_per_s: row.decode_tokens_per_s(),
        on_this_machine: candidate.on_this_machine,
        is_default: candidate.is_default,
        in_profile: listed.is_some_and(|(ids, profile)| ids.iter().any(|id| id == profile)),
        basis: if score.is_some() { Basis::Measured } else { Basis::Prior },
        score,
        quality,
    })
}

/// Measured rows first, by score; then by the prior order that [`Basis::Prior`] states.
fn order(a: &Recommendation, b: &Recommendation) -> std::cmp::Ordering {
    let prior = |row: &Recommendation| {
        let slow = row.decode_tokens_per_s.is_some_and(|speed| speed < SLOW_TOKENS_PER_S);
        #[expect(clippy::cast_possible_truncation, reason = "billions of parameters, in thousandths")]
        let size = row.params_b.map_or(0, |params| (params * 1000.0) as i64);
        (slow, row.verdict, Reverse(size), row.tag.clone())
    };
    match (a.score, b.score) {
        (Some(x), Some(y)) => y.total_cmp(&x).then_with(|| prior(a).cmp(&prior(b))),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => prior(a).cmp(&prior(b)),
    }
}

/// Upstream's profile of the machine; `None` where upstream refuses it.
fn profile_of(machine: &Machine) -> Option<String> {
    use puma_host::profile::{ProfileFacts, select};
    let selection = select(&ProfileFacts::of(machine), None).ok()?;
    selection.upstream_id.map(str::to_owned)
}

/// The headline of each scenario, and the metric its score is read from.
const HEADLINES: [(&str, &str, &str); 3] = [
    ("triage", "f1_macro", "f1_macro"),
    ("estimation", "mae", "standardised_accuracy"),
    ("prioritization", "accuracy", "accuracy"),
];

/// How well each model did on the machine with this key, by scenario, in its newest run.
fn qualities(store: &Store, key: &str) -> Result<BTreeMap<String, Vec<Quality>>, Failure> {
    let rows = store.qualities(&["f1_macro", "mae", "standardised_accuracy", "accuracy"])?;
    let mut keys: BTreeMap<String, bool> = BTreeMap::new();
    let mut found: BTreeMap<String, Vec<Quality>> = BTreeMap::new();
    for row in &rows {
        let run = row.run_id.as_str();
        let here = *keys.entry(run.to_owned()).or_insert_with(|| is_here(row, key));
        let Some((_, headline, scored_by)) = HEADLINES.iter().find(|(start, ..)| row.scenario.starts_with(start))
        else {
            continue;
        };
        if !here || row.metric != *headline {
            continue;
        }
        let score = rows.iter().find(|other| {
            (&other.run_id, &other.model, &other.strategy) == (&row.run_id, &row.model, &row.strategy)
                && other.metric == *scored_by
        });
        let quality = Quality {
            scenario: row.scenario.clone(),
            metric: row.metric.clone(),
            value: row.value,
            ci_low: row.ci_low,
            ci_high: row.ci_high,
            n: row.n,
            strategy: row.strategy.clone(),
            run_id: run.to_owned(),
            score: score.map(|row| row.value),
        };
        keep_best(found.entry(row.model.clone()).or_default(), quality);
    }
    Ok(found)
}

/// Rows come newest run first: another run's value is kept out, a better strategy of the same run put in its place.
fn keep_best(kept: &mut Vec<Quality>, quality: Quality) {
    match kept.iter_mut().find(|other| other.scenario == quality.scenario) {
        None => kept.push(quality),
        Some(other) if other.run_id == quality.run_id && quality.score > other.score => *other = quality,
        Some(_) => {}
    }
}

fn is_here(row: &QualityRow, key: &str) -> bool {
    serde_json::from_value::<Machine>(row.machine.clone()).is_ok_and(|machine| machine_key(&machine) == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(tag: &str, params_b: f64, verdict: Verdict, speed: f64, score: Option<f64>) -> Recommendation {
        Recommendation {
            tag: tag.to_owned(),
            params_b: Some(params_b),
            quantization: None,
            size_bytes: None,
            needs_bytes: 0,
            verdict,
            decode_tokens_per_s: Some(speed),
            on_this_machine: false,
            is_default: false,
            in_profile: false,
            basis: if score.is_some() { Basis::Measured } else { Basis::Prior },
            score,
            quality: Vec::new(),
        }
    }

    #[test]
    fn measured_models_come_first_by_score_and_the_others_by_the_stated_order() {
        let mut rows = [
            row("small", 1.0, Verdict::Fits, 90.0, None),
            row("huge and slow", 30.0, Verdict::Fits, 2.0, None),
            row("tight", 14.0, Verdict::Tight, 20.0, None),
            row("measured low", 1.0, Verdict::Fits, 90.0, Some(0.2)),
            row("large", 7.0, Verdict::Fits, 30.0, None),
            row("measured high", 0.5, Verdict::Tight, 90.0, Some(0.6)),
        ];
        rows.sort_by(order);
        let tags: Vec<&str> = rows.iter().map(|row| row.tag.as_str()).collect();
        assert_eq!(tags, ["measured high", "measured low", "large", "small", "tight", "huge and slow"]);
    }

    #[test]
    fn the_newest_run_counts_and_in_it_the_best_strategy() {
        let quality = |run: &str, strategy: &str, score: f64| Quality {
            scenario: "triage_jira".to_owned(),
            metric: "f1_macro".to_owned(),
            value: score,
            ci_low: None,
            ci_high: None,
            n: Some(10),
            strategy: Some(strategy.to_owned()),
            run_id: run.to_owned(),
            score: Some(score),
        };
        let mut kept = Vec::new();
        for each in [quality("new", "zero_shot", 0.3), quality("new", "cot", 0.4), quality("old", "few_shot", 0.9)] {
            keep_best(&mut kept, each);
        }
        assert_eq!(kept, [quality("new", "cot", 0.4)]);
    }
}
