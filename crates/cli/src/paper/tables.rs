//! What came out, table by table. A table that no run has anything for is left out.

use super::cell::Cell;
use super::document::{Column, Row, Table};
use super::subject::Subject;
use puma_eval::metric::MetricValue;

/// A metric and what heads its column.
type Heading = (&'static str, &'static str);

const QUALITY: &[Heading] = &[
    ("f1_macro", "F1 macro"),
    ("accuracy", "Accuracy"),
    ("mcc", "MCC"),
    ("quadratic_weighted_kappa", "Weighted kappa"),
    ("mae", "MAE"),
    ("mdae", "MdAE"),
    ("standardised_accuracy", "Standardised accuracy"),
    ("kendall_tau", "Kendall tau"),
    ("position_bias", "Position bias"),
    ("parse_failure_rate", "Unread"),
    ("n_samples", "n"),
];
const CALIBRATION: &[Heading] = &[
    ("ece", "ECE"),
    ("ece_equal_mass", "ECE (equal mass)"),
    ("mce", "MCE"),
    ("brier", "Brier"),
    ("log_loss", "Log loss"),
    ("n_with_confidence", "n"),
];
const EFFICIENCY: &[Heading] = &[
    ("latency.p50", "Latency p50"),
    ("latency.p95", "Latency p95"),
    ("first_token_ms.p50", "First token p50"),
    ("prompt_tokens_per_second", "Prompt speed"),
    ("tokens_per_second", "Generation speed"),
    ("generated_tokens.mean", "Answer length"),
];
const PERTURBED: &[Heading] = &[
    ("f1_macro", "F1 macro"),
    ("accuracy", "Accuracy"),
    ("mae", "MAE"),
    ("robustness.delta.f1_macro", "Change of F1"),
    ("robustness.delta.accuracy", "Change of accuracy"),
    ("robustness.delta.mae", "Change of MAE"),
    ("robustness.flip_rate", "Changed answers"),
    ("n_samples", "n"),
];
const BASELINES: &[Heading] = &[
    ("f1_macro", "F1 macro"),
    ("accuracy", "Accuracy"),
    ("mae", "MAE"),
    ("mdae", "MdAE"),
    ("standardised_accuracy", "Standardised accuracy"),
];

const IN_BRACKETS: &str = "95 % intervals over instances in brackets";

pub(super) fn tables(subjects: &[Subject]) -> Vec<Table> {
    let all = [
        quality(subjects),
        baselines(subjects),
        classes(subjects),
        calibration(subjects),
        robustness(subjects),
        efficiency(subjects),
        energy(subjects),
    ];
    all.into_iter().filter(|table| !table.rows.is_empty() && !table.columns.is_empty()).collect()
}

fn quality(subjects: &[Subject]) -> Table {
    let notes = subjects
        .iter()
        .filter(|subject| !subject.report.comparable)
        .map(|subject| format!("Run {} is not comparable: jobs are missing or failed in the backend.", subject.letter))
        .collect();
    let caption = format!("Quality of answers on {}; {IN_BRACKETS}.", data_words(subjects));
    of_metrics("quality", caption, subjects, QUALITY, |metric| metric.perturbation.is_none(), notes)
}

fn calibration(subjects: &[Subject]) -> Table {
    let caption = format!("Calibration of the probability of the given answer; {IN_BRACKETS}.");
    of_metrics("calibration", caption, subjects, CALIBRATION, |metric| metric.perturbation.is_none(), Vec::new())
}

fn efficiency(subjects: &[Subject]) -> Table {
    let notes = subjects
        .iter()
        .filter(|subject| subject.is_void())
        .map(|subject| format!("Times of run {} are void: something disturbed it.", subject.letter))
        .collect();
    let kept: Vec<&Subject> = subjects.iter().filter(|subject| !subject.is_void()).collect();
    let caption = format!("Time and tokens, loading the model and cached answers left out; {IN_BRACKETS}.");
    of_metrics("efficiency", caption, kept, EFFICIENCY, |metric| metric.perturbation.is_none(), notes)
}

