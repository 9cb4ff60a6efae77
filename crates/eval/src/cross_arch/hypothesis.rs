//! The seeds' hypotheses, judged.
//!
//! Source: upstream PUMA's protocol for comparing x86_64 with arm64: H0 metrics are bit-exact, H1 its negation, H2 the mean
//! absolute difference of paired logprobs is below 1e-3, H3 ECE differs by less than 0.01.

use super::distribution::Distribution;
use super::scores::{CALIBRATION, PairedMetric, headline};
use crate::metric::TaskKind;
use serde::{Deserialize, Serialize};

/// H2's limit on the mean absolute difference, in nats.
pub const LOGPROB_LIMIT: f64 = 1e-3;
/// H3's limit on the absolute difference of ECE.
pub const ECE_LIMIT: f64 = 0.01;

/// What the data say about a hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    Holds,
    Rejected,
    NotTestable,
}

impl Judgement {
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Rejected => "rejected",
            Self::NotTestable => "not testable",
        }
    }

    fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Rejected }
    }
}

/// A hypothesis with what was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hypothesis {
    /// `H0` to `H3`.
    pub name: &'static str,
    pub statement: String,
    pub judgement: Judgement,
    /// What was measured: the difference of the first headline metric (H0, H1), the mean absolute difference of logprobs
    /// (H2), the difference of ECE (H3). Also where the hypothesis is not testable for another reason.
    pub value: Option<f64>,
    /// 95 % bootstrap interval of `value`, over instances. The judgement is about the value alone, as the protocol says.
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub limit: f64,
    /// Jobs (H0, H1, H3) or paired tokens (H2) behind it.
    pub n: usize,
    /// The numbers in words, or why nothing can be said.
    pub detail: String,
}

impl Hypothesis {
    fn untestable(name: &'static str, statement: String, limit: f64, why: impl Into<String>) -> Self {
        let judgement = Judgement::NotTestable;
        Self { name, statement, judgement, value: None, low: None, high: None, limit, n: 0, detail: why.into() }
    }

    /// The same numbers, which decide nothing.
    pub(super) fn withdrawn(self, why: &str) -> Self {
        Self { judgement: Judgement::NotTestable, detail: why.to_owned(), ..self }
    }
}

/// H0 and H1.
pub(super) fn equal_metrics(kind: TaskKind, metrics: &[PairedMetric]) -> [Hypothesis; 2] {
    let table = headline(kind);
    let names: Vec<String> = table
        .iter()
        .map(|(name, limit)| if *limit == 0.0 { (*name).to_owned() } else { format!("{name} (± {limit})") })
        .collect();
    let statement = format!("{} are equal to the last bit", names.join(" and "));
    let negation = format!("{} are not all equal", names.join(" and "));
    let limit = table[0].1;
    let headlines: Vec<&PairedMetric> = metrics.iter().filter(|metric| metric.headline).collect();
    let undefined: Vec<&str> =
        headlines.iter().filter(|metric| metric.delta.is_none()).map(|metric| metric.name.as_str()).collect();
    if !undefined.is_empty() {
        let why = format!("{} has no value on both sides", undefined.join(", "));
        return [
            Hypothesis::untestable("H0", statement, limit, why.clone()),
            Hypothesis::untestable("H1", negation, limit, why),
        ];
    }
    let within = |metric: &&PairedMetric| {
        let limit = table.iter().find(|(name, _)| *name == metric.name).map_or(0.0, |(_, limit)| *limit);
        metric.delta.is_some_and(|delta| delta.abs() <= limit)
    };
    let holds = headlines.iter().all(within);
    let told = |metric: &&PairedMetric| {
        let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        let delta = metric.delta.map_or_else(|| "-".to_owned(), signed);
        let interval = interval_text(metric.delta_low, metric.delta_high);
        format!("{} {} and {}, difference {delta}{interval}", metric.name, shown(metric.left), shown(metric.right))
    };
    let detail = headlines.iter().map(told).collect::<Vec<_>>().join("; ");
    let first = headlines[0];
    let finding = |name, statement, holds| Hypothesis {
        name,
        statement,
        judgement: Judgement::of(holds),
        value: first.delta,
        low: first.delta_low,
        high: first.delta_high,
        limit,
        n: first.n_left.min(first.n_right),
        detail: String::new(),
    };
    let null = Hypothesis { detail, ..finding("H0", statement, holds) };
    let other = if holds { "H0 holds" } else { "H0 is rejected" };
    [null, Hypothesis { detail: other.to_owned(), ..finding("H1", negation, !holds) }]
}

