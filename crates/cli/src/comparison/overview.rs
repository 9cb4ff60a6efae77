//! What was compared, and many comparisons in one table.

use super::detail::{described, shown};
use super::number::{plain, signed, with_interval};
use super::report::{ComparisonReport, Letters};
use crate::document::{Block, Grid};
use puma_eval::comparison::{ALPHA, Comparison, Delta, Verdict};

/// What the primary tests judge, the first that exists: right answers, or errors with missing answers as guesses.
const HEADLINES: [&str; 2] = ["accuracy", "mae_imputed"];

/// The runs with their letters, whether their bytes are equal; for several comparisons a table of all.
pub(crate) fn overview(report: &ComparisonReport, letters: &Letters) -> Vec<Block> {
    let mut blocks = vec![legend(report, letters)];
    if report.run_ids.len() > 1 {
        blocks.push(Block::Paragraph(
            match (report.predictions_equal, report.logprobs_equal) {
                (true, Some(true)) => "Answers and logprobs are equal, bit for bit.",
                (true, Some(false)) => "The answers are equal, their logprobs are not.",
                (true, None) => "The answers are equal; not every run has logprobs.",
                (false, _) => "The answers differ.",
            }
            .to_owned(),
        ));
    }
    if report.comparisons.len() > 1 {
        blocks.push(table(&report.comparisons, letters));
        blocks.extend(judgements(&report.comparisons, letters));
        blocks.push(Block::Paragraph(
            "Significance is Holm's over this table. One comparison in full: choose it with --model, --strategy or \
             --perturbation, or name two runs."
                .to_owned(),
        ));
    }
    if !report.unmatched.is_empty() {
        let sides = report.unmatched.iter().map(|side| format!("{} of {}", described(side), side.run_id)).collect();
        blocks.push(Block::Heading("Without a counterpart, so not compared:".to_owned()));
        blocks.push(Block::List(sides));
    }
    blocks
}

fn legend(report: &ComparisonReport, letters: &Letters) -> Block {
    let line = |side: &puma_eval::comparison::SideName| {
        let letter = letters.of(side);
        let status = report.run_statuses.get(&side.run_id).map_or("", String::as_str);
        let mut sides: Vec<String> = Vec::new();
        for found in &report.comparisons {
            for own in [&found.first, &found.second].into_iter().filter(|own| letters.of(own) == letter) {
                let text = described(own);
                if !sides.contains(&text) {
                    sides.push(text);
                }
            }
        }
        let what = if sides.len() > 3 { format!("{} groups", sides.len()) } else { sides.join("; ") };
        if letters.are_runs() {
            format!("{letter}  {} ({status}): {what}", side.run_id)
        } else {
            format!("{letter}  {what}")
        }
    };
    let mut lines: Vec<String> = letters.sides().iter().map(line).collect();
    if !letters.are_runs() {
        let run_id = report.run_ids.first().map_or("", String::as_str);
        let status = report.run_statuses.get(run_id).map_or("", String::as_str);
        lines.insert(0, format!("{run_id} ({status})"));
    }
    Block::List(lines)
}

fn headline(found: &Comparison) -> Option<&Delta> {
    HEADLINES.iter().find_map(|name| shown(found).find(|delta| delta.name == *name))
}

fn table(comparisons: &[Comparison], letters: &Letters) -> Block {
    let metric = comparisons.iter().find_map(headline).map_or("score", |delta| delta.name.as_str());
    let values = ["first", "second"].map(|side| format!("{metric}, {side}"));
    let names = ["first", "second", "pairs", &values[0], &values[1], "difference", "95 % interval", "p (Holm)", ""];
    let mut grid = Grid::new(&names, 2);
    for found in comparisons {
        let side = |side| format!("{} {}", letters.of(side), described(side));
        let delta = headline(found);
        let value = |of: fn(&Delta) -> Option<f64>| delta.and_then(of);
        let p_holm = found.significance.tests.iter().find(|test| test.primary).and_then(|test| test.p_holm);
        grid.rows.push(vec![
            side(&found.first),
            side(&found.second),
            found.pairs.pairs.to_string(),
            plain(value(|delta| delta.first), ""),
            plain(value(|delta| delta.second), ""),
            signed(value(|delta| delta.difference), ""),
            with_interval(value(|delta| delta.ci_low), value(|delta| delta.ci_high), ""),
            p_holm
                .map_or_else(|| "-".to_owned(), |p| if p < 0.0001 { "<0.0001".to_owned() } else { format!("{p:.4}") }),
            mark(found, p_holm),
        ]);
    }
    Block::Table(grid)
}

fn mark(found: &Comparison, p_holm: Option<f64>) -> String {
    match (found.comparability.verdict, p_holm) {
        (Verdict::Incomparable, _) => "not comparable".to_owned(),
        (_, Some(p)) if p < ALPHA => "more than chance".to_owned(),
        _ => String::new(),
    }
}

/// Each verdict once, with the comparisons it holds for.
fn judgements(comparisons: &[Comparison], letters: &Letters) -> Vec<Block> {
    let mut sentences: Vec<(&str, Vec<String>)> = Vec::new();
    for found in comparisons {
        let pair = format!("{}-{}", letters.of(&found.first), letters.of(&found.second));
        let sentence = found.comparability.sentence.as_str();
        match sentences.iter_mut().find(|(known, _)| *known == sentence) {
            Some((_, pairs)) if pairs.contains(&pair) => {}
            Some((_, pairs)) => pairs.push(pair),
            None => sentences.push((sentence, vec![pair])),
        }
    }
    let lines = sentences.into_iter().map(|(sentence, pairs)| format!("{}: {sentence}", pairs.join(", "))).collect();
    vec![Block::List(lines)]
}
