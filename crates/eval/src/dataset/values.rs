//! What a cell means: story points, splits, quotes that an exporter left behind.

use super::table::Split;

/// What a story-point cell says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Points {
    /// Positive and finite, as the shortest decimal (`5`, `2.5`).
    Given(String),
    /// Zero or less.
    NotPositive,
    /// Empty, or a sign for "not estimated".
    Unset,
    /// Something else.
    NotANumber,
}

/// Reads story points: `5`, `5.0`, `2.5`, `2,5`.
pub(super) fn story_points(cell: &str) -> Points {
    let text = cell.trim();
    if matches!(text.to_lowercase().as_str(), "" | "-" | "?" | "none" | "null" | "nan" | "n/a" | "not set") {
        return Points::Unset;
    }
    let number = if text.contains('.') { text.to_owned() } else { text.replacen(',', ".", 1) };
    let decimal = number.strip_prefix(['-', '+']).unwrap_or(&number);
    let all_digits = decimal.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match number.parse::<f64>() {
        Ok(value) if all_digits && value.is_finite() && value > 0.0 => Points::Given(value.to_string()),
        Ok(value) if all_digits && value <= 0.0 => Points::NotPositive,
        _ => Points::NotANumber,
    }
}

/// Reads a Deep-SE `split_mark`.
pub(super) fn split(cell: &str) -> Option<Split> {
    match cell.trim().to_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" | "dev" => Some(Split::Validation),
        "test" | "testing" => Some(Split::Test),
        _ => None,
    }
}

/// How many layers of CSV quoting an exporter left inside the decoded cells: the most that can be taken off 95 % of
/// the non-empty ones, 3 at most. TAWOS files as upstream PUMA wrote them have one in titles and two in descriptions.
pub(super) fn quoting_layers<'a>(cells: impl Iterator<Item = &'a str> + Clone) -> usize {
    let total = cells.clone().filter(|cell| !cell.is_empty()).count();
    if total < 5 {
        return 0;
    }
    let takes =
        |layers: usize| cells.clone().filter(|cell| !cell.is_empty() && unquoted(cell, layers).is_some()).count();
    (1..=3).take_while(|&layers| takes(layers) * 100 >= total * 95).last().unwrap_or(0)
}

/// `cell` with `layers` layers of CSV quoting taken off, if it has that many.
pub(super) fn unquoted(cell: &str, layers: usize) -> Option<String> {
    let mut text = cell.to_owned();
    for _ in 0..layers {
        let inner = text.strip_prefix('"')?.strip_suffix('"')?;
        if inner.split(|c| c != '"').any(|run| run.len() % 2 != 0) {
            return None;
        }
        text = inner.replace("\"\"", "\"");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn story_points_are_positive_decimals() {
        for (cell, points) in [("5", "5"), ("5.0", "5"), (" 13 ", "13"), ("2.5", "2.5"), ("0,5", "0.5"), ("+3", "3")] {
            assert_eq!(story_points(cell), Points::Given(points.to_owned()), "{cell}");
        }
        for cell in ["0", "-1", "0.0", "-0.5"] {
            assert_eq!(story_points(cell), Points::NotPositive, "{cell}");
        }
        for cell in ["", " ", "?", "None", "nan"] {
            assert_eq!(story_points(cell), Points::Unset, "{cell}");
        }
        for cell in ["five", "inf", "1e3", "3 points", "1,000,000", "1.2.3", "."] {
            assert_eq!(story_points(cell), Points::NotANumber, "{cell}");
        }
    }

    proptest! {
        #[test]
        fn taking_off_a_layer_undoes_csv_quoting(text in "[a\" ,\n]{0,20}", layers in 0usize..4) {
            let mut quoted = text.clone();
            for _ in 0..layers {
                quoted = format!("\"{}\"", quoted.replace('"', "\"\""));
            }
            prop_assert_eq!(unquoted(&quoted, layers), Some(text));
        }
    }
}
