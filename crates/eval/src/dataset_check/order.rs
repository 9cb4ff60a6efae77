//! Whether the rows of the file follow the answers.

use super::association::shuffled;
use super::finding::{Check, Finding, Severity, percent};
use super::issues::Issues;

const SHUFFLES: u32 = 499;

/// Counts neighbours with the same answer (for numbers: of the same quarter) and compares with shuffled rows, as the
/// runs test of Wald and Wolfowitz (1940) does.
pub(super) fn order(found: &Issues<'_>) -> Option<Finding> {
    let classes = found.class_of_each();
    if classes.len() < 10 {
        return None;
    }
    let alike = |classes: &[usize]| classes.windows(2).filter(|pair| pair[0] == pair[1]).count();
    let neighbours = classes.len() - 1;
    let seen = alike(&classes);
    let pairs = |count: usize| count as f64 * (count as f64 - 1.0);
    let expected = found.class_counts().into_iter().map(pairs).sum::<f64>() / classes.len() as f64;
    let p_value = shuffled(&classes, SHUFFLES, |other| alike(other) >= seen);
    if p_value > 0.01 {
        return None;
    }
    let present = found.class_counts().into_iter().filter(|count| *count > 0).count();
    let runs = classes.len() - seen;
    let (share, by_chance) = (seen as f64 / neighbours as f64, expected / neighbours as f64);
    let answers = found.answers();
    let message = if runs == present && present > 1 {
        format!("the rows are sorted by {answers}: {present} blocks, one an answer")
    } else {
        format!(
            "the rows follow the {answers}: {} of neighbours have answers alike, {} would by chance",
            percent(share),
            percent(by_chance)
        )
    };
    // A drift over the years is usual; blocks are not.
    let severity = if share > (1.0 + by_chance) / 2.0 { Severity::Warning } else { Severity::Note };
    Some(
        Finding::new(Check::Order, severity, message)
            .number("alike", share)
            .number("alike_by_chance", by_chance)
            .number("p_value", p_value)
            .count("blocks", runs)
            .hint("PUMA samples and picks examples by seed, so its scores do not depend on it; whatever takes the first rows of the file does"),
    )
}
