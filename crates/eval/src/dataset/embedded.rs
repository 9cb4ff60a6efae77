//! The sample sets inside the binary, written for this project; see `assets/data/README.md`.

use super::read::{ReadOptions, read};
use super::table::{Dataset, Gold};

const TRIAGE: &[u8] = include_bytes!("../../../../assets/data/triage_sample.csv");
const STORIES: &[u8] = include_bytes!("../../../../assets/data/stories_sample.csv");

/// The sample set for `scenario` (or its alias): issues with priorities, or stories with story points.
/// `None` for a scenario that does not exist.
pub fn embedded(scenario: &str) -> Option<Dataset> {
    let gold = Gold::of_scenario(scenario)?;
    let (name, bytes) = match gold {
        Gold::Priority => ("triage_sample", TRIAGE),
        Gold::StoryPoints => ("stories_sample", STORIES),
    };
    let options = ReadOptions { source: "embedded".to_owned(), gold: Some(gold), ..ReadOptions::named(name) };
    Some(read(bytes, options).expect("the embedded sample sets are read by the tests"))
}
