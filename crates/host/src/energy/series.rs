//! Cumulative joules over time, kept short however long the run.

use std::time::Duration;

/// How many points are kept; at one a second the first 2 hours are kept whole.
const MOST_POINTS: usize = 8192;

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    at: Duration,
    energy_j: f64,
    /// Next to the end of a phase: never thinned out.
    pinned: bool,
}

/// The readings of one counter. Between two of them the power is taken for even.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    points: Vec<Point>,
    pin_next: bool,
}

impl Series {
    pub(super) fn push(&mut self, at: Duration, energy_j: f64) {
        let pinned = std::mem::take(&mut self.pin_next) || self.points.is_empty();
        self.points.push(Point { at, energy_j, pinned });
        if self.points.len() > MOST_POINTS {
            self.thin();
        }
    }

    /// Keeps the readings around this moment for good.
    pub(super) fn pin(&mut self) {
        self.pin_next = true;
        if let Some(last) = self.points.last_mut() {
            last.pinned = true;
        }
    }

    /// Drops every second point that is not pinned.
    fn thin(&mut self) {
        let last = self.points.len() - 1;
        let mut place = 0;
        self.points.retain(|point| {
            place += 1;
            point.pinned || place % 2 == 1 || place > last
        });
    }

    pub(super) fn first(&self) -> Option<(Duration, f64)> {
        self.points.first().map(|point| (point.at, point.energy_j))
    }

    pub(super) fn last(&self) -> Option<(Duration, f64)> {
        self.points.last().map(|point| (point.at, point.energy_j))
    }

    pub(super) fn times(&self) -> impl Iterator<Item = Duration> + '_ {
        self.points.iter().map(|point| point.at)
    }

    /// Joules up to `at`; before the first reading those of the first, after the last those of the last.
    pub(super) fn energy_at(&self, at: Duration) -> f64 {
        let after = self.points.partition_point(|point| point.at <= at);
        let point = |place: usize| self.points.get(place);
        match (after.checked_sub(1).and_then(point), point(after)) {
            (Some(before), Some(next)) => {
                let share = (at - before.at).as_secs_f64() / (next.at - before.at).as_secs_f64();
                before.energy_j + share * (next.energy_j - before.energy_j)
            }
            (Some(only), None) | (None, Some(only)) => only.energy_j,
            (None, None) => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_run_keeps_few_points_and_those_around_marks_exactly() {
        let mut series = Series::default();
        for second in 0..100_000u32 {
            if second == 3 {
                series.pin();
            }
            // 100 W for three seconds, then 10 W: a boundary that thinning must not blur.
            let energy_j = if second <= 3 { 100.0 * f64::from(second) } else { 300.0 + 10.0 * f64::from(second - 3) };
            series.push(Duration::from_secs(u64::from(second)), energy_j);
        }
        assert!(series.points.len() <= MOST_POINTS);
        assert_eq!(series.energy_at(Duration::from_secs(3)), 300.0);
        assert_eq!(series.last(), Some((Duration::from_secs(99_999), 300.0 + 10.0 * 99_996.0)));
    }

    proptest! {
        #[test]
        fn parts_of_a_series_sum_to_the_whole(
            steps in proptest::collection::vec((1u64..5000, 0.0f64..1000.0), 2..300),
            cuts in proptest::collection::vec(0.0f64..1.0, 0..10),
        ) {
            let mut series = Series::default();
            let (mut at, mut energy_j) = (Duration::ZERO, 0.0);
            for (milliseconds, joules) in steps {
                series.push(at, energy_j);
                at += Duration::from_millis(milliseconds);
                energy_j += joules;
            }
            let (end, whole) = series.last().expect("points");
            let mut moments: Vec<Duration> = cuts.iter().map(|cut| end.mul_f64(*cut)).collect();
            moments.extend([Duration::ZERO, end]);
            moments.sort();
            let parts: Vec<f64> = moments.windows(2).map(|pair| series.energy_at(pair[1]) - series.energy_at(pair[0])).collect();
            prop_assert!(parts.iter().all(|part| *part >= -1e-9 * whole.max(1.0)));
            prop_assert!((parts.iter().sum::<f64>() - whole).abs() <= 1e-9 * whole.max(1.0));
        }
    }
}
