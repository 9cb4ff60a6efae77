//! The choice of a profile, and the rule that made it.

use super::facts::ProfileFacts;
use super::table::{PROFILES, find};
use serde::Serialize;

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The user named it.
    Override,
    /// The chip is one of upstream's ten and has the memory.
    AppleChip,
    /// A chip of Apple's that upstream does not list, or one with less memory than its profile asks.
    OtherAppleChip,
    /// A GPU's own memory.
    GpuMemory,
    /// Memory that a GPU shares with the processor.
    SharedGpuMemory,
    /// The memory, because no GPU counts.
    Memory,
    /// Less memory than upstream accepts, or unknown.
    BelowUpstream,
}

/// The profile of a machine and why it was chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Selection {
    /// One of upstream's fifteen, or a generic class: `apple-silicon-m2-ultra`, `unified-gpu-high`, `cpu-small`.
    pub id: String,
    /// The id that upstream's own rules give, for submissions; `None` where upstream refuses the machine.
    pub upstream_id: Option<&'static str>,
    pub rule: Rule,
    /// The numbers that decided, in a sentence.
    pub reason: String,
}

/// No profile could be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    #[error("there is no profile `{id}`")]
    Unknown { id: String },
    #[error("upstream's profiles begin at 8 GB of memory, and this machine has {0}")]
    Insufficient(String),
}

impl ProfileError {
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { .. } => format!("profiles are auto, {}", PROFILES.map(|profile| profile.id).join(", ")),
            Self::Insufficient(_) => "small models still run here: see `puma fit`".to_owned(),
        }
    }
}

/// Chooses by upstream's rules where they know the machine, and by a generic class where they do not. `wanted` is an id
/// or `auto`; an id wins without any check, as upstream has it.
///
/// # Errors
/// `wanted` is no profile.
pub fn select(facts: &ProfileFacts, wanted: Option<&str>) -> Result<Selection, ProfileError> {
    let upstream = upstream_id(facts).ok();
    if let Some(id) = wanted.filter(|id| *id != "auto") {
        let profile = find(id).ok_or_else(|| ProfileError::Unknown { id: id.to_owned() })?;
        let reason = format!("the user asked for {}", profile.id);
        return Ok(Selection { id: id.to_owned(), upstream_id: Some(profile.id), rule: Rule::Override, reason });
    }
    let (id, rule, reason) = generic(facts, upstream);
    Ok(Selection { id, upstream_id: upstream, rule, reason })
}

fn generic(facts: &ProfileFacts, upstream: Option<&'static str>) -> (String, Rule, String) {
    let ram = facts.ram_gb.map_or("an unknown amount of memory".to_owned(), |ram| format!("{ram} GiB of memory"));
    if let Some(brand) = &facts.brand {
        let unified = facts.unified_memory_gb.map_or("unknown".to_owned(), |memory| memory.to_string());
        let reason = |known: &str| format!("{brand} with {unified} GB of unified memory{known}");
        return match upstream.and_then(find).filter(|profile| profile.chip.is_some()) {
            Some(profile) => (profile.id.to_owned(), Rule::AppleChip, reason("")),
            None => (class_of(brand), Rule::OtherAppleChip, reason(", which upstream's profiles do not know")),
        };
    }
    if let (Some(vram), Some(id)) = (facts.vram_gb, upstream.filter(|id| id.starts_with("gpu-"))) {
        return (id.to_owned(), Rule::GpuMemory, format!("the largest GPU has {vram} GiB of its own"));
    }
    if let Some((shared, step)) = facts.shared_gpu_gb.and_then(|shared| Some((shared, gpu_step(shared)?))) {
        let reason = format!("a GPU may use {shared} GiB that it shares with the processor");
        return (format!("unified-{step}"), Rule::SharedGpuMemory, reason);
    }
    match upstream {
        Some(id) => (id.to_owned(), Rule::Memory, format!("{ram} and no GPU with 6 GiB or more")),
        None => ("cpu-small".to_owned(), Rule::BelowUpstream, format!("{ram}; upstream's profiles begin at 8 GiB")),
    }
}

/// `apple-silicon-m2-ultra` of `Apple M2 Ultra`.
fn class_of(brand: &str) -> String {
    let chip = brand.strip_prefix("Apple ").unwrap_or(brand);
    let words: Vec<String> = chip
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    format!("apple-silicon-{}", words.join("-"))
}

fn gpu_step(gib: f64) -> Option<&'static str> {
    [(24.0, "gpu-high"), (12.0, "gpu-mid"), (6.0, "gpu-entry")]
        .into_iter()
        .find(|(floor, _)| gib >= *floor)
        .map(|row| row.1)
}

