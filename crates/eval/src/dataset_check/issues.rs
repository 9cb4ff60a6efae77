//! The rows of a dataset as the checks see them.

use super::words::{key_of, words_of};
use crate::dataset::vocabulary::PRIORITIES;
use crate::dataset::{Dataset, Gold, Row, Split};
use crate::stats::quantile;
use std::collections::BTreeMap;

/// Classes into which story points are cut, where there are more values than these.
const BINS: usize = 4;

/// One usable row.
pub(super) struct Issue<'a> {
    pub(super) row: &'a Row,
    /// The right answer as text.
    pub(super) gold: &'a str,
    /// Position of the right answer, or of its bin, in [`Issues::classes`].
    pub(super) class: usize,
    /// Title and description in lower case words; what makes two texts one.
    pub(super) key: String,
}

/// Every usable row, in file order.
pub(super) struct Issues<'a> {
    pub(super) list: Vec<Issue<'a>>,
    /// Names of the classes in the order of the scale.
    pub(super) classes: Vec<String>,
    pub(super) gold: Gold,
}

impl<'a> Issues<'a> {
    pub(super) fn of(dataset: &'a Dataset, gold: Gold) -> Self {
        let rows: Vec<(&Row, &str)> =
            dataset.rows.iter().filter_map(|row| Some((row, row.fields.get(gold.field())?.as_str()))).collect();
        let golds: Vec<&str> = rows.iter().map(|(_, gold)| *gold).collect();
        let (classes, of_each) = match gold {
            Gold::Priority => labels(&golds),
            Gold::StoryPoints => bins(&golds),
        };
        let list = rows
            .into_iter()
            .zip(of_each)
            .map(|((row, gold), class)| Issue { row, gold, class, key: key_of(row) })
            .collect();
        Self { list, classes, gold }
    }

    pub(super) fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        self.list.iter().for_each(|issue| counts[issue.class] += 1);
        counts
    }

    /// The class of every issue, in file order.
    pub(super) fn class_of_each(&self) -> Vec<usize> {
        self.list.iter().map(|issue| issue.class).collect()
    }

    /// What the right answers are called in sentences.
    pub(super) fn answers(&self) -> &'static str {
        match self.gold {
            Gold::Priority => "priority",
            Gold::StoryPoints => "story points",
        }
    }
}

impl Issue<'_> {
    pub(super) fn title(&self) -> &str {
        self.row.fields.get("title").map_or("", String::as_str)
    }

    pub(super) fn description(&self) -> &str {
        self.row.fields.get("description").map_or("", String::as_str)
    }

    /// Key or id with the beginning of the title, for examples.
    pub(super) fn named(&self) -> String {
        let title: String = self.title().chars().take(60).collect();
        let dots = if self.title().chars().nth(60).is_some() { "…" } else { "" };
        format!("{} \"{title}{dots}\"", self.row.id)
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        words_of(&self.key)
    }

    /// Whether examples and trained baselines may come from it where the file is marked.
    pub(super) fn is_train(&self) -> bool {
        self.row.split == Some(Split::Train)
    }
}

fn labels(golds: &[&str]) -> (Vec<String>, Vec<usize>) {
    let place = |gold: &&str| PRIORITIES.iter().position(|label| label.eq_ignore_ascii_case(gold)).unwrap_or(0);
    (PRIORITIES.map(str::to_owned).to_vec(), golds.iter().map(place).collect())
}

/// Numbers as classes: each value one, or quarters of the rows where there are more values.
fn bins(golds: &[&str]) -> (Vec<String>, Vec<usize>) {
    let points: Vec<f64> = golds.iter().map(|gold| gold.parse().unwrap_or(0.0)).collect();
    let mut sorted = points.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut values = sorted.clone();
    values.dedup();
    let ends: Vec<f64> = if values.len() <= BINS {
        values
    } else {
        let mut ends: Vec<f64> = (1..=BINS).filter_map(|bin| quantile(&sorted, bin as f64 / BINS as f64)).collect();
        ends.dedup();
        ends
    };
    let mut low: Option<f64> = None;
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    for (at, end) in ends.iter().enumerate() {
        names.insert(at, low.map_or_else(|| format!("up to {end}"), |low| format!("above {low} to {end}")));
        low = Some(*end);
    }
    let class = |points: &f64| ends.iter().position(|end| points <= end).unwrap_or(ends.len().saturating_sub(1));
    (names.into_values().collect(), points.iter().map(class).collect())
}
