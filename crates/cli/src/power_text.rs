//! The plan of a study in words.

use crate::command::power::{Computed, Plan, PowerMetric, PowerReport};
use crate::table::{Align, render};
use puma_eval::stats::PowerMethod;

/// For people: what the study can do, one line an assumption, and what was assumed.
pub(crate) fn text(report: &PowerReport) -> String {
    let mut out = String::new();
    match report.plans.as_slice() {
        [plan] => out.push_str(&format!("{}\n", sentence(report, plan))),
        plans => {
            let pilot = report.pilot.as_ref().and_then(|pilot| pilot.paired);
            out.push_str(match pilot.and_then(|pilot| pilot.discordance) {
                Some(_) => {
                    "The two were right on the same issues in the runs, which will not always be so. It matters:"
                }
                None => "How often exactly one of the two is right is not known (--discordance, or --run). It matters:",
            });
            out.push_str("\n\n");
            let rows: Vec<Vec<String>> = plans.iter().map(|plan| row(report, plan)).collect();
            let header = [
                ("only one is right", Align::Right),
                ("issues", Align::Right),
                ("difference", Align::Right),
                ("seen in", Align::Right),
            ];
            out.push_str(&render(&header, &rows));
        }
    }
    out.push('\n');
    out.push_str(&assumptions(report));
    out
}

/// A difference with its unit.
fn difference(report: &PowerReport, effect: f64) -> String {
    match report.metric {
        PowerMetric::Accuracy => format!("{:.1} percentage points", effect * 100.0),
        PowerMetric::Mae => format!("{effect:.3} story points"),
    }
}

fn per_cent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn row(report: &PowerReport, plan: &Plan) -> Vec<String> {
    let none = || "none".to_owned();
    vec![
        plan.discordance.map_or_else(none, per_cent),
        plan.n.map_or_else(none, |n| n.to_string()),
        plan.effect.map_or_else(none, |effect| difference(report, effect)),
        plan.power.map_or_else(|| "impossible".to_owned(), per_cent),
    ]
}

fn sentence(report: &PowerReport, plan: &Plan) -> String {
    let (whom, measure) = match (report.metric, plan.against) {
        (PowerMetric::Accuracy, Some(against)) => (format!("a model and the value {against}"), "accuracy"),
        (PowerMetric::Accuracy, None) => ("two models".to_owned(), "accuracy"),
        (PowerMetric::Mae, _) => ("two models".to_owned(), "mean absolute error"),
    };
    match (report.computed, plan.n, plan.effect, plan.power) {
        (Computed::Effect, Some(n), Some(effect), Some(power)) => format!(
            "With {n} issues you can see a difference in {measure} of {} between {whom}, not less: {} of such studies \
             would find one of that size.",
            difference(report, effect),
            per_cent(power),
        ),
        (Computed::Effect, Some(n), None, Some(power)) => format!(
            "With {n} issues no difference in {measure} that can occur between {whom} would be found by {} of such studies.",
            per_cent(power),
        ),
        (Computed::N, Some(n), Some(effect), Some(power)) => format!(
            "To see a difference in {measure} of {} between {whom} in {} of such studies, you need {n} issues.",
            difference(report, effect),
            per_cent(power),
        ),
        (Computed::N, None, Some(effect), _) => format!(
            "A difference in {measure} of {} between {whom} cannot be seen with any number of issues: it cannot occur, or \
             is too small.",
            difference(report, effect),
        ),
        (Computed::Power, Some(n), Some(effect), Some(power)) => format!(
            "With {n} issues, {} of such studies would find a true difference in {measure} of {} between {whom}.",
            per_cent(power),
            difference(report, effect),
        ),
        _ => format!("A difference in {measure} of that size cannot occur between {whom}."),
    }
}

fn assumptions(report: &PowerReport) -> String {
    let test = match report.test {
        "mcnemar_exact" => "McNemar's exact test, both models on the same issues",
        "binomial_exact" => "exact binomial test",
        _ => "test of the mean paired difference, normal approximation",
    };
    let mut out = format!("Test: {test}; level {}", report.alpha);
    if report.comparisons > 1 {
        let (each, all) = (report.alpha_per_test, report.comparisons);
        out.push_str(&format!(", {each:.4} for each of {all} comparisons (the worst case of Holm's correction)"));
    }
    out.push_str(".\n");
    if let [plan] = report.plans.as_slice() {
        if let Some(discordance) = plan.discordance {
            out.push_str(&format!(
                "Assumed: exactly one of the two is right on {} of the issues.\n",
                per_cent(discordance)
            ));
        }
        if let Some(sd) = plan.sd {
            out.push_str(&format!("Assumed: the difference of errors has a standard deviation of {sd:.3} points.\n"));
        }
        if plan.method == Some(PowerMethod::Normal) && report.metric == PowerMetric::Accuracy {
            out.push_str("Computed by the normal approximation, because the study is large.\n");
        }
    }
    if let Some(pilot) = &report.pilot {
        out.push_str(&format!("Taken from {} ({} issues).\n", pilot.run_ids.join(" and "), pilot.instances));
    }
    out
}
