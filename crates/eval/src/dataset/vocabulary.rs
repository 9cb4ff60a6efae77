//! What other trackers call the four priorities.

/// The four labels, most severe first.
pub const PRIORITIES: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

/// Words for each label, in lower case. Jira (old and new schemes), Redmine, Bugzilla, Azure DevOps, GitHub habits, and
/// what Jira writes in German, Spanish and French.
#[rustfmt::skip]
pub const PRIORITY_WORDS: [(&str, &[&str]); 4] = [
    ("Critical", &[
        "critical", "blocker", "highest", "urgent", "immediate", "showstopper", "emergency", "very high", "crash",
        "kritisch", "höchste", "sehr hoch", "crítica", "crítico", "más alta", "muy alta", "urgente", "critique", "la plus haute",
    ]),
    ("Major", &["major", "high", "important", "serious", "hoch", "schwer", "alta", "alto", "mayor", "haute", "élevée", "majeure"]),
    ("Minor", &["minor", "medium", "normal", "moderate", "average", "default", "mittel", "media", "medio", "moyenne", "mineure"]),
    ("Trivial", &[
        "trivial", "low", "lowest", "very low", "cosmetic", "nice to have", "someday",
        "niedrig", "niedrigste", "gering", "baja", "bajo", "más baja", "muy baja", "basse", "faible", "la plus basse",
    ]),
];

/// Numbered scales, in lower case. `P0` is the top of the P scale, `S1` of the S scale.
pub const PRIORITY_LEVELS: [(&str, &[&str]); 4] = [
    ("Critical", &["p0", "s0", "s1", "sev0", "sev1"]),
    ("Major", &["p1", "s2", "sev2"]),
    ("Minor", &["p2", "s3", "sev3"]),
    ("Trivial", &["p3", "p4", "p5", "s4", "s5", "sev4", "sev5"]),
];

/// Values that mean "nobody has set one".
const UNSET: [&str; 14] = [
    "",
    "-",
    "--",
    "---",
    "?",
    "none",
    "null",
    "nan",
    "n/a",
    "not set",
    "undefined",
    "unprioritized",
    "unknown",
    "needs triage",
];

/// The label that a tracker's priority value means: `Highest`, `2 - High`, `P1`, `priority: low`, `MAJOR`.
pub fn priority_of(value: &str) -> Option<&'static str> {
    let value = plain(value);
    let words = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    by_word(&value).or_else(|| by_word(words)).or_else(|| without_prefix(&value).and_then(by_word))
}

/// Words that a tracker label means as a priority even without a prefix such as `priority:`. The other words of
/// [`PRIORITY_WORDS`] have other meanings too (`crash`, `media`, `default`), and so has `s3`.
const BARE_LABELS: [&str; 12] = [
    "critical",
    "blocker",
    "showstopper",
    "highest",
    "urgent",
    "major",
    "high",
    "minor",
    "medium",
    "trivial",
    "low",
    "lowest",
];

/// The label that an issue's tracker label means, if it speaks of priority at all: `priority: high`, `P0`,
/// `severity/critical`, `critical`.
pub fn priority_of_label(label: &str) -> Option<&'static str> {
    let value = plain(label);
    let level = value.starts_with('p') || value.starts_with("sev");
    match without_prefix(&value).and_then(by_word) {
        Some(word) => Some(word),
        None if level || BARE_LABELS.contains(&value.as_str()) => by_word(&value),
        None => None,
    }
}

/// Whether `value` says that no priority is set.
pub(super) fn is_unset(value: &str) -> bool {
    UNSET.contains(&value.trim().to_lowercase().as_str())
}

fn by_word(value: &str) -> Option<&'static str> {
    PRIORITY_WORDS.into_iter().chain(PRIORITY_LEVELS).find(|(_, words)| words.contains(&value)).map(|(label, _)| label)
}

/// Lower case, separators and emoji as single blanks.
fn plain(value: &str) -> String {
    let spaced: String = value.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn without_prefix(value: &str) -> Option<&str> {
    ["priority", "prio", "severity", "sev", "importance", "impact", "p", "s"]
        .into_iter()
        .find_map(|prefix| value.strip_prefix(prefix)?.strip_prefix(' '))
        .or_else(|| value.strip_suffix(" priority"))
        .or_else(|| value.strip_suffix(" severity"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_word_means_two_labels() {
        let mut seen = BTreeSet::new();
        for word in PRIORITY_WORDS.into_iter().chain(PRIORITY_LEVELS).flat_map(|(_, words)| words) {
            assert!(seen.insert(word), "{word}");
            assert_eq!(plain(word), *word, "words are written as they are compared");
        }
    }

    #[test]
    fn common_trackers_priorities_find_their_label() {
        for (value, label) in [
            ("Blocker", "Critical"),
            ("Highest", "Critical"),
            ("CRITICAL", "Critical"),
            ("High", "Major"),
            ("major", "Major"),
            ("2 - High", "Major"),
            ("Medium", "Minor"),
            ("Normal", "Minor"),
            ("Low", "Trivial"),
            ("Lowest", "Trivial"),
            ("P0", "Critical"),
            ("p3", "Trivial"),
            ("Priority: Low", "Trivial"),
            ("Höchste", "Critical"),
            ("MÁS BAJA", "Trivial"),
            ("Élevée", "Major"),
        ] {
            assert_eq!(priority_of(value), Some(label), "{value}");
        }
        assert_eq!(priority_of("Enhancement"), None);
        assert!(is_unset(" None "));
    }

    #[test]
    fn only_labels_that_speak_of_priority_give_one() {
        for (label, priority) in [
            ("priority: high", Some("Major")),
            ("priority/critical", Some("Critical")),
            ("🔥 P0", Some("Critical")),
            ("prio:low", Some("Trivial")),
            ("Severity-Medium", Some("Minor")),
            ("high priority", Some("Major")),
            ("critical", Some("Critical")),
            ("bug", None),
            ("good first issue", None),
            ("crash", None),
            ("impact: crash", Some("Critical")),
            ("low-code", None),
            ("default", None),
            ("media", None),
            ("s3", None),
            ("severity: S1", Some("Critical")),
        ] {
            assert_eq!(priority_of_label(label), priority, "{label}");
        }
    }
}
