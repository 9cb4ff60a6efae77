//! `estimation_tawos`: how many story points a story has.

use super::examples::{Example, Examples};
use super::reasoning::Reasoning;
use super::rows::{LabelledRow, judged_rows, labelled_rows, sampler_seed, train_answers};
use super::triage::issue_instance;
use super::{LabelNames, Scenario, ScenarioError};
use crate::dataset::{Dataset, Row};
use crate::instance::Instance;
use crate::metric::TaskKind;
use crate::parse::{self, Parsed};
use crate::sample;
use crate::spec::ParserMode;

/// The numbers that prompts offer.
pub const STORY_POINT_SCALE: [&str; 7] = ["1", "2", "3", "5", "8", "13", "21"];

/// The estimation scenario.
#[derive(Debug)]
pub struct Estimation;

fn story_rows(dataset: &Dataset, scenario: &'static str) -> Result<Vec<LabelledRow>, ScenarioError> {
    let gold_of = |row: &Row, value: &str| {
        if value.is_empty() || value.eq_ignore_ascii_case("nan") {
            return Ok(None);
        }
        match value.parse::<f64>() {
            Ok(points) if points.is_finite() => Ok((points > 0.0).then(|| parse::shortest_decimal(points))),
            _ => Err(ScenarioError::NotANumber {
                dataset: dataset.identity.name.clone(),
                line: row.line,
                value: value.to_owned(),
            }),
        }
    };
    labelled_rows(dataset, scenario, "story_points", gold_of)
}

impl Scenario for Estimation {
    fn name(&self) -> &'static str {
        "estimation_tawos"
    }
    fn summary(&self) -> &'static str {
        "How many story points a story has"
    }
    fn kind(&self) -> TaskKind {
        TaskKind::Regression
    }
    fn labels(&self) -> &'static [&'static str] {
        &[]
    }
    fn other_names(&self) -> &'static [&'static str] {
        &[]
    }
    fn required_fields(&self) -> &'static [&'static str] {
        &["title", "story_points"]
    }
    fn prompt_fields(&self) -> &'static [&'static str] {
        &["title", "description"]
    }
    fn answer_field(&self) -> &'static str {
        "story_points"
    }
    fn answer_texts(&self) -> &'static [&'static str] {
        &STORY_POINT_SCALE
    }
    fn scores_the_end(&self) -> bool {
        true
    }

    /// Upstream's plain sample of the stories with points above zero.
    fn instances(&self, dataset: &Dataset, count: usize, seed: u64) -> Result<Vec<Instance>, ScenarioError> {
        let rows = judged_rows(story_rows(dataset, self.name())?);
        if rows.is_empty() {
            return Err(ScenarioError::NothingToJudge {
                dataset: dataset.identity.name.clone(),
                scenario: self.name(),
                reason: "no row has story points above zero".to_owned(),
            });
        }
        let positions = sample::plain(rows.len(), count, sampler_seed(seed)?);
        Ok(positions.into_iter().map(|position| issue_instance(&rows[position])).collect())
    }

    fn train_gold(&self, dataset: &Dataset) -> Result<Vec<String>, ScenarioError> {
        Ok(train_answers(story_rows(dataset, self.name())?))
    }

    /// Examples are spread over the quantiles of the points.
    fn examples(
        &self,
        dataset: &Dataset,
        instances: &[Instance],
        shots: u32,
        seed: u64,
    ) -> Result<Examples, ScenarioError> {
        let rows = story_rows(dataset, self.name())?;
        Ok(Examples::spread_over_quantiles(&rows, instances, shots as usize, seed, |row| {
            Example::of_issue(row, self.answer_field(), estimation_reasoning(row))
        }))
    }

    fn parse_named(&self, text: &str, _names: LabelNames, mode: ParserMode) -> Parsed {
        parse::story_points(text, mode)
    }
}

/// Worked reasoning that retells the example and names no rule that would give the answer away.
fn estimation_reasoning(row: &LabelledRow) -> Reasoning {
    let retold = super::examples::retold(row);
    Reasoning::default()
        .text(&retold)
        .text(" Weighing how complex this is, what it depends on and what is unknown, the number that fits best is ")
        .answer(&row.gold)
        .text(".")
}
