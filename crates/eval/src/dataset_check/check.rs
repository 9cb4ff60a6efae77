//! Every check in turn.

use super::duplicates::{Twins, contamination, duplicates};
use super::finding::{Check, CheckReport, Example, Finding, Severity};
use super::issues::Issues;
use super::{balance, leaks, order, rows};
use crate::baseline::learned_answers;
use crate::dataset::{Dataset, DatasetError, Examined, Gold};
use crate::metric::TaskKind;
use crate::scenario::{Scenario, ScenarioError};
use std::collections::BTreeSet;

/// What to check, and for which use.
#[derive(Clone, Copy, Debug)]
pub struct CheckInput<'a> {
    pub examined: &'a Examined,
    /// The same file with [`keep_artefact_quotes`](crate::dataset::ReadOptions::keep_artefact_quotes).
    pub as_exported: &'a Dataset,
    pub scenario: &'static dyn Scenario,
    /// Instances that a run would judge, with this seed.
    pub instances: usize,
    pub seed: u64,
    /// Context window of the model, in tokens.
    pub context_tokens: usize,
}

/// Looks for everything that makes a score on the data mean something else than it says.
///
/// # Errors
/// The scenario cannot sample: a row that cannot be used, or a seed that is too large. A file in which nothing can be
/// judged is a finding, not an error, as long as a row is unreadable.
pub fn check(input: CheckInput<'_>) -> Result<CheckReport, ScenarioError> {
    let dataset = &input.examined.dataset;
    let gold = Gold::of_scenario(input.scenario.name()).unwrap_or(Gold::Priority);
    let found = Issues::of(dataset, gold);
    let mut findings = rows::unreadable(&input.examined.problems);
    findings.extend(rows::left_out(dataset));
    let judged_texts = judged_ids(&input)?;
    let judged: Vec<bool> = found.list.iter().map(|issue| judged_texts.contains(issue.row.id.as_str())).collect();
    if !found.list.is_empty() {
        let twins = Twins::of(&found);
        findings.extend(rows::empty(&found));
        findings.extend(rows::length(&found, input.context_tokens));
        findings.extend(rows::artefacts(&found, input.as_exported));
        findings.extend(balance::splits(&found, dataset.identity.columns.contains_key("split")));
        findings.extend(duplicates(&found, &twins));
        findings.extend(contamination(&found, &twins, &judged));
        findings.extend(leaks::answer_in_text(&found));
        findings.extend(leaks::telling_words(&found));
        findings.extend(words_together(&input));
        findings.extend(leaks::metadata(&found));
        findings.extend(order::order(&found));
        findings.extend(balance::balance(&found, &judged));
    }
    findings.sort_by_key(|finding| finding.severity);
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    Ok(CheckReport {
        name: dataset.identity.name.clone(),
        sha256: Some(dataset.identity.sha256.clone()),
        scenario: input.scenario.name().to_owned(),
        rows: found.list.len(),
        judged: judged.iter().filter(|judged| **judged).count(),
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
        findings,
    })
}

/// The report of a file of which nothing can be read.
pub fn unreadable_file(error: &DatasetError, scenario: &'static dyn Scenario) -> CheckReport {
    let finding = Finding::new(Check::Unreadable, Severity::Error, error.message.to_string())
        .examples(error.line.map(|line| Example::at(line, error.message.to_string())))
        .hint(error.hint.to_string());
    CheckReport {
        name: error.file.to_string(),
        sha256: None,
        scenario: scenario.name().to_owned(),
        rows: 0,
        judged: 0,
        errors: 1,
        warnings: 0,
        notes: 0,
        findings: vec![finding],
    }
}

/// Ids of the issues that a run would show; both of a pair.
fn judged_ids(input: &CheckInput<'_>) -> Result<BTreeSet<String>, ScenarioError> {
    let sampled = input.scenario.instances(&input.examined.dataset, input.instances, input.seed);
    let instances = match sampled {
        Ok(instances) => instances,
        // The unreadable rows say why.
        Err(ScenarioError::NothingToJudge { .. }) if !input.examined.problems.is_empty() => Vec::new(),
        Err(error) => return Err(error),
    };
    let pairs = input.scenario.kind() == TaskKind::Pairwise;
    let ids = instances.iter().flat_map(|instance| {
        let id = instance.id.as_str();
        match id.split_once('|') {
            Some((a, b)) if pairs => vec![a.to_owned(), b.to_owned()],
            _ => vec![id.to_owned()],
        }
    });
    Ok(ids.collect())
}

/// Whether counting words is enough.
fn words_together(input: &CheckInput<'_>) -> Option<Finding> {
    if input.scenario.kind() != TaskKind::Classification {
        return None;
    }
    let dataset = &input.examined.dataset;
    let instances = input.scenario.instances(dataset, usize::MAX, input.seed).ok()?;
    let judge = learned_answers(input.scenario, dataset, &instances).into_iter().next()?;
    let right = instances.iter().filter(|i| judge.answers.get(&i.id) == Some(&i.gold)).count();
    let labels = input.scenario.labels().iter();
    let most = labels.map(|label| instances.iter().filter(|i| i.gold == **label).count()).max()?;
    let share = |count: usize| count as f64 / instances.len() as f64;
    leaks::all_words(share(right), share(most), instances.len())
}
