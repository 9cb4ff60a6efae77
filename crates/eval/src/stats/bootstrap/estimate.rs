//! A number and its doubt.

use serde::Serialize;

/// How an interval was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalMethod {
    /// Bias-corrected and accelerated bootstrap (Efron 1987).
    Bca,
    /// Percentile bootstrap (Efron 1979), where the correction is undefined.
    Percentile,
    /// Wilson's score interval of a share (1927).
    Wilson,
    /// Newcombe's method 10 of a paired difference of shares (1998).
    Newcombe,
    /// Between two order statistics, of a percentile.
    OrderStatistics,
}

impl IntervalMethod {
    /// The name as reports spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bca => "bca",
            Self::Percentile => "percentile",
            Self::Wilson => "wilson",
            Self::Newcombe => "newcombe",
            Self::OrderStatistics => "order-statistics",
        }
    }
}

/// A statistic and its interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// `None` where the statistic is undefined.
    pub value: Option<f64>,
    /// Bounds; `None` without a value or with fewer than two instances.
    pub interval: Option<(f64, f64)>,
    /// How the bounds were found; `None` without bounds.
    pub method: Option<IntervalMethod>,
}

impl Estimate {
    /// A value without an interval.
    pub fn plain(value: Option<f64>) -> Self {
        Self { value, interval: None, method: None }
    }

    /// A share with its Wilson interval, if there is one.
    pub fn share(value: Option<f64>, interval: Option<(f64, f64)>) -> Self {
        Self { value, interval, method: interval.map(|_| IntervalMethod::Wilson) }
    }
}
