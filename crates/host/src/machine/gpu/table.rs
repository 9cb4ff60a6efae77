//! What vendors print about their cards: `assets/hardware/gpus.csv`.
//!
//! A card is found by its exact name or its PCI id, never by part of a name: "L4" is not "L40S", and a laptop's card is
//! not the desktop card of that number.

use puma_core::{Quality, Reading};
use serde::Deserialize;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../../../../../assets/hardware/gpus.csv");
/// How readings from here name their source.
pub(super) const SOURCE: &str = "table of GPUs";

/// One line of the table. A card sold with several sizes of memory has several lines.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Card {
    /// Without the vendor.
    pub name: String,
    /// Other names that drivers use, separated by `|`.
    aliases: String,
    /// `vendor:device` or `vendor:device:revision`, separated by `|`.
    pci_ids: String,
    memory_gib: Option<f64>,
    bandwidth_gb_s: Option<f64>,
    pub board_power_w: Option<f64>,
    pub compute_target: Option<String>,
    pub memory: MemoryKind,
}

/// Whose memory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum MemoryKind {
    #[serde(rename = "own")]
    Own,
    /// A part of the machine's, set apart by the firmware.
    #[serde(rename = "cut out")]
    CutOut,
    #[serde(rename = "unified")]
    Unified,
}

static CARDS: LazyLock<Vec<Card>> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(TEXT.as_bytes());
    reader.deserialize().map(|row| row.expect("a test reads every line of the embedded table")).collect()
});

/// The lines of the card that a driver calls `name`.
pub(super) fn by_name(name: &str) -> Vec<&'static Card> {
    let wanted = normalised(name);
    CARDS
        .iter()
        .filter(|card| {
            std::iter::once(card.name.as_str()).chain(card.aliases.split('|')).any(|it| normalised(it) == wanted)
        })
        .collect()
}

/// The lines of a PCI id; those of this revision where the table tells revisions apart.
pub(super) fn by_pci_id(vendor: u32, device: u32, revision: Option<u32>) -> Vec<&'static Card> {
    let device = format!("{vendor:04x}:{device:04x}");
    let has = |card: &&Card, id: &str| card.pci_ids.split('|').any(|it| it == id);
    if let Some(revision) = revision {
        let exact = format!("{device}:{revision:02x}");
        let cards: Vec<_> = CARDS.iter().filter(|card| has(card, &exact)).collect();
        if !cards.is_empty() {
            return cards;
        }
    }
    CARDS.iter().filter(|card| has(card, &device)).collect()
}

/// The lines that agree with what is known of the card: its memory, and its fastest memory clock.
pub(super) fn matching(
    cards: Vec<&'static Card>,
    memory_bytes: Option<u64>,
    memory_clock_mhz: Option<f64>,
) -> Vec<&'static Card> {
    let fits_memory = |card: &Card| match (card.memory_gib, memory_bytes) {
        // Drivers keep some of the memory for themselves, and makers count in either kind of gigabyte.
        (Some(gib), Some(bytes)) => (0.85..=1.05).contains(&(bytes as f64 / (gib * (1u64 << 30) as f64))),
        _ => true,
    };
    let fits_clock = |card: &Card| match (card.bandwidth_gb_s, memory_clock_mhz) {
        // The bus of a card is a multiple of 32 bits wide; which speed of memory is on it follows from that.
        (Some(bandwidth), Some(clock)) => {
            let lanes = bandwidth * 8000.0 / (2.0 * clock) / 32.0;
            lanes.round() >= 1.0 && (lanes / lanes.round() - 1.0).abs() < 0.02
        }
        _ => true,
    };
    cards.into_iter().filter(|card| fits_memory(card) && fits_clock(card)).collect()
}

/// The bandwidth that all these lines agree on.
pub(super) fn bandwidth(cards: &[&Card]) -> Option<Reading<f64>> {
    agreed(cards.iter().map(|card| card.bandwidth_gb_s)).map(|value| Reading::new(value, SOURCE, Quality::Estimated))
}

/// The board power that all these lines agree on.
pub(super) fn board_power(cards: &[&Card]) -> Option<Reading<f64>> {
    agreed(cards.iter().map(|card| card.board_power_w)).map(|value| Reading::new(value, SOURCE, Quality::Estimated))
}

