//! Look-alike letters: what an eye takes for the same word and a tokenizer does not.

use crate::sample::PythonRandom;

/// (Latin letter, look-alike), each pair with one skeleton in Unicode Technical Standard #39 (confusables.txt); the tests
/// check every pair against an independent implementation of it. Cyrillic but for ν, Ν and Ζ, which are Greek.
const LOOK_ALIKES: [(char, char); 34] = [
    ('a', '\u{430}'),
    ('c', '\u{441}'),
    ('d', '\u{501}'),
    ('e', '\u{435}'),
    ('h', '\u{4bb}'),
    ('i', '\u{456}'),
    ('j', '\u{458}'),
    ('o', '\u{43e}'),
    ('p', '\u{440}'),
    ('q', '\u{51b}'),
    ('s', '\u{455}'),
    ('v', '\u{3bd}'),
    ('w', '\u{51d}'),
    ('x', '\u{445}'),
    ('y', '\u{443}'),
    ('A', '\u{410}'),
    ('B', '\u{412}'),
    ('C', '\u{421}'),
    ('E', '\u{415}'),
    ('G', '\u{50c}'),
    ('H', '\u{41d}'),
    ('I', '\u{406}'),
    ('J', '\u{408}'),
    ('K', '\u{41a}'),
    ('M', '\u{41c}'),
    ('N', '\u{39d}'),
    ('O', '\u{41e}'),
    ('P', '\u{420}'),
    ('S', '\u{405}'),
    ('T', '\u{422}'),
    ('W', '\u{51c}'),
    ('X', '\u{425}'),
    ('Y', '\u{4ae}'),
    ('Z', '\u{396}'),
];

fn look_alike(c: char) -> Option<char> {
    LOOK_ALIKES.iter().find(|(latin, _)| *latin == c).map(|(_, other)| *other)
}

/// Replaces a tenth of the letters that have a look-alike, one at least, at seeded places.
pub(super) fn confusables(seed: u64, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let candidates: Vec<(usize, char)> =
        chars.iter().enumerate().filter_map(|(at, &c)| Some((at, look_alike(c)?))).collect();
    if candidates.is_empty() {
        return text.to_owned();
    }
    for picked in PythonRandom::new(seed).sample(candidates.len(), (candidates.len() / 10).max(1)) {
        let (at, other) = candidates[picked];
        chars[at] = other;
    }
    chars.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_security::skeleton;

    fn looks(text: &str) -> String {
        skeleton(text).collect()
    }

    #[test]
    fn every_pair_is_one_letter_to_the_eye_and_two_to_the_computer() {
        for (latin, other) in LOOK_ALIKES {
            assert!(latin.is_ascii_alphabetic() && !other.is_ascii());
            assert_eq!(looks(&latin.to_string()), looks(&other.to_string()), "{latin} and U+{:04X}", u32::from(other));
            assert_eq!(latin.is_uppercase(), other.is_uppercase());
        }
    }

    proptest! {
        #[test]
        fn a_tenth_of_the_letters_changes_and_nothing_that_can_be_seen(text in "(?s).{0,80}|[a-zA-Z \\n]{0,200}", seed: u64) {
            let changed = confusables(seed, &text);
            prop_assert_eq!(looks(&changed), looks(&text));
            let candidates = text.chars().filter(|&c| look_alike(c).is_some()).count();
            let different = text.chars().zip(changed.chars()).filter(|(a, b)| a != b).count();
            prop_assert_eq!(changed.chars().count(), text.chars().count());
            prop_assert_eq!(different, if candidates == 0 { 0 } else { (candidates / 10).max(1) });
        }
    }
}
