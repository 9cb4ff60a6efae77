//! What the name of a chip says.

/// A chip of Apple's, by its brand string (`machdep.cpu.brand_string`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// `Apple M4 Pro`, as the system spells it, without `(Virtual)`.
    pub brand: String,
    /// `M` or `A`, or whatever letters stand before the number; `None` when the name is of another pattern.
    pub family: Option<String>,
    pub generation: Option<u32>,
    /// `Pro`, `Max`, `Ultra`, or a word not seen before; `None` for the base chip.
    pub variant: Option<String>,
    /// The name says that the processor is a virtual machine's.
    pub is_virtual: bool,
}

/// Names longer than this are not names.
const LONGEST_BRAND: usize = 80;

impl Chip {
    /// Takes a brand string apart; `None` when it is not Apple's (an Intel Mac, nonsense).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > LONGEST_BRAND || text.chars().any(char::is_control) {
            return None;
        }
        // What the processor calls itself to a program translated by Rosetta; the chip below is not told.
        if text.starts_with("VirtualApple") {
            return Some(Self::unnamed(text, false));
        }
        let lower = text.to_lowercase();
        let (name, is_virtual) = match lower.find("(virtual)") {
            Some(place) => (text.get(..place).unwrap_or_default().trim_end(), true),
            None => (text, false),
        };
        let words: Vec<&str> = name.split_whitespace().collect();
        let (first, rest) = words.split_first()?;
        if !first.eq_ignore_ascii_case("apple") {
            return None;
        }
        let Some((family, generation)) = rest.first().copied().and_then(family_and_generation) else {
            return Some(Self::unnamed(name, is_virtual));
        };
        let variant = rest.get(1..).filter(|words| !words.is_empty()).map(|words| words.join(" "));
        Some(Self {
            brand: words.join(" "),
            family: Some(family),
            generation: Some(generation),
            variant: variant.map(|variant| capitalised_if_known(&variant)),
            is_virtual,
        })
    }

    /// A chip of Apple's of which nothing else is known.
    pub fn unknown() -> Self {
        Self::unnamed("Apple processor", false)
    }

    fn unnamed(brand: &str, is_virtual: bool) -> Self {
        Self { brand: brand.to_owned(), family: None, generation: None, variant: None, is_virtual }
    }
}

/// `M` and 4 of `M4`.
fn family_and_generation(word: &str) -> Option<(String, u32)> {
    let digits = word.find(|letter: char| letter.is_ascii_digit())?;
    let (letters, number) = word.split_at(digits);
    let plausible = (1..=2).contains(&letters.len()) && letters.chars().all(|letter| letter.is_ascii_alphabetic());
    let generation = number.parse().ok().filter(|generation| (1..100).contains(generation))?;
    plausible.then(|| (letters.to_ascii_uppercase(), generation))
}

fn capitalised_if_known(variant: &str) -> String {
    let known = ["Pro", "Max", "Ultra"].into_iter().find(|known| known.eq_ignore_ascii_case(variant));
    known.unwrap_or(variant).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> (Option<String>, Option<u32>, Option<String>, bool) {
        let chip = Chip::parse(text).expect("a chip of Apple's");
        (chip.family, chip.generation, chip.variant, chip.is_virtual)
    }

    #[test]
    fn a_brand_is_taken_apart_by_its_pattern_not_by_a_list() {
        let named = |family: &str, generation, variant: Option<&str>, is_virtual| {
            (Some(family.to_owned()), Some(generation), variant.map(str::to_owned), is_virtual)
        };
        assert_eq!(parts("Apple M1"), named("M", 1, None, false));
        assert_eq!(parts("Apple M3 Max\n"), named("M", 3, Some("Max"), false));
        assert_eq!(parts("Apple M4 Max (Virtual)"), named("M", 4, Some("Max"), true));
        assert_eq!(parts("Apple A18 Pro"), named("A", 18, Some("Pro"), false));
        assert_eq!(parts("Apple M9 Hyper"), named("M", 9, Some("Hyper"), false));
        assert_eq!(parts("Apple M10 Max Plus"), named("M", 10, Some("Max Plus"), false));
        assert_eq!(parts("apple m4 pro"), named("M", 4, Some("Pro"), false));
        assert_eq!(Chip::parse("Apple M4 Max (Virtual)").map(|chip| chip.brand).as_deref(), Some("Apple M4 Max"));
    }

    #[test]
    fn a_chip_without_a_number_is_still_apples() {
        for text in ["Apple processor", "Apple", "VirtualApple @ 2.50GHz processor", "Apple M", "Apple M4x", "Apple M0"]
        {
            assert_eq!(parts(text), (None, None, None, false), "{text}");
        }
        assert_eq!(parts("Apple processor (Virtual)"), (None, None, None, true));
    }

    #[test]
    fn another_maker_is_none_of_these() {
        for text in ["Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz", "", "Pineapple M4", "M4", "Apple \u{0} M4"] {
            assert_eq!(Chip::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(?s).{0,100}") {
            if let Some(chip) = Chip::parse(&text) {
                prop_assert_eq!(chip.family.is_some(), chip.generation.is_some());
                prop_assert!(chip.variant.is_none() || chip.family.is_some());
            }
        }

        #[test]
        fn every_name_of_the_pattern_is_read_back(generation in 1_u32..100, variant in "(Pro|Max|Ultra|Hyper)?") {
            let chip = Chip::parse(&format!("Apple M{generation} {variant}")).expect("a chip");
            prop_assert_eq!(chip.generation, Some(generation));
            prop_assert_eq!(chip.variant.unwrap_or_default(), variant);
        }
    }
}