/// The memory that all these lines agree on, in bytes.
pub(super) fn memory_bytes(cards: &[&Card]) -> Option<Reading<u64>> {
    let gib = agreed(cards.iter().map(|card| card.memory_gib))?;
    Some(Reading::new((gib * (1u64 << 30) as f64) as u64, SOURCE, Quality::Estimated))
}

fn agreed(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values = values.collect::<Option<Vec<f64>>>()?.into_iter();
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// The name in lower case without the words that say who made it and that it is a GPU.
fn normalised(name: &str) -> String {
    let dropped = ["nvidia", "geforce", "amd", "intel", "tesla", "gpu", "graphics", "generation", "tm", "r"];
    name.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && !dropped.contains(word))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bandwidth_of(name: &str, gib: Option<u64>, clock_mhz: Option<f64>) -> Option<f64> {
        bandwidth(&matching(by_name(name), gib.map(|gib| gib << 30), clock_mhz)).map(|reading| reading.value)
    }

    #[test]
    fn every_line_can_be_found_by_its_name_and_is_plausible() {
        assert!(CARDS.len() > 90);
        for card in CARDS.iter() {
            assert!(by_name(&card.name).iter().any(|found| found.name == card.name), "{}", card.name);
            let within =
                |value: Option<f64>, range: std::ops::RangeInclusive<f64>| value.is_none_or(|it| range.contains(&it));
            assert!(within(card.bandwidth_gb_s, 60.0..=10_000.0), "{}", card.name);
            assert!(within(card.memory_gib, 4.0..=200.0), "{}", card.name);
            assert!(within(card.board_power_w, 50.0..=1200.0), "{}", card.name);
        }
    }

    #[test]
    fn no_name_or_id_stands_for_two_cards() {
        for (index, card) in CARDS.iter().enumerate() {
            for other in &CARDS[index + 1..] {
                let ids = |card: &Card| card.pci_ids.split('|').map(str::to_owned).collect::<Vec<_>>();
                let shared = ids(card).into_iter().any(|id| !id.is_empty() && ids(other).contains(&id));
                assert!(!shared || card.name == other.name, "{} and {}", card.name, other.name);
                if card.name != other.name {
                    assert!(by_name(&card.name).iter().all(|found| found.name == card.name), "{}", card.name);
                }
            }
        }
    }

    #[test]
    fn a_card_is_never_taken_for_one_whose_name_contains_its_own() {
        assert_eq!(bandwidth_of("NVIDIA L4", Some(22), None), Some(300.0));
        assert_eq!(bandwidth_of("NVIDIA L40S", Some(44), None), Some(864.0));
        assert_eq!(bandwidth_of("NVIDIA GeForce RTX 4070 Laptop GPU", Some(8), None), Some(256.0));
        assert_eq!(bandwidth_of("NVIDIA GeForce RTX 4070", Some(12), None), Some(504.0));
        assert_eq!(bandwidth_of("NVIDIA GeForce RTX 4070 Max-Q", None, None), None);
        assert_eq!(bandwidth_of("NVIDIA GeForce RTX 407", None, None), None);
        assert_eq!(bandwidth_of("", None, None), None);
    }

    #[test]
    fn what_the_name_leaves_open_is_decided_by_memory_and_clock_or_stays_open() {
        assert_eq!(bandwidth_of("NVIDIA GeForce RTX 3080", Some(10), None), Some(760.0));
        assert_eq!(bandwidth_of("NVIDIA GeForce RTX 3080", Some(12), None), Some(912.0));
        assert_eq!(bandwidth_of("NVIDIA GeForce RTX 3080", None, None), None);
        assert_eq!(bandwidth_of("NVIDIA GeForce RTX 2060", Some(6), None), None);
        assert_eq!(bandwidth_of("NVIDIA GeForce RTX 2060", Some(6), Some(7001.0)), Some(336.0));
        assert_eq!(bandwidth_of("NVIDIA GeForce RTX 2060", Some(6), Some(5501.0)), Some(264.0));
    }

    #[test]
    fn a_revision_tells_cards_of_one_device_id_apart() {
        let name = |revision| by_pci_id(0x1002, 0x744c, revision).first().map(|card| card.name.clone());
        assert_eq!(name(Some(0xc8)).as_deref(), Some("Radeon RX 7900 XTX"));
        assert_eq!(name(Some(0xcc)).as_deref(), Some("Radeon RX 7900 XT"));
        assert_eq!(name(Some(0x01)), None);
        assert_eq!(name(None), None);
    }
}
