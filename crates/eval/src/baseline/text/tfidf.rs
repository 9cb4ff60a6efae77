//! Words as weights: term frequency times inverse document frequency.

use crate::stats::ln;
use std::collections::BTreeMap;

/// Texts as counts of words. Words are lower-case runs of at least two letters, digits or `_`, as scikit-learn's
/// vectorizers take them by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Corpus {
    /// In alphabetical order of their code points.
    pub words: Vec<String>,
    /// Per text: (position in `words`, count), ascending.
    texts: Vec<Vec<(u32, u32)>>,
}

/// Rows of a sparse matrix, one a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseRows {
    /// Where each row ends in `entries`.
    ends: Vec<usize>,
    /// (column, value), ascending within a row.
    entries: Vec<(u32, f64)>,
}

/// The inverse document frequencies of a set of training texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Per word of the corpus; 0 for a word that no training text holds.
    idf: Vec<f64>,
}

/// The words of `text` as they are counted.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    all_words(text).filter(|word| word.chars().nth(1).is_some())
}

/// Every run of letters, digits and `_`, single ones included: `5.1.0` and `6.1.0` are not the same.
pub fn all_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

impl Corpus {
    /// Counts the words of `texts`.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        let mut counted: Vec<Vec<u32>> = Vec::new();
        for text in texts {
            let text = text.to_lowercase();
            let in_text = words(&text).map(|word| match numbers.get(word) {
                Some(number) => *number,
                None => {
                    let number = u32::try_from(numbers.len()).expect("no text in memory has 2^32 distinct words");
                    numbers.insert(word.to_owned(), number);
                    number
                }
            });
            counted.push(in_text.collect());
        }
        // Columns in alphabetical order, so that sums run as scikit-learn's do.
        let mut columns = vec![0; numbers.len()];
        for (column, number) in numbers.values().enumerate() {
            columns[*number as usize] = column as u32;
        }
        let texts = counted.into_iter().map(|numbers| counts(numbers, &columns)).collect();
        Self { words: numbers.into_keys().collect(), texts }
    }

    /// Learns how rare each word is from the texts at `positions`: idf = ln((1 + n) / (1 + df)) + 1, scikit-learn's
    /// smoothed form of Spärck Jones (Journal of Documentation 28, 1972).
    pub fn weights(&self, positions: &[usize]) -> Weights {
        let mut holding = vec![0u32; self.words.len()];
        for (column, _) in positions.iter().flat_map(|&position| &self.texts[position]) {
            holding[*column as usize] += 1;
        }
        let n = positions.len() as f64;
        // Few counts occur, and many words share them.
        let mut known: BTreeMap<u32, f64> = BTreeMap::from([(0, 0.0)]);
        let mut idf_of = |df: u32| *known.entry(df).or_insert_with(|| ln((1.0 + n) / (1.0 + f64::from(df))) + 1.0);
        Weights { idf: holding.into_iter().map(&mut idf_of).collect() }
    }

    /// The texts at `positions` under `weights`: (1 + ln count)·idf, each row of length 1. Words that no training text
    /// holds are left out.
    pub fn rows(&self, positions: &[usize], weights: &Weights) -> SparseRows {
        let mut rows = SparseRows::default();
        for &position in positions {
            let start = rows.entries.len();
            for &(column, count) in &self.texts[position] {
                let idf = weights.idf[column as usize];
                if idf > 0.0 {
                    let frequency = if count == 1 { 1.0 } else { 1.0 + ln(f64::from(count)) };
                    rows.entries.push((column, frequency * idf));
                }
            }
            let row = &mut rows.entries[start..];
            let length = row.iter().fold(0.0, |sum, (_, value)| sum + value * value).sqrt();
            row.iter_mut().for_each(|(_, value)| *value /= length);
            rows.ends.push(rows.entries.len());
        }
        rows
    }
}

fn counts(numbers: Vec<u32>, columns: &[u32]) -> Vec<(u32, u32)> {
    let mut sorted: Vec<u32> = numbers.into_iter().map(|number| columns[number as usize]).collect();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect()
}

impl SparseRows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// (column, value) of one row, ascending.
    pub fn row(&self, index: usize) -> &[(u32, f64)] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.entries[start..self.ends[index]]
    }

    /// Every row in order.
    pub fn rows(&self) -> impl Iterator<Item = &[(u32, f64)]> {
        (0..self.len()).map(|index| self.row(index))
    }
}

#[cfg(test)]
mod tests {
    use super::{Corpus, words};

    #[test]
    fn words_are_runs_of_two_or_more_letters_digits_and_underscores() {
        let text = "a crash, b-tree x_1 ünï 42 é 日本 don't";
        assert_eq!(words(text).collect::<Vec<_>>(), ["crash", "tree", "x_1", "ünï", "42", "日本", "don"]);
    }

    #[test]
    fn a_word_that_no_training_text_holds_weighs_nothing() {
        let corpus = Corpus::new(["red fox", "red dog", "blue whale red"]);
        let weights = corpus.weights(&[0, 1]);
        let rows = corpus.rows(&[2], &weights);
        let red = corpus.words.iter().position(|word| word == "red").expect("it is a word");
        assert_eq!(rows.row(0), [(red as u32, 1.0)]);
    }

    #[test]
    fn a_text_without_words_is_an_empty_row() {
        let corpus = Corpus::new(["", "- ! a"]);
        let rows = corpus.rows(&[0, 1], &corpus.weights(&[0, 1]));
        assert_eq!((rows.len(), rows.row(0).len(), rows.row(1).len()), (2, 0, 0));
    }
}
