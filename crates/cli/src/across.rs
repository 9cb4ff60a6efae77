//! Robustness, fairness and stability as text, for people.

use crate::report::RunReport;
use crate::summary::short_model;
use crate::table::{Align, render};
use puma_eval::metric::{
    CounterfactualReport, DivisionReport, MetricValue, PairReport, PartScore, RobustnessReport, ScoreChange,
    StabilityReport,
};
use std::fmt::Write as _;

/// Parts of one division that are shown.
const SHOWN_PARTS: usize = 6;

/// Everything said across the groups of a run; nothing where nothing was perturbed, divided or repeated.
pub(crate) fn across_text(report: &RunReport) -> String {
    let mut out = String::new();
    report.robustness.iter().for_each(|one| robustness_text(&mut out, one));
    counterfactual_text(&mut out, &report.counterfactuals);
    fairness_text(&mut out, &report.fairness);
    out.push_str(&stability_text(&report.stability));
    out
}

fn robustness_text(out: &mut String, report: &RobustnessReport) {
    let _ = writeln!(out, "\nPerturbed against unperturbed, {} {}:", short_model(&report.model), report.strategy);
    let pairs: Vec<(String, &PairReport)> =
        report.perturbations.iter().map(|pair| (pair.second.clone().unwrap_or_default(), pair)).collect();
    out.push_str(&pair_table("perturbation", &pairs));
    if let Some(worst) = &report.worst_case {
        let name = if worst.metric == "worst_case_mae" { "MAE" } else { "accuracy" };
        let left_out = if worst.excluded > 0 {
            format!(", {} left out: a form is missing", worst.excluded)
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "by the worst form of each instance: {name} {} (n {}{left_out})",
            number(worst.value, worst.ci_low, worst.ci_high),
            worst.n
        );
    }
}

/// Against the original they stand among the perturbations already; here they stand against each other.
fn counterfactual_text(out: &mut String, reports: &[CounterfactualReport]) {
    for report in reports {
        let Some(first) = report.pair.first.as_deref() else { continue };
        let second = report.pair.second.as_deref().unwrap_or_default();
        let shared = first.rfind('_').map_or(0, |end| end + 1);
        let names = match second.strip_prefix(&first[..shared]) {
            Some(rest) => format!("{rest} against {}", &first[shared..]),
            None => format!("{second} against {first}"),
        };
        let _ = writeln!(out, "\nA cue that must not matter, {} {}:", short_model(&report.model), report.strategy);
        out.push_str(&pair_table(&report.cue, &[(names, &report.pair)]));
    }
}

fn pair_table(title: &str, pairs: &[(String, &PairReport)]) -> String {
    let Some((_, first)) = pairs.first() else { return String::new() };
    let heading = if first.changes[0].metric == "mae" { "Δ MAE" } else { "Δ accuracy" };
    let labels = pairs.iter().any(|(_, pair)| pair.mcnemar_p.is_some());
    let excluded = pairs.iter().any(|(_, pair)| pair.excluded + pair.unpaired > 0);
    let mut header = vec![(title, Align::Left), (heading, Align::Right), ("flips", Align::Right)];
    if labels {
        header.extend([("to right", Align::Right), ("to wrong", Align::Right)]);
    } else {
        header.push(("mean |Δ|", Align::Right));
    }
    header.push(("to none", Align::Right));
    header.push(("p (Holm)", Align::Right));
    header.push(("n", Align::Right));
    if excluded {
        header.push(("left out", Align::Right));
    }
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .map(|(name, pair)| {
            let mut row = vec![name.clone(), signed(&pair.changes[0])];
            row.push(pair.flips.rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.1} %", rate * 100.0)));
            if labels {
                row.extend([pair.flips.to_correct.to_string(), pair.flips.to_wrong.to_string()]);
            } else {
                row.push(pair.mean_absolute_change.map_or_else(|| "-".to_owned(), |change| format!("{change:.2}")));
            }
            row.push(pair.flips.to_no_answer.to_string());
            row.push(p_value(pair.p_holm));
            row.push(pair.pairs.to_string());
            if excluded {
                row.push((pair.excluded + pair.unpaired).to_string());
            }
            row
        })
        .collect();
    render(&header, &rows)
}

/// By right answer is what the table of right answers against answers shows.
fn fairness_text(out: &mut String, reports: &[DivisionReport]) {
    for report in reports.iter().filter(|report| report.division != "right_answer") {
        let metric = if report.metric == "accuracy" { "accuracy" } else { "MAE, silence as a guess" };
        let _ = writeln!(out, "\nBy {}, {} {}:", report.division, short_model(&report.model), report.strategy);
        let mut parts: Vec<&PartScore> = report.parts.iter().collect();
        if report.division != "length" {
            // The largest say most.
            parts.sort_by_key(|part| std::cmp::Reverse(part.instances));
        }
        let rows: Vec<Vec<String>> = parts.iter().take(SHOWN_PARTS).map(|part| part_row(part)).collect();
        let header = [
            (report.division.as_str(), Align::Left),
            (metric, Align::Right),
            ("answered", Align::Right),
            ("instances", Align::Right),
        ];
        out.push_str(&render(&header, &rows));
        if parts.len() > SHOWN_PARTS {
            let _ = writeln!(out, "and {} smaller ones; `--json` has all", parts.len() - SHOWN_PARTS);
        }
        let _ = match (&report.worst, report.gap) {
            (Some(worst), Some(gap)) => writeln!(
                out,
                "gap {} · worst: {worst} · chance of such a gap between random parts: {}",
                number(Some(gap), report.gap_ci_low, report.gap_ci_high),
                p_value(report.gap_p)
            ),
            _ => writeln!(out, "no gap is stated: it takes two parts of {} instances", report.smallest_part),
        };
    }
}

