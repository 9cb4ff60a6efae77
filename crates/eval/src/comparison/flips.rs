//! The jobs on which the two sides answered differently.

use super::pairing::{Pairing, same_answer, usable};
use super::side::Side;
use crate::metric::{Task, TaskKind, agrees, number};
use puma_core::{InstanceId, InstanceRow, JobRecord, Outcome};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What became of an answer from the first side to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    RightToWrong,
    WrongToRight,
    WrongToOtherWrong,
    RightToNone,
    WrongToNone,
    NoneToRight,
    NoneToWrong,
    /// Numbers that are both wrong: the second is nearer to the right answer.
    Nearer,
    /// Numbers that are both wrong: the second is farther from the right answer.
    Farther,
}

impl Change {
    pub const ALL: [Self; 9] = [
        Self::RightToWrong,
        Self::WrongToRight,
        Self::WrongToOtherWrong,
        Self::RightToNone,
        Self::WrongToNone,
        Self::NoneToRight,
        Self::NoneToWrong,
        Self::Nearer,
        Self::Farther,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Self::RightToWrong => "right to wrong",
            Self::WrongToRight => "wrong to right",
            Self::WrongToOtherWrong => "wrong to other wrong",
            Self::RightToNone => "right to no answer",
            Self::WrongToNone => "wrong to no answer",
            Self::NoneToRight => "no answer to right",
            Self::NoneToWrong => "no answer to wrong",
            Self::Nearer => "wrong to nearer",
            Self::Farther => "wrong to farther",
        }
    }
}

/// How often one change happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeCount {
    pub change: Change,
    pub jobs: usize,
}

/// One job on which the sides differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flip {
    pub instance_id: InstanceId,
    pub repeat: u32,
    /// Project or other group.
    pub group: Option<String>,
    /// First line of the instance's text; empty where the run keeps none.
    pub title: String,
    /// The right answer of the first side; only a pair in the other order has another one on the second.
    pub gold: String,
    pub change: Change,
    pub first: FlippedAnswer,
    pub second: FlippedAnswer,
    /// Whether both were asked the same.
    pub prompt_equal: bool,
}

/// What one side said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlippedAnswer {
    /// `None` when there was no usable answer; the outcome says why.
    pub answer: Option<String>,
    pub outcome: Outcome,
    /// Probability of the answer.
    pub confidence: Option<f64>,
    /// Probability of the most probable label minus that of the next: how near it was to another answer.
    pub margin: Option<f64>,
    /// Which parsing rule found the answer.
    pub rule: Option<String>,
}

/// Every job on which the usable answers differ, by kind of change, then instance.
pub(super) fn flips(task: &Task, sides: [&Side<'_>; 2], pairing: &Pairing<'_>) -> Vec<Flip> {
    let titles: BTreeMap<&InstanceId, &InstanceRow> =
        sides.iter().rev().flat_map(|side| &side.run.instances).map(|row| (&row.instance_id, row)).collect();
    let mut flips: Vec<Flip> = pairing
        .pairs()
        .filter_map(|(left, right)| {
            let change = change(task.kind, left, right)?;
            Some(Flip {
                instance_id: left.instance_id.clone(),
                repeat: left.repeat,
                group: left.group.clone().or_else(|| right.group.clone()),
                title: titles.get(&left.instance_id).map(|row| title(&row.fields)).unwrap_or_default(),
                gold: left.gold.clone(),
                change,
                first: answer(left),
                second: answer(right),
                prompt_equal: left.prompt_hash == right.prompt_hash,
            })
        })
        .collect();
    flips.sort_by(|a, b| (a.change, &a.instance_id, a.repeat).cmp(&(b.change, &b.instance_id, b.repeat)));
    flips
}

/// How often each change happened, those that never did left out.
pub(super) fn counted(flips: &[Flip]) -> Vec<ChangeCount> {
    Change::ALL
        .into_iter()
        .map(|change| ChangeCount { change, jobs: flips.iter().filter(|flip| flip.change == change).count() })
        .filter(|count| count.jobs > 0)
        .collect()
}

fn change(kind: TaskKind, left: &JobRecord, right: &JobRecord) -> Option<Change> {
    let was_right = |before: &str| agrees(kind, before, &left.gold);
    let is_right = |after: &str| agrees(kind, after, &right.gold);
    match (usable(left), usable(right)) {
        (None, None) => None,
        (Some(before), None) => Some(if was_right(before) { Change::RightToNone } else { Change::WrongToNone }),
        (None, Some(after)) => Some(if is_right(after) { Change::NoneToRight } else { Change::NoneToWrong }),
        (Some(before), Some(after)) if same_answer(kind, (left, before), (right, after)) => None,
        (Some(before), Some(after)) => Some(match (was_right(before), is_right(after)) {
            (true, _) => Change::RightToWrong,
            (_, true) => Change::WrongToRight,
            (false, false) => of_wrong(kind, before, after, &left.gold),
        }),
    }
}

fn of_wrong(kind: TaskKind, before: &str, after: &str, gold: &str) -> Change {
    let error = |answer: &str| Some((number(answer)? - number(gold)?).abs());
    match (kind, error(before), error(after)) {
        (TaskKind::Regression, Some(before), Some(after)) if after < before => Change::Nearer,
        (TaskKind::Regression, Some(before), Some(after)) if after > before => Change::Farther,
        _ => Change::WrongToOtherWrong,
    }
}

fn answer(record: &JobRecord) -> FlippedAnswer {
    FlippedAnswer {
        answer: usable(record).map(str::to_owned),
        outcome: record.outcome,
        confidence: record.confidence,
        margin: margin(record),
        rule: record.rule.clone(),
    }
}

/// The gap between the two most probable labels; `None` without probabilities of two labels.
fn margin(record: &JobRecord) -> Option<f64> {
    let mut known: Vec<f64> = record.label_probabilities.values().copied().filter(|p| !p.is_nan()).collect();
    known.sort_unstable_by(|a, b| b.total_cmp(a));
    match known.as_slice() {
        [most, next, ..] => Some(most - next),
        _ => None,
    }
}

/// The first line of what the instance is about: its title, or both titles of a pair.
fn title(fields: &Value) -> String {
    let line = |name: &str| {
        let text = fields.get(name).and_then(Value::as_str)?;
        Some(text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned())
    };
    match (line("title_a"), line("title_b")) {
        (Some(a), Some(b)) => format!("A: {a} | B: {b}"),
        _ => line("title").or_else(|| line("description")).unwrap_or_default(),
    }
}
