//! The specs inside the binary, with upstream's ids and numbers.

/// (file name, YAML) of every shipped run spec, sorted by name.
pub const SHIPPED: [(&str, &str); 12] = [
    (
        "baseline_estimation_canonical.yaml",
        include_str!("../../../../assets/specs/runs/baseline_estimation_canonical.yaml"),
    ),
    ("baseline_triage.yaml", include_str!("../../../../assets/specs/runs/baseline_triage.yaml")),
    (
        "baseline_triage_with_logprobs.yaml",
        include_str!("../../../../assets/specs/runs/baseline_triage_with_logprobs.yaml"),
    ),
    ("demo_publication.yaml", include_str!("../../../../assets/specs/runs/demo_publication.yaml")),
    ("gate_f7_smoke.yaml", include_str!("../../../../assets/specs/runs/gate_f7_smoke.yaml")),
    ("live_smoke_estimation.yaml", include_str!("../../../../assets/specs/runs/live_smoke_estimation.yaml")),
    ("live_smoke_triage.yaml", include_str!("../../../../assets/specs/runs/live_smoke_triage.yaml")),
    ("smoke_estimation.yaml", include_str!("../../../../assets/specs/runs/smoke_estimation.yaml")),
    ("smoke_triage.yaml", include_str!("../../../../assets/specs/runs/smoke_triage.yaml")),
    ("smoke_triage_zeroshot.yaml", include_str!("../../../../assets/specs/runs/smoke_triage_zeroshot.yaml")),
    ("smoke_triage_zeroshot_cot.yaml", include_str!("../../../../assets/specs/runs/smoke_triage_zeroshot_cot.yaml")),
    ("sweep_bias_perturbations.yaml", include_str!("../../../../assets/specs/runs/sweep_bias_perturbations.yaml")),
];

/// The shipped spec named `name`, with or without `.yaml`.
pub fn shipped(name: &str) -> Option<&'static str> {
    let wanted = name.strip_suffix(".yaml").unwrap_or(name);
    SHIPPED.into_iter().find(|(file, _)| file.strip_suffix(".yaml") == Some(wanted)).map(|(_, yaml)| yaml)
}
