//! The report for people: a table as llama-bench prints it, and what it cannot say in lines beneath.

use super::report::{Report, Row};
use crate::command::models::bytes;
use crate::table::{Align, render};

pub(crate) fn report_text(report: &Report) -> String {
    let model = &report.model;
    let mut out = format!(
        "{}: {} {}, {}, {:.1} M parameters\n\n",
        model.name,
        model.architecture,
        model.quantization,
        bytes(model.size_bytes),
        model.parameters as f64 / 1e6
    );
    let mut header = vec![
        ("simd", Align::Left),
        ("threads", Align::Right),
        ("test", Align::Left),
        ("median", Align::Right),
        ("unit", Align::Left),
        ("spread", Align::Right),
        ("min to max", Align::Right),
        ("n", Align::Right),
        ("cores", Align::Right),
    ];
    let roofline = !report.ceilings.is_empty();
    if roofline {
        header.extend([
            ("GOP/s", Align::Right),
            ("of int8", Align::Right),
            ("GB/s", Align::Right),
            ("of reads", Align::Right),
        ]);
    }
    let rows: Vec<Vec<String>> = report.rows.iter().map(|row| cells(row, roofline)).collect();
    out.push_str(&render(&header, &rows));
    out.push_str(&notes(report));
    out
}

fn cells(row: &Row, roofline: bool) -> Vec<String> {
    let or_dash = |value: Option<f64>, text: fn(f64) -> String| value.map_or_else(|| "-".to_owned(), text);
    let spread = &row.spread;
    let mut cells = vec![
        row.simd.to_owned(),
        row.threads.to_string(),
        row.test.clone(),
        number(spread.median),
        row.unit.to_owned(),
        format!("± {:.1} %", spread.mad_percent),
        format!("{} to {}", number(spread.min), number(spread.max)),
        spread.n.to_string(),
        or_dash(row.own_processors, number),
    ];
    if roofline {
        cells.extend([
            or_dash(row.gop_per_s, number),
            or_dash(row.int8_percent, percent),
            or_dash(row.gb_per_s, number),
            or_dash(row.read_percent, percent),
        ]);
    }
    cells
}

fn notes(report: &Report) -> String {
    let mut lines = Vec::new();
    for ceiling in &report.ceilings {
        let int8 = ceiling.int8.iter().map(|found| format!("{} {:.0} GOP/s", found.instruction, found.gop_per_s));
        let all: Vec<String> = int8.chain([format!("reads {:.1} GB/s", ceiling.read_gb_per_s)]).collect();
        lines.push(format!("ceilings of {}: {}", threads(ceiling.threads), all.join(", ")));
    }
    if !report.ceilings.is_empty() {
        lines.push(format!(
            "a prompt token costs {:.3} GOP in the layers, the output matrix {:.3}; a generated token reads {}",
            report.cost.layer_operations as f64 / 1e9,
            report.cost.output_operations as f64 / 1e9,
            bytes(report.cost.generated_token_bytes)
        ));
    }
    for row in &report.rows {
        let (Some(counts), Some(issues_per_s)) = (row.triage, row.issues_per_s) else { continue };
        lines.push(format!(
            "triage, {}, {}: {:.2} issues/s ({} issues, {} at a time; {} prompt tokens, {} of them unique; {} generated)",
            row.simd,
            threads(row.threads),
            issues_per_s,
            counts.issues,
            report.batch,
            counts.prompt_tokens,
            counts.unique_prompt_tokens,
            counts.generated_tokens
        ));
    }
    if let Some(peak) = report.peak_memory_bytes {
        lines.push(format!("at most {} of memory, all engines together", bytes(peak)));
    }
    match (report.others_percent, report.stolen_percent) {
        (Some(others), Some(stolen)) => lines.push(format!(
            "meanwhile other programs used {others:.0} % of the processors' time, {stolen:.0} % of it the hypervisor's"
        )),
        _ => lines.push("this system does not tell what other programs used meanwhile".to_owned()),
    }
    format!("\n{}\n", lines.join("\n"))
}

fn threads(count: usize) -> String {
    if count == 1 { "1 thread".to_owned() } else { format!("{count} threads") }
}

/// Three digits that count, as far as they stand behind the point.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn percent(value: f64) -> String {
    format!("{value:.1} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits_at_least() {
        assert_eq!([1234.56, 123.4, 12.34, 1.234, 0.012].map(number), ["1235", "123", "12.3", "1.23", "0.01"]);
    }
}
