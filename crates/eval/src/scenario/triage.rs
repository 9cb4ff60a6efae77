//! `triage_jira`: which of four priorities an issue has.

use super::examples::{Example, Examples};
use super::reasoning::Reasoning;
use super::rows::{LabelledRow, judged_rows, labelled_rows, sampler_seed, train_answers};
use super::{LabelNames, Scenario, ScenarioError};
use crate::dataset::{Dataset, Row};
use crate::instance::Instance;
use crate::metric::TaskKind;
use crate::parse::{self, Parsed};
use crate::sample;
use crate::spec::ParserMode;
use puma_core::InstanceId;
use std::collections::BTreeMap;

/// The priorities, highest first.
pub const PRIORITIES: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

/// The priorities as many teams number them: the rank without the word.
const RANKS: [&str; 4] = ["P1", "P2", "P3", "P4"];

/// The triage scenario.
#[derive(Debug)]
pub struct Triage;

/// Rows with one of the four priorities as their right answer.
pub(super) fn priority_rows(dataset: &Dataset, scenario: &'static str) -> Result<Vec<LabelledRow>, ScenarioError> {
    let gold_of = |row: &Row, value: &str| match PRIORITIES.iter().find(|label| label.eq_ignore_ascii_case(value)) {
        Some(label) => Ok(Some((*label).to_owned())),
        None => Err(ScenarioError::UnknownLabel {
            dataset: dataset.identity.name.clone(),
            line: row.line,
            value: value.to_owned(),
            expected: PRIORITIES.join(", "),
        }),
    };
    labelled_rows(dataset, scenario, "priority", gold_of)
}

pub(super) fn issue_fields(row: &LabelledRow) -> BTreeMap<String, String> {
    BTreeMap::from([("title".to_owned(), row.title.clone()), ("description".to_owned(), row.description.clone())])
}

pub(super) fn issue_instance(row: &LabelledRow) -> Instance {
    Instance {
        id: InstanceId::new(row.id.clone()),
        fields: issue_fields(row),
        gold: row.gold.clone(),
        group: row.project.clone(),
    }
}

impl Scenario for Triage {
    fn name(&self) -> &'static str {
        "triage_jira"
    }
    fn summary(&self) -> &'static str {
        "Which of four priorities an issue has"
    }
    fn kind(&self) -> TaskKind {
        TaskKind::Classification
    }
    fn labels(&self) -> &'static [&'static str] {
        &PRIORITIES
    }
    fn other_names(&self) -> &'static [&'static str] {
        &RANKS
    }
    fn required_fields(&self) -> &'static [&'static str] {
        &["title", "priority"]
    }
    fn prompt_fields(&self) -> &'static [&'static str] {
        &["title", "description"]
    }
    fn answer_field(&self) -> &'static str {
        "priority"
    }
    fn answer_texts(&self) -> &'static [&'static str] {
        &PRIORITIES
    }
    fn scores_the_end(&self) -> bool {
        false
    }

    /// Upstream's stratified sample; all rows in file order where `count` reaches their number.
    fn instances(&self, dataset: &Dataset, count: usize, seed: u64) -> Result<Vec<Instance>, ScenarioError> {
        let rows = judged_rows(priority_rows(dataset, self.name())?);
        if rows.is_empty() {
            return Err(ScenarioError::NothingToJudge {
                dataset: dataset.identity.name.clone(),
                scenario: self.name(),
                reason: "it has no rows".to_owned(),
            });
        }
        let classes: Vec<&str> = rows.iter().map(|row| row.gold.as_str()).collect();
        let positions = sample::stratified(&classes, count, sampler_seed(seed)?);
        Ok(positions.into_iter().map(|position| issue_instance(&rows[position])).collect())
    }

    fn train_gold(&self, dataset: &Dataset) -> Result<Vec<String>, ScenarioError> {
        Ok(train_answers(priority_rows(dataset, self.name())?))
    }

    /// Examples are balanced over the priorities.
    fn examples(
        &self,
        dataset: &Dataset,
        instances: &[Instance],
        shots: u32,
        seed: u64,
    ) -> Result<Examples, ScenarioError> {
        let rows = priority_rows(dataset, self.name())?;
        Ok(Examples::balanced_over_labels(&rows, instances, &PRIORITIES, shots as usize, seed, |row| {
            Example::of_issue(row, self.answer_field(), triage_reasoning(row))
        }))
    }

    fn parse_named(&self, text: &str, names: LabelNames, mode: ParserMode) -> Parsed {
        parse::label(text, self.label_names(names), mode)
    }
}

/// Worked reasoning that retells the example and names no rule that would give the answer away.
fn triage_reasoning(row: &LabelledRow) -> Reasoning {
    let retold = super::examples::retold(row);
    Reasoning::default()
        .text(&retold)
        .text(" Weighing how much harm this does, whether it keeps people from working and how many it reaches, ")
        .text("the priority that fits best is ")
        .answer(&row.gold)
        .text(".")
}
