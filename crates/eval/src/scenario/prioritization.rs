//! `prioritization_jira`: which of two issues has the higher priority.

use super::examples::{Example, Examples, judged_texts};
use super::pairs::{Pair, build_pairs};
use super::reasoning::Reasoning;
use super::rows::{LabelledRow, judged_rows};
use super::triage::{PRIORITIES, priority_rows};
use super::{LabelNames, Scenario, ScenarioError};
use crate::dataset::Dataset;
use crate::instance::Instance;
use crate::metric::TaskKind;
use crate::parse::{self, Parsed};
use crate::spec::ParserMode;
use puma_core::InstanceId;
use std::collections::BTreeMap;

/// The prioritization scenario.
#[derive(Debug)]
pub struct Prioritization;

const CHOICES: [&str; 2] = ["A", "B"];
const OTHER_CHOICES: [&str; 2] = ["X", "Y"];

fn choice(pair: &Pair) -> &'static str {
    if pair.a_is_higher { "A" } else { "B" }
}

fn pair_fields(a: &LabelledRow, b: &LabelledRow) -> BTreeMap<String, String> {
    [("title_a", &a.title), ("description_a", &a.description), ("title_b", &b.title), ("description_b", &b.description)]
        .map(|(name, text)| (name.to_owned(), text.clone()))
        .into()
}

fn pair_example(pair: &Pair, rows: &[LabelledRow]) -> Example {
    let (a, b) = (&rows[pair.a], &rows[pair.b]);
    let fields = pair_fields(a, b);
    // Facts of the example only, and no rule that would give the answer away.
    let reasoning = Reasoning::default()
        .text("Issue ")
        .answer(CHOICES[0])
        .text(&format!(" is about \"{}\" and issue ", a.title))
        .answer(CHOICES[1])
        .text(&format!(" is about \"{}\". Comparing how much harm each one does, whether it ", b.title))
        .text("keeps people from working and how many it reaches, issue ")
        .answer(choice(pair))
        .text(" comes first.");
    let texts = vec![a.text(), b.text()];
    Example::new(format!("{}|{}", a.id, b.id), fields, texts, ("higher_priority", choice(pair)), reasoning)
}

impl Scenario for Prioritization {
    fn name(&self) -> &'static str {
        "prioritization_jira"
    }
    fn summary(&self) -> &'static str {
        "Which of two issues has the higher priority"
    }
    fn kind(&self) -> TaskKind {
        TaskKind::Pairwise
    }
    fn labels(&self) -> &'static [&'static str] {
        &CHOICES
    }
    fn other_names(&self) -> &'static [&'static str] {
        &OTHER_CHOICES
    }
    fn required_fields(&self) -> &'static [&'static str] {
        &["title", "priority"]
    }
    fn prompt_fields(&self) -> &'static [&'static str] {
        &["title_a", "description_a", "title_b", "description_b"]
    }
    fn answer_field(&self) -> &'static str {
        "higher_priority"
    }
    fn answer_texts(&self) -> &'static [&'static str] {
        &CHOICES
    }
    fn scores_the_end(&self) -> bool {
        true
    }

    /// Pairs with distinct priorities, balanced over their combinations and over positions.
    fn instances(&self, dataset: &Dataset, count: usize, seed: u64) -> Result<Vec<Instance>, ScenarioError> {
        let rows = judged_rows(priority_rows(dataset, self.name())?);
        let pairs = build_pairs(&rows, &PRIORITIES, count, seed);
        if pairs.is_empty() {
            return Err(ScenarioError::NothingToJudge {
                dataset: dataset.identity.name.clone(),
                scenario: self.name(),
                reason: "no two issues have different priorities".to_owned(),
            });
        }
        Ok(pairs.iter().map(|pair| pair_instance(pair, &rows)).collect())
    }

    /// Which position is right is no property of the data, so there is nothing to learn.
    fn train_gold(&self, _dataset: &Dataset) -> Result<Vec<String>, ScenarioError> {
        Ok(Vec::new())
    }

    fn priorities(&self, dataset: &Dataset, instances: &[Instance]) -> Result<BTreeMap<String, u32>, ScenarioError> {
        let rows = priority_rows(dataset, self.name())?;
        let lowest_first = |gold: &str| PRIORITIES.iter().rev().zip(0..).find(|(label, _)| **label == gold);
        let of_issue: BTreeMap<&str, u32> =
            rows.iter().filter_map(|row| Some((row.id.as_str(), lowest_first(&row.gold)?.1))).collect();
        let halves = instances.iter().flat_map(|instance| {
            let id = instance.id.as_str();
            id.match_indices('|').flat_map(move |(place, _)| [&id[..place], &id[place + 1..]])
        });
        Ok(halves.filter_map(|issue| Some((issue.to_owned(), *of_issue.get(issue)?))).collect())
    }

    /// Example pairs are made as judged pairs are made, from other issues.
    fn examples(
        &self,
        dataset: &Dataset,
        instances: &[Instance],
        shots: u32,
        seed: u64,
    ) -> Result<Examples, ScenarioError> {
        let rows = priority_rows(dataset, self.name())?;
        let judged = judged_texts(instances);
        let shots = shots as usize;
        Ok(Examples::from_pools(&rows, &judged, (shots, 0), |source, pool| {
            // In leave-one-out, pairs that show a judged issue are passed over: some more are made.
            let spare = shots * 4 + 8;
            let pairs = build_pairs(pool, &PRIORITIES, spare, seed);
            let candidates: Vec<Example> = pairs.iter().map(|pair| pair_example(pair, pool)).collect();
            Examples::new(source, vec![candidates], vec![0; shots], shots)
        }))
    }

    fn parse_named(&self, text: &str, names: LabelNames, mode: ParserMode) -> Parsed {
        match names {
            LabelNames::Own => parse::choice(text, &parse::A_OR_B, mode),
            LabelNames::Other => parse::choice(text, &parse::X_OR_Y, mode),
        }
    }
}

fn pair_instance(pair: &Pair, rows: &[LabelledRow]) -> Instance {
    let (a, b) = (&rows[pair.a], &rows[pair.b]);
    Instance {
        id: InstanceId::new(format!("{}|{}", a.id, b.id)),
        fields: pair_fields(a, b),
        gold: choice(pair).to_owned(),
        group: a.project.clone().filter(|project| b.project.as_ref() == Some(project)),
    }
}
