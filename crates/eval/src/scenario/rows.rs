//! Dataset rows with their right answer: what all scenarios start from.

use super::ScenarioError;
use crate::dataset::{Dataset, Row, Split};
use puma_core::canon::sha256_hex;

/// One usable row.
#[derive(Clone, Debug)]
pub(super) struct LabelledRow {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) project: Option<String>,
    pub(super) gold: String,
    pub(super) split: Option<Split>,
}

impl LabelledRow {
    /// What tells two issues apart for a model: their text.
    pub(super) fn text(&self) -> (String, String) {
        (self.title.clone(), self.description.clone())
    }
}

/// Every row with the right answer that `gold_of` reads from its `answer_field`, in file order. Rows without an answer
/// are left out, as upstream leaves out stories without points.
pub(super) fn labelled_rows(
    dataset: &Dataset,
    scenario: &'static str,
    answer_field: &'static str,
    gold_of: impl Fn(&Row, &str) -> Result<Option<String>, ScenarioError>,
) -> Result<Vec<LabelledRow>, ScenarioError> {
    let missing =
        |field, line| ScenarioError::MissingField { dataset: dataset.identity.name.clone(), scenario, field, line };
    let mut rows = Vec::with_capacity(dataset.rows.len());
    for row in &dataset.rows {
        let text = |field: &str| row.fields.get(field).cloned();
        let title = text("title").ok_or_else(|| missing("title", row.line))?;
        let answer = text(answer_field).ok_or_else(|| missing(answer_field, row.line))?;
        let description = text("description").unwrap_or_default();
        let project = text("project").filter(|name| !name.is_empty());
        if let Some(gold) = gold_of(row, answer.trim())? {
            rows.push(LabelledRow { id: row.id.to_string(), title, description, project, gold, split: row.split });
        }
    }
    Ok(rows)
}

/// The rows that may be judged: the test split where the dataset is marked, else all.
pub(super) fn judged_rows(rows: Vec<LabelledRow>) -> Vec<LabelledRow> {
    if rows.iter().any(|row| row.split == Some(Split::Test)) {
        rows.into_iter().filter(|row| row.split == Some(Split::Test)).collect()
    } else {
        rows
    }
}

/// A key to order things by that looks random, depends on `seed` and not on the order of the file.
pub(super) fn shuffle_key(seed: u64, purpose: &str, name: &str) -> String {
    sha256_hex(format!("{seed}:{purpose}:{name}").as_bytes())
}

/// `seed` as the upstream samplers take it.
pub(super) fn sampler_seed(seed: u64) -> Result<u32, ScenarioError> {
    u32::try_from(seed).map_err(|_| ScenarioError::SeedTooLarge { seed })
}

/// The right answers of the train split.
pub(super) fn train_answers(rows: Vec<LabelledRow>) -> Vec<String> {
    rows.into_iter().filter(|row| row.split == Some(Split::Train)).map(|row| row.gold).collect()
}
