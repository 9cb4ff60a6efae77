//! Whether something is said or denied: "not critical", "less than Major", "neither Minor nor Trivial".

/// Words looked at before a mention.
const REACH: usize = 5;

/// Whether the words before byte `at` of `text`, in the same clause, deny what comes there.
pub(super) fn is_negated(text: &str, at: usize) -> bool {
    let clause_start = text[..at]
        .rfind(|c: char| ".;:!?\n,()".contains(c))
        .map_or(0, |end| end + text[end..].chars().next().map_or(1, char::len_utf8));
    let clause = text[clause_start..at].to_lowercase().replace('’', "'");
    let mut words: Vec<&str> = clause
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    if let Some(turn) = words.iter().rposition(|word| matches!(*word, "but" | "however" | "yet" | "although")) {
        words.drain(..=turn);
    }
    let near = words.len().saturating_sub(REACH);
    words[near..].iter().enumerate().any(|(position, word)| {
        let next = words.get(near + position + 1).copied();
        match *word {
            // "not only Critical", "no doubt Critical", "no less than Critical" affirm.
            "not" => !matches!(next, Some("only" | "just" | "merely" | "simply")),
            "no" => !matches!(next, Some("doubt" | "question" | "less")),
            "never" | "neither" | "nor" | "cannot" | "without" | "hardly" | "barely" | "non" => true,
            "than" | "below" | "above" | "beyond" => true,
            "instead" => next == Some("of"),
            word => word.ends_with("n't"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_negated;

    #[test]
    fn denials_reach_their_clause_and_no_further() {
        for (text, denied) in [
            ("It is not @", true),
            ("This isn't really a @", true),
            ("neither Major nor @", true),
            ("rather than @", true),
            ("not only @", false),
            ("not Major but @", false),
            ("It is not Major, it is @", false),
            ("It does not work. @", false),
            ("no doubt it is @", false),
            ("@", false),
            ("é’ @", false),
        ] {
            assert_eq!(is_negated(text, text.find('@').unwrap()), denied, "{text}");
        }
    }
}