/// The profile by upstream's rules alone: memory first, then the exact brand and its floor, then the GPU's memory, then
/// the memory again. Source: upstream PUMA v4.0, `preflight/profile.py`.
///
/// # Errors
/// The machine has less than 8 GiB, or nobody knows.
pub fn upstream_id(facts: &ProfileFacts) -> Result<&'static str, ProfileError> {
    let ram = match facts.ram_gb {
        Some(ram) if ram >= 8.0 => ram,
        Some(ram) => return Err(ProfileError::Insufficient(format!("{ram} GiB"))),
        None => return Err(ProfileError::Insufficient("memory that cannot be read".to_owned())),
    };
    let chip = PROFILES.iter().find(|profile| {
        profile.chip.is_some_and(|(brand, floor)| {
            facts.brand.as_deref() == Some(brand) && facts.unified_memory_gb >= Some(floor)
        })
    });
    Ok(match (chip, facts.vram_gb.and_then(gpu_step)) {
        (Some(profile), _) => profile.id,
        (None, Some(step)) => step,
        (None, None) if ram >= 16.0 => "cpu-standard",
        (None, None) => "cpu-lite",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::option;
    use proptest::prelude::*;

    fn plain(ram_gb: f64) -> ProfileFacts {
        ProfileFacts { ram_gb: Some(ram_gb), ..ProfileFacts::default() }
    }

    fn mac(brand: &str, memory: u32) -> ProfileFacts {
        ProfileFacts { brand: Some(brand.to_owned()), unified_memory_gb: Some(memory), ..plain(f64::from(memory)) }
    }

    #[test]
    fn upstreams_own_test_vectors_hold() {
        let gpu = |vram: f64| ProfileFacts { vram_gb: Some(vram), ..plain(32.0) };
        for (facts, id) in [
            (plain(16.0), "cpu-standard"),
            (plain(8.0), "cpu-lite"),
            (plain(10.0), "cpu-lite"),
            (gpu(6.0), "gpu-entry"),
            (gpu(8.0), "gpu-entry"),
            (gpu(12.0), "gpu-mid"),
            (gpu(24.0), "gpu-high"),
            (mac("Apple M4", 24), "apple-silicon-m4"),
            (mac("Apple M4 Pro", 36), "apple-silicon-m4-pro"),
            (mac("Apple M5 Max", 64), "apple-silicon-m5-max"),
            (mac("Apple M3", 8), "apple-silicon-m3"),
            (mac("Apple M6 Hyperdrive", 32), "cpu-standard"),
            (ProfileFacts { brand: Some("Qualcomm Snapdragon X Elite".to_owned()), ..plain(32.0) }, "cpu-standard"),
        ] {
            assert_eq!(upstream_id(&facts), Ok(id), "{facts:?}");
        }
        assert!(upstream_id(&plain(6.0)).is_err());
        assert!(upstream_id(&mac("Apple M3", 4)).is_err());
    }

    #[test]
    fn a_chip_upstream_does_not_list_gets_a_class_of_its_own() {
        let chosen = |facts: &ProfileFacts| select(facts, None).map(|selection| (selection.id, selection.upstream_id));
        let class = |id: &str, upstream| Ok((id.to_owned(), upstream));
        assert_eq!(chosen(&mac("Apple M1", 8)), class("apple-silicon-m1", Some("cpu-lite")));
        assert_eq!(chosen(&mac("Apple M2 Ultra", 192)), class("apple-silicon-m2-ultra", Some("cpu-standard")));
        assert_eq!(chosen(&mac("Apple A18 Pro", 8)), class("apple-silicon-a18-pro", Some("cpu-lite")));
        assert_eq!(chosen(&plain(7.6)), class("cpu-small", None));
        let apu = ProfileFacts { shared_gpu_gb: Some(96.5), ..plain(31.0) };
        assert_eq!(chosen(&apu), class("unified-gpu-high", Some("cpu-standard")));
    }

    #[test]
    fn the_users_word_wins_and_must_be_a_profile() {
        let chosen = select(&plain(4.0), Some("apple-silicon-m4-pro")).expect("a profile");
        assert_eq!((chosen.id.as_str(), chosen.rule), ("apple-silicon-m4-pro", Rule::Override));
        assert_eq!(select(&plain(16.0), Some("auto")).expect("a profile").id, "cpu-standard");
        let error = select(&plain(16.0), Some("gpu-pro")).expect_err("no profile");
        assert!(error.to_string().contains("gpu-pro") && error.hint().contains("gpu-entry"));
    }

    proptest! {
        #[test]
        fn every_machine_gets_an_answer_that_a_submission_can_name(
            ram_gb in option::of(0.0..4096.0_f64),
            vram_gb in option::of(0.0..512.0_f64),
            brand in option::of("(Apple )?[A-Z][0-9]{1,2}( [A-Z][a-z]{0,6})?"),
            unified_memory_gb in option::of(0..4096_u32),
            shared_gpu_gb in option::of(0.0..512.0_f64),
        ) {
            let facts = ProfileFacts { ram_gb, vram_gb, brand, unified_memory_gb, shared_gpu_gb };
            let chosen = select(&facts, None).expect("auto always answers");
            prop_assert!(!chosen.id.is_empty() && chosen.id.len() <= 32 && !chosen.reason.is_empty());
            prop_assert_eq!(chosen.upstream_id.is_none(), ram_gb.is_none_or(|ram| ram < 8.0));
            if let Some(id) = chosen.upstream_id {
                prop_assert!(find(id).is_some());
            }
        }
    }
}
