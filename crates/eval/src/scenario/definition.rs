//! What a scenario is, and the closed list of them.

use super::{Estimation, Examples, Prioritization, Triage};
use crate::dataset::Dataset;
use crate::instance::Instance;
use crate::metric::{Task, TaskKind};
use crate::parse::Parsed;
use crate::spec::{ParserMode, canonical_scenario};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The names under which a prompt shows the labels of its scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LabelNames {
    /// [`Scenario::labels`].
    #[default]
    Own,
    /// [`Scenario::other_names`].
    Other,
}

/// A task: how a dataset becomes instances, and how text becomes an answer.
pub trait Scenario: Debug + Sync {
    /// The name in specs and in the database.
    fn name(&self) -> &'static str;
    /// One sentence for people.
    fn summary(&self) -> &'static str;
    fn kind(&self) -> TaskKind;

    /// The task as metrics see it.
    fn task(&self) -> Task {
        match self.kind() {
            TaskKind::Classification => Task::classification(self.labels().iter().copied()),
            // Any number may be answered: one off the scale is judged by its distance.
            TaskKind::Regression => Task::regression(Vec::<String>::new()),
            TaskKind::Pairwise => Task::pairwise(),
        }
    }

    /// The possible answers in their order (highest priority first); empty for numbers.
    fn labels(&self) -> &'static [&'static str];
    /// Other names for the labels, in their order, for prompts that test whether the name matters; empty where answers
    /// are numbers.
    fn other_names(&self) -> &'static [&'static str];

    /// The labels under `names`, in their order.
    fn label_names(&self, names: LabelNames) -> &'static [&'static str] {
        match names {
            LabelNames::Own => self.labels(),
            LabelNames::Other => self.other_names(),
        }
    }

    /// The name of `answer` in a prompt that shows the labels under `names`; what has no other name keeps its own.
    fn name_of<'a>(&self, answer: &'a str, names: LabelNames) -> &'a str {
        renamed(answer, self.labels(), self.label_names(names))
    }

    /// The answer that a prompt with these `names` calls `name`: [`name_of`](Self::name_of) the other way round.
    fn answer_named<'a>(&self, name: &'a str, names: LabelNames) -> &'a str {
        renamed(name, self.label_names(names), self.labels())
    }

    /// Canonical dataset fields that must be there. Others (`description`, `project`) are used where they exist.
    fn required_fields(&self) -> &'static [&'static str];
    /// Fields of an instance that prompts may use.
    fn prompt_fields(&self) -> &'static [&'static str];
    /// The name under which templates find the right answer of an example.
    fn answer_field(&self) -> &'static str;

    /// Up to `count` instances to judge, deterministic in `seed`. Where the dataset is marked with splits, only its
    /// test split is judged.
    ///
    /// # Errors
    /// A row cannot be used, or nothing is left to judge; the message names the line.
    fn instances(&self, dataset: &Dataset, count: usize, seed: u64) -> Result<Vec<Instance>, ScenarioError>;

    /// Right answers of the dataset's train split, which baselines may learn from; empty without one.
    ///
    /// # Errors
    /// A row cannot be used.
    fn train_gold(&self, dataset: &Dataset) -> Result<Vec<String>, ScenarioError>;

    /// Priority of each issue that `instances` show beside another one, by the id, 0 the lowest: what the order
    /// implied by the answers is judged by. Empty where an instance shows one issue.
    ///
    /// # Errors
    /// A row cannot be used.
    fn priorities(&self, _dataset: &Dataset, _instances: &[Instance]) -> Result<BTreeMap<String, u32>, ScenarioError> {
        Ok(BTreeMap::new())
    }

    /// `shots` solved examples for every one of `instances`, never the judged one.
    ///
    /// # Errors
    /// A row cannot be used.
    fn examples(
        &self,
        dataset: &Dataset,
        instances: &[Instance],
        shots: u32,
        seed: u64,
    ) -> Result<Examples, ScenarioError>;

    /// Reads the model's answer out of its text. Total: any text gives a result.
    fn parse(&self, text: &str, mode: ParserMode) -> Parsed {
        self.parse_named(text, LabelNames::Own, mode)
    }

    /// Reads the answer to a prompt that showed the labels under `names`; the answer and the candidates are spelled as
    /// shown.
    fn parse_named(&self, text: &str, names: LabelNames, mode: ParserMode) -> Parsed;

    /// Every answer whose probability is worth telling, spelled as [`parse`](Self::parse) spells answers.
    fn answer_texts(&self) -> &'static [&'static str];

    /// Whether a scored answer must be followed by the end of the model's turn. It must where one answer begins another
    /// (1 and 13) or could begin a sentence ("A"): without the end, the score would be that of everything that begins so.
    /// A word that only an answer begins with needs no end; a text that opens with it gives that answer.
    fn scores_the_end(&self) -> bool;
}

