//! The tasks a model is judged on. Start at [`Scenario`]; [`SCENARIOS`] holds the three there are.
//! Deliberately absent: prompts (they are templates) and scores (they are metrics).

mod definition;
mod estimation;
mod examples;
mod pairs;
mod prioritization;
mod reasoning;
mod rows;
mod triage;

pub use definition::{LabelNames, SCENARIOS, Scenario, ScenarioError, find};
pub use estimation::{Estimation, STORY_POINT_SCALE};
pub use examples::{Example, ExampleSource, Examples};
pub use prioritization::Prioritization;
pub use triage::{PRIORITIES, Triage};
