//! One comparison in full, for people.

use super::flips::{self, FlipLimit};
use super::number::{p_value, plain, signed, with_interval};
use super::report::Letters;
use crate::document::{Block, Grid};
use crate::summary::short_model;
use puma_eval::comparison::{
    ALPHA, Bearing, Comparison, Delta, Detectable, Difference, Effect, Favour, Shift, SideName, Tested,
};

/// What people see of the metrics, where it exists; `--json` has all.
const SHOWN: [&str; 15] = [
    "f1_macro",
    "accuracy",
    "balanced_accuracy",
    "mae_imputed",
    "mae",
    "mdae",
    "rmse",
    "standardised_accuracy",
    "mcc",
    "ece",
    "brier",
    "coverage",
    "latency.p50",
    "tokens_per_second",
    "generated_tokens.mean",
];

/// Everything about one comparison: whether it is one, deltas, tests, breakdown, flips.
pub(crate) fn detail(found: &Comparison, letters: &Letters, limit: FlipLimit) -> Vec<Block> {
    let names = [letters.of(&found.first), letters.of(&found.second)];
    let [first, second] = [names[0].as_str(), names[1].as_str()];
    let mut blocks = comparability(found, [first, second]);
    if found.pairs.pairs == 0 {
        return blocks;
    }
    blocks.push(deltas(found, [first, second]));
    blocks.extend(speed_note(found));
    blocks.push(Block::Paragraph(significance(found, [first, second])));
    blocks.extend(by_class(found, [first, second]));
    blocks.extend(by_project(found, [first, second]));
    blocks.extend(flips::blocks(found, [first, second], limit));
    blocks
}

/// The verdict, then what differs, what weighs most first.
fn comparability(found: &Comparison, [first, second]: [&str; 2]) -> Vec<Block> {
    let judged = &found.comparability;
    let mut blocks = vec![Block::Paragraph(judged.sentence.clone())];
    let weighs = |difference: &&Difference| difference.bearing != Bearing::Harmless;
    let mut grid = Grid::new(&["differs", first, second, "which means"], 4);
    for difference in judged.differences.iter().filter(weighs) {
        let told = |value: &Option<String>| {
            value.as_deref().map_or_else(|| "?".to_owned(), |text| shortened(short_model(text)))
        };
        grid.rows.push(vec![
            difference.what.clone(),
            told(&difference.first),
            told(&difference.second),
            meaning(difference),
        ]);
    }
    if !grid.rows.is_empty() {
        blocks.push(Block::Table(grid));
    }
    let harmless: Vec<&str> = judged
        .differences
        .iter()
        .filter(|difference| difference.bearing == Bearing::Harmless)
        .map(|difference| difference.what.as_str())
        .collect();
    if !harmless.is_empty() {
        blocks.push(Block::Paragraph(format!("Differs without changing what is compared: {}.", harmless.join(", "))));
    }
    blocks
}

fn meaning(difference: &Difference) -> String {
    let bearing = match difference.bearing {
        Bearing::Incomparable => "not comparable",
        Bearing::Compared => "is compared",
        Bearing::Restricts => "fewer pairs",
        Bearing::Unknown => "cannot be checked",
        Bearing::Speed => "speed only",
        Bearing::Harmless => "changes nothing",
    };
    if difference.meaning.is_empty() { bearing.to_owned() } else { format!("{bearing}: {}", difference.meaning) }
}

/// Enough of a hash to compare by eye.
pub(super) fn shortened(value: &str) -> String {
    let digits = value.strip_prefix("sha256:").unwrap_or(value);
    let is_hash = digits.len() >= 40 && digits.chars().all(|c| c.is_ascii_hexdigit());
    if is_hash { digits.chars().take(12).chain(['…']).collect() } else { value.to_owned() }
}

/// The metrics people see, in the order of [`SHOWN`].
pub(super) fn shown(found: &Comparison) -> impl Iterator<Item = &Delta> {
    let void = !found.comparability.speed_void.is_empty();
    let of_speed = |delta: &&Delta| matches!(delta.unit.as_str(), "ms" | "tokens/s");
    SHOWN
        .iter()
        .filter_map(|name| found.deltas.iter().find(|delta| delta.name == *name))
        .filter(move |delta| !(void && of_speed(delta)))
}

