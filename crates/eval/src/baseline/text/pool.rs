//! Which rows a trained judge may learn from: never one whose text it judges.

use super::tfidf::all_words;
use crate::dataset::{Dataset, Gold, Row, Split};
use crate::instance::Instance;
use puma_core::canon::sha256_hex;
use std::collections::BTreeSet;

/// Folds of cross-fitting.
const FOLDS: usize = 5;
/// Fewer rows teach nothing.
const FEWEST_ROWS: usize = 10;
/// Held-out rows alone are enough when they outnumber the judged so many times: cross-fitting would add at most a
/// fifth to them.
const ENOUGH_TIMES: usize = 4;

/// One model to train: rows to learn from, instances to answer for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lesson {
    /// Positions among the usable rows.
    pub(super) rows: Vec<usize>,
    /// Positions among the instances.
    pub(super) instances: Vec<usize>,
}

/// A row with a right answer.
pub(super) struct Solved<'a> {
    pub(super) text: String,
    pub(super) gold: &'a str,
    split: Option<Split>,
    key: String,
}

/// The text of an issue as judges of text read it.
pub(super) fn issue_text(title: &str, description: &str) -> String {
    format!("{title}\n{description}")
}

/// What makes two texts one: their words, whatever their case and what stands between.
fn key(text: &str) -> String {
    all_words(&text.to_lowercase()).collect::<Vec<_>>().join(" ")
}

/// Every row with a right answer of the kind `gold`.
pub(super) fn solved(dataset: &Dataset, gold: Gold) -> Vec<Solved<'_>> {
    let of = |row: &'_ Row, field: &str| row.fields.get(field).map_or("", String::as_str).to_owned();
    let solve = |row| {
        let text = issue_text(&of(row, "title"), &of(row, "description"));
        Some(Solved { key: key(&text), text, gold: row.fields.get(gold.field())?, split: row.split })
    };
    dataset.rows.iter().filter_map(solve).collect()
}

/// The texts of the issues that `instance` shows.
pub(super) fn shown_texts(instance: &Instance) -> Vec<String> {
    [("title", "description"), ("title_a", "description_a"), ("title_b", "description_b")]
        .into_iter()
        .filter_map(|(title, description)| {
            let description = instance.fields.get(description).map_or("", String::as_str);
            Some(issue_text(instance.fields.get(title)?, description))
        })
        .collect()
}

/// What to train, and where that learns, in words. The pool is the first that is there: the train split; rows that are
/// not judged, if there are many; in cross-fitting, for each fifth of the instances every row that this fifth does not
/// show. `None` if too little is left to learn from.
pub(super) fn lessons(rows: &[Solved<'_>], instances: &[Instance]) -> Option<(Vec<Lesson>, String)> {
    let shown: Vec<BTreeSet<String>> =
        instances.iter().map(|instance| shown_texts(instance).iter().map(|text| key(text)).collect()).collect();
    let without = |judged: &[usize], keep: &dyn Fn(&Solved<'_>) -> bool| -> Vec<usize> {
        let hidden: BTreeSet<&str> = judged.iter().flat_map(|&at| &shown[at]).map(String::as_str).collect();
        (0..rows.len()).filter(|&at| keep(&rows[at]) && !hidden.contains(rows[at].key.as_str())).collect()
    };
    let everyone: Vec<usize> = (0..instances.len()).collect();
    let train = without(&everyone, &|row| row.split == Some(Split::Train));
    if train.len() >= FEWEST_ROWS {
        let basis = format!("train split of {}", train.len());
        return Some((vec![Lesson { rows: train, instances: everyone }], basis));
    }
    let held_out = without(&everyone, &|row| row.split.is_none());
    if held_out.len() >= FEWEST_ROWS.max(ENOUGH_TIMES * instances.len()) {
        let basis = format!("{} rows that are not judged", held_out.len());
        return Some((vec![Lesson { rows: held_out, instances: everyone }], basis));
    }
    let folds = folds(instances);
    let lessons: Vec<Lesson> =
        folds.into_iter().map(|judged| Lesson { rows: without(&judged, &|_| true), instances: judged }).collect();
    let fewest = lessons.iter().map(|lesson| lesson.rows.len()).min()?;
    let basis = format!("{}-fold cross-fitting, at least {fewest} of {} rows each", lessons.len(), rows.len());
    (fewest >= FEWEST_ROWS).then_some((lessons, basis))
}

/// The instances in folds that hold every right answer alike; which fold depends on ids alone.
fn folds(instances: &[Instance]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..instances.len()).collect();
    order.sort_by_cached_key(|&at| {
        let instance = &instances[at];
        (instance.gold.clone(), sha256_hex(format!("fold:{}", instance.id).as_bytes()))
    });
    (0..FOLDS.min(instances.len())).map(|fold| order.iter().copied().skip(fold).step_by(FOLDS).collect()).collect()
}
