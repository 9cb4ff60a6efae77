//! Upstream's fifteen profiles.
//!
//! The five standard ones are as upstream PUMA publishes them. Of the ten Apple ones the ids and brands are published;
//! of their floors only that of `apple-silicon-m3` is. The others are the smallest memory the chip is sold with, which
//! agrees with every published test and with the model catalogue. Upstream validated none of the ten on hardware.

use super::facts::ProfileFacts;
use serde::Serialize;

/// One class of machines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Profile {
    pub id: &'static str,
    pub description: &'static str,
    /// GiB of memory.
    pub min_ram_gb: u32,
    /// GiB of a GPU's own memory.
    pub min_vram_gb: Option<u32>,
    /// GB of disk for the models.
    pub min_disk_gb: u32,
    /// The brand the chip must have, and the GiB of unified memory.
    pub chip: Option<(&'static str, u32)>,
    /// What upstream recommends to run; nothing stops a run of another one.
    pub scenarios: &'static [&'static str],
    /// Whether published results were measured on it.
    pub validation: &'static str,
}

const ALL: &[&str] = &["triage_jira", "estimation_tawos", "prioritization_jira"];
const PENDING: &str = "pending: upstream published no measurement";

const fn standard(
    id: &'static str,
    description: &'static str,
    (min_ram_gb, min_vram_gb, min_disk_gb): (u32, Option<u32>, u32),
    scenarios: &'static [&'static str],
    validation: &'static str,
) -> Profile {
    Profile { id, description, min_ram_gb, min_vram_gb, min_disk_gb, chip: None, scenarios, validation }
}

const fn apple(id: &'static str, brand: &'static str, min_unified_memory_gb: u32) -> Profile {
    Profile {
        id,
        description: "Mac with Apple's chip, models on its GPU (Metal)",
        min_ram_gb: 8,
        min_vram_gb: None,
        min_disk_gb: 10,
        chip: Some((brand, min_unified_memory_gb)),
        scenarios: ALL,
        validation: PENDING,
    }
}

/// Every profile of upstream, in its order.
pub const PROFILES: [Profile; 15] = [
    standard("cpu-lite", "no GPU, 8 GB", (8, None, 10), &["triage_jira"], PENDING),
    standard("cpu-standard", "no GPU, 16 GB", (16, None, 25), &["triage_jira", "estimation_tawos"], PENDING),
    standard("gpu-entry", "GPU with 6 GB", (16, Some(6), 35), ALL, "measured by upstream on an RTX 2060 Mobile"),
    standard("gpu-mid", "GPU with 12 GB", (16, Some(12), 60), ALL, PENDING),
    standard("gpu-high", "GPU with 24 GB", (32, Some(24), 100), ALL, PENDING),
    apple("apple-silicon-m3", "Apple M3", 8),
    apple("apple-silicon-m3-pro", "Apple M3 Pro", 18),
    apple("apple-silicon-m3-max", "Apple M3 Max", 36),
    apple("apple-silicon-m4", "Apple M4", 16),
    apple("apple-silicon-m4-pro", "Apple M4 Pro", 24),
    apple("apple-silicon-m4-max", "Apple M4 Max", 36),
    apple("apple-silicon-m5", "Apple M5", 16),
    apple("apple-silicon-m5-pro", "Apple M5 Pro", 24),
    apple("apple-silicon-m5-max", "Apple M5 Max", 36),
    apple("apple-silicon-m5-ultra", "Apple M5 Ultra", 36),
];

/// The profile with this id.
pub fn find(id: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.id == id)
}

/// What a machine lacks for `profile`, a sentence each; empty when it has everything. Something unknown is lacking.
pub fn unmet(profile: &Profile, facts: &ProfileFacts) -> Vec<String> {
    let mut lacking = Vec::new();
    let need_ram = f64::from(profile.min_ram_gb);
    match facts.ram_gb {
        Some(ram) if ram >= need_ram => {}
        Some(ram) => lacking.push(format!("{need_ram} GB of memory are needed and {ram:.1} are there")),
        None => lacking.push(format!("{need_ram} GB of memory are needed, and the memory cannot be read")),
    }
    if let Some(need) = profile.min_vram_gb.map(f64::from) {
        match facts.vram_gb {
            Some(vram) if vram >= need => {}
            Some(vram) => lacking.push(format!("a GPU with {need} GB is needed and the largest has {vram:.1}")),
            None => lacking.push(format!("a GPU with {need} GB is needed and none was found")),
        }
    }
    if let Some((brand, _)) = profile.chip.filter(|(brand, _)| facts.brand.as_deref() != Some(*brand)) {
        lacking.push(format!("the chip {brand} is needed and this is {}", facts.brand.as_deref().unwrap_or("no Mac")));
    }
    if let Some(need) = profile.chip.map(|(_, need)| need).filter(|need| facts.unified_memory_gb < Some(*need)) {
        let there = facts.unified_memory_gb.map_or("unknown".to_owned(), |memory| memory.to_string());
        lacking.push(format!("{need} GB of unified memory are needed and {there} are there"));
    }
    lacking
}
