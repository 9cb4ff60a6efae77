//! From runs to ranked tables.

use super::entry::{BaselineRow, Cell, Entry, LeftOut, Table};
use super::letters::compact_letters;
use super::ranks::rank_intervals;
use super::tests_of_pairs::{ByInstance, PairTest, p_values};
use crate::comparison::{ALPHA, Side};
use crate::measured;
use crate::metric::{self, Better, MetricError, MetricReport, MetricValue, MissingAnswers, Task, TaskKind, resolve};
use crate::scenario;
use crate::stats::holm;
use crate::strategy;
use puma_core::canon::sha256_hex;
use puma_core::{JobRecord, Outcome, RecordedRun};
use serde::Serialize;
use std::collections::BTreeMap;

/// What to rank, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// By which metric; `None` takes the scenario's headline.
    pub metric: Option<String>,
    /// Only runs of this dataset.
    pub dataset: Option<String>,
    /// Also runs that a newer one of the same model, strategy, engine and options replaces.
    pub all: bool,
    pub score: metric::Options,
}

/// Every table, and what is in none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Board {
    /// By scenario and dataset, the largest set of instances first.
    pub tables: Vec<Table>,
    pub left_out: Vec<LeftOut>,
}

/// Why there is no leaderboard.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    #[error(transparent)]
    UnknownMetric(#[from] metric::UnknownMetric),
    #[error("nothing can be ranked by {name}, which describes and does not judge")]
    NoDirection { name: String },
}

/// Entries of one table: the same task, data, instances and way of counting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ground {
    scenario: String,
    dataset: String,
    dataset_sha256: String,
    instances_sha256: String,
    compat: Option<String>,
}

/// One side that can be ranked.
struct Candidate<'a> {
    side: Side<'a>,
    by_instance: ByInstance<'a>,
}

/// Ranks the unperturbed sides of `runs`. The order of the runs does not matter.
///
/// # Errors
/// The metric does not exist or does not rank.
pub fn leaderboard(runs: &[RecordedRun], options: &Options) -> Result<Board, BoardError> {
    let wanted = options.metric.as_deref().map(resolve).transpose()?;
    if let Some((def, name)) = &wanted
        && def.better == Better::Neither
    {
        return Err(BoardError::NoDirection { name: name.clone() });
    }
    let wanted = wanted.map(|(_, name)| name);
    let mut board = Board::default();
    let mut grounds: BTreeMap<Ground, Vec<Candidate<'_>>> = BTreeMap::new();
    let mut newest_first: Vec<&RecordedRun> = runs.iter().collect();
    newest_first.sort_by_key(|run| std::cmp::Reverse((run.header.started_at, run.header.run_id.as_str())));
    let mut seen: Vec<(Ground, String)> = Vec::new();
    for run in newest_first {
        if options.dataset.as_ref().is_some_and(|dataset| *dataset != run.header.dataset.name) {
            continue;
        }
        for side in Side::all(run).into_iter().filter(|side| side.perturbation.is_none()) {
            let ground = ground(&side);
            let identity = (ground.clone(), identity(&side));
            let reason = match unfit(&side) {
                Some(reason) => Some(reason),
                None if !options.all && seen.contains(&identity) => Some("a newer run repeats it".to_owned()),
                None => None,
            };
            match reason {
                Some(reason) => board.left_out.push(left_out(&side, reason)),
                None => {
                    seen.push(identity);
                    let by_instance = by_instance(&side);
                    grounds.entry(ground).or_default().push(Candidate { side, by_instance });
                }
            }
        }
    }
    for (ground, candidates) in grounds {
        table(ground, &candidates, wanted.as_deref(), options, &mut board);
    }
    board.tables.sort_by(|a, b| {
        (&a.scenario, &a.dataset, std::cmp::Reverse(a.instances)).cmp(&(
            &b.scenario,
            &b.dataset,
            std::cmp::Reverse(b.instances),
        ))
    });
    Ok(board)
}

fn left_out(side: &Side<'_>, reason: String) -> LeftOut {
    let name = side.name();
    LeftOut { run_id: name.run_id, model: name.model, strategy: name.strategy, reason }
}

/// Why a side cannot be ranked.
fn unfit(side: &Side<'_>) -> Option<String> {
    let failed = side.records.iter().filter(|record| record.outcome == Outcome::BackendFailed).count();
    if failed > 0 {
        return Some(format!("{failed} jobs failed in the backend"));
    }
    let missing = side.planned().map_or(0, |planned| planned.saturating_sub(side.records.len()));
    if missing > 0 {
        return Some(format!("{missing} jobs are missing ({})", side.run.status.as_str()));
    }
    scenario::find(&side.run.header.scenario).is_none().then(|| "its scenario is unknown".to_owned())
}

