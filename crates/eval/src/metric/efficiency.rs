//! How long it took and how many tokens it was, split into loading, reading and writing.

use super::compute::Values;
use super::judge::Group;
use super::task::{MissingAnswers, Options};
use crate::stats::{Clustered, Ranked, Tally, median};
use puma_core::{Completion, JobRecord};

const LATENCIES: [(&str, f64); 4] =
    [("latency.p50", 0.5), ("latency.p90", 0.9), ("latency.p95", 0.95), ("latency.p99", 0.99)];

struct LatencyTally {
    ranked: Ranked,
    sum: f64,
    n: f64,
}

impl Tally for LatencyTally {
    type Item = (u32, f64);

    fn clear(&mut self) {
        self.ranked.clear();
        (self.sum, self.n) = (0.0, 0.0);
    }

    fn add(&mut self, (rank, latency): &(u32, f64)) {
        self.ranked.add(*rank);
        self.sum += latency;
        self.n += 1.0;
    }

    fn read(&mut self, values: &mut [f64]) {
        for (value, (_, q)) in values.iter_mut().zip(LATENCIES) {
            *value = self.ranked.quantile(q);
        }
        values[LATENCIES.len()] = self.sum / self.n;
    }
}

/// Sums over the completions of one job, or of many.
#[derive(Clone, Copy, Default)]
struct Phased {
    prompts: f64,
    prompt_ms: f64,
    /// Prompt time of completions that tell their tokens.
    counted_prompt_ms: f64,
    computed_tokens: f64,
    generations: f64,
    generation_ms: f64,
    counted_generation_ms: f64,
    generated_tokens: f64,
}

impl Phased {
    fn of<'a>(completions: impl Iterator<Item = &'a Completion>) -> Self {
        let mut sums = Self::default();
        for Completion { usage, phases, .. } in completions {
            if let Some(ms) = phases.prompt_ms {
                sums.prompts += 1.0;
                sums.prompt_ms += ms.0;
                if let Some(tokens) = usage.computed_tokens() {
                    sums.counted_prompt_ms += ms.0;
                    sums.computed_tokens += f64::from(tokens);
                }
            }
            if let Some(ms) = phases.generation_ms {
                sums.generations += 1.0;
                sums.generation_ms += ms.0;
                if let Some(tokens) = usage.generated_tokens {
                    sums.counted_generation_ms += ms.0;
                    sums.generated_tokens += f64::from(tokens);
                }
            }
        }
        sums
    }
}

const PHASES: [&str; 4] = ["prompt_ms.mean", "generation_ms.mean", "prompt_tokens_per_second", "tokens_per_second"];

impl Tally for Phased {
    type Item = Self;

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, job: &Self) {
        self.prompts += job.prompts;
        self.prompt_ms += job.prompt_ms;
        self.counted_prompt_ms += job.counted_prompt_ms;
        self.computed_tokens += job.computed_tokens;
        self.generations += job.generations;
        self.generation_ms += job.generation_ms;
        self.counted_generation_ms += job.counted_generation_ms;
        self.generated_tokens += job.generated_tokens;
    }

    fn read(&mut self, values: &mut [f64]) {
        let per_second = |tokens: f64, ms: f64| if ms > 0.0 { tokens * 1000.0 / ms } else { f64::NAN };
        values.copy_from_slice(&[
            self.prompt_ms / self.prompts,
            self.generation_ms / self.generations,
            per_second(self.computed_tokens, self.counted_prompt_ms),
            per_second(self.generated_tokens, self.counted_generation_ms),
        ]);
    }
}

/// Prompt and generated tokens of jobs.
#[derive(Default)]
struct TokenTally {
    n: f64,
    prompt: f64,
    generated: f64,
}

impl Tally for TokenTally {
    type Item = (f64, f64);

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, (prompt, generated): &(f64, f64)) {
        self.n += 1.0;
        self.prompt += prompt;
        self.generated += generated;
    }

    fn read(&mut self, values: &mut [f64]) {
        values.copy_from_slice(&[self.prompt / self.n, self.generated / self.n]);
    }
}

/// Times of this job were measured in this run, all of them.
fn is_fresh(record: &JobRecord) -> bool {
    !record.completions.is_empty() && record.completions.iter().all(|completion| !completion.from_cache)
}

/// Scores one group: writes its metrics, gives the number of cached completions.
pub(super) fn score(group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) -> usize {
    latencies(group, options, values);
    phases(group, options, values);
    let tokens = group.sample(|record| {
        if record.completions.is_empty() {
            return None;
        }
        Some((record.prompt_tokens()? as f64, record.generated_tokens()? as f64))
    });
    let estimates = options.bootstrap.estimate(&tokens, &mut TokenTally::default(), 2);
    values.push("prompt_tokens.mean", estimates[0], tokens.items().len());
    values.push("generated_tokens.mean", estimates[1], tokens.items().len());
    group.completed().flat_map(|record| &record.completions).filter(|completion| completion.from_cache).count()
}

fn latencies(group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) {
    // Upstream counts loading into the first job's latency; a warm model's time is what can be compared.
    let like_upstream = options.missing == MissingAnswers::Dropped;
    let latency = |record: &JobRecord| {
        let whole = || if like_upstream { record.latency_ms() } else { record.warm_latency_ms() };
        is_fresh(record).then(whole)?
    };
    let ranked = Ranked::new(group.completed().filter_map(latency));
    let sample: Clustered<(u32, f64)> = group.sample(|record| latency(record).map(|ms| (ranked.rank(ms), ms)));
    let n = sample.items().len();
    let mut tally = LatencyTally { ranked, sum: 0.0, n: 0.0 };
    let estimates = options.bootstrap.estimate(&sample, &mut tally, LATENCIES.len() + 1);
    let names = LATENCIES.iter().map(|(name, _)| *name).chain(["latency.mean"]);
    for (name, estimate) in names.zip(estimates) {
        values.push(name, estimate, n);
    }
    // The bootstrap says nothing about extremes, so they stand alone.
    let all = || sample.items().iter().map(|(_, ms)| *ms);
    values.plain("latency.min", all().reduce(f64::min), n);
    values.plain("latency.max", all().reduce(f64::max), n);
}

fn phases(group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) {
    let fresh = |record: &JobRecord| record.completions.iter().any(|completion| !completion.from_cache);
    let jobs: Clustered<Phased> = group.sample(|record| {
        fresh(record).then(|| Phased::of(record.completions.iter().filter(|completion| !completion.from_cache)))
    });
    let count = |field: fn(&Phased) -> f64| jobs.items().iter().map(field).sum::<f64>() as usize;
    let (prompts, generations) = (count(|job| job.prompts), count(|job| job.generations));
    let estimates = options.bootstrap.estimate(&jobs, &mut Phased::default(), PHASES.len());
    for ((name, estimate), n) in PHASES.iter().zip(estimates).zip([prompts, generations, prompts, generations]) {
        values.push(name, estimate, n);
    }
    let completions =
        || group.completed().flat_map(|record| &record.completions).filter(|completion| !completion.from_cache);
    let loads: Vec<f64> = completions().filter_map(|completion| completion.phases.load_ms).map(|ms| ms.0).collect();
    values.plain("load_ms.total", (!loads.is_empty()).then(|| loads.iter().sum()), loads.len());
    let mut first: Vec<f64> =
        completions().filter_map(|completion| completion.phases.first_token_ms).map(|ms| ms.0).collect();
    first.sort_unstable_by(f64::total_cmp);
    values.plain("first_token_ms.p50", median(&first), first.len());
}
