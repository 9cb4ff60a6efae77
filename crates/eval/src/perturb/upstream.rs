//! The eight perturbations of upstream, byte for byte.

use crate::sample::PythonRandom;
use puma_core::canon::sha256_hex;

/// Leet digits, although upstream's documents speak of Cyrillic homoglyphs.
fn look_alike(c: char) -> Option<char> {
    Some(match c {
        'a' | 'A' => '4',
        'e' | 'E' => '3',
        'i' | 'I' | 'l' => '1',
        'o' | 'O' => '0',
        's' | 'S' => '5',
        't' | 'T' => '7',
        'b' | 'G' => '6',
        'B' => '8',
        'g' => '9',
        'z' => '2',
        _ => return None,
    })
}

/// Replaces 5 % of the replaceable characters, one at least.
pub(super) fn typos(seed: u64, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let candidates: Vec<usize> = (0..chars.len()).filter(|&at| look_alike(chars[at]).is_some()).collect();
    if candidates.is_empty() {
        return text.to_owned();
    }
    let count = ((candidates.len() as f64 * 0.05) as usize).max(1);
    for picked in PythonRandom::new(seed).sample(candidates.len(), count) {
        let at = candidates[picked];
        if let Some(digit) = look_alike(chars[at]) {
            chars[at] = digit;
        }
    }
    chars.into_iter().collect()
}

pub(super) fn first_half(text: &str) -> String {
    let kept = (text.chars().count() / 2).max(1);
    text.chars().take(kept).collect()
}

/// Three developer words between the words of `text`; runs of white space become single spaces.
pub(super) fn tech_noise(seed: u64, text: &str) -> String {
    const NOISE: [&str; 3] = ["TODO", "FIXME", "deprecated"];
    let mut random = PythonRandom::new(seed);
    let mut words: Vec<&str> = text.split(python_space).filter(|word| !word.is_empty()).collect();
    for _ in 0..3 {
        let at = random.randint(words.len());
        words.insert(at, random.choice(&NOISE).copied().unwrap_or_default());
    }
    words.join(" ")
}

/// What Python's `str.split()` splits at: Unicode white space and the four ASCII separators.
pub(super) fn python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

pub(super) const MALE_NAMES: [&str; 5] = ["John", "Michael", "David", "James", "Robert"];
pub(super) const FEMALE_NAMES: [&str; 5] = ["Mary", "Patricia", "Jennifer", "Linda", "Elizabeth"];

/// Puts a reporter in front; the first name follows from the first four bytes of SHA-256(`"<seed>:<text>"`).
pub(super) fn reported_by(names: &[&str; 5], seed: u64, text: &str) -> String {
    let digest = sha256_hex(format!("{seed}:{text}").as_bytes());
    let head = u32::from_str_radix(&digest[..8], 16).expect("a SHA-256 in hex begins with eight hex digits");
    format!("{} Smith reported: {text}", names[head as usize % names.len()])
}

/// Literal, case-sensitive replacements in this order; they also hit inside words ("immediately" → "ASAPly"), as
/// upstream's do.
pub(super) fn informal(text: &str) -> String {
    const PAIRS: [(&str, &str); 19] = [
        ("is experiencing", "is having"),
        ("has been observed", "we saw"),
        ("exhausted", "dying"),
        ("cannot establish", "can't make"),
        ("is unable to", "can't"),
        ("has encountered", "hit"),
        ("is failing", "is broken"),
        ("investigation required", "need to check"),
        ("production server", "prod box"),
        ("intermittently", "on and off"),
        ("immediate", "ASAP"),
        ("configuration", "config"),
        ("application", "app"),
        ("database", "DB"),
        ("request", "call"),
        ("response", "reply"),
        ("endpoint", "URL"),
        ("deployment", "rollout"),
        ("currently", "right now"),
    ];
    PAIRS.iter().fold(text.to_owned(), |text, (formal, casual)| text.replace(formal, casual))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn half_of_nothing_is_nothing_and_half_of_one_character_is_that_character() {
        assert_eq!(first_half(""), "");
        assert_eq!(first_half("é"), "é");
    }

    proptest! {
        #[test]
        fn typos_keep_the_length_and_change_at_most_one_in_twenty(text in "[ -~äß]{0,200}", seed: u64) {
            let changed = typos(seed, &text);
            let candidates = text.chars().filter(|&c| look_alike(c).is_some()).count();
            let different = text.chars().zip(changed.chars()).filter(|(a, b)| a != b).count();
            prop_assert_eq!(text.chars().count(), changed.chars().count());
            prop_assert_eq!(different, if candidates == 0 { 0 } else { (candidates / 20).max(1) });
        }

        #[test]
        fn noise_keeps_every_word_and_adds_three(text in "[a-z \n\t]{0,100}", seed: u64) {
            let changed = tech_noise(seed, &text);
            prop_assert_eq!(changed.split_whitespace().count(), text.split_whitespace().count() + 3);
        }
    }
}
