//! The eight perturbations of upstream, byte for byte.

use crate::sample::PythonRandom;
use crate::spec::nearest::nearest;
use puma_core::canon::sha256_hex;
use thiserror::Error;

/// Names of the perturbations, as specs spell them.
pub const PERTURBATIONS: [&str; 8] = [
    "typos_5pct",
    "case_upper",
    "case_lower",
    "truncate_50pct",
    "tech_noise",
    "gender_swap_prefix_male",
    "gender_swap_prefix_female",
    "register_shift_informal",
];

/// No perturbation has this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no perturbation `{name}`; {}known: {}", suggestion(.nearest), PERTURBATIONS.join(", "))]
pub struct UnknownPerturbation {
    pub name: String,
    pub nearest: Option<&'static str>,
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!("did you mean `{name}`? "))
}

/// `text` under the perturbation `name`. Equal inputs give equal outputs on every machine.
///
/// Errors: [`UnknownPerturbation`], where upstream silently leaves the text as it is.
pub fn apply(name: &str, seed: u64, text: &str) -> Result<String, UnknownPerturbation> {
    match name {
        "typos_5pct" => Ok(typos(seed, text)),
        "case_upper" => Ok(text.to_uppercase()),
        "case_lower" => Ok(text.to_lowercase()),
        "truncate_50pct" => Ok(first_half(text)),
        "tech_noise" => Ok(tech_noise(seed, text)),
        "gender_swap_prefix_male" => Ok(reported_by(&MALE_NAMES, seed, text)),
        "gender_swap_prefix_female" => Ok(reported_by(&FEMALE_NAMES, seed, text)),
        "register_shift_informal" => Ok(informal(text)),
        _ => Err(UnknownPerturbation { name: name.to_owned(), nearest: nearest(name, PERTURBATIONS) }),
    }
}

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
fn typos(seed: u64, text: &str) -> String {
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

fn first_half(text: &str) -> String {
    let kept = (text.chars().count() / 2).max(1);
    text.chars().take(kept).collect()
}

/// Three developer words between the words of `text`; runs of white space become single spaces.
fn tech_noise(seed: u64, text: &str) -> String {
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
fn python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

const MALE_NAMES: [&str; 5] = ["John", "Michael", "David", "James", "Robert"];
const FEMALE_NAMES: [&str; 5] = ["Mary", "Patricia", "Jennifer", "Linda", "Elizabeth"];

/// Puts a reporter in front; the first name follows from the first four bytes of SHA-256(`"<seed>:<text>"`).
fn reported_by(names: &[&str; 5], seed: u64, text: &str) -> String {
    let digest = sha256_hex(format!("{seed}:{text}").as_bytes());
    let head = u32::from_str_radix(&digest[..8], 16).expect("a SHA-256 in hex begins with eight hex digits");
    format!("{} Smith reported: {text}", names[head as usize % names.len()])
}

/// Literal, case-sensitive replacements in this order; they also hit inside words ("immediately" → "ASAPly"), as
/// upstream's do.
fn informal(text: &str) -> String {
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
    fn an_unknown_name_is_an_error_that_suggests_the_right_one() {
        let error = apply("typos_5_pct", 42, "x").unwrap_err();
        assert_eq!(error.nearest, Some("typos_5pct"));
        assert!(error.to_string().contains("did you mean `typos_5pct`?"));
    }

    #[test]
    fn empty_text_survives_every_perturbation() {
        for name in PERTURBATIONS {
            let changed = apply(name, 42, "").unwrap();
            assert_eq!(changed, apply(name, 42, "").unwrap(), "{name}");
        }
        assert_eq!(apply("truncate_50pct", 42, "").unwrap(), "");
        assert_eq!(apply("truncate_50pct", 42, "é").unwrap(), "é");
    }

    proptest! {
        #[test]
        fn typos_keep_the_length_and_change_at_most_one_in_twenty(text in "[ -~äß]{0,200}", seed: u64) {
            let changed = apply("typos_5pct", seed, &text).unwrap();
            let candidates = text.chars().filter(|&c| look_alike(c).is_some()).count();
            let different = text.chars().zip(changed.chars()).filter(|(a, b)| a != b).count();
            prop_assert_eq!(text.chars().count(), changed.chars().count());
            prop_assert_eq!(different, if candidates == 0 { 0 } else { (candidates / 20).max(1) });
        }

        #[test]
        fn noise_keeps_every_word_and_adds_three(text in "[a-z \n\t]{0,100}", seed: u64) {
            let changed = apply("tech_noise", seed, &text).unwrap();
            prop_assert_eq!(changed.split_whitespace().count(), text.split_whitespace().count() + 3);
        }
    }
}
