//! Other white space between the same words.

use super::upstream::python_space;
use crate::sample::PythonRandom;

/// Every word of `text` in its order, with the white space between changed at seeded places: inside a line one gap in
/// four becomes a tab and one in four is doubled; at a line end one in four gets two trailing spaces and one in four a
/// blank line. Two trailing spaces end every text that has words; one without stays as it is.
pub(super) fn whitespace(seed: u64, text: &str) -> String {
    let words = text.trim_matches(python_space);
    if words.is_empty() {
        return text.to_owned();
    }
    let mut random = PythonRandom::new(seed);
    let start = text.len() - text.trim_start_matches(python_space).len();
    let mut changed = text[..start].to_owned();
    let mut rest = words;
    while let Some(gap_start) = rest.find(python_space) {
        let (word, tail) = rest.split_at(gap_start);
        let next = tail.trim_start_matches(python_space);
        changed.push_str(word);
        changed.push_str(&other_gap(&tail[..tail.len() - next.len()], random.randbelow(4)));
        rest = next;
    }
    changed + rest + "  " + &text[start + words.len()..]
}

fn other_gap(gap: &str, draw: usize) -> String {
    match (gap.split_once('\n'), draw) {
        (None, 0) => "\t".to_owned(),
        (None, 1) => format!("{gap}{gap}"),
        (Some(_), 0) => format!("  {gap}"),
        (Some((before, after)), 1) => format!("{before}\n\n{after}"),
        _ => gap.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<&str> {
        text.split(python_space).filter(|word| !word.is_empty()).collect()
    }

    #[test]
    fn a_title_and_a_paragraph_get_every_kind_of_change_under_some_seed() {
        let text = "one two three\nfour five\nsix";
        let all: String = (0..64).map(|seed| whitespace(seed, text) + "|").collect();
        for kind in ["one\ttwo", "one  two", "three  \nfour", "three\n\nfour", "one two", "six  |"] {
            assert!(all.contains(kind), "{kind:?}");
        }
    }

    proptest! {
        #[test]
        fn every_word_stays_and_no_line_disappears(text in "(?s).{0,60}|[a-c \\t\\n\u{a0}\u{1c}]{0,60}", seed: u64) {
            let changed = whitespace(seed, &text);
            prop_assert_eq!(words(&changed), words(&text));
            prop_assert!(changed.lines().count() >= text.lines().count());
            prop_assert_eq!(changed == text, words(&text).is_empty(), "a text with words is always changed");
        }
    }
}
