//! Tables in Markdown, ready for a page of the documentation.

/// Lays out `rows` under `header`; all columns but the first are numbers and stand to the right.
pub(super) fn markdown(header: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let mut out = line(header.to_vec());
    out.push_str("|---|");
    out.push_str(&"---:|".repeat(header.len().saturating_sub(1)));
    out.push('\n');
    for row in rows {
        out.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    out
}

/// Three digits that count; `-` for what is not known.
pub(super) fn number(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// A median with its spread.
pub(super) fn spread(median: Option<f64>, percent: Option<f64>) -> String {
    match percent {
        Some(percent) => format!("{} ± {percent:.0} %", number(median)),
        None => number(median),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_rule_and_a_line_for_every_row() {
        let row = vec!["Q4_1".to_owned(), spread(Some(123.4), Some(1.6)), number(None)];
        let text = markdown(&["file", "tokens/s", "ratio"], &[row]);
        assert_eq!(text, "| file | tokens/s | ratio |\n|---|---:|---:|\n| Q4_1 | 123 ± 2 % | - |\n");
        assert_eq!([0.5, 12.34].map(|value| number(Some(value))), ["0.50", "12.3"]);
    }
}