fn deltas(found: &Comparison, [first, second]: [&str; 2]) -> Block {
    let difference = format!("{second} - {first}");
    let mut grid = Grid::new(&["metric", "unit", "n", first, second, &difference, "95 % interval", ""], 2);
    for delta in shown(found) {
        let n = if delta.n_first == delta.n_second {
            delta.n_first.to_string()
        } else {
            format!("{}/{}", delta.n_first, delta.n_second)
        };
        grid.rows.push(vec![
            delta.name.clone(),
            delta.unit.clone(),
            n,
            plain(delta.first, &delta.unit),
            plain(delta.second, &delta.unit),
            signed(delta.difference, &delta.unit),
            with_interval(delta.ci_low, delta.ci_high, &delta.unit),
            match delta.favours {
                Some(Favour::First) => format!("{first} better"),
                Some(Favour::Second) => format!("{second} better"),
                None => String::new(),
            },
        ]);
    }
    Block::Table(grid)
}

fn speed_note(found: &Comparison) -> Option<Block> {
    let reasons = &found.comparability.speed_void;
    let text = || format!("Speed and energy are not compared: {}.", reasons.join("; "));
    (!reasons.is_empty()).then(|| Block::Paragraph(text()))
}

/// Who was right, the tests, the sizes of the effects.
fn significance(found: &Comparison, [first, second]: [&str; 2]) -> String {
    let mut lines = Vec::new();
    let counts = &found.pairs;
    if counts.answered_both < counts.pairs {
        lines.push(format!(
            "No usable answer: {} only in {first}, {} only in {second}, {} in both of {} pairs.",
            counts.answered_only_second, counts.answered_only_first, counts.answered_neither, counts.pairs
        ));
    }
    let tested = &found.significance;
    if let Some(agreement) = tested.agreement {
        lines.push(format!(
            "Right: {} both, {} only {first}, {} only {second}, {} neither.",
            agreement.both_right, agreement.only_first_right, agreement.only_second_right, agreement.both_wrong
        ));
    }
    if let Some(imputed) = tested.imputed.filter(|imputed| imputed.first + imputed.second > 0) {
        lines.push(format!(
            "Errors above are those of pairs both answered. With every missing answer ({} in {first}, {} in {second}) \
             judged as a guess at random: MAE {} and {}; the tests use these.",
            imputed.first,
            imputed.second,
            plain(imputed.mae_first, "points"),
            plain(imputed.mae_second, "points"),
        ));
    }
    lines.extend(tested.tests.iter().map(test_line));
    lines.extend(tested.detectable.filter(|_| !is_significant(found)).map(|seen| detectable(found, &seen)));
    lines.extend(effects(&tested.effects, [first, second]));
    lines.join("\n")
}

/// The sizes of the difference, each with the direction that speaks for the second side.
fn effects(effects: &[Effect], [first, second]: [&str; 2]) -> Option<String> {
    let told = |effect: &Effect| {
        let bound = |value: Option<f64>| value.map_or_else(|| "unbounded".to_owned(), |value| format!("{value:.2}"));
        let interval = match (effect.ci_low, effect.ci_high) {
            (None, None) => String::new(),
            (low, high) => format!(" [{}, {}]", bound(low), bound(high)),
        };
        match effect.name.as_str() {
            "odds_ratio" => match effect.value {
                Some(odds) => format!("only {second} is right {odds:.2} times as often as only {first}{interval}"),
                None => format!("{first} alone is never right{interval}"),
            },
            name => format!("{} {}{interval}", name.replace('_', " "), bound(effect.value)),
        }
    };
    let all: Vec<String> = effects.iter().map(told).collect();
    let direction = if effects.iter().any(|effect| effect.name == "cliffs_delta") {
        format!(" (below 0: {second} errs less)")
    } else {
        String::new()
    };
    (!all.is_empty()).then(|| format!("Size: {}{direction}.", all.join(", ")))
}

fn is_significant(found: &Comparison) -> bool {
    found.significance.tests.iter().any(|test| test.p_holm.is_some_and(|p| p < ALPHA))
}

