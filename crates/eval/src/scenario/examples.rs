//! Solved examples for few-shot prompts: held out, balanced, deterministic and never the judged instance.
//!
//! The pool is, in this order, the first that has enough: the train split, rows that are not judged, the other judged
//! rows (leave-one-out). Examples do not depend on the judged instance except where it would be among them, so prompts
//! share their beginning. What counts as the judged instance is its text, so a duplicate under another key is left out
//! as well.

use super::reasoning::Reasoning;
use super::rows::{LabelledRow, shuffle_key};
use crate::dataset::Split;
use crate::instance::Instance;
use std::collections::{BTreeMap, BTreeSet};

/// The field that holds the worked reasoning.
const REASONING: &str = "reasoning";

/// Title and description of an issue.
pub(super) type IssueText = (String, String);

/// Where examples come from; stored with the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExampleSource {
    /// Rows marked as train split.
    TrainSplit,
    /// Rows of the dataset that the run does not judge.
    HeldOutRows,
    /// The other rows the run judges.
    LeaveOneOut,
}

impl ExampleSource {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TrainSplit => "train-split",
            Self::HeldOutRows => "held-out-rows",
            Self::LeaveOneOut => "leave-one-out",
        }
    }
}

/// One solved example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The id of the issue or pair.
    pub name: String,
    /// What templates may use: the instance's fields, the right answer, and `reasoning`.
    pub fields: BTreeMap<String, String>,
    /// The issues it shows.
    pub(super) texts: Vec<IssueText>,
    answer_field: &'static str,
    reasoning: Reasoning,
}

impl Example {
    /// An example with `fields` of its issues, solved by the (field, right answer) and the worked reasoning.
    pub(super) fn new(
        name: String,
        mut fields: BTreeMap<String, String>,
        texts: Vec<IssueText>,
        (answer_field, answer): (&'static str, &str),
        reasoning: Reasoning,
    ) -> Self {
        fields.insert(answer_field.to_owned(), answer.to_owned());
        fields.insert(REASONING.to_owned(), reasoning.told(|answer| answer));
        Self { name, fields, texts, answer_field, reasoning }
    }

    pub(super) fn of_issue(row: &LabelledRow, answer_field: &'static str, reasoning: Reasoning) -> Self {
        let fields = [("title", &row.title), ("description", &row.description)]
            .map(|(name, text)| (name.to_owned(), text.clone()))
            .into();
        Self::new(row.id.clone(), fields, vec![row.text()], (answer_field, &row.gold), reasoning)
    }

    /// [`fields`](Self::fields) for a prompt that calls each answer `name_of(answer)`.
    pub fn fields_named<'a>(&'a self, name_of: impl Fn(&'a str) -> &'a str) -> BTreeMap<String, String> {
        let mut fields = self.fields.clone();
        let answer = &self.fields[self.answer_field];
        fields.insert(self.answer_field.to_owned(), name_of(answer).to_owned());
        fields.insert(REASONING.to_owned(), self.reasoning.told(name_of));
        fields
    }
}

/// The examples of a run: for each place in the prompt, the candidates in order of preference.
#[derive(Clone, Debug)]
pub struct Examples {
    source: ExampleSource,
    lists: Vec<Vec<Example>>,
    /// Per place, the list it takes from.
    places: Vec<usize>,
    shots: usize,
}

impl Examples {
    /// An example for each of `shots` places out of `lists`; without `places`, or without lists, there are none.
    pub(super) fn new(source: ExampleSource, lists: Vec<Vec<Example>>, places: Vec<usize>, shots: usize) -> Self {
        Self { source, lists, places, shots }
    }

    /// Where the examples come from.
    pub fn source(&self) -> ExampleSource {
        self.source
    }

    /// The examples for one instance in the order shown; `None` if there are not enough.
    pub fn for_instance(&self, instance: &Instance) -> Option<Vec<&Example>> {
        let judged = issue_texts(instance);
        let mut shown: Vec<&Example> = Vec::with_capacity(self.places.len());
        for &list in &self.places {
            let usable = |example: &&Example| {
                !example.texts.iter().any(|text| judged.contains(text))
                    && !shown.iter().any(|other| other.texts == example.texts)
            };
            // A list that is used up borrows from the others, in order.
            let fallback = self.lists.iter().flatten();
            let example = self.lists[list].iter().chain(fallback).find(usable)?;
            shown.push(example);
        }
        (shown.len() == self.shots).then_some(shown)
    }

    /// Tries the pools in order and takes the first that holds `shots` examples of at least `kinds` kinds.
    pub(super) fn from_pools(
        rows: &[LabelledRow],
        judged: &BTreeSet<IssueText>,
        (shots, kinds): (usize, usize),
        build: impl Fn(ExampleSource, &[LabelledRow]) -> Self,
    ) -> Self {
        let take = |keep: &dyn Fn(&LabelledRow) -> bool| -> Vec<LabelledRow> {
            rows.iter().filter(|row| keep(row)).cloned().collect()
        };
        let train = take(&|row| row.split == Some(Split::Train) && !judged.contains(&row.text()));
        let held_out = take(&|row| row.split.is_none() && !judged.contains(&row.text()));
        for (source, pool) in [(ExampleSource::TrainSplit, train), (ExampleSource::HeldOutRows, held_out)] {
            let examples = build(source, &pool);
            if examples.distinct() >= shots && examples.lists.len() >= kinds {
                return examples;
            }
        }
        build(ExampleSource::LeaveOneOut, &take(&|row| judged.contains(&row.text())))
    }

