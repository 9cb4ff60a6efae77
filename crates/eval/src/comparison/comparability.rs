//! Whether a comparison means something, and what it is a comparison of.

use super::difference::{Bearing, Difference, Differences, Subject};
use super::pairing::Pairing;
use super::side::Side;
use super::{facts, setup};
use serde::Serialize;

/// What kind of comparison it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing that could explain other scores differs.
    SameExperiment,
    /// One thing differs: that is what is compared.
    OneDifference,
    /// Several things differ at once: scores can be compared, causes cannot be told apart.
    Confounded,
    Incomparable,
}

/// Whether two sides can be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparability {
    pub verdict: Verdict,
    /// What differs that could explain other scores.
    pub compared: Vec<Subject>,
    /// The verdict in a sentence.
    pub sentence: String,
    /// Everything that differs, what weighs most first.
    pub differences: Vec<Difference>,
    /// Why speed and energy must not be compared; empty when they may.
    pub speed_void: Vec<String>,
}

impl Comparability {
    /// Judges two sides.
    pub fn judge(first: &Side<'_>, second: &Side<'_>, pairing: &Pairing<'_>) -> Self {
        let sides = [first, second];
        let mut found = Differences::default();
        facts::completeness(&mut found, sides);
        facts::data(&mut found, sides, pairing);
        facts::questions(&mut found, sides, pairing);
        setup::models(&mut found, sides);
        setup::engines(&mut found, sides);
        setup::options(&mut found, sides);
        let mut differences = found.0;
        differences.sort_by_key(|difference| difference.bearing);
        let mut compared: Vec<Subject> = differences
            .iter()
            .filter(|difference| difference.bearing == Bearing::Compared)
            .filter_map(|difference| difference.subject)
            .collect();
        compared.sort_unstable();
        compared.dedup();
        let blocked = differences.iter().any(|difference| difference.bearing == Bearing::Incomparable);
        let verdict = match (blocked, compared.len()) {
            (true, _) => Verdict::Incomparable,
            (false, 0) => Verdict::SameExperiment,
            (false, 1) => Verdict::OneDifference,
            (false, _) => Verdict::Confounded,
        };
        let sentence = sentence(verdict, &compared, &differences, pairing, sides);
        Self { verdict, compared, sentence, differences, speed_void: facts::disturbances(sides) }
    }

    /// Whether the scores measure the same thing.
    pub fn is_comparable(&self) -> bool {
        self.verdict != Verdict::Incomparable
    }
}

fn sentence(
    verdict: Verdict,
    compared: &[Subject],
    differences: &[Difference],
    pairing: &Pairing<'_>,
    [first, second]: [&Side<'_>; 2],
) -> String {
    let counts = &pairing.counts;
    let asked = if counts.prompts_equal == counts.pairs { " with the same prompts" } else { "" };
    let ground = format!("{} instances{asked}", counts.instances);
    let words: Vec<&str> = compared.iter().map(|subject| subject.words()).collect();
    match verdict {
        Verdict::SameExperiment if first.name() == second.name() => "One and the same run.".to_owned(),
        Verdict::SameExperiment => format!("The same experiment twice, on {ground}."),
        Verdict::OneDifference => {
            format!("A comparison of {} on {ground}; nothing else that matters differs.", words[0])
        }
        Verdict::Confounded => format!(
            "A comparison of {} at once, on {ground}: a difference cannot be put down to one of them.",
            in_words(&words)
        ),
        Verdict::Incomparable => {
            let reasons: Vec<&str> = differences
                .iter()
                .filter(|difference| difference.bearing == Bearing::Incomparable)
                .map(|difference| difference.what.as_str())
                .collect();
            format!("The scores cannot be compared: {} (see below).", in_words(&reasons))
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
fn in_words(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}