fn ground(side: &Side<'_>) -> Ground {
    let header = &side.run.header;
    let instances: BTreeMap<&str, &str> =
        side.records.iter().map(|record| (record.instance_id.as_str(), record.gold.as_str())).collect();
    let lines: String = instances.iter().map(|(id, gold)| format!("{id}\t{gold}\n")).collect();
    Ground {
        scenario: header.scenario.clone(),
        dataset: header.dataset.name.clone(),
        dataset_sha256: header.dataset.sha256.clone(),
        instances_sha256: sha256_hex(lines.as_bytes()),
        compat: header.spec.get("compat").and_then(serde_json::Value::as_str).map(str::to_owned),
    }
}

/// Everything that makes an entry what it is: two runs that agree in it answer the same question.
fn identity(side: &Side<'_>) -> String {
    let header = &side.run.header;
    let model = header.models.iter().find(|model| model.name == side.model);
    let spec = |pointer: &str| header.spec.pointer(pointer).cloned().unwrap_or_default();
    let own = strategy::find(side.strategy);
    let used = |name: &str| own.is_none_or(|own| [Some(own.template), own.follow_up].contains(&Some(name)));
    let templates: BTreeMap<&String, &String> =
        header.templates.iter().filter(|(path, _)| used(path.rsplit('/').next().unwrap_or(path))).collect();
    let version = header.backend.numerics.as_ref().or(header.backend.version.as_ref());
    serde_json::json!([
        side.model,
        model.map(|model| (&model.digest, &model.quantization, &model.context_length)),
        side.strategy,
        header.backend.kind,
        version,
        header.backend.settings,
        templates,
        spec("/inference/temperature"),
        spec("/inference/seed"),
        spec("/inference/max_tokens"),
        spec("/inference/format"),
        spec("/parser"),
        spec("/repeat"),
    ])
    .to_string()
}

fn by_instance<'a>(side: &Side<'a>) -> ByInstance<'a> {
    side.records.chunk_by(|a, b| a.instance_id == b.instance_id).map(<[&JobRecord]>::to_vec).collect()
}

/// The scenario's headline: what a spec is judged by unless it says otherwise.
fn headline(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Classification => "f1_macro",
        TaskKind::Regression => REGRESSION_HEADLINE,
        TaskKind::Pairwise => "accuracy",
    }
}

/// Counts missing answers, so that silence does not win.
const REGRESSION_HEADLINE: &str = "mae_imputed";

/// Other numbers of an entry.
const CELLS: [&str; 9] = [
    "f1_macro",
    "accuracy",
    "mae",
    "coverage",
    "ece",
    "generated_tokens.mean",
    "tokens_per_second",
    "latency.p50",
    "energy_per_job_j",
];

