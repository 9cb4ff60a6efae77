//! From rows and instances to what the judges of text answer.

use super::pool::{Lesson, Solved, lessons, shown_texts, solved};
use super::ridge::{Linear, fit};
use super::tfidf::{Corpus, SparseRows};
use crate::dataset::vocabulary::PRIORITIES;
use crate::dataset::{Dataset, Gold};
use crate::instance::Instance;
use crate::metric::TaskKind;
use crate::scenario::Scenario;
use crate::stats::{exp, ln};
use puma_core::InstanceId;
use puma_core::event::BaselineAnswers;
use std::collections::BTreeMap;

/// scikit-learn's default.
const ALPHA: f64 = 1.0;

/// What judges that read the text answer for `instances`, to be kept with the run: `tfidf_linear`, where there are
/// rows to learn from, and `longer_text` for pairs.
///
/// Priorities are told apart one against the rest with targets ±1 (scikit-learn's `RidgeClassifier`); story points
/// are fitted by their logarithm, because their scale is geometric and absolute errors are judged; of a pair the issue
/// with the higher fitted place on the scale of priorities comes first.
pub fn learned_answers(scenario: &dyn Scenario, dataset: &Dataset, instances: &[Instance]) -> Vec<BaselineAnswers> {
    let mut judges = Vec::new();
    if let Some(gold) = Gold::of_scenario(scenario.name()) {
        judges.extend(tfidf_linear(scenario.kind(), &solved(dataset, gold), instances));
    }
    if scenario.kind() == TaskKind::Pairwise {
        judges.push(longer_text(instances));
    }
    judges
}

fn tfidf_linear(kind: TaskKind, rows: &[Solved<'_>], instances: &[Instance]) -> Option<BaselineAnswers> {
    let (lessons, basis) = lessons(rows, instances)?;
    let shown: Vec<Vec<String>> = instances.iter().map(shown_texts).collect();
    let texts = rows.iter().map(|row| row.text.as_str()).chain(shown.iter().flatten().map(String::as_str));
    let corpus = Corpus::new(texts);
    // Where each instance's texts begin in the corpus, after the rows'.
    let mut starts = Vec::with_capacity(instances.len());
    let mut next = rows.len();
    for texts in &shown {
        starts.push(next);
        next += texts.len();
    }
    let mut answers: BTreeMap<InstanceId, String> = BTreeMap::new();
    for Lesson { rows: learned, instances: judged } in &lessons {
        let weights = corpus.weights(learned);
        let golds: Vec<&str> = learned.iter().map(|&at| rows[at].gold).collect();
        let judge = Judge::learn(kind, &corpus.rows(learned, &weights), corpus.words.len(), &golds)?;
        for &at in judged {
            let positions: Vec<usize> = (starts[at]..starts[at] + shown[at].len()).collect();
            answers.insert(instances[at].id.clone(), judge.answer(&corpus.rows(&positions, &weights)));
        }
    }
    Some(BaselineAnswers { name: "tfidf_linear".to_owned(), basis, answers })
}

/// A trained judge.
enum Judge {
    /// One model a label; the highest value wins.
    Label(Vec<Linear>),
    /// The logarithm of the number.
    Number(Linear),
    /// How urgent an issue is.
    Order(Linear),
}

impl Judge {
    /// `None` where a right answer does not fit.
    fn learn(kind: TaskKind, rows: &SparseRows, columns: usize, golds: &[&str]) -> Option<Self> {
        let place = |gold: &str| PRIORITIES.iter().position(|label| label.eq_ignore_ascii_case(gold));
        let fitted = |targets: &[f64]| fit(rows, columns, targets, ALPHA);
        Some(match kind {
            TaskKind::Classification => {
                let places: Vec<usize> = golds.iter().map(|gold| place(gold)).collect::<Option<_>>()?;
                let one_against_rest = |label: usize| {
                    let targets: Vec<f64> = places.iter().map(|p| if *p == label { 1.0 } else { -1.0 }).collect();
                    fitted(&targets)
                };
                Self::Label((0..PRIORITIES.len()).map(one_against_rest).collect())
            }
            TaskKind::Regression => {
                let number = |gold: &&str| gold.parse::<f64>().ok().filter(|points| *points > 0.0).map(ln);
                Self::Number(fitted(&golds.iter().map(number).collect::<Option<Vec<f64>>>()?))
            }
            TaskKind::Pairwise => {
                let urgency = |gold: &&str| place(gold).map(|place| -(place as f64));
                Self::Order(fitted(&golds.iter().map(urgency).collect::<Option<Vec<f64>>>()?))
            }
        })
    }

    /// The answer for the texts of one instance.
    fn answer(&self, texts: &SparseRows) -> String {
        match self {
            Self::Label(models) => {
                let values: Vec<f64> = models.iter().map(|model| model.of(texts.row(0))).collect();
                // Ties go to the first label.
                let best = (0..values.len()).rev().max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0);
                PRIORITIES[best].to_owned()
            }
            // Four decimals: nobody estimates finer, and the record stays readable.
            Self::Number(model) => ((exp(model.of(texts.row(0))) * 1e4).round() / 1e4).to_string(),
            Self::Order(model) => choice(model.of(texts.row(0)) >= model.of(texts.row(1))),
        }
    }
}

/// Of a pair the issue that says more comes first; the first of equals.
fn longer_text(instances: &[Instance]) -> BaselineAnswers {
    let answer = |instance: &Instance| {
        let lengths: Vec<usize> = shown_texts(instance).iter().map(|text| text.chars().count()).collect();
        choice(lengths.first() >= lengths.get(1))
    };
    BaselineAnswers {
        name: "longer_text".to_owned(),
        basis: "nothing".to_owned(),
        answers: instances.iter().map(|instance| (instance.id.clone(), answer(instance))).collect(),
    }
}

fn choice(first: bool) -> String {
    if first { "A" } else { "B" }.to_owned()
}