/// `name` as `to` spells what `from` spells so; a name that is not in `from` stays.
fn renamed<'a>(name: &'a str, from: &[&'static str], to: &[&'static str]) -> &'a str {
    let position = from.iter().position(|known| *known == name);
    position.and_then(|position| to.get(position)).copied().unwrap_or(name)
}

/// Every scenario.
pub static SCENARIOS: [&dyn Scenario; 3] = [&Triage, &Estimation, &Prioritization];

/// The scenario that `name` or its alias means.
pub fn find(name: &str) -> Option<&'static dyn Scenario> {
    let name = canonical_scenario(name)?;
    SCENARIOS.into_iter().find(|scenario| scenario.name() == name)
}

/// Why a dataset cannot feed a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    #[error("the dataset `{dataset}` has no `{field}` in line {line}, which `{scenario}` needs")]
    MissingField { dataset: String, scenario: &'static str, field: &'static str, line: u64 },
    #[error("line {line} of the dataset `{dataset}` has the priority `{value}`, which is none of {expected}")]
    UnknownLabel { dataset: String, line: u64, value: String, expected: String },
    #[error("line {line} of the dataset `{dataset}` has the story points `{value}`, which is no number")]
    NotANumber { dataset: String, line: u64, value: String },
    #[error("the dataset `{dataset}` holds nothing that `{scenario}` can judge: {reason}")]
    NothingToJudge { dataset: String, scenario: &'static str, reason: String },
    #[error("the seed {seed} is too large for the sampler, which takes seeds below 2^32")]
    SeedTooLarge { seed: u64 },
}

impl ScenarioError {
    /// What the user can do.
    pub fn hint(&self) -> String {
        match self {
            Self::MissingField { field, .. } => {
                format!("name the column with `--columns {field}=COLUMN`, or fill in the row")
            }
            Self::UnknownLabel { expected, .. } => {
                format!("rename the value in the file to one of {expected}, or remove the row")
            }
            Self::NotANumber { .. } => "correct the value in the file, or empty it to leave the row out".to_owned(),
            Self::NothingToJudge { .. } => "use another dataset or another scenario".to_owned(),
            Self::SeedTooLarge { .. } => "choose a seed from 0 to 4294967295".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{SCENARIO_ALIASES, SCENARIOS as NAMES};

    #[test]
    fn every_name_a_spec_may_use_has_a_scenario() {
        for (name, scenario) in NAMES.into_iter().zip(SCENARIOS) {
            assert_eq!(find(name).map(|found| found.name()), Some(scenario.name()));
        }
        for (alias, name) in SCENARIO_ALIASES {
            assert_eq!(find(alias).map(|found| found.name()), Some(name));
        }
        assert!(find("triage_github").is_none());
    }

    #[test]
    fn other_names_lead_to_the_labels_and_back_and_are_names_of_nothing_else() {
        for scenario in SCENARIOS {
            assert!([0, scenario.labels().len()].contains(&scenario.other_names().len()));
            for (label, other) in scenario.labels().iter().zip(scenario.other_names()) {
                assert_eq!(scenario.name_of(label, LabelNames::Other), *other);
                assert_eq!(scenario.answer_named(other, LabelNames::Other), *label);
                assert_eq!(scenario.name_of(label, LabelNames::Own), *label);
                assert!(!scenario.labels().contains(other));
            }
            assert_eq!(scenario.answer_named("40", LabelNames::Other), "40");
        }
    }
}
