//! One record as the scores across groups see it, and the scores themselves.

use super::super::classification::ClassCounts;
use super::super::judge::{Group, Verdict, agrees, number, verdict};
use super::super::task::{MissingAnswers, Task, TaskKind};
use crate::metric::GuessErrors;
use puma_core::JobRecord;

/// What of a record counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mark {
    /// Position of the right answer among the labels.
    pub(super) gold: usize,
    /// Position of the answer among the labels; `None` for no label.
    pub(super) label: Option<usize>,
    pub(super) answered: bool,
    pub(super) right: bool,
    /// Numbers: |answer − right answer|.
    pub(super) error: Option<f64>,
}

impl Mark {
    /// `None` when the backend failed. A failed parse is wrong, also under `compat: puma-4`: an answer that vanishes under
    /// a perturbation must not.
    pub(super) fn of(task: &Task, record: &JobRecord) -> Option<Self> {
        let answer = match verdict(record, MissingAnswers::Wrong) {
            Verdict::Answer(answer) => Some(answer),
            Verdict::NoAnswer => None,
            Verdict::Excluded => return None,
        };
        let place = |text: &str| task.labels.iter().position(|label| label == text);
        let distance = |answer: &str| Some((number(answer)? - number(&record.gold)?).abs());
        Some(Self {
            gold: place(&record.gold).unwrap_or(0),
            label: answer.and_then(place),
            answered: answer.is_some(),
            right: answer.is_some_and(|answer| agrees(task.kind, answer, &record.gold)),
            error: answer.filter(|_| task.kind == TaskKind::Regression).and_then(distance),
        })
    }
}

/// What no answer costs where right is a matter of degree.
pub(super) struct Guesses(GuessErrors);

impl Guesses {
    /// Guesses at the right answers of a group's instances.
    pub(super) fn of(group: &Group<'_>) -> Self {
        let golds: Vec<f64> = group.instances().filter_map(|records| number(&records[0].gold)).collect();
        Self(GuessErrors::new(&golds))
    }

    /// The error of a record; without an answer that of guessing the right answer of another instance at random. `None`
    /// for a silent instance that is alone.
    pub(super) fn error(&self, mark: &Mark, record: &JobRecord) -> Option<f64> {
        mark.error.or_else(|| self.0.of(number(&record.gold)?))
    }
}

/// The scores that are followed across groups, in the order of [`Scores::read`].
pub(super) fn score_names(kind: TaskKind) -> &'static [&'static str] {
    match kind {
        TaskKind::Classification => &["accuracy", "f1_macro", "coverage"],
        TaskKind::Pairwise => &["accuracy", "coverage"],
        TaskKind::Regression => &["mae", "coverage"],
    }
}

/// The unit of one of [`score_names`].
pub(super) fn unit_of(score: &str) -> &'static str {
    if score.starts_with("mae") { "points" } else { "" }
}

/// Adds marks up.
#[derive(Clone, Debug)]
pub(super) struct Scores {
    kind: TaskKind,
    classes: Vec<ClassCounts>,
    records: f64,
    answered: f64,
    right: f64,
    errors: f64,
    error_sum: f64,
}

impl Scores {
    pub(super) fn new(task: &Task) -> Self {
        let classes = if task.kind == TaskKind::Classification { task.labels.len() } else { 0 };
        Self {
            kind: task.kind,
            classes: vec![ClassCounts::default(); classes],
            records: 0.0,
            answered: 0.0,
            right: 0.0,
            errors: 0.0,
            error_sum: 0.0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.classes.fill(ClassCounts::default());
        (self.records, self.answered, self.right, self.errors, self.error_sum) = (0.0, 0.0, 0.0, 0.0, 0.0);
    }

    pub(super) fn add(&mut self, mark: &Mark) {
        self.records += 1.0;
        self.answered += f64::from(u8::from(mark.answered));
        self.right += f64::from(u8::from(mark.right));
        if let Some(error) = mark.error {
            self.errors += 1.0;
            self.error_sum += error;
        }
        if self.kind == TaskKind::Classification {
            self.classes[mark.gold].support += 1.0;
            if let Some(label) = mark.label {
                self.classes[label].predicted += 1.0;
                self.classes[label].hits += f64::from(u8::from(mark.right));
            }
        }
    }

    /// Writes the scores in the order of [`score_names`]; NaN where one is undefined.
    pub(super) fn read(&self, values: &mut [f64]) {
        let coverage = self.answered / self.records;
        let accuracy = self.right / self.records;
        match self.kind {
            TaskKind::Classification => {
                let f1_sum: f64 = self.classes.iter().map(ClassCounts::f1).sum();
                let f1_macro = if self.records > 0.0 { f1_sum / self.classes.len() as f64 } else { f64::NAN };
                values.copy_from_slice(&[accuracy, f1_macro, coverage]);
            }
            TaskKind::Pairwise => values.copy_from_slice(&[accuracy, coverage]),
            TaskKind::Regression => values.copy_from_slice(&[self.error_sum / self.errors, coverage]),
        }
    }

    /// How many records the score at `index` rests on.
    pub(super) fn n(&self, index: usize) -> usize {
        let n = if score_names(self.kind)[index] == "mae" { self.errors } else { self.records };
        n as usize
    }
}