/// The interval as it stands behind a value; empty where there is none.
fn interval_text(low: Option<f64>, high: Option<f64>) -> String {
    low.zip(high).map_or_else(String::new, |(low, high)| format!(" [{}, {}]", signed(low), signed(high)))
}

/// A difference with its sign, in as many digits as it takes to see it.
fn signed(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value.abs() >= 1e-4 {
        format!("{value:+.4}")
    } else {
        format!("{value:+.1e}")
    }
}

/// A size, which may be as small as one bit.
fn size(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:.2e}") }
}

/// H2, from the logprobs of tokens that both generated with the same text before them.
pub(super) fn close_logprobs(chosen: &Distribution, interval: Option<(f64, f64)>, missing: Option<&str>) -> Hypothesis {
    let statement = format!("the mean absolute difference of paired logprobs is below {LOGPROB_LIMIT}");
    let Some(mean) = chosen.mean_abs else {
        let why = missing.unwrap_or("no token was generated by both with the same text before it");
        return Hypothesis::untestable("H2", statement, LOGPROB_LIMIT, why);
    };
    let largest = chosen.max_abs.unwrap_or(mean);
    Hypothesis {
        name: "H2",
        statement,
        judgement: Judgement::of(mean < LOGPROB_LIMIT),
        value: Some(mean),
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        limit: LOGPROB_LIMIT,
        n: chosen.n,
        detail: {
            let interval = interval.map_or_else(String::new, |(low, high)| format!(" [{}, {}]", size(low), size(high)));
            format!("mean {}{interval}, largest {} over {} tokens", size(mean), size(largest), chosen.n)
        },
    }
}

/// H3, from the jobs for which both have a confidence.
pub(super) fn close_calibration(metrics: &[PairedMetric]) -> Hypothesis {
    let statement = format!("ECE (15 bins) differs by less than {ECE_LIMIT}");
    let found = metrics.iter().find(|metric| metric.name == CALIBRATION);
    let Some((metric, (left, right))) = found.and_then(|metric| Some((metric, metric.left.zip(metric.right)?))) else {
        let why = "no job has a confidence in both runs (confidence needs logprobs)";
        return Hypothesis::untestable("H3", statement, ECE_LIMIT, why);
    };
    let delta = right - left;
    Hypothesis {
        name: "H3",
        statement,
        judgement: Judgement::of(delta.abs() < ECE_LIMIT),
        value: Some(delta),
        low: metric.delta_low,
        high: metric.delta_high,
        limit: ECE_LIMIT,
        n: metric.n_left.min(metric.n_right),
        detail: {
            let interval = interval_text(metric.delta_low, metric.delta_high);
            format!("ECE {left:.4} and {right:.4}, difference {}{interval} over {} jobs", signed(delta), metric.n_left)
        },
    }
}

/// One verdict over several groups: rejected by one, held only by all.
pub(super) fn over_all(groups: &[&Hypothesis]) -> Judgement {
    if groups.iter().any(|found| found.judgement == Judgement::Rejected) {
        Judgement::Rejected
    } else if !groups.is_empty() && groups.iter().all(|found| found.judgement == Judgement::Holds) {
        Judgement::Holds
    } else {
        Judgement::NotTestable
    }
}