/// What the comparison would have seen, had it been there.
fn detectable(found: &Comparison, seen: &Detectable) -> String {
    let Detectable { effect, power, alpha, n, spread: _ } = seen;
    let of_numbers = found.significance.agreement.is_none();
    let level = if *alpha == ALPHA { String::new() } else { format!(" at level {alpha:.4}") };
    match effect {
        Some(effect) => {
            let what = if of_numbers { "points of mean absolute error" } else { "of accuracy" };
            format!(
                "With {n} instances a true difference of {effect:.3} {what} would have been seen {:.0} times in a \
                 hundred{level}; a smaller one may hide here.",
                power * 100.0
            )
        }
        None => format!(
            "With {n} instances, of which so few speak for a side, even the largest possible difference would have been \
             missed more than {:.0} times in a hundred{level}.",
            (1.0 - power) * 100.0
        ),
    }
}

fn test_line(test: &Tested) -> String {
    let name = match test.test.as_str() {
        "mcnemar_exact" => "McNemar's exact test",
        "wilcoxon_signed_rank" => "Wilcoxon's signed-rank test",
        "paired_permutation" => "Paired permutation test",
        other => other,
    };
    let mut line = format!(
        "{name} ({}, {} of {} speak for a side): {}",
        test.method,
        test.n_different,
        test.n,
        p_value(test.p_value)
    );
    if let Some(p_holm) = test.p_holm {
        let holm = if p_holm == test.p_value { String::new() } else { format!(", {} after Holm", p_value(p_holm)) };
        let verdict = if p_holm < ALPHA { "more than chance" } else { "chance is enough" };
        line.push_str(&format!("{holm}: {verdict} at {ALPHA}"));
    }
    line + "."
}

fn by_class(found: &Comparison, [first, second]: [&str; 2]) -> Vec<Block> {
    if found.by_class.iter().all(|class| class.support == 0) {
        return Vec::new();
    }
    let recall = format!("recall {second} - {first}");
    let f1 = format!("F1 {second} - {first}");
    let names = ["class", "n", &format!("right {first}"), &format!("right {second}"), &recall, "95 %", &f1, "95 %"];
    let mut grid = Grid::new(&names, 1);
    for class in found.by_class.iter().filter(|class| class.support > 0) {
        let mut row = vec![
            class.label.clone(),
            class.support.to_string(),
            class.right_first.to_string(),
            class.right_second.to_string(),
        ];
        row.extend(shift(&class.recall));
        row.extend(shift(&class.f1));
        grid.rows.push(row);
    }
    vec![Block::Heading("By class:".to_owned()), Block::Table(grid)]
}

fn shift(value: &Shift) -> [String; 2] {
    [signed(value.difference, ""), with_interval(value.ci_low, value.ci_high, "")]
}

/// Projects with most pairs first; a long tail is counted.
fn by_project(found: &Comparison, [first, second]: [&str; 2]) -> Vec<Block> {
    const SHOWN: usize = 12;
    let Some(metric) = found.by_project.first().map(|project| project.metric.clone()) else { return Vec::new() };
    let mut projects: Vec<_> = found.by_project.iter().collect();
    projects.sort_by_key(|project| std::cmp::Reverse(project.pairs));
    let difference = format!("{second} - {first}");
    let mut grid = Grid::new(&["project", "n", first, second, &difference, "95 % interval"], 1);
    for project in projects.iter().take(SHOWN) {
        let value = &project.value;
        let mut row =
            vec![project.project.clone(), project.pairs.to_string(), plain(value.first, ""), plain(value.second, "")];
        row.extend(shift(value));
        grid.rows.push(row);
    }
    let mut blocks = vec![Block::Heading(format!("By project, {metric}:")), Block::Table(grid)];
    if projects.len() > SHOWN {
        blocks.push(Block::Paragraph(format!("{} smaller projects: --json has them.", projects.len() - SHOWN)));
    }
    blocks
}

/// `smollm2:135m zero-shot`, `smollm2:135m zero-shot with typos`.
pub(super) fn described(side: &SideName) -> String {
    let perturbation = side.perturbation.as_ref().map_or_else(String::new, |name| format!(" with {name}"));
    format!("{} {}{perturbation}", short_model(&side.model), side.strategy)
}
