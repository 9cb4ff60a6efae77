//! The table of baselines: names, what each does, what scikit-learn calls it.
//!
//! This file is a table.

use crate::metric::TaskKind::{self, Classification, Pairwise, Regression};

/// One baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BaselineDef {
    pub name: &'static str,
    pub kinds: &'static [TaskKind],
    /// What it answers, and how its score is made where no single answer stands behind it.
    pub doc: &'static str,
    /// The same judge elsewhere.
    pub source: &'static str,
}

const fn row(name: &'static str, kinds: &'static [TaskKind], doc: &'static str, source: &'static str) -> BaselineDef {
    BaselineDef { name, kinds, doc, source }
}

/// Every baseline there is.
#[rustfmt::skip]
pub static BASELINES: &[BaselineDef] = &[
    row("most_frequent", &[Classification],
        "Always the label that is most frequent where it learned; the first of equals.",
        "scikit-learn DummyClassifier, strategy most_frequent"),
    row("prior", &[Classification],
        "Gives every label the share it has where it learned as its probability: what calibration must beat.",
        "scikit-learn DummyClassifier, strategy prior"),
    row("stratified", &[Classification],
        "Draws a label with the shares it learned; the scores of the expected counts, not of one draw.",
        "scikit-learn DummyClassifier, strategy stratified"),
    row("uniform", &[Classification, Pairwise],
        "Draws every label alike; the scores of the expected counts, not of one draw.",
        "scikit-learn DummyClassifier, strategy uniform"),
    row("median", &[Regression],
        "Always the median of the right answers it learned: no constant has a smaller mean absolute error there.",
        "scikit-learn DummyRegressor, strategy median"),
    row("mean", &[Regression],
        "Always the mean of the right answers it learned.",
        "scikit-learn DummyRegressor, strategy mean"),
    row("random_guess", &[Regression],
        "The right answer of another judged instance, drawn at random; the mean over all draws, which is what standardised accuracy compares with.",
        "Shepperd and MacDonell, Information and Software Technology 54, 2012"),
    row("always_a", &[Pairwise],
        "Always the option shown first.",
        "position bias in its purest form"),
    row("longer_text", &[Pairwise],
        "The issue whose title and description have more characters; the first of equals.",
        "length heuristic"),
    row("tfidf_linear", &[Classification, Regression, Pairwise],
        "A linear model of word weights: (1 + ln count)·idf, rows of length 1, ridge with alpha 1. Labels one against the rest; story points by their logarithm; pairs by the fitted place on the scale of priorities. Learns only from rows that it does not judge.",
        "scikit-learn TfidfVectorizer(sublinear_tf=True) with RidgeClassifier or Ridge"),
];

#[cfg(test)]
mod tests {
    use super::BASELINES;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_stands_once_and_fits_into_a_table() {
        let mut seen = BTreeSet::new();
        for def in BASELINES {
            assert!(seen.insert(def.name), "{} stands twice", def.name);
            assert!(!def.kinds.is_empty() && !def.doc.contains('|') && !def.source.contains('|'), "{}", def.name);
        }
    }
}
