//! Where the time and the tokens went.
//!
//! This file is a table.

use super::definition::{Better, Family, MetricDef, Scale, row};
use super::missing::ALIKE;

const TIME: &[Family] = &[Family::Efficiency];
const NUMPY: &str = "NumPy percentile, method linear";
const BACKEND: &str = "times reported by the backend";
const MS: Scale = Scale { unit: "ms", better: Better::Lower, range: "0 or more" };
const RATE: Scale = Scale { unit: "tokens/s", better: Better::Higher, range: "0 or more" };
const TOKENS: Scale = Scale { unit: "tokens", better: Better::Neither, range: "0 or more" };

#[rustfmt::skip]
pub(super) static EFFICIENCY: &[MetricDef] = &[
    row("latency.p50", &["latency_p50"], TIME, MS, "Median model time of a job, loading left out.", (NUMPY, ALIKE)),
    row("latency.p90", &["latency_p90"], TIME, MS, "90th percentile of the model time of a job, loading left out.", (NUMPY, ALIKE)),
    row("latency.p95", &["latency_p95"], TIME, MS, "95th percentile of the model time of a job, loading left out.", (NUMPY, ALIKE)),
    row("latency.p99", &["latency_p99"], TIME, MS, "99th percentile of the model time of a job, loading left out.", (NUMPY, ALIKE)),
    row("latency.mean", &["latency_mean"], TIME, MS, "Mean model time of a job, loading left out.", ("mean", ALIKE)),
    row("latency.min", &["latency_min"], TIME, MS, "Shortest model time of a job, loading left out.", ("minimum", ALIKE)),
    row("latency.max", &["latency_max"], TIME, MS, "Longest model time of a job, loading left out.", ("maximum", ALIKE)),
    row("load_ms.total", &[], TIME, MS, "Time spent loading the model, all completions together.", (BACKEND, ALIKE)),
    row("prompt_ms.mean", &[], TIME, MS, "Mean time to read the prompt, per completion.", (BACKEND, ALIKE)),
    row("generation_ms.mean", &[], TIME, MS, "Mean time to write the answer, per completion.", (BACKEND, ALIKE)),
    row("first_token_ms.p50", &[], TIME, MS, "Median time to the first token, per completion.", (BACKEND, ALIKE)),
    row("tokens_per_second", &["tokens_per_s", "tokens_per_sec"], TIME, RATE,
        "Generated tokens / generation time, over completions that report it.", (BACKEND, ALIKE)),
    row("prompt_tokens_per_second", &[], TIME, RATE,
        "Computed prompt tokens (reused ones left out) / prompt time, over completions that report it.", (BACKEND, ALIKE)),
    row("generated_tokens.mean", &["tokens_per_answer"], TIME, TOKENS,
        "Mean generated tokens per job, cached ones included.", ("tokens counted by the backend", ALIKE)),
    row("prompt_tokens.mean", &[], TIME, TOKENS,
        "Mean prompt tokens per job, cached ones included.", ("tokens counted by the backend", ALIKE)),
];
