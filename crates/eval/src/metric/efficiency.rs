//! How long it took and how many tokens it was, split into loading, reading and writing.

use super::compute::Values;
use super::judge::{Group, Verdict, verdict};
use super::percentile::{PERCENTILES, percentile};
use super::sampled::{Sampled, of_each};
use super::task::{MissingAnswers, Options};
use crate::stats::Tally;
use puma_core::{Completion, JobRecord, Millis, Phases};

/// What is added up over jobs. Each variant is a place in [`Sums`].
#[derive(Clone, Copy)]
enum Sum {
    TimedJobs,
    LatencyMs,
    WalledJobs,
    WallMs,
    Loads,
    LoadMs,
    Prompts,
    PromptMs,
    Generations,
    GenerationMs,
    FirstTokens,
    FirstTokenMs,
    /// Tokens computed in `CountedPromptMs`, the prompt time of completions that tell their tokens.
    ComputedTokens,
    CountedPromptMs,
    GeneratedTokens,
    CountedGenerationMs,
    CountedJobs,
    PromptTokensOfJobs,
    GeneratedTokensOfJobs,
    /// Usable answers among the counted jobs.
    UsableAnswers,
}

/// One number for each [`Sum`].
#[derive(Clone, Default)]
struct Sums([f64; Sum::UsableAnswers as usize + 1]);

/// A mean or a rate: `part` / `whole` · `scale`, told of `count` jobs or completions.
struct Ratio {
    name: &'static str,
    part: Sum,
    whole: Sum,
    scale: f64,
    count: Sum,
}

const fn mean(name: &'static str, part: Sum, whole: Sum) -> Ratio {
    Ratio { name, part, whole, scale: 1.0, count: whole }
}

const fn per_second(name: &'static str, part: Sum, whole: Sum, count: Sum) -> Ratio {
    Ratio { name, part, whole, scale: 1000.0, count }
}

static RATIOS: [Ratio; 11] = [
    mean("latency.mean", Sum::LatencyMs, Sum::TimedJobs),
    mean("wall_ms.mean", Sum::WallMs, Sum::WalledJobs),
    mean("load_ms.mean", Sum::LoadMs, Sum::Loads),
    mean("prompt_ms.mean", Sum::PromptMs, Sum::Prompts),
    mean("generation_ms.mean", Sum::GenerationMs, Sum::Generations),
    mean("first_token_ms.mean", Sum::FirstTokenMs, Sum::FirstTokens),
    per_second("prompt_tokens_per_second", Sum::ComputedTokens, Sum::CountedPromptMs, Sum::Prompts),
    per_second("tokens_per_second", Sum::GeneratedTokens, Sum::CountedGenerationMs, Sum::Generations),
    mean("prompt_tokens.mean", Sum::PromptTokensOfJobs, Sum::CountedJobs),
    mean("generated_tokens.mean", Sum::GeneratedTokensOfJobs, Sum::CountedJobs),
    Ratio {
        name: "generated_tokens.per_usable_answer",
        part: Sum::GeneratedTokensOfJobs,
        whole: Sum::UsableAnswers,
        scale: 1.0,
        count: Sum::CountedJobs,
    },
];

impl Sums {
    fn of(&self, sum: Sum) -> f64 {
        self.0[sum as usize]
    }

    fn add(&mut self, sum: Sum, value: f64) {
        self.0[sum as usize] += value;
    }

    /// Counts a time, where it is told.
    fn time(&mut self, count: Sum, sum: Sum, ms: Option<f64>) {
        if let Some(ms) = ms {
            self.add(count, 1.0);
            self.add(sum, ms);
        }
    }

    fn of_job(record: &JobRecord, missing: MissingAnswers) -> Self {
        let mut sums = Self::default();
        sums.time(Sum::TimedJobs, Sum::LatencyMs, latency_ms(record, missing));
        sums.time(Sum::WalledJobs, Sum::WallMs, wall_ms(record));
        for Completion { usage, phases, .. } in fresh_completions(record) {
            sums.time(Sum::Loads, Sum::LoadMs, ms(phases.load_ms));
            sums.time(Sum::Prompts, Sum::PromptMs, ms(phases.prompt_ms));
            sums.time(Sum::Generations, Sum::GenerationMs, ms(phases.generation_ms));
            sums.time(Sum::FirstTokens, Sum::FirstTokenMs, ms(phases.first_token_ms));
            if let (Some(ms), Some(tokens)) = (ms(phases.prompt_ms), usage.computed_tokens()) {
                sums.add(Sum::ComputedTokens, f64::from(tokens));
                sums.add(Sum::CountedPromptMs, ms);
            }
            if let (Some(ms), Some(tokens)) = (ms(phases.generation_ms), usage.generated_tokens) {
                sums.add(Sum::GeneratedTokens, f64::from(tokens));
                sums.add(Sum::CountedGenerationMs, ms);
            }
        }
        let tokens = record.prompt_tokens().zip(record.generated_tokens());
        if let Some((prompt, generated)) = tokens.filter(|_| !record.completions.is_empty()) {
            sums.add(Sum::CountedJobs, 1.0);
            sums.add(Sum::PromptTokensOfJobs, prompt as f64);
            sums.add(Sum::GeneratedTokensOfJobs, generated as f64);
            let usable = matches!(verdict(record, MissingAnswers::Wrong), Verdict::Answer(_));
            sums.add(Sum::UsableAnswers, f64::from(u8::from(usable)));
        }
        sums
    }
}

