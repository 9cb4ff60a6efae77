//! Names of chips and cards, as drivers say them, brought to one form.

use serde::{Deserialize, Serialize};

/// Words that makers put around a card's name.
const NOISE: &[&str] = &[
    "nvidia",
    "geforce",
    "amd",
    "radeon",
    "ati",
    "intel",
    "r",
    "tm",
    "graphics",
    "gpu",
    "workstation",
    "server",
    "edition",
    "series",
];

/// Other spellings, in normal form, of names in the table of speeds.
const ALIASES: &[(&str, &str)] = &[
    ("h100 80gb hbm3", "h100 sxm"),
    ("h100 sxm5 80gb", "h100 sxm"),
    ("a100 sxm4 80gb", "a100 80 gb"),
    ("a100 sxm 80gb", "a100 80 gb"),
    ("a100 80gb", "a100 80 gb"),
    ("gb10", "dgx spark"),
    ("8060s", "strix halo"),
];

/// Lower case, without makers' words and signs: `NVIDIA GeForce RTX 4090` is `rtx 4090`, and
/// `NVIDIA GeForce RTX 4090 Laptop GPU` is another card, `rtx 4090 laptop`.
pub(super) fn normalised(name: &str) -> String {
    let spaced: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    let words: Vec<&str> = spaced.split_whitespace().filter(|word| !NOISE.contains(word)).collect();
    let plain = words.join(" ");
    ALIASES.iter().find(|(alias, _)| *alias == plain).map_or(plain, |(_, name)| (*name).to_owned())
}

/// Cards that behave alike as far as measurements tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    Nvidia,
    /// Memory stacked beside the processor (HBM): for many requests at once; one request reaches less of it.
    NvidiaStacked,
    /// Before Volta, without the integer dot products and matrix units that engines count on.
    NvidiaOld,
    Amd,
    AmdStacked,
    Intel,
}

const NVIDIA: &[&str] = &["nvidia", "geforce", "rtx", "gtx", "tesla", "quadro", "dgx"];
const NVIDIA_STACKED: &[&str] = &[
    "v100", "gv100", "a30", "a100", "a800", "h20", "h100", "h200", "h800", "gh200", "b100", "b200", "b300", "gb200",
    "gb300",
];
const NVIDIA_OLD: &[&str] = &[
    "950", "960", "970", "980", "1030", "1050", "1060", "1070", "1080", "m40", "m60", "p4", "p40", "p100", "p400",
    "p600", "p1000", "p2000", "p4000", "p5000", "p6000", "k40", "k80",
];
const AMD: &[&str] = &["amd", "radeon", "rx", "strix"];
const AMD_STACKED: &[&str] = &[
    "instinct", "vii", "mi50", "mi60", "mi100", "mi210", "mi250", "mi250x", "mi300a", "mi300x", "mi308x", "mi325x",
    "mi350x", "mi355x",
];
const INTEL: &[&str] = &["intel", "arc"];

/// The family of a card by its name. `None` for a name without a known word.
pub(super) fn family(name: &str) -> Option<Family> {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let any = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let old = words.iter().any(|word| NVIDIA_OLD.contains(word)) && !any(&["rtx"]) && !any(AMD);
    match () {
        () if any(AMD_STACKED) => Some(Family::AmdStacked),
        () if any(AMD) => Some(Family::Amd),
        () if any(INTEL) => Some(Family::Intel),
        () if any(NVIDIA_STACKED) => Some(Family::NvidiaStacked),
        () if old => Some(Family::NvidiaOld),
        () if any(NVIDIA) => Some(Family::Nvidia),
        () => None,
    }
}

/// The M number of an Apple chip by its brand: 4 for `Apple M4 Pro`. The chips of phones that Macs also have are
/// counted with the M chip of the same GPU family: 4 for `Apple A18 Pro`. `None` for anything else.
pub fn apple_generation(brand: &str) -> Option<u32> {
    let words = brand.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.filter(|word| word.is_ascii()).find_map(|word| {
        let (family, digits) = word.split_at(1);
        let number: u32 = digits.parse().ok().filter(|number| *number > 0)?;
        match family {
            "M" => Some(number),
            // A14 and M1, A15 and M2 belong together; M2 stayed when A16 came, and from A17 on it goes in step.
            "A" if number >= 17 => Some(number - 14),
            "A" if number >= 14 => Some((number - 13).min(2)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_and_tables_agree_on_a_card() {
        for (driver, table) in [
            ("NVIDIA GeForce RTX 4090", "RTX 4090"),
            ("NVIDIA GeForce RTX 5070 Ti", "RTX 5070 Ti"),
            ("NVIDIA H100 80GB HBM3", "H100 SXM"),
            ("NVIDIA A100-SXM4-80GB", "A100 80 GB"),
            ("NVIDIA GB10", "DGX Spark"),
            ("AMD Radeon RX 7900 XTX", "RX 7900 XTX"),
            ("AMD Radeon 8060S Graphics", "Strix Halo"),
            ("Intel(R) Arc(TM) A770 Graphics", "Arc A770"),
            ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "RTX PRO 6000 Blackwell"),
            ("AMD Radeon AI PRO R9700", "Radeon AI PRO R9700"),
        ] {
            assert_eq!(normalised(driver), normalised(table), "{driver}");
        }
    }

    #[test]
    fn a_laptop_card_is_not_its_desktop_namesake() {
        assert_ne!(normalised("NVIDIA GeForce RTX 4090 Laptop GPU"), normalised("RTX 4090"));
        assert_ne!(normalised("NVIDIA GeForce RTX 5070"), normalised("RTX 5070 Ti"));
        assert_ne!(normalised("NVIDIA L40"), normalised("NVIDIA L4"));
    }

    #[test]
    fn families_are_told_by_words_of_the_name() {
        for (name, of) in [
            ("NVIDIA H200", Some(Family::NvidiaStacked)),
            ("NVIDIA A100-SXM4-80GB", Some(Family::NvidiaStacked)),
            ("H100 SXM", Some(Family::NvidiaStacked)),
            ("NVIDIA RTX A6000", Some(Family::Nvidia)),
            ("DGX Spark", Some(Family::Nvidia)),
            ("NVIDIA GeForce GTX 1660 Ti", Some(Family::Nvidia)),
            ("NVIDIA GeForce GTX 1050 Ti", Some(Family::NvidiaOld)),
            ("Tesla P40", Some(Family::NvidiaOld)),
            ("AMD Radeon RX 7900 XT", Some(Family::Amd)),
            ("AMD Instinct MI300X", Some(Family::AmdStacked)),
            ("Intel(R) Arc(TM) B580 Graphics", Some(Family::Intel)),
            ("llvmpipe", None),
        ] {
            assert_eq!(family(name), of, "{name}");
        }
    }

    #[test]
    fn a_chip_nobody_listed_still_has_a_generation() {
        for (brand, generation) in [
            ("Apple M1", Some(1)),
            ("Apple M3 Max", Some(3)),
            ("Apple M4 Max (Virtual)", Some(4)),
            ("Apple M12 Ultra", Some(12)),
            ("Apple A18 Pro", Some(4)),
            ("Apple A14", Some(1)),
            ("Apple A16", Some(2)),
            ("Apple A19 Pro", Some(5)),
            ("VirtualApple", None),
            ("AMD EPYC 9575F", None),
            ("Intel(R) Core(TM) i7-8700B", None),
            ("", None),
        ] {
            assert_eq!(apple_generation(brand), generation, "{brand}");
        }
    }
}