    fn distinct(&self) -> usize {
        self.lists.iter().flatten().map(|example| &example.texts).collect::<BTreeSet<_>>().len()
    }

    /// Each label appears as often as any other, up to one; which labels get one more, and the order shown, depend on
    /// `seed` alone.
    pub(super) fn balanced_over_labels(
        rows: &[LabelledRow],
        instances: &[Instance],
        labels: &[&str],
        shots: usize,
        seed: u64,
        example: impl Fn(&LabelledRow) -> Example,
    ) -> Self {
        let kinds = labels.iter().filter(|label| rows.iter().any(|row| row.gold == **label)).count().min(shots);
        Self::from_pools(rows, &judged_texts(instances), (shots, kinds), |source, pool| {
            let mut present: Vec<&str> =
                labels.iter().copied().filter(|label| pool.iter().any(|row| row.gold == *label)).collect();
            present.sort_by_cached_key(|label| shuffle_key(seed, "example label", label));
            let lists: Vec<Vec<Example>> = present
                .iter()
                .map(|label| shuffled(pool.iter().filter(|row| row.gold == *label), seed).map(&example).collect())
                .collect();
            // An empty pool gives no list, and then no place may name one.
            let places = if lists.is_empty() { Vec::new() } else { shuffled_places(shots, lists.len(), seed) };
            Self::new(source, lists, places, shots)
        })
    }

    /// One example out of each of `shots` equally filled bins of the answers, smallest to largest; the order shown
    /// depends on `seed` alone.
    pub(super) fn spread_over_quantiles(
        rows: &[LabelledRow],
        instances: &[Instance],
        shots: usize,
        seed: u64,
        example: impl Fn(&LabelledRow) -> Example,
    ) -> Self {
        Self::from_pools(rows, &judged_texts(instances), (shots, 0), |source, pool| {
            let mut sorted: Vec<&LabelledRow> = shuffled(pool.iter(), seed).collect();
            sorted.sort_by(|left, right| points(left).total_cmp(&points(right)));
            let lists: Vec<Vec<Example>> = (0..shots)
                .map(|bin| {
                    let bounds = bin * sorted.len() / shots..(bin + 1) * sorted.len() / shots;
                    shuffled(sorted[bounds].iter().copied(), seed).map(&example).collect()
                })
                .collect();
            Self::new(source, lists, shuffled_places(shots, shots, seed), shots)
        })
    }
}

fn points(row: &LabelledRow) -> f64 {
    row.gold.parse().unwrap_or(0.0)
}

fn shuffled<'a>(rows: impl Iterator<Item = &'a LabelledRow>, seed: u64) -> impl Iterator<Item = &'a LabelledRow> {
    let mut rows: Vec<&LabelledRow> = rows.collect();
    rows.sort_by_cached_key(|row| shuffle_key(seed, "example", &row.id));
    rows.into_iter()
}

/// `shots` places over `lists` lists in turn, in an order that is not that of the answers.
fn shuffled_places(shots: usize, lists: usize, seed: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..shots).collect();
    places.sort_by_cached_key(|place| shuffle_key(seed, "example place", &place.to_string()));
    places.into_iter().map(|place| place % lists).collect()
}

/// Every issue text that some instance shows.
pub(super) fn judged_texts(instances: &[Instance]) -> BTreeSet<IssueText> {
    instances.iter().flat_map(issue_texts).collect()
}

fn issue_texts(instance: &Instance) -> Vec<IssueText> {
    [("title", "description"), ("title_a", "description_a"), ("title_b", "description_b")]
        .into_iter()
        .filter_map(|(title, description)| {
            let title = instance.fields.get(title)?.clone();
            Some((title, instance.fields.get(description).cloned().unwrap_or_default()))
        })
        .collect()
}

/// The example in a sentence or two: its title and the beginning of its description.
pub(super) fn retold(row: &LabelledRow) -> String {
    let beginning = first_sentence(&row.description);
    if beginning.is_empty() {
        format!("The title says \"{}\", and there is no description.", row.title.trim())
    } else {
        format!("The title says \"{}\". The description begins: \"{beginning}\"", row.title.trim())
    }
}

/// The first sentence of `text`, cut after 160 characters at the end of a word.
fn first_sentence(text: &str) -> String {
    const LIMIT: usize = 160;
    let text = text.trim();
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let end = text[..end].find(". ").map_or(end, |stop| stop + 1);
    let sentence = text[..end].trim();
    match sentence.char_indices().nth(LIMIT) {
        None => sentence.to_owned(),
        Some((limit, _)) => {
            let cut = sentence[..limit].rfind(char::is_whitespace).unwrap_or(limit);
            format!("{}…", sentence[..cut].trim_end())
        }
    }
}

#[cfg(test)]
#[path = "examples_tests.rs"]
mod tests;