impl Tally for Sums {
    type Item = Self;

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, job: &Self) {
        self.0.iter_mut().zip(&job.0).for_each(|(sum, value)| *sum += value);
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn read(&mut self, values: &mut [f64]) {
        for (value, ratio) in values.iter_mut().zip(&RATIOS) {
            let whole = self.of(ratio.whole);
            *value = if whole > 0.0 { self.of(ratio.part) * ratio.scale / whole } else { f64::NAN };
        }
    }
}

fn ms(time: Option<Millis>) -> Option<f64> {
    time.map(|time| time.0)
}

/// Completions that were computed in this run.
fn fresh_completions(record: &JobRecord) -> impl Iterator<Item = &Completion> {
    record.completions.iter().filter(|completion| !completion.from_cache)
}

/// Times of this job were measured in this run, all of them.
pub(super) fn is_fresh(record: &JobRecord) -> bool {
    !record.completions.is_empty() && record.completions.iter().all(|completion| !completion.from_cache)
}

/// Model time of a job. Upstream counts loading into the first job's latency; a warm model's time is what can be compared.
fn latency_ms(record: &JobRecord, missing: MissingAnswers) -> Option<f64> {
    if !is_fresh(record) {
        return None;
    }
    match missing {
        MissingAnswers::Wrong => record.warm_latency_ms(),
        MissingAnswers::Dropped => record.latency_ms(),
    }
}

/// Time from the start of a job to its end, waiting and other jobs of the same batch included; `None` where the clock did
/// not move, as in runs that kept no times.
fn wall_ms(record: &JobRecord) -> Option<f64> {
    let ms = record.finished_at.0 - record.started_at.0;
    (ms > 0 && is_fresh(record)).then_some(ms as f64)
}

/// A phase of a completion.
type PhaseTime = fn(&Phases) -> Option<Millis>;

/// Scores one group: writes its metrics, gives the number of cached completions.
pub(super) fn score(group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) -> usize {
    let instances: Vec<&[&JobRecord]> = group.instances().collect();
    let jobs = of_each(&instances, |record| Some(Sums::of_job(record, options.missing)));
    let mut totals = Sums::default();
    jobs.iter().flatten().for_each(|job| Tally::add(&mut totals, job));
    let counts = RATIOS.iter().map(|ratio| totals.of(ratio.count) as usize).collect();
    let names = RATIOS.iter().map(|ratio| ratio.name.to_owned()).collect();
    Sampled { names, counts, instances: jobs, tally: Sums::default() }.score(&instances, options, values);
    if totals.of(Sum::Loads) > 0.0 {
        values.plain("load_ms.total", Some(totals.of(Sum::LoadMs)), totals.of(Sum::Loads) as usize);
    }
    let latencies = percentiles("latency", group, options, values, |record| {
        latency_ms(record, options.missing).into_iter().collect()
    });
    // No interval can be told of extremes.
    values.plain("latency.min", latencies.first().copied(), latencies.len());
    values.plain("latency.max", latencies.last().copied(), latencies.len());
    percentiles("wall_ms", group, options, values, |record| wall_ms(record).into_iter().collect());
    let phases: [(&str, PhaseTime); 4] = [
        ("load_ms", |phases| phases.load_ms),
        ("prompt_ms", |phases| phases.prompt_ms),
        ("generation_ms", |phases| phases.generation_ms),
        ("first_token_ms", |phases| phases.first_token_ms),
    ];
    for (name, phase) in phases {
        percentiles(name, group, options, values, |record| {
            fresh_completions(record).filter_map(|completion| ms(phase(&completion.phases))).collect()
        });
    }
    group.completed().flat_map(|record| &record.completions).filter(|completion| completion.from_cache).count()
}

/// Writes the percentiles of the times that `times` finds in each completed record; gives the times, ascending.
fn percentiles(
    name: &str,
    group: &Group<'_>,
    options: &Options,
    values: &mut Values<'_, '_>,
    times: impl Fn(&JobRecord) -> Vec<f64>,
) -> Vec<f64> {
    let instances: Vec<&[&JobRecord]> = group.instances().collect();
    let of_instances = of_each(&instances, |record| Some(times(record)));
    let timed = of_instances.iter().filter(|records| records.iter().any(|times| !times.is_empty())).count();
    let mut sorted: Vec<f64> = of_instances.into_iter().flatten().flatten().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    for (suffix, share) in PERCENTILES {
        let estimate = percentile(&sorted, share, timed, options.bootstrap.confidence);
        values.push(&format!("{name}.{suffix}"), estimate, sorted.len());
    }
    sorted
}