fn table(ground: Ground, candidates: &[Candidate<'_>], wanted: Option<&str>, options: &Options, board: &mut Board) {
    let Some(task) = scenario::find(&ground.scenario).map(|scenario| scenario.task()) else { return };
    let name = wanted.unwrap_or_else(|| headline(task.kind));
    let missing = if ground.compat.is_some() { MissingAnswers::Dropped } else { MissingAnswers::Wrong };
    let mut scored: Vec<(&Candidate<'_>, Entry)> = Vec::new();
    let mut baselines: Vec<BaselineRow> = Vec::new();
    for candidate in candidates {
        let scored_entry = score(&task, candidate, missing, &options.score).map(|report| {
            baselines = baseline_rows(&report, name);
            entry(candidate, &report, name, task.kind)
        });
        let reason = match scored_entry {
            Ok(Some(entry)) => {
                scored.push((candidate, entry));
                continue;
            }
            Ok(None) => format!("it has no {name}"),
            Err(error) => error.to_string(),
        };
        board.left_out.push(left_out(&candidate.side, reason));
    }
    let Some((def, _)) = resolve(name).ok().filter(|_| !scored.is_empty()) else { return };
    let higher = def.better == Better::Higher;
    let good = |value: f64| if higher { -value } else { value };
    scored.sort_by(|(_, a), (_, b)| {
        good(a.value)
            .total_cmp(&good(b.value))
            .then_with(|| (&a.model, &a.strategy, &a.run_id).cmp(&(&b.model, &b.strategy, &b.run_id)))
    });
    let draws: Vec<ByInstance<'_>> = scored.iter().map(|(candidate, _)| candidate.by_instance.clone()).collect();
    let (test, p_values) = p_values(&task, name, &draws, missing, &options.score.bootstrap);
    let mut entries: Vec<Entry> = scored.into_iter().map(|(_, entry)| entry).collect();
    rank(&mut entries, test, &p_values, &baselines, higher);
    board.tables.push(Table {
        scenario: ground.scenario,
        dataset: ground.dataset,
        dataset_sha256: ground.dataset_sha256,
        instances: draws.first().map_or(0, Vec::len),
        instances_sha256: ground.instances_sha256,
        compat: ground.compat,
        metric: name.to_owned(),
        unit: def.unit.to_owned(),
        better: def.better,
        test: test.words().to_owned(),
        tests: p_values.len(),
        alpha: ALPHA,
        entries,
        baselines,
    });
}

fn score(
    task: &Task,
    candidate: &Candidate<'_>,
    missing: MissingAnswers,
    options: &metric::Options,
) -> Result<MetricReport, MetricError> {
    let records: Vec<JobRecord> = candidate.side.records.iter().map(|record| (*record).clone()).collect();
    let answers = candidate.side.run.header.dataset.train_answers.iter();
    let train_gold = answers.flat_map(|(answer, count)| std::iter::repeat_n(answer.clone(), *count as usize)).collect();
    let options = metric::Options { missing, train_gold, ..options.clone() };
    metric::compute(task, &records, &options)
}

fn entry(candidate: &Candidate<'_>, report: &MetricReport, name: &str, kind: TaskKind) -> Option<Entry> {
    let side = &candidate.side;
    let run = side.run;
    let found = report.metrics.iter().find(|metric| metric.name == name)?;
    let model = run.header.models.iter().find(|model| model.name == side.model);
    let speed_void = measured::health(&run.sessions, &run.records).is_some_and(|health| health.void);
    let per_job_j = measured::energy(&run.sessions, &run.records, kind).and_then(|energy| energy.per_job_j);
    let of_speed = |unit: &str| matches!(unit, "ms" | "tokens/s" | "J");
    let cell = |wanted: &str| {
        if wanted == "energy_per_job_j" {
            return per_job_j.map(|value| Cell { name: "energy_per_job_j".to_owned(), value, unit: "J".to_owned() });
        }
        let MetricValue { name, value, unit, .. } = report.metrics.iter().find(|metric| metric.name == wanted)?;
        Some(Cell { name: name.clone(), value: *value, unit: unit.clone() })
    };
    let backend = &run.header.backend;
    Some(Entry {
        rank: 0,
        rank_low: 0,
        rank_high: 0,
        letters: None,
        run_id: run.header.run_id.to_string(),
        model: side.model.to_owned(),
        digest: model.and_then(|model| model.digest.clone()),
        quantization: model.and_then(|model| model.quantization.clone()),
        strategy: side.strategy.to_owned(),
        engine: [Some(&backend.kind), backend.version.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" "),
        value: found.value,
        ci_low: found.ci_low,
        ci_high: found.ci_high,
        n: found.n,
        cells: CELLS
            .iter()
            .filter(|cell| **cell != name)
            .filter_map(|wanted| cell(wanted))
            .filter(|cell| !(speed_void && of_speed(&cell.unit)))
            .collect(),
        speed_void,
        beaten_by: Vec::new(),
    })
}

fn baseline_rows(report: &MetricReport, name: &str) -> Vec<BaselineRow> {
    let judged_by = |metric: &str| -> Vec<BaselineRow> {
        let rows = report.baselines.iter().filter(|baseline| baseline.metric == metric);
        rows.map(|baseline| BaselineRow {
            name: baseline.name.clone(),
            value: baseline.value,
            basis: baseline.basis.clone(),
        })
        .collect()
    };
    let rows = judged_by(name);
    // A baseline always answers, so its error is the same however missing answers count.
    if rows.is_empty() && name == REGRESSION_HEADLINE { judged_by("mae") } else { rows }
}

/// Ranks `entries`, which are in order, by what the tests of their pairs tell apart.
fn rank(entries: &mut [Entry], test: PairTest, p_values: &[f64], baselines: &[BaselineRow], higher: bool) {
    let count = entries.len();
    let corrected = holm(p_values);
    let place = |first: usize, second: usize| first * count - first * (first + 1) / 2 + second - first - 1;
    let different = |a: usize, b: usize| test != PairTest::None && corrected[place(a.min(b), a.max(b))] < ALPHA;
    let letters = (test != PairTest::None).then(|| compact_letters(count, different)).flatten();
    let intervals = rank_intervals(count, |a, b| a < b && different(a, b));
    let surpasses = |baseline: f64, value: f64| if higher { baseline > value } else { baseline < value };
    for index in 0..count {
        let tied = index > 0 && entries[index - 1].value == entries[index].value;
        let rank = if tied { entries[index - 1].rank } else { index + 1 };
        let entry = &mut entries[index];
        entry.rank = rank;
        (entry.rank_low, entry.rank_high) = intervals[index];
        entry.letters = letters.as_ref().map(|letters| letters[index].clone());
        let above = baselines.iter().filter(|baseline| surpasses(baseline.value, entry.value));
        entry.beaten_by = above.map(|baseline| baseline.name.clone()).collect();
    }
}
