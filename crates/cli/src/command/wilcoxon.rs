//! `puma wilcoxon`: upstream PUMA's paired test of two runs, for scripts that call it.

use crate::context::Context;
use crate::execute::find_scenario;
use crate::failure::Failure;
use crate::runs;
use clap::Args;
use puma_eval::comparison::{Selection, between};
use puma_eval::metric::paired_correctness;
use puma_eval::stats::{PairedCounts, Wilcoxon, WilcoxonMethod};
use serde::Serialize;
use std::path::PathBuf;

/// Upstream asks for this many shared instances.
const FEWEST: u64 = 10;

/// Arguments of `puma wilcoxon`.
#[derive(Debug, Args)]
pub(crate) struct WilcoxonArgs {
    /// The first run.
    run_a: String,
    /// The second run.
    run_b: String,
    /// What the report is called; the test is of right and wrong answers whatever it says.
    #[arg(long, value_name = "NAME", default_value = "f1_macro")]
    metric: String,
    /// Below this p-value the report calls the difference significant.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    alpha: f64,
    /// Also write the report to this file.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What upstream's test says.
#[derive(Debug, Serialize)]
struct Verdict {
    run_a: String,
    run_b: String,
    metric: String,
    accuracy_a: f64,
    accuracy_b: f64,
    n_pairs: u64,
    /// The smaller rank sum.
    statistic: f64,
    /// Two-sided, by the normal approximation without continuity correction.
    p_value: f64,
    marker: &'static str,
    /// Share of right answers of the first run minus that of the second.
    mean_diff: f64,
    /// z of half the p-value over the root of the number of pairs.
    effect_size_r: f64,
    /// The p-value of McNemar's exact test of the same pairs.
    mcnemar_p_value: f64,
}

pub(crate) fn run(args: WilcoxonArgs, context: &Context) -> Result<(), Failure> {
    let WilcoxonArgs { run_a, run_b, metric, alpha, output, json } = args;
    let (first, second) = (runs::open(context, &run_a)?, runs::open(context, &run_b)?);
    let any = Selection::default();
    let matched = between((&first, &any), (&second, &any)).map_err(|error| Failure::operation(error.to_string()))?;
    let [(left, right)] = matched.pairs.as_slice() else {
        return Err(Failure::invalid(format!(
            "the runs have {} groups in common, and this takes one",
            matched.pairs.len()
        ))
        .hint("`puma compare` compares several at once"));
    };
    let task = find_scenario(&first.header.scenario)?.task();
    let counts = paired_correctness(&task, left.records.iter().copied(), right.records.iter().copied());
    if counts.total() < FEWEST {
        return Err(Failure::invalid(format!("the runs share {} instances, and this takes {FEWEST}", counts.total()))
            .hint("`puma compare` has exact tests, which say what little can be said of few"));
    }
    let names = [first.header.run_id.to_string(), second.header.run_id.to_string()];
    let verdict = judge(names, metric, &counts, alpha);
    if let Some(path) = output {
        std::fs::write(&path, text(&verdict))
            .map_err(|error| Failure::operation(format!("{} cannot be written: {error}", path.display())))?;
    }
    if json { context.ui.json(&verdict) } else { context.ui.data(&text(&verdict)) }
}

fn judge([run_a, run_b]: [String; 2], metric: String, counts: &PairedCounts, alpha: f64) -> Verdict {
    let (wins, losses, n) = (counts.only_first_right, counts.only_second_right, counts.total());
    let differences: Vec<f64> = std::iter::repeat_n(1.0, wins as usize)
        .chain(std::iter::repeat_n(-1.0, losses as usize))
        .chain(std::iter::repeat_n(0.0, (n - counts.discordant()) as usize))
        .collect();
    let test = Wilcoxon { method: WilcoxonMethod::Asymptotic, ..Wilcoxon::default() }.test(&differences);
    let (statistic, p_value) = test.map_or((0.0, 1.0), |test| (test.statistic, test.p_value));
    // Upstream takes z from half the p-value, which is the lower of the two.
    let z = test.and_then(|test| test.z).map_or(0.0, |z| -z.abs());
    let share = |right: u64| right as f64 / n as f64;
    Verdict {
        run_a,
        run_b,
        metric,
        accuracy_a: share(counts.both_right + wins),
        accuracy_b: share(counts.both_right + losses),
        n_pairs: n,
        statistic,
        p_value,
        marker: match p_value {
            p if p < 0.001 => "***",
            p if p < 0.01 => "**",
            p if p < alpha => "*",
            _ => "n.s.",
        },
        mean_diff: share(wins) - share(losses),
        effect_size_r: z / (n as f64).sqrt(),
        mcnemar_p_value: counts.p_value(),
    }
}

fn text(verdict: &Verdict) -> String {
    format!(
        "# Wilcoxon signed-rank test: {}\n\n| run | accuracy |\n|---|---|\n| {} | {:.4} |\n| {} | {:.4} |\n\n\
         - pairs: {}\n- W: {}\n- p (two-sided): {:.4} {}\n- mean difference: {:+.4}\n- effect size r: {:+.4}\n\n\
         On right and wrong answers this is McNemar's test by approximation; the exact one gives p = {:.4} \
         (`puma compare`).\n",
        verdict.metric,
        verdict.run_a,
        verdict.accuracy_a,
        verdict.run_b,
        verdict.accuracy_b,
        verdict.n_pairs,
        verdict.statistic,
        verdict.p_value,
        verdict.marker,
        verdict.mean_diff,
        verdict.effect_size_r,
        verdict.mcnemar_p_value,
    )
}

#[cfg(test)]
mod tests {
    use super::judge;
    use puma_eval::stats::PairedCounts;

    fn counts(wins: u64, losses: u64, ties: u64) -> PairedCounts {
        PairedCounts { both_right: ties, only_first_right: wins, only_second_right: losses, both_wrong: 0 }
    }

    #[test]
    fn upstreams_demonstration_comes_out_as_published() {
        let names = || ["a".to_owned(), "b".to_owned()];
        let found = judge(names(), "f1_macro".to_owned(), &counts(13, 6, 0), 0.05);
        assert_eq!((found.n_pairs, found.statistic, found.marker), (19, 60.0, "n.s."));
        assert!((found.p_value - 0.1083).abs() < 5e-5, "{}", found.p_value);
        assert!((found.mcnemar_p_value - 0.1671).abs() < 5e-5, "{}", found.mcnemar_p_value);
        let equal = judge(names(), "f1_macro".to_owned(), &counts(0, 0, 30), 0.05);
        assert_eq!((equal.statistic, equal.p_value, equal.mean_diff), (0.0, 1.0, 0.0));
        assert_eq!(judge(names(), "f1_macro".to_owned(), &counts(60, 10, 30), 0.05).marker, "***");
    }
}
