//! A run as text, for people.

use crate::across::{across_text, shares_text};
use crate::baseline_text;
use crate::report::RunReport;
use crate::table::{Align, render};
use puma_core::RunStatus;
use puma_core::measure::{Severity, counted_sources};
use puma_eval::metric::MetricValue;
use puma_eval::plan::{Plan, Unchanged};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// (metric, heading) shown for every model and strategy, where they exist.
const HEADLINES: [(&str, &str); 10] = [
    ("f1_macro", "F1 macro"),
    ("accuracy", "accuracy"),
    ("mae", "MAE"),
    ("mae_imputed", "MAE imputed"),
    ("mdae", "MdAE"),
    ("ece", "ECE"),
    ("parse_failure_rate", "unread"),
    ("latency.p50", "median ms"),
    ("tokens_per_second", "tokens/s"),
    ("n_samples", "n"),
];

/// The report of a run: what was run, the headline numbers with intervals, baselines, outcomes, where to look next.
pub(crate) fn run_text(report: &RunReport) -> String {
    let mut out = String::new();
    let model = &report.model;
    let _ = writeln!(out, "\nRun {}", report.run_id);
    let _ = writeln!(
        out,
        "{} · {} ({} rows) · {} · {}",
        report.scenario,
        report.dataset.name,
        report.dataset.rows,
        backend_text(report),
        short_digest(model.digest.as_deref())
    );
    if let Some(examples) = &report.dataset.examples {
        let _ = writeln!(out, "few-shot examples: {examples}");
    }
    if !report.comparable {
        let _ = writeln!(out, "NOT COMPARABLE: {}", why_not_comparable(report));
    }
    out.push('\n');
    if report.metrics.is_empty() {
        out.push_str("No job is finished yet.\n");
    } else {
        out.push_str(&headline_table(&meaningful(report)));
    }
    out.push_str(&health_text(report));
    if !report.baselines.is_empty() {
        let _ = writeln!(out, "\nJudges that read no prompt, on the same instances:");
        out.push_str(&baseline_text::table(&report.baselines, &baseline_text::BESIDE_A_RUN));
        out.push_str(&baseline_text::against(&report.against_baselines));
    }
    out.push_str(&confusion_text(report));
    out.push_str(&across_text(report));
    let o = &report.outcomes;
    let _ = writeln!(
        out,
        "\n{} jobs: {} answered, {} unparsed, {} ambiguous, {} truncated, {} empty, {} failed in the backend",
        report.jobs, o.answered, o.unparsed, o.ambiguous, o.truncated, o.empty, o.backend_failed
    );
    for failure in &report.failures {
        let _ = writeln!(out, "  failed ({}): {}", failure.jobs, failure.error);
    }
    let t = &report.timing;
    let _ = writeln!(
        out,
        "{:.1} s · {} prompt tokens ({} computed) · {} generated",
        t.wall_s,
        count(t.prompt_tokens),
        count(t.unique_prompt_tokens),
        count(t.generated_tokens)
    );
    out.push_str(&energy_text(report));
    out.push_str(&shares_text(&report.metrics));
    let _ = writeln!(out, "predictions {}", report.predictions_summary_hash);
    if let Some(digest) = &report.logprobs_digest {
        let _ = writeln!(out, "logprobs    {digest}");
    }
    out
}

/// The metrics without those that a disturbance made void.
fn meaningful(report: &RunReport) -> Vec<MetricValue> {
    let void = report.health.as_ref().is_some_and(|health| health.void);
    let of_speed = |metric: &MetricValue| matches!(metric.unit.as_str(), "ms" | "tokens/s");
    report.metrics.iter().filter(|metric| !(void && of_speed(metric))).cloned().collect()
}

