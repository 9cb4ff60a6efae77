//! The methods: one paragraph a subject, each sentence once where all runs agree and by run where they differ.

use super::document::Paragraph;
use super::subject::Subject;
use super::{apparatus, scoring, setup};

/// Sentences about one subject in one run.
type Tell = fn(&Subject) -> Vec<String>;

const PARTS: [(&str, Tell); 9] = [
    ("Task and data", setup::data),
    ("Models", setup::models),
    ("Prompts", setup::prompts),
    ("Decoding", setup::decoding),
    ("Reading answers", scoring::reading),
    ("Scores and intervals", scoring::statistics),
    ("Machine", apparatus::machine),
    ("Energy", apparatus::energy),
    ("Record", apparatus::record),
];

pub(super) fn paragraphs(subjects: &[Subject]) -> Vec<Paragraph> {
    PARTS.iter().map(|(heading, tell)| Paragraph { heading, sentences: sentences(subjects, *tell) }).collect()
}

fn sentences(subjects: &[Subject], tell: Tell) -> Vec<String> {
    let told: Vec<(&str, Vec<String>)> =
        subjects.iter().map(|subject| (subject.letter.as_str(), tell(subject))).collect();
    let everywhere = |sentence: &String| told.iter().all(|(_, sentences)| sentences.contains(sentence));
    let mut out: Vec<String> =
        told.first().iter().flat_map(|(_, sentences)| sentences).filter(|one| everywhere(one)).cloned().collect();
    for (letter, sentences) in &told {
        let own: Vec<&str> = sentences.iter().filter(|one| !everywhere(one)).map(String::as_str).collect();
        if !own.is_empty() {
            out.push(format!("Run {letter}: {}", own.join(" ")));
        }
    }
    out
}
