//! Every test, again and again, in turn.

use super::ceiling::Ceiling;
use super::cost::Cost;
use super::disturbance::{Spent, Watch};
use super::first_token::{first_token, load_ms};
use super::report::{ModelFacts, Report, Row};
use super::spread::Spread;
use super::subject::{self, Subject};
use super::work::{self, Done, Test, Triage, TriageCounts, interrupted};
use crate::context::Context;
use crate::failure::Failure;
use puma_engine::{Engine, EngineOptions, Level};
use std::path::Path;

/// What to measure, in which ways.
pub(crate) struct Plan {
    /// Catalogue tag, file or another name of the model.
    pub model: String,
    /// Lengths of the prompt tests, in tokens.
    pub prompts: Vec<usize>,
    /// Lengths of the generation tests, in tokens.
    pub generations: Vec<usize>,
    /// Issues of the triage test; 0 for none.
    pub issues: u32,
    pub threads: Vec<usize>,
    pub levels: Vec<Level>,
    /// What else the engine is told.
    pub options: EngineOptions,
    pub repetitions: usize,
    /// Whether to measure what the machine can do at most.
    pub roofline: bool,
}

/// An engine, and what was measured of it.
struct Candidate {
    options: EngineOptions,
    engine: Engine,
    cells: Vec<Cell>,
}

/// One test of one engine.
struct Cell {
    test: Test,
    /// Milliseconds or tokens a second.
    values: Vec<f64>,
    spent: Spent,
    triage: Option<TriageCounts>,
}

/// Runs `plan`: one round that does not count, then the repetitions. Every round takes all tests of all engines in turn.
///
/// # Errors
/// The model cannot be found or opened, a test does not fit its context, or the user stopped it.
pub(crate) fn measure(plan: &Plan, context: &Context) -> Result<Report, Failure> {
    let resolved = subject::find(&plan.model, context)?;
    let subject = Subject::open(&resolved.path)?;
    let triage = match plan.issues {
        0 => None,
        issues => Some(Triage::new(issues, &plan.model, &subject, context)?),
    };
    let ceilings = ceilings(plan, context)?;
    let mut candidates = candidates(plan, &subject)?;
    let mut watch = Watch::new(context);
    for round in 0..=plan.repetitions {
        context.ui.note(&match round {
            0 => "warming up".to_owned(),
            _ => format!("repetition {round} of {}", plan.repetitions),
        });
        for candidate in &mut candidates {
            for cell in &mut candidate.cells {
                if context.cancel.is_cancelled() {
                    return Err(interrupted());
                }
                watch.begin();
                let done = repetition(cell.test, &mut candidate.engine, &resolved.path, triage.as_ref(), context)?;
                if round > 0 {
                    watch.end(&mut cell.spent);
                    cell.add(&done);
                }
            }
        }
    }
    let mut all = Spent::default();
    candidates.iter().flat_map(|candidate| &candidate.cells).for_each(|cell| all.add(cell.spent));
    let cost = Cost::of(subject.model.gguf());
    let rows = candidates.iter().flat_map(|candidate| candidate.rows(&cost, &ceilings)).collect();
    Ok(Report {
        puma_version: env!("CARGO_PKG_VERSION"),
        contract: plan.options.kv_type.contract(),
        model: ModelFacts {
            name: plan.model.clone(),
            architecture: subject.model.config().architecture.name().to_owned(),
            quantization: subject.model.quantization().to_owned(),
            size_bytes: resolved.size_bytes,
            parameters: subject.model.parameter_count(),
        },
        cost,
        batch: plan.options.max_batch,
        repetitions: plan.repetitions,
        ceilings,
        rows,
        others_percent: all.others_percent(),
        stolen_percent: all.stolen_percent(),
        peak_memory_bytes: peak_memory_bytes(context),
    })
}

fn ceilings(plan: &Plan, context: &Context) -> Result<Vec<Ceiling>, Failure> {
    if !plan.roofline {
        return Ok(Vec::new());
    }
    context.ui.note("measuring what this machine can do at most");
    plan.threads.iter().map(|&threads| Ceiling::measure(threads, context)).collect()
}

