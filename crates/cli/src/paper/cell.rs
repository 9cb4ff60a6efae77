//! Numbers with the digits they deserve.

use puma_eval::metric::MetricValue;

/// What stands in a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    /// Rounded, and with an interval where there is one.
    Number(Number),
    /// Not known, or does not apply.
    Missing,
}

/// A rounded number: its texts all have the same decimals.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) value: String,
    /// Lower and upper end.
    pub(super) interval: Option<(String, String)>,
    /// How many records it rests on, where that is known.
    pub(super) n: Option<usize>,
}

/// The most decimals a number without a unit gets.
const MOST_DECIMALS: usize = 4;

impl Cell {
    /// Whole things that were counted.
    pub(super) fn count(count: u64) -> Self {
        Self::Number(Number { value: count.to_string(), interval: None, n: None })
    }

    /// A number with as many decimals as `unit` deserves.
    pub(super) fn number(value: f64, unit: &str) -> Self {
        Self::with_interval(value, None, unit, None)
    }

    pub(super) fn optional(value: Option<f64>, unit: &str) -> Self {
        value.map_or(Self::Missing, |value| Self::number(value, unit))
    }

    pub(super) fn metric(metric: &MetricValue) -> Self {
        Self::with_interval(metric.value, metric.ci_low.zip(metric.ci_high), &metric.unit, Some(metric.n))
    }

    /// A number with as many decimals as its interval supports: the last one is the second digit of the half width.
    pub(super) fn with_interval(value: f64, interval: Option<(f64, f64)>, unit: &str, n: Option<usize>) -> Self {
        if !value.is_finite() {
            return Self::Missing;
        }
        let interval = interval.filter(|(low, high)| low.is_finite() && high.is_finite());
        let decimals = match interval {
            Some((low, high)) if high > low => supported((high - low) / 2.0).min(most(unit)),
            _ => usual(unit),
        };
        let text = |value: f64| {
            let text = format!("{value:.decimals$}");
            // Rounding must not leave a sign on nothing.
            if text.trim_start_matches('-').bytes().all(|byte| matches!(byte, b'0' | b'.')) {
                text.trim_start_matches('-').to_owned()
            } else {
                text
            }
        };
        Self::Number(Number { value: text(value), interval: interval.map(|(low, high)| (text(low), text(high))), n })
    }
}

/// Decimals that show two digits of `half_width`.
fn supported(half_width: f64) -> usize {
    let mut decimals = 0;
    let mut scaled = half_width;
    while scaled < 10.0 && decimals < MOST_DECIMALS {
        scaled *= 10.0;
        decimals += 1;
    }
    decimals
}

/// Decimals of a number without an interval.
fn usual(unit: &str) -> usize {
    match unit {
        "count" | "tokens" => 0,
        "ms" | "tokens/s" | "J" | "W" | "s" => 1,
        "g" => 4,
        _ => 3,
    }
}

fn most(unit: &str) -> usize {
    if unit == "count" { 0 } else { MOST_DECIMALS }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: f64, low: f64, high: f64, unit: &str) -> String {
        match Cell::with_interval(value, Some((low, high)), unit, None) {
            Cell::Number(Number { value, interval: Some((low, high)), .. }) => format!("{value} [{low}, {high}]"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_number_has_the_digits_that_its_interval_supports() {
        assert_eq!(shown(0.412_345, 0.35, 0.478, ""), "0.412 [0.350, 0.478]");
        assert_eq!(shown(0.412_345, 0.412_3, 0.412_4, ""), "0.4123 [0.4123, 0.4124]");
        assert_eq!(shown(0.4, 0.1, 0.9, ""), "0.40 [0.10, 0.90]");
        assert_eq!(shown(5.715, 4.2, 7.9, "points"), "5.7 [4.2, 7.9]");
        assert_eq!(shown(1234.56, 1100.0, 1400.0, "ms"), "1235 [1100, 1400]");
        assert_eq!(shown(1.0, 1.0, 1.0, ""), "1.000 [1.000, 1.000]");
        assert_eq!(shown(-0.000_01, -0.3, 0.3, ""), "0.00 [-0.30, 0.30]");
    }

    #[test]
    fn what_is_no_number_is_missing() {
        assert_eq!(Cell::number(f64::NAN, ""), Cell::Missing);
        assert_eq!(Cell::optional(None, "J"), Cell::Missing);
    }
}
