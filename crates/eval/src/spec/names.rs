//! The names a spec may use, as tables: help, checks and documents read them from here.

/// The eleven strategies, in upstream's order.
pub const STRATEGIES: [&str; 11] = [
    "zero-shot",
    "zero-shot-cot",
    "one-shot",
    "few-shot-3",
    "few-shot-5",
    "few-shot-8",
    "cot-few-shot",
    "rcoif",
    "contextual-anchoring",
    "self-consistency",
    "egi",
];

/// The three scenarios.
pub const SCENARIOS: [&str; 3] = ["triage_jira", "estimation_tawos", "prioritization_jira"];

/// Other names of scenarios: (alias, scenario). Upstream's submissions say `effort_tawos`.
pub const SCENARIO_ALIASES: [(&str, &str); 4] = [
    ("effort_tawos", "estimation_tawos"),
    ("triage", "triage_jira"),
    ("estimation", "estimation_tawos"),
    ("prioritization", "prioritization_jira"),
];

/// Metrics a spec may ask for. Besides these, `per_class.<Label>.precision|recall|f1` and
/// `latency.p50|p95|p99|mean|min|max` are accepted; `latency_p95` is how upstream's specs spell `latency.p95`.
pub const METRICS: [&str; 26] = [
    "f1_macro",
    "f1_weighted",
    "accuracy",
    "precision_macro",
    "recall_macro",
    "mae",
    "mdae",
    "rmse",
    "r2",
    "standardized_accuracy",
    "mae_by_bin",
    "ece",
    "mce",
    "brier",
    "n_samples",
    "n_predictions",
    "n_with_confidence",
    "parse_failure_rate",
    "backend_failure_rate",
    "coverage",
    "tokens_per_s",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "latency_mean",
    "latency.p95",
];

/// The scenario that `name` or its alias means.
pub fn canonical_scenario(name: &str) -> Option<&'static str> {
    SCENARIOS
        .into_iter()
        .find(|known| *known == name)
        .or_else(|| SCENARIO_ALIASES.into_iter().find(|(alias, _)| *alias == name).map(|(_, scenario)| scenario))
}

/// The strategy that `name` means on a command line, where `few_shot_3` and `Zero-Shot` are fine too.
pub fn canonical_strategy(name: &str) -> Option<&'static str> {
    let wanted = name.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    STRATEGIES.into_iter().find(|known| *known == wanted)
}

pub(super) fn is_metric(name: &str) -> bool {
    if METRICS.contains(&name) {
        return true;
    }
    if let Some(rest) = name.strip_prefix("latency.") {
        return matches!(rest, "p50" | "p95" | "p99" | "mean" | "min" | "max");
    }
    match name.strip_prefix("per_class.").and_then(|rest| rest.rsplit_once('.')) {
        Some((label, part)) => !label.is_empty() && matches!(part, "precision" | "recall" | "f1"),
        None => false,
    }
}