fn robustness(subjects: &[Subject]) -> Table {
    let perturbed: Vec<&Subject> = subjects
        .iter()
        .filter(|subject| subject.report.metrics.iter().any(|metric| metric.perturbation.is_some()))
        .collect();
    let caption = format!("Scores under each perturbation; {IN_BRACKETS}.");
    let mut table = of_metrics("robustness", caption, perturbed, PERTURBED, |_| true, Vec::new());
    table.condition = Some("perturbation");
    table
}

/// One row a group that has at least one of the metrics; one column a metric that some group has.
fn of_metrics<'a>(
    label: &'static str,
    caption: String,
    subjects: impl IntoIterator<Item = &'a Subject>,
    headings: &[Heading],
    wanted: impl Fn(&MetricValue) -> bool,
    notes: Vec<String>,
) -> Table {
    let found: Vec<(&Subject, Vec<&MetricValue>)> = subjects
        .into_iter()
        .map(|subject| {
            let of_table = |metric: &&MetricValue| headings.iter().any(|(name, _)| metric.name == *name);
            (subject, subject.report.metrics.iter().filter(of_table).filter(|metric| wanted(metric)).collect())
        })
        .collect();
    let unit = |name: &str| found.iter().flat_map(|(_, metrics)| metrics).find(|metric| metric.name == name);
    let columns: Vec<(&str, Column)> =
        headings.iter().filter_map(|(name, head)| Some((*name, column(head, &unit(name)?.unit)))).collect();
    let mut rows: Vec<Row> = Vec::new();
    for (subject, metrics) in &found {
        for metric in metrics {
            let place = columns.iter().position(|(name, _)| metric.name == *name).expect("every metric has a column");
            let row = row_of(&mut rows, subject, metric, columns.len());
            row.cells[place] = Cell::metric(metric);
        }
    }
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    Table { label, caption, condition: None, columns, rows, notes }
}

/// The row of a metric's group, made if it is new.
fn row_of<'a>(rows: &'a mut Vec<Row>, subject: &Subject, metric: &MetricValue, columns: usize) -> &'a mut Row {
    let condition = metric.perturbation.as_deref().unwrap_or("none");
    let same = |row: &Row| {
        row.run == subject.letter
            && row.model == metric.model
            && row.strategy == metric.strategy
            && row.condition == condition
    };
    let place = rows.iter().position(same).unwrap_or(rows.len());
    if place == rows.len() {
        rows.push(Row {
            run: subject.letter.clone(),
            model: metric.model.clone(),
            strategy: metric.strategy.clone(),
            condition: condition.to_owned(),
            cells: vec![Cell::Missing; columns],
        });
    }
    &mut rows[place]
}

fn column(head: &str, unit: &str) -> Column {
    let unit = if unit == "count" { "" } else { unit };
    Column { head: head.to_owned(), unit: unit.to_owned() }
}

fn data_words(subjects: &[Subject]) -> String {
    let mut names: Vec<&str> = subjects.iter().map(|subject| subject.run.header.dataset.name.as_str()).collect();
    names.dedup();
    super::words::listed(&names)
}

