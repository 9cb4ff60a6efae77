//! Robustness, fairness and stability as text, for people.

use crate::report::RunReport;
use crate::table::{Align, render};
use puma_eval::metric::{
    CounterfactualReport, DivisionReport, PairReport, PartScore, RobustnessReport, ScoreChange, StabilityReport,
};
use std::fmt::Write as _;

/// Parts of one division that fit into a line.
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
    let _ = writeln!(out, "\nPerturbed against unperturbed, {} {}:", report.model, report.strategy);
    let pairs: Vec<(String, &PairReport)> =
        report.perturbations.iter().map(|pair| (form(pair.second.as_deref()), pair)).collect();
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
            "worst form of each instance: {name} {} (n {}{left_out})",
            number(worst.value, worst.ci_low, worst.ci_high),
            worst.n
        );
    }
}

fn counterfactual_text(out: &mut String, reports: &[CounterfactualReport]) {
    // Against the original they stand among the perturbations already.
    let pairs: Vec<(String, &PairReport)> = reports
        .iter()
        .filter(|report| report.pair.first.is_some())
        .map(|report| {
            let (first, second) = (form(report.pair.first.as_deref()), form(report.pair.second.as_deref()));
            (format!("{} {}: {second} against {first}", report.model, report.strategy), &report.pair)
        })
        .collect();
    if !pairs.is_empty() {
        out.push_str("\nCues that must not matter:\n");
        out.push_str(&pair_table("forms", &pairs));
    }
}

fn pair_table(title: &str, pairs: &[(String, &PairReport)]) -> String {
    let Some((_, first)) = pairs.first() else { return String::new() };
    let scores: Vec<&str> =
        first.changes.iter().map(|change| change.metric.as_str()).filter(|m| *m != "coverage").collect();
    let headings: Vec<String> = scores.iter().map(|score| format!("Δ {}", score.replace('_', " "))).collect();
    let labels = pairs.iter().any(|(_, pair)| pair.mcnemar_p.is_some());
    let excluded = pairs.iter().any(|(_, pair)| pair.excluded + pair.unpaired > 0);
    let mut header = vec![(title, Align::Left)];
    header.extend(headings.iter().map(|heading| (heading.as_str(), Align::Right)));
    header.push(("flips", Align::Right));
    if labels {
        header.extend([("to right", Align::Right), ("to wrong", Align::Right)]);
    } else {
        header.push(("mean |Δ|", Align::Right));
    }
    header.push(("to none", Align::Right));
    if labels {
        header.push(("p", Align::Right));
    }
    header.push(("n", Align::Right));
    if excluded {
        header.push(("left out", Align::Right));
    }
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .map(|(name, pair)| {
            let find = |score: &&str| pair.changes.iter().find(|change| change.metric == **score);
            let mut row = vec![name.clone()];
            row.extend(scores.iter().map(|score| find(score).map_or_else(|| "-".to_owned(), signed)));
            row.push(pair.flips.rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.1} %", rate * 100.0)));
            if labels {
                row.extend([pair.flips.to_correct.to_string(), pair.flips.to_wrong.to_string()]);
            } else {
                row.push(pair.mean_absolute_change.map_or_else(|| "-".to_owned(), |change| format!("{change:.2}")));
            }
            row.push(pair.flips.to_no_answer.to_string());
            if labels {
                row.push(p_value(pair.mcnemar_p));
            }
            row.push(pair.pairs.to_string());
            if excluded {
                row.push((pair.excluded + pair.unpaired).to_string());
            }
            row
        })
        .collect();
    render(&header, &rows)
}

fn fairness_text(out: &mut String, reports: &[DivisionReport]) {
    // By right answer is what the table of right answers against answers shows.
    let shown: Vec<&DivisionReport> = reports.iter().filter(|report| report.division != "right_answer").collect();
    if !shown.is_empty() {
        out.push_str("\nParts of the data:\n");
    }
    for report in shown {
        let metric = if report.metric == "accuracy" { "accuracy" } else { "MAE (silence as a guess)" };
        let _ = writeln!(
            out,
            "  {metric} by {}, {} {}: {}",
            report.division,
            report.model,
            report.strategy,
            parts_text(report)
        );
        match (&report.worst, report.gap) {
            (Some(worst), Some(gap)) => {
                let _ = writeln!(
                    out,
                    "    gap {} · chance of such a gap in random parts {} · worst: {worst}",
                    number(Some(gap), report.gap_ci_low, report.gap_ci_high),
                    p_value(report.gap_p)
                );
            }
            _ => {
                let _ = writeln!(out, "    no gap: fewer than two parts have {} instances", report.smallest_part);
            }
        }
    }
}

fn parts_text(report: &DivisionReport) -> String {
    let mut parts: Vec<&PartScore> = report.parts.iter().collect();
    if report.division != "length" {
        // The largest say most.
        parts.sort_by_key(|part| std::cmp::Reverse(part.instances));
    }
    let mut texts: Vec<String> = parts
        .iter()
        .take(SHOWN_PARTS)
        .map(|part| {
            let range = part.characters.map_or_else(String::new, |(from, to)| format!(", {from} to {to} characters"));
            let value = part.value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
            format!("{} {value} (n {}{range})", part.part, part.instances)
        })
        .collect();
    if parts.len() > SHOWN_PARTS {
        texts.push(format!("{} more", parts.len() - SHOWN_PARTS));
    }
    texts.join(", ")
}

/// How far repetitions, or runs with other seeds, agree.
pub(crate) fn stability_text(reports: &[StabilityReport]) -> String {
    let mut out = String::new();
    if reports.is_empty() {
        return out;
    }
    let _ = writeln!(
        out,
        "\nThe same questions {} times:",
        reports.iter().map(|one| one.replicates.len()).max().unwrap_or(0)
    );
    for report in reports {
        let perturbation = report.perturbation.as_deref().map_or_else(String::new, |name| format!(" {name}"));
        let _ = writeln!(
            out,
            "  {} {}{perturbation}: one answer throughout in {} of {} instances{}",
            report.model,
            report.strategy,
            number(report.all_equal, report.all_equal_ci_low, report.all_equal_ci_high),
            report.instances,
            report.alpha.map_or_else(String::new, |alpha| format!(", Krippendorff's alpha {alpha:.3}"))
        );
        for spread in report.spreads.iter().filter(|spread| spread.metric != "coverage") {
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

fn form(perturbation: Option<&str>) -> String {
    perturbation.unwrap_or("original").to_owned()
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
