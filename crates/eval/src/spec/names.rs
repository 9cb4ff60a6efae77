//! The names a spec may use, as tables: help, checks and documents read them from here.
//! Metrics have a table of their own, [`crate::metric::metrics()`].

use crate::strategy;

/// The names of [`strategy::STRATEGIES`].
pub const STRATEGIES: [&str; strategy::STRATEGIES.len()] = {
    let mut names = [""; strategy::STRATEGIES.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = strategy::STRATEGIES[index].name;
        index += 1;
    }
    names
};

/// The three scenarios.
pub const SCENARIOS: [&str; 3] = ["triage_jira", "estimation_tawos", "prioritization_jira"];

/// Other names of scenarios: (alias, scenario). Upstream's submissions say `effort_tawos`.
pub const SCENARIO_ALIASES: [(&str, &str); 4] = [
    ("effort_tawos", "estimation_tawos"),
    ("triage", "triage_jira"),
    ("estimation", "estimation_tawos"),
    ("prioritization", "prioritization_jira"),
];

/// The scenario that `name` or its alias means.
pub fn canonical_scenario(name: &str) -> Option<&'static str> {
    SCENARIOS
        .into_iter()
        .find(|known| *known == name)
        .or_else(|| SCENARIO_ALIASES.into_iter().find(|(alias, _)| *alias == name).map(|(_, scenario)| scenario))
}

/// The strategy that `name` means on a command line, where `few_shot_3`, `Zero-Shot` and aliases such as `few-shot` are
/// fine too.
pub fn canonical_strategy(name: &str) -> Option<&'static str> {
    let found = strategy::find(&name.replace(' ', "-"))?.name;
    STRATEGIES.contains(&found).then_some(found)
}