fn part_row(part: &PartScore) -> Vec<String> {
    let range = part.characters.map_or_else(String::new, |(from, to)| format!(", {from} to {to} characters"));
    vec![
        format!("{}{range}", part.part),
        number(part.value, part.ci_low, part.ci_high),
        part.coverage.map_or_else(|| "-".to_owned(), |coverage| format!("{:.0} %", coverage * 100.0)),
        part.instances.to_string(),
    ]
}

/// How far repetitions, or runs with other seeds, agree.
pub(crate) fn stability_text(reports: &[StabilityReport]) -> String {
    let mut out = String::new();
    let Some(first) = reports.first() else { return out };
    let _ = writeln!(out, "\nThe same questions {} times:", first.replicates.len());
    for report in reports {
        let perturbation = report.perturbation.as_deref().map_or_else(String::new, |name| format!(" {name}"));
        let alpha = report.alpha.map_or_else(String::new, |alpha| format!(", Krippendorff's alpha {alpha:.3}"));
        let _ = writeln!(
            out,
            "  {} {}{perturbation}: one answer throughout in {} of {} instances{alpha}",
            short_model(&report.model),
            report.strategy,
            number(report.all_equal, report.all_equal_ci_low, report.all_equal_ci_high),
            report.instances,
        );
        // A score that did not move has nothing more to say.
        for spread in report.spreads.iter().filter(|spread| spread.metric != "coverage" && spread.sd > 0.0) {
            let _ = writeln!(
                out,
                "    {} {:.3}, sd {:.4} ({:.3} to {:.3}), stability {:.3}",
                spread.metric.replace('_', " "),
                spread.mean,
                spread.sd,
                spread.min,
                spread.max,
                spread.stability
            );
        }
    }
    out
}

/// What each model with each strategy cost, where several share the joules of a run.
pub(crate) fn shares_text(metrics: &[MetricValue]) -> String {
    let of = |name: &str| -> Vec<&MetricValue> { metrics.iter().filter(|metric| metric.name == name).collect() };
    let per_job = of("sustainability.energy_j_per_job");
    let mut out = String::new();
    if per_job.len() < 2 {
        return out;
    }
    for metric in per_job {
        let quality = metric.quality.map_or("unknown", |quality| quality.as_str());
        let _ = writeln!(
            out,
            "       {} {}: {:.2} J a job ({quality}, by its share of the time models worked)",
            short_model(&metric.model),
            metric.strategy,
            metric.value
        );
    }
    out
}

fn number(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    match (value, low, high) {
        (Some(value), Some(low), Some(high)) => format!("{value:.3} [{low:.3}, {high:.3}]"),
        (Some(value), _, _) => format!("{value:.3}"),
        (None, _, _) => "-".to_owned(),
    }
}

fn signed(change: &ScoreChange) -> String {
    match (change.delta, change.ci_low, change.ci_high) {
        (Some(delta), Some(low), Some(high)) => format!("{delta:+.3} [{low:+.3}, {high:+.3}]"),
        (Some(delta), _, _) => format!("{delta:+.3}"),
        (None, _, _) => "-".to_owned(),
    }
}

fn p_value(p: Option<f64>) -> String {
    p.map_or_else(|| "-".to_owned(), |p| if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") })
}

#[cfg(test)]
mod tests {
    use super::{p_value, signed, stability_text};
    use puma_eval::metric::ScoreChange;

    #[test]
    fn changes_carry_their_sign_and_small_chances_are_not_called_zero() {
        let change = ScoreChange {
            metric: "accuracy".to_owned(),
            unit: String::new(),
            first: Some(0.5),
            second: Some(0.55),
            delta: Some(0.05),
            ci_low: Some(-0.01),
            ci_high: Some(0.1),
            n: 200,
        };
        assert_eq!(signed(&change), "+0.050 [-0.010, +0.100]");
        assert_eq!(signed(&ScoreChange { ci_low: None, ..change.clone() }), "+0.050");
        assert_eq!(signed(&ScoreChange { delta: None, ..change }), "-");
        assert_eq!(
            (p_value(Some(0.000_2)).as_str(), p_value(Some(0.04)).as_str(), p_value(None).as_str()),
            ("<0.001", "0.040", "-")
        );
        assert_eq!(stability_text(&[]), "");
    }
}
