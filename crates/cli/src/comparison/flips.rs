//! The jobs on which two sides differ, as a table.

use crate::document::{Block, Grid};
use puma_eval::comparison::{Comparison, FlippedAnswer};
use std::str::FromStr;

/// How many flips people see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlipLimit {
    All,
    AtMost(usize),
}

impl FromStr for FlipLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            number => number.parse().map(Self::AtMost).map_err(|_| format!("`{number}` is neither a number nor `all`")),
        }
    }
}

impl FlipLimit {
    fn of(self, all: usize) -> usize {
        match self {
            Self::All => all,
            Self::AtMost(most) => most.min(all),
        }
    }
}

/// How often answers changed, then the changed ones.
pub(super) fn blocks(found: &Comparison, [first, second]: [&str; 2], limit: FlipLimit) -> Vec<Block> {
    let (flips, pairs) = (&found.flips, found.pairs.pairs);
    if pairs == 0 {
        return Vec::new();
    }
    if flips.is_empty() {
        return vec![Block::Paragraph(format!("Every one of the {pairs} answers is the same."))];
    }
    let counts: Vec<String> =
        found.changes.iter().map(|count| format!("{} {}", count.jobs, count.change.words())).collect();
    let summary =
        format!("{} of {pairs} answers changed from {first} to {second}: {}.", flips.len(), counts.join(", "));
    let shown = limit.of(flips.len());
    let mut blocks = vec![Block::Heading(summary)];
    if shown == 0 {
        return blocks;
    }
    let mut grid = Grid::new(&["change", "instance", "right", first, second, "about"], 6);
    for flip in spread(found, shown) {
        let repeat = if flip.repeat > 0 { format!(" #{}", flip.repeat) } else { String::new() };
        grid.rows.push(vec![
            flip.change.words().to_owned(),
            format!("{}{repeat}", flip.instance_id),
            flip.gold.clone(),
            answer(&flip.first),
            answer(&flip.second),
            cut(&flip.title),
        ]);
    }
    blocks.push(Block::Table(grid));
    let more = flips.len() - shown;
    let explained = flips.iter().any(|flip| flip.first.confidence.or(flip.second.confidence).is_some());
    let lines: Vec<String> = [
        explained.then(|| "In brackets: probability of the answer, then its lead over the next label.".to_owned()),
        (more > 0).then(|| format!("{more} more: --flips all.")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !lines.is_empty() {
        blocks.push(Block::Paragraph(lines.join("\n")));
    }
    blocks
}

/// `count` flips, taken in turn from each kind of change, so that no kind hides another.
fn spread(found: &Comparison, count: usize) -> Vec<&puma_eval::comparison::Flip> {
    let mut taken = vec![0_usize; found.changes.len()];
    let mut left = count;
    while left > 0 {
        let before = left;
        for (taken, change) in taken.iter_mut().zip(&found.changes) {
            if left > 0 && *taken < change.jobs {
                *taken += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    let of_kind = |(change, taken): (&puma_eval::comparison::ChangeCount, usize)| {
        found.flips.iter().filter(|flip| flip.change == change.change).take(taken).collect::<Vec<_>>()
    };
    found.changes.iter().zip(taken).flat_map(of_kind).collect()
}

fn answer(given: &FlippedAnswer) -> String {
    let text = given.answer.clone().unwrap_or_else(|| format!("({})", given.outcome));
    match (given.confidence, given.margin) {
        (Some(confidence), Some(margin)) => format!("{text} [{confidence:.2}, {margin:.2}]"),
        (Some(confidence), None) => format!("{text} [{confidence:.2}]"),
        _ => text,
    }
}

/// As much of a title as leaves the line readable.
fn cut(title: &str) -> String {
    const LONGEST: usize = 40;
    if title.chars().count() <= LONGEST {
        return title.to_owned();
    }
    title.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{FlipLimit, cut};

    #[test]
    fn the_limit_is_a_number_or_all() {
        assert_eq!("all".parse(), Ok(FlipLimit::All));
        assert_eq!("3".parse(), Ok(FlipLimit::AtMost(3)));
        assert_eq!("-1".parse::<FlipLimit>(), Err("`-1` is neither a number nor `all`".to_owned()));
        assert_eq!((FlipLimit::All.of(7), FlipLimit::AtMost(3).of(7), FlipLimit::AtMost(9).of(7)), (7, 3, 7));
    }

    #[test]
    fn a_long_title_is_cut_between_characters() {
        assert_eq!(cut("ä".repeat(41).as_str()).chars().count(), 40);
        assert_eq!(cut("short"), "short");
    }
}