fn candidates(plan: &Plan, subject: &Subject) -> Result<Vec<Candidate>, Failure> {
    let mut tests = vec![Test::Load, Test::FirstToken];
    tests.extend(plan.prompts.iter().map(|&tokens| Test::Prompt(tokens)));
    tests.extend(plan.generations.iter().map(|&tokens| Test::Generate(tokens)));
    tests.extend((plan.issues > 0).then_some(Test::Triage));
    let mut candidates = Vec::new();
    for &level in &plan.levels {
        for &threads in &plan.threads {
            let options = EngineOptions { level, threads, ..plan.options };
            let engine = subject.engine(options)?;
            candidates.push(Candidate { options, engine, cells: tests.iter().copied().map(Cell::new).collect() });
        }
    }
    Ok(candidates)
}

fn repetition(
    test: Test,
    engine: &mut Engine,
    file: &Path,
    triage: Option<&Triage>,
    context: &Context,
) -> Result<Done, Failure> {
    let time = |ms: f64| Done { seconds: ms / 1e3, tokens: 0, triage: None };
    match test {
        Test::Load => Ok(time(load_ms(file, *engine.options())?)),
        Test::FirstToken => Ok(time(first_token(file, *engine.options())?.first_token_ms)),
        Test::Prompt(tokens) => work::prompt(engine, tokens),
        Test::Generate(tokens) => work::generate(engine, tokens),
        Test::Triage => triage.expect("the test is only there with its prompts").run(engine, context),
    }
}

impl Cell {
    fn new(test: Test) -> Self {
        Self { test, values: Vec::new(), spent: Spent::default(), triage: None }
    }

    fn add(&mut self, done: &Done) {
        let Done { seconds, tokens, triage } = *done;
        self.values.push(if self.test.is_a_time() { seconds * 1e3 } else { tokens as f64 / seconds });
        self.triage = triage;
    }

    /// 10^9 operations of the median repetition in a second, and bytes read; `None` where the test is about neither.
    fn rates(&self, tokens_per_s: f64, cost: &Cost) -> (Option<f64>, Option<f64>) {
        match (self.test, self.triage) {
            (Test::Prompt(tokens), _) => {
                let operations = cost.layer_operations as f64 + cost.output_operations as f64 / tokens as f64;
                (Some(tokens_per_s * operations / 1e9), None)
            }
            (Test::Generate(_), _) => {
                let operations = (cost.layer_operations + cost.output_operations) as f64;
                let bytes = cost.generated_token_bytes as f64;
                (Some(tokens_per_s * operations / 1e9), Some(tokens_per_s * bytes / 1e9))
            }
            // Only the prompts: what is generated, and every logit, must fit into the rest of the time.
            (Test::Triage, Some(counts)) => {
                let computed = (counts.unique_prompt_tokens + counts.generated_tokens) as f64;
                let unique_per_s = tokens_per_s * counts.unique_prompt_tokens as f64 / computed;
                (Some(unique_per_s * cost.layer_operations as f64 / 1e9), None)
            }
            _ => (None, None),
        }
    }
}

impl Candidate {
    fn rows(&self, cost: &Cost, ceilings: &[Ceiling]) -> Vec<Row> {
        let threads = self.options.threads;
        let ceiling = ceilings.iter().find(|ceiling| ceiling.threads == threads);
        let row = |cell: &Cell| {
            let spread = Spread::of(cell.values.clone())?;
            let (gop_per_s, gb_per_s) = cell.rates(spread.median, cost);
            let share = |rate: Option<f64>, roof: Option<f64>| Some(100.0 * rate? / roof?);
            let tokens_per_s = spread.median;
            let issues_per_s = |counts: TriageCounts| {
                let computed = counts.unique_prompt_tokens + counts.generated_tokens;
                counts.issues as f64 * tokens_per_s / computed as f64
            };
            Some(Row {
                test: cell.test.name(),
                simd: self.options.level.name(),
                threads,
                unit: if cell.test.is_a_time() { "ms" } else { "tokens/s" },
                spread,
                own_processors: cell.spent.own_processors(),
                others_percent: cell.spent.others_percent(),
                gop_per_s,
                int8_percent: share(gop_per_s, ceiling.and_then(Ceiling::best_gop_per_s)),
                gb_per_s,
                read_percent: share(gb_per_s, ceiling.map(|ceiling| ceiling.read_gb_per_s)),
                triage: cell.triage,
                issues_per_s: cell.triage.map(issues_per_s),
            })
        };
        self.cells.iter().filter_map(row).collect()
    }
}

/// The most memory this process ever held, as Linux counts it.
fn peak_memory_bytes(context: &Context) -> Option<u64> {
    if context.host.is_recorded() {
        return None;
    }
    let status = context.host.read("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"))?;
    Some(kib.trim().parse::<u64>().ok()? * 1024)
}
