//! `puma show`: a stored run again.

use crate::context::Context;
use crate::execute;
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::{emissions, runs, summary};
use clap::Args;
use puma_core::{JobRecord, RecordedRun, ScoredAnswer};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Arguments of `puma show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Run id, the beginning of one, or `latest`.
    #[arg(default_value = "latest")]
    run: String,
    /// Every job of this instance: prompt, answer, which rule read it, token probabilities.
    #[arg(long, value_name = "ID", conflicts_with = "predictions")]
    instance: Option<String>,
    /// The predictions as JSON Lines, as upstream PUMA exports them.
    #[arg(long, conflicts_with = "json")]
    predictions: bool,
    /// The measured energy as CSV with the columns of CodeCarbon's emissions.csv, one row a session.
    #[arg(long, conflicts_with_all = ["json", "instance", "predictions"])]
    emissions: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: ShowArgs, context: &Context) -> Result<(), Failure> {
    let ShowArgs { run, instance, predictions, emissions, json } = args;
    let stored = runs::open(context, &run)?;
    if predictions {
        return context.ui.data(&predictions_jsonl(&stored.records));
    }
    if emissions {
        return context.ui.data(&emissions::csv(&stored)?);
    }
    if let Some(id) = instance {
        let records = of_instance(&stored, &id)?;
        return if json { context.ui.json(&records) } else { context.ui.data(&instance_text(&stored, &records)) };
    }
    let report = execute::report(&stored)?;
    if json { context.ui.json(&report) } else { context.ui.data(&summary::run_text(&report)) }
}

fn of_instance<'a>(stored: &'a RecordedRun, id: &str) -> Result<Vec<&'a JobRecord>, Failure> {
    let records: Vec<&JobRecord> = stored.records.iter().filter(|record| record.instance_id.as_str() == id).collect();
    if records.is_empty() {
        let known: Vec<&str> = stored.instances.iter().take(5).map(|row| row.instance_id.as_str()).collect();
        return Err(Failure::new(
            ExitKind::NothingMatched,
            format!("run {} has no finished job for the instance `{id}`", stored.header.run_id),
        )
        .hint(format!("its instances begin with {}", known.join(", "))));
    }
    Ok(records)
}

/// One compact object a line, sorted by instance: the fields the predictions hash covers.
fn predictions_jsonl(records: &[JobRecord]) -> String {
    let mut rows: Vec<(&str, String)> = records
        .iter()
        .map(|record| {
            let object = json!({
                "instance_id": record.instance_id,
                "predicted_label": record.answer,
                "predicted_value": record.confidence,
                "prompt_hash": record.prompt_hash,
            });
            (record.instance_id.as_str(), object.to_string())
        })
        .collect();
    rows.sort();
    rows.into_iter().map(|(_, row)| row + "\n").collect()
}

fn instance_text(stored: &RecordedRun, records: &[&JobRecord]) -> String {
    let mut out = String::new();
    for record in records {
        let perturbation = record.perturbation.as_deref().unwrap_or("none");
        let _ = writeln!(
            out,
            "\n{} · {} · {} · perturbation {perturbation} · repeat {}",
            record.instance_id, record.model, record.strategy, record.repeat
        );
        let _ = writeln!(out, "\n{}\n", indented(&record.prompt));
        for completion in &record.completions {
            let _ = writeln!(out, "answer: {}", completion.text.trim());
            for score in &completion.scores {
                let _ = writeln!(out, "  {}", score_text(score));
            }
        }
        let _ = writeln!(
            out,
            "read as {} (rule {}) · outcome {} · right answer {}",
            record.answer.as_deref().unwrap_or("nothing"),
            record.rule.as_deref().unwrap_or("none"),
            record.outcome,
            record.gold
        );
        for (label, probability) in &record.label_probabilities {
            let _ = writeln!(out, "  P({label}) = {probability:.4}");
        }
        if let Some(error) = &record.error {
            let _ = writeln!(out, "error: {error}");
        }
    }
    let fields = records
        .first()
        .and_then(|record| stored.instances.iter().find(|row| row.instance_id == record.instance_id))
        .map_or(Value::Null, |row| row.fields.clone());
    let _ = writeln!(out, "\nfields: {fields}");
    out
}

/// A scored answer with its logprob and what that is made of.
fn score_text(score: &ScoredAnswer) -> String {
    let tokens = score.tokens.iter().map(|token| format!("{:?} {:.4}", token.token, token.logprob));
    let parts: Vec<String> = tokens.chain(score.ending.map(|ending| format!("end {:.4}", ending.0))).collect();
    format!("ln P({}) = {:.4} ({})", score.answer, score.logprob(), parts.join(", "))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  │ {line}")).collect::<Vec<_>>().join("\n")
}