/// What disturbed the run, a line each.
fn health_text(report: &RunReport) -> String {
    let mut out = String::new();
    let Some(health) = &report.health else { return out };
    if health.void {
        out.push_str("\nVOID: speed and energy of this run must not be compared, because something disturbed it:\n");
    }
    for found in &health.disturbances {
        let severity = if found.severity == Severity::Major { "" } else { "minor " };
        let (kind, from) = (found.kind.as_str(), found.from.rfc3339());
        let _ = writeln!(out, "  {severity}{kind} at {from}, {} jobs: {}", found.jobs.len(), found.detail);
    }
    out
}

/// Joules and grams, with how far they can be trusted.
fn energy_text(report: &RunReport) -> String {
    let Some(energy) = &report.energy else { return String::new() };
    let mut out = String::new();
    let Some(total_j) = energy.total_j else {
        // A warning names the channel and repeats its note.
        let notes = energy.channels.iter().filter_map(|channel| channel.note.as_deref());
        let warnings: Vec<&str> = energy.warnings.iter().map(String::as_str).collect();
        let reasons = if warnings.is_empty() { notes.collect() } else { warnings };
        let reason = reasons.into_iter().take(2).collect::<Vec<_>>().join("; ");
        let _ = writeln!(out, "energy unavailable{}{reason}", if reason.is_empty() { "" } else { ": " });
        return out;
    };
    if report.health.as_ref().is_some_and(|health| health.void) {
        return "energy void\n".to_owned();
    }
    let margin = energy.relative_uncertainty.map_or(String::new(), |share| format!(" ± {:.0} %", share * 100.0));
    let sources = counted_sources(&energy.channels);
    let _ = writeln!(out, "energy {total_j:.1} J{margin} ({}, {})", energy.quality.as_str(), sources);
    let parts = [
        energy.per_job_j.map(|joules| format!("{joules:.2} J a job")),
        energy.per_correct_answer_j.map(|joules| format!("{joules:.2} J a right answer")),
        energy.above_idle_j.map(|joules| format!("{joules:.1} J above idle")),
        energy.idle_power_w.as_ref().map(|idle| format!("idle {:.1} W", idle.value)),
        energy.co2e_g.map(|grams| format!("{grams:.4} g CO2e")),
        energy.intensity.as_ref().map(|grid| {
            format!("{} g/kWh ({}, {})", grid.g_per_kwh, grid.country.as_deref().unwrap_or("given"), grid.chosen_by)
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let _ = writeln!(out, "       {}", parts.join(" · "));
    let phases: Vec<String> = energy
        .phases
        .iter()
        .filter_map(|phase| {
            Some(format!("{} {:.1} J in {:.1} s", phase.phase.as_str(), phase.energy_j?, phase.duration_s))
        })
        .collect();
    if !phases.is_empty() {
        let _ = writeln!(out, "       {}", phases.join(", "));
    }
    out
}

/// One row a model × strategy × perturbation, with 95 % intervals.
pub(crate) fn headline_table(metrics: &[MetricValue]) -> String {
    let mut groups: Vec<(&str, &str, Option<&str>)> = Vec::new();
    for metric in metrics {
        let group = (metric.model.as_str(), metric.strategy.as_str(), metric.perturbation.as_deref());
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let shown: Vec<&(&str, &str)> = HEADLINES
        .iter()
        .filter(|(name, _)| metrics.iter().any(|metric| metric.name == *name && is_told(metrics, metric)))
        .collect();
    let perturbed = groups.iter().any(|(_, _, perturbation)| perturbation.is_some());
    let mut header = vec![("model", Align::Left), ("strategy", Align::Left)];
    if perturbed {
        header.push(("perturbation", Align::Left));
    }
    header.extend(shown.iter().map(|(_, heading)| (*heading, Align::Right)));
    let rows: Vec<Vec<String>> = groups
        .iter()
        .map(|group| {
            let mut row = vec![short_model(group.0).to_owned(), group.1.to_owned()];
            if perturbed {
                row.push(group.2.unwrap_or("none").to_owned());
            }
            row.extend(shown.iter().map(|(name, _)| {
                let found = metrics.iter().find(|m| {
                    m.name == *name && (m.model.as_str(), m.strategy.as_str(), m.perturbation.as_deref()) == *group
                });
                found.map_or_else(|| "-".to_owned(), cell)
            }));
            row
        })
        .collect();
    render(&header, &rows)
}

/// Whether a headline says what no other says: where all was answered, nothing was imputed.
fn is_told(metrics: &[MetricValue], metric: &MetricValue) -> bool {
    let same_group = |other: &&MetricValue| {
        other.model == metric.model && other.strategy == metric.strategy && other.perturbation == metric.perturbation
    };
    metric.name != "mae_imputed"
        || !metrics.iter().filter(same_group).any(|other| other.name == "mae" && other.value == metric.value)
}

/// A value with its interval, as precise as its unit deserves.
pub(crate) fn cell(metric: &MetricValue) -> String {
    let number = |value: f64| match metric.unit.as_str() {
        "count" | "tokens" => format!("{value:.0}"),
        "ms" | "tokens/s" => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    };
    match (metric.ci_low, metric.ci_high) {
        (Some(low), Some(high)) if metric.unit != "ms" && metric.unit != "tokens/s" => {
            format!("{} [{}, {}]", number(metric.value), number(low), number(high))
        }
        _ => number(metric.value),
    }
}

fn confusion_text(report: &RunReport) -> String {
    let mut out = String::new();
    // Under a perturbation the flips say more; `--json` has every matrix.
    for group in report.groups.iter().filter(|group| group.perturbation.is_none()) {
        let Some(confusion) = &group.confusion else { continue };
        if confusion.rows.iter().flatten().all(|count| *count == 0) {
            continue;
        }
        let perturbed = group.perturbation.as_ref().map_or(String::new(), |name| format!(" {name}"));
        let _ = writeln!(
            out,
            "\nRight answer (rows) against answer, {} {}{perturbed}:",
            short_model(&group.model),
            group.strategy
        );
        let mut header = vec![("", Align::Left)];
        header.extend(confusion.labels.iter().map(|label| (label.as_str(), Align::Right)));
        header.push(("none", Align::Right));
        let rows: Vec<Vec<String>> = confusion
            .labels
            .iter()
            .zip(&confusion.rows)
            .map(|(label, counts)| {
                std::iter::once(label.clone()).chain(counts.iter().map(ToString::to_string)).collect()
            })
            .collect();
        out.push_str(&render(&header, &rows));
    }
    out
}

fn backend_text(report: &RunReport) -> String {
    let b = &report.backend;
    let version = b.version.as_deref().unwrap_or("version unknown");
    match (&b.numerics, &b.simd, &b.endpoint) {
        (Some(numerics), Some(simd), _) => {
            let threads = b.threads.map_or("threads unknown".to_owned(), threads_text);
            format!("embedded engine {version} ({numerics}, {simd}, {threads})")
        }
        (_, _, Some(endpoint)) => format!("{} {version} at {endpoint}", b.kind),
        _ => format!("{} {version}", b.kind),
    }
}

/// `1 thread`, `2 threads`.
pub(crate) fn threads_text(count: u32) -> String {
    if count == 1 { "1 thread".to_owned() } else { format!("{count} threads") }
}

/// A count, where the backend tells it.
fn count(tokens: Option<u64>) -> String {
    tokens.map_or_else(|| "unknown".to_owned(), |tokens| tokens.to_string())
}

/// A model's name without the folders of its file.
pub(crate) fn short_model(name: &str) -> &str {
    if name.ends_with(".gguf") { name.rsplit(['/', '\\']).next().unwrap_or(name) } else { name }
}

/// Twelve digits are enough to compare by eye.
pub(crate) fn short_digest(digest: Option<&str>) -> String {
    match digest {
        None => "digest unknown".to_owned(),
        Some(digest) => digest.chars().take("sha256:".len() + 12).collect(),
    }
}

fn why_not_comparable(report: &RunReport) -> String {
    match (report.status, report.outcomes.backend_failed) {
        (_, failed) if failed > 0 => {
            format!("{failed} of {} jobs failed in the backend and are not scored", report.jobs)
        }
        (RunStatus::Done, _) => "some jobs are missing".to_owned(),
        (status, _) => format!("the run is {}; jobs are missing", status.as_str()),
    }
}

/// A plan for `--dry-run --json`.
pub(crate) fn plan_json(plan: &Plan) -> Value {
    json!({
        "scenario": plan.scenario.name(),
        "spec_hash": plan.spec_hash,
        "dataset": plan.dataset,
        "models": plan.models,
        "strategies": plan.strategies.iter().map(|strategy| strategy.name).collect::<Vec<_>>(),
        "templates": plan.templates,
        "unchanged_prompts": plan.unchanged.iter().map(|unchanged| json!({
            "strategy": unchanged.strategy,
            "perturbation": unchanged.perturbation,
            "instances": unchanged.instances,
        })).collect::<Vec<_>>(),
        "jobs": plan.jobs.iter().map(|job| json!({
            "job_id": job.id,
            "instance_id": plan.instances[job.instance].id,
            "model": plan.models[job.model].name,
            "strategy": job.strategy.name,
            "perturbation": job.perturbation,
            "repeat": job.repeat,
            "seed": job.seed,
            "prompt_hash": job.prompt_hash,
        })).collect::<Vec<_>>(),
    })
}

/// What perturbations did not do: one sentence for each and for all strategies of which it holds.
pub(crate) fn unchanged_texts(plan: &Plan) -> Vec<String> {
    let mut strategies: Vec<(&str, usize, Vec<&str>)> = Vec::new();
    for Unchanged { strategy, perturbation, instances } in &plan.unchanged {
        let known = strategies.iter_mut().find(|(name, count, _)| name == perturbation && count == instances);
        match known {
            Some((_, _, strategies)) => strategies.push(strategy),
            None => strategies.push((perturbation, *instances, vec![strategy])),
        }
    }
    let text = |(perturbation, instances, strategies): (&str, usize, Vec<&str>)| {
        let (all, strategies) = (plan.instances.len(), strategies.join(", "));
        format!(
            "`{perturbation}` leaves {instances} of {all} prompts of {strategies} as they are; their answers say nothing \
             about robustness"
        )
    };
    strategies.into_iter().map(text).collect()
}

/// A plan for `--dry-run`: counts, then the first prompt of every strategy, as it is and under each perturbation.
pub(crate) fn plan_text(plan: &Plan) -> String {
    let completions: usize = plan.jobs.iter().map(|job| job.completions()).sum();
    let mut out = format!(
        "{}: {} instances, {} jobs, {completions} completions (spec {})\n",
        plan.scenario.name(),
        plan.instances.len(),
        plan.jobs.len(),
        plan.spec_hash
    );
    if let Some(source) = plan.example_source {
        let _ = writeln!(out, "few-shot examples: {}", source.as_str());
    }
    let mut seen: Vec<(&str, Option<&str>)> = Vec::new();
    for job in &plan.jobs {
        let way = (job.strategy.name, job.perturbation.as_deref());
        if seen.contains(&way) {
            continue;
        }
        seen.push(way);
        let perturbed = way.1.map_or(String::new(), |name| format!(" · {name}"));
        let instance = &plan.instances[job.instance].id;
        let _ = writeln!(out, "\n── {}{perturbed} · {instance} · prompt {} ──\n{}", way.0, job.prompt_hash, job.prompt);
        if let Some(follow_up) = &job.follow_up {
            let _ = writeln!(out, "── second turn ──\n{follow_up}");
        }
    }
    out
}