fn baselines(subjects: &[Subject]) -> Table {
    let known =
        |name: &str| subjects.iter().flat_map(|subject| &subject.report.baselines).any(|one| one.metric == name);
    let headings: Vec<&Heading> = BASELINES.iter().filter(|(name, _)| known(name)).collect();
    let mut rows: Vec<Row> = Vec::new();
    for subject in subjects {
        for baseline in &subject.report.baselines {
            let Some(place) = headings.iter().position(|(name, _)| baseline.metric == *name) else { continue };
            let same = |row: &Row| row.run == subject.letter && row.condition == baseline.name;
            let at = rows.iter().position(same).unwrap_or(rows.len());
            if at == rows.len() {
                let mut cells = vec![Cell::Missing; headings.len()];
                cells.push(Cell::Text(baseline.basis.clone()));
                rows.push(about_run(subject, &baseline.name, cells));
            }
            let interval = baseline.ci_low.zip(baseline.ci_high);
            rows[at].cells[place] = Cell::with_interval(baseline.value, interval, "", Some(baseline.n));
        }
    }
    let mut columns: Vec<Column> = headings.iter().map(|(_, head)| column(head, "")).collect();
    columns.push(column("Learned from", ""));
    Table {
        label: "baselines",
        caption: format!("Judges that read no prompt, on the same instances as the models; {IN_BRACKETS}."),
        condition: Some("baseline"),
        columns,
        rows,
        notes: Vec::new(),
    }
}

/// A row that is about no model of the run.
fn about_run(subject: &Subject, condition: &str, cells: Vec<Cell>) -> Row {
    Row {
        run: subject.letter.clone(),
        model: String::new(),
        strategy: String::new(),
        condition: condition.to_owned(),
        cells,
    }
}

fn classes(subjects: &[Subject]) -> Table {
    let mut rows = Vec::new();
    for subject in subjects {
        for group in subject.report.groups.iter().filter(|group| group.perturbation.is_none()) {
            for class in &group.per_class {
                let score = |value| Cell::number(value, "");
                let mut f1 = score(class.f1);
                let name = format!("per_class.{}.f1", class.label);
                let same = |metric: &&MetricValue| {
                    metric.name == name
                        && (&metric.model, &metric.strategy) == (&group.model, &group.strategy)
                        && metric.perturbation.is_none()
                };
                if let Some(metric) = subject.report.metrics.iter().find(same) {
                    f1 = Cell::metric(metric);
                }
                rows.push(Row {
                    run: subject.letter.clone(),
                    model: group.model.clone(),
                    strategy: group.strategy.clone(),
                    condition: class.label.clone(),
                    cells: vec![
                        score(class.precision),
                        score(class.recall),
                        f1,
                        Cell::count(class.support.into()),
                        Cell::count(class.predicted.into()),
                    ],
                });
            }
        }
    }
    Table {
        label: "classes",
        caption: format!("Scores of each label; {IN_BRACKETS}."),
        condition: Some("label"),
        columns: ["Precision", "Recall", "F1", "Right answers", "Answers"].map(|head| column(head, "")).into(),
        rows,
        notes: Vec::new(),
    }
}

fn energy(subjects: &[Subject]) -> Table {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for subject in subjects {
        let Some(energy) = &subject.report.energy else { continue };
        if subject.is_void() {
            notes.push(format!("The energy of run {} is void: something disturbed it.", subject.letter));
            continue;
        }
        let margin = energy.relative_uncertainty.filter(|_| energy.total_j.is_some());
        let total = match (energy.total_j, margin) {
            (Some(joules), Some(share)) => {
                let half = joules * share;
                Cell::with_interval(joules, Some((joules - half, joules + half)), "J", None)
            }
            (joules, _) => Cell::optional(joules, "J"),
        };
        let cells = vec![
            total,
            Cell::optional(energy.above_idle_j, "J"),
            Cell::optional(energy.per_job_j, "J"),
            Cell::optional(energy.per_correct_answer_j, "J"),
            Cell::optional(energy.co2e_g, "g"),
            Cell::Text(energy.quality.as_str().to_owned()),
        ];
        rows.push(about_run(subject, "", cells));
    }
    let columns = [
        ("Energy", "J"),
        ("Above idle", "J"),
        ("Per job", "J"),
        ("Per right answer", "J"),
        ("CO2e", "g"),
        ("Quality", ""),
    ];
    Table {
        label: "energy",
        caption: "Energy of the whole run; the uncertainty of the counters in brackets.".to_owned(),
        condition: None,
        columns: columns.map(|(head, unit)| column(head, unit)).into(),
        rows,
        notes,
    }
}
