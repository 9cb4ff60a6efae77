//! Where the time and the tokens went.
//!
//! This file is a table.

use super::definition::{Better, Family, MetricDef, Scale, row};
use super::missing::{ALIKE, WRONG};

const TIME: &[Family] = &[Family::Efficiency];
const PERCENTILE: &str = "NumPy percentile, method linear; interval between order statistics, David and Nagaraja 2003";
const BACKEND: &str = "times reported by the backend";
const COUNTED_BY: &str = "tokens counted by the backend";
const WALL: &str = "wall clock; interval of the share of such answers, time as it was";
const MS: Scale = Scale { unit: "ms", better: Better::Lower, range: "0 or more" };
const RATE: Scale = Scale { unit: "tokens/s", better: Better::Higher, range: "0 or more" };
const PER_MINUTE: Scale = Scale { unit: "answers/min", better: Better::Higher, range: "0 or more" };
const TOKENS: Scale = Scale { unit: "tokens", better: Better::Neither, range: "0 or more" };
const COST: Scale = Scale { better: Better::Lower, ..TOKENS };

#[rustfmt::skip]
pub(super) static EFFICIENCY: &[MetricDef] = &[
    row("latency.p50", &["latency_p50"], TIME, MS, "Median of the model time of a job, loading left out.", (PERCENTILE, ALIKE)),
    row("latency.p90", &["latency_p90"], TIME, MS, "90th percentile of the model time of a job, loading left out.", (PERCENTILE, ALIKE)),
    row("latency.p95", &["latency_p95"], TIME, MS, "95th percentile of the model time of a job, loading left out.", (PERCENTILE, ALIKE)),
    row("latency.p99", &["latency_p99"], TIME, MS, "99th percentile of the model time of a job, loading left out.", (PERCENTILE, ALIKE)),
    row("latency.mean", &["latency_mean"], TIME, MS, "Mean model time of a job, loading left out.", ("mean", ALIKE)),
    row("latency.min", &["latency_min"], TIME, MS, "Shortest model time of a job, loading left out.", ("minimum", ALIKE)),
    row("latency.max", &["latency_max"], TIME, MS, "Longest model time of a job, loading left out.", ("maximum", ALIKE)),
    row("wall_ms.p50", &[], TIME, MS, "Median of the time from the start of a job to its end; waiting, and other jobs of the same batch, included.", (PERCENTILE, ALIKE)),
    row("wall_ms.p90", &[], TIME, MS, "90th percentile of the time from the start of a job to its end; waiting, and other jobs of the same batch, included.", (PERCENTILE, ALIKE)),
    row("wall_ms.p95", &[], TIME, MS, "95th percentile of the time from the start of a job to its end; waiting, and other jobs of the same batch, included.", (PERCENTILE, ALIKE)),
    row("wall_ms.p99", &[], TIME, MS, "99th percentile of the time from the start of a job to its end; waiting, and other jobs of the same batch, included.", (PERCENTILE, ALIKE)),
    row("wall_ms.mean", &[], TIME, MS, "Mean of the time from the start of a job to its end; waiting, and other jobs of the same batch, included.", ("wall clock", ALIKE)),
    row("load_ms.p50", &[], TIME, MS, "Median of the time to load the model, per completion that tells it.", (PERCENTILE, ALIKE)),
    row("load_ms.p90", &[], TIME, MS, "90th percentile of the time to load the model, per completion that tells it.", (PERCENTILE, ALIKE)),
    row("load_ms.p95", &[], TIME, MS, "95th percentile of the time to load the model, per completion that tells it.", (PERCENTILE, ALIKE)),
    row("load_ms.p99", &[], TIME, MS, "99th percentile of the time to load the model, per completion that tells it.", (PERCENTILE, ALIKE)),
    row("load_ms.mean", &[], TIME, MS, "Mean of the time to load the model, per completion that tells it.", (BACKEND, ALIKE)),
    row("load_ms.total", &[], TIME, MS, "Time spent loading the model, all completions together.", (BACKEND, ALIKE)),
    row("prompt_ms.p50", &[], TIME, MS, "Median of the time to read the prompt, per completion.", (PERCENTILE, ALIKE)),
    row("prompt_ms.p90", &[], TIME, MS, "90th percentile of the time to read the prompt, per completion.", (PERCENTILE, ALIKE)),
    row("prompt_ms.p95", &[], TIME, MS, "95th percentile of the time to read the prompt, per completion.", (PERCENTILE, ALIKE)),
    row("prompt_ms.p99", &[], TIME, MS, "99th percentile of the time to read the prompt, per completion.", (PERCENTILE, ALIKE)),
    row("prompt_ms.mean", &[], TIME, MS, "Mean of the time to read the prompt, per completion.", (BACKEND, ALIKE)),
    row("generation_ms.p50", &[], TIME, MS, "Median of the time to write the answer, per completion.", (PERCENTILE, ALIKE)),
    row("generation_ms.p90", &[], TIME, MS, "90th percentile of the time to write the answer, per completion.", (PERCENTILE, ALIKE)),
    row("generation_ms.p95", &[], TIME, MS, "95th percentile of the time to write the answer, per completion.", (PERCENTILE, ALIKE)),
    row("generation_ms.p99", &[], TIME, MS, "99th percentile of the time to write the answer, per completion.", (PERCENTILE, ALIKE)),
    row("generation_ms.mean", &[], TIME, MS, "Mean of the time to write the answer, per completion.", (BACKEND, ALIKE)),
    row("first_token_ms.p50", &[], TIME, MS, "Median of the time to the first token, per completion.", (PERCENTILE, ALIKE)),
    row("first_token_ms.p90", &[], TIME, MS, "90th percentile of the time to the first token, per completion.", (PERCENTILE, ALIKE)),
    row("first_token_ms.p95", &[], TIME, MS, "95th percentile of the time to the first token, per completion.", (PERCENTILE, ALIKE)),
    row("first_token_ms.p99", &[], TIME, MS, "99th percentile of the time to the first token, per completion.", (PERCENTILE, ALIKE)),
    row("first_token_ms.mean", &[], TIME, MS, "Mean of the time to the first token, per completion.", (BACKEND, ALIKE)),
    row("tokens_per_second", &["tokens_per_s", "tokens_per_sec"], TIME, RATE,
        "Generated tokens / generation time, over completions that report it.", (BACKEND, ALIKE)),
    row("prompt_tokens_per_second", &[], TIME, RATE,
        "Computed prompt tokens (reused ones left out) / prompt time, over completions that report it.", (BACKEND, ALIKE)),
    row("generated_tokens.mean", &["tokens_per_answer"], TIME, TOKENS,
        "Mean generated tokens per job, cached ones included.", (COUNTED_BY, ALIKE)),
    row("generated_tokens.per_usable_answer", &["tokens_per_usable_answer"], TIME, COST,
        "Generated tokens of all jobs / usable answers: what an answer costs when those that could not be read are paid too.", (COUNTED_BY, WRONG)),
    row("prompt_tokens.mean", &[], TIME, TOKENS,
        "Mean prompt tokens per job, cached ones included.", (COUNTED_BY, ALIKE)),
    row("usable_answers_per_minute", &["throughput"], TIME, PER_MINUTE,
        "Usable answers / minutes in which at least one job was under way.", (WALL, WRONG)),
    row("right_answers_per_minute", &["goodput"], TIME, PER_MINUTE,
        "Right answers (of a number: exactly right ones) / minutes in which at least one job was under way.", (WALL, WRONG)),
];
