//! Plain text tables.

/// How a column is aligned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Lays out `rows` under `header`, columns two spaces apart, wide enough for their longest cell.
pub(crate) fn render(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|(name, _)| width(name)).collect();
    for row in rows {
        for (cell, slot) in row.iter().zip(&mut widths) {
            *slot = (*slot).max(width(cell));
        }
    }
    let mut out = String::new();
    let names: Vec<String> = header.iter().map(|(name, _)| (*name).to_owned()).collect();
    push_row(&mut out, &names, header, &widths);
    let rule: Vec<String> = widths.iter().map(|w| "─".repeat(*w)).collect();
    push_row(&mut out, &rule, header, &widths);
    for row in rows {
        push_row(&mut out, row, header, &widths);
    }
    out
}

fn push_row(out: &mut String, cells: &[String], header: &[(&str, Align)], widths: &[usize]) {
    let mut line = String::new();
    for ((cell, (_, align)), wide) in cells.iter().zip(header).zip(widths) {
        let pad = " ".repeat(wide.saturating_sub(width(cell)));
        let (left, right) = if *align == Align::Right { (pad.as_str(), "") } else { ("", pad.as_str()) };
        line.push_str(left);
        line.push_str(cell);
        line.push_str(right);
        line.push_str("  ");
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let text = render(
            &[("model", Align::Left), ("f1", Align::Right)],
            &[vec!["smollm2:135m".into(), "0.31".into()], vec!["x".into(), "1".into()]],
        );
        assert_eq!(text, "model           f1\n────────────  ────\nsmollm2:135m  0.31\nx                1\n");
    }
}
