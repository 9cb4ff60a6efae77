//! Joules of loading, reading prompts and generating.
//!
//! No counter knows what a model does. What is known: how much was spent in each stretch of time, when each job ran, and
//! how long the backend says its phases took. So a stretch's joules go to the jobs that ran in it, by the time they ran,
//! and a job's part goes to its phases by their lengths. Jobs of one batch share evenly. Joules while no job ran, and
//! those of jobs whose backend reports no phases, stay with `Inference`. It is a convention, not a measurement: reading
//! prompts draws more power than generating, which even shares cannot show.

use super::profile::PowerInterval;
use puma_core::measure::{Phase, PhaseEnergy, Quality};
use puma_core::{JobRecord, Timestamp};

/// When a job ran and how long its phases took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JobSpan {
    pub from: Timestamp,
    pub until: Timestamp,
    /// Seconds by the backend's own account; `None` where it reports none.
    pub load_s: Option<f64>,
    pub prompt_s: Option<f64>,
    pub generation_s: Option<f64>,
}

impl JobSpan {
    /// The span of a finished job; `None` if it was answered from the cache, which costs nothing.
    pub fn of(record: &JobRecord) -> Option<Self> {
        if !record.completions.is_empty() && record.completions.iter().all(|completion| completion.from_cache) {
            return None;
        }
        let asked = || record.completions.iter().filter(|completion| !completion.from_cache);
        let seconds = |phase: fn(&puma_core::Phases) -> Option<puma_core::Millis>| {
            let milliseconds =
                asked().map(|completion| phase(&completion.phases).map(|millis| millis.0)).sum::<Option<f64>>();
            milliseconds.filter(|_| asked().next().is_some()).map(|milliseconds| milliseconds / 1000.0)
        };
        Some(Self {
            from: record.started_at,
            until: record.finished_at,
            load_s: seconds(|phases| phases.load_ms),
            prompt_s: seconds(|phases| phases.prompt_ms),
            generation_s: seconds(|phases| phases.generation_ms),
        })
    }

    /// Shares of load, prompt and generation, summing to 1; `None` unless prompt and generation are reported.
    fn shares(&self) -> Option<[f64; 3]> {
        let parts = [self.load_s.unwrap_or(0.0), self.prompt_s?, self.generation_s?].map(|part| part.max(0.0));
        let sum: f64 = parts.iter().sum();
        (sum > 0.0 && sum.is_finite()).then(|| parts.map(|part| part / sum))
    }

    /// Seconds of the stretch in which the job ran.
    fn overlap_s(&self, interval: &PowerInterval) -> f64 {
        seconds(self.until.0.min(interval.until.0).saturating_sub(self.from.0.max(interval.from.0)).max(0))
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 milliseconds are longer than any run")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// Splits the joules of a session among phases. The energies sum to those of the stretches, the durations to their time.
/// Phases without a share are left out.
pub fn split(intervals: &[PowerInterval], jobs: &[JobSpan]) -> Vec<PhaseEnergy> {
    const PHASES: [Phase; 4] = [Phase::Load, Phase::Prompt, Phase::Generation, Phase::Inference];
    let mut joules = [0.0; 4];
    let mut times = [0.0; 4];
    for (interval, running) in with_jobs(intervals, jobs) {
        let time_s = seconds((interval.until.0 - interval.from.0).max(0));
        let overlap: f64 = running.iter().map(|job| job.overlap_s(interval)).sum();
        let shares = if overlap > 0.0 { phase_shares(interval, &running, overlap) } else { [0.0, 0.0, 0.0, 1.0] };
        for (place, share) in shares.into_iter().enumerate() {
            joules[place] += share * interval.energy_j;
            times[place] += share * time_s;
        }
    }
    let phases = PHASES.into_iter().zip(joules.into_iter().zip(times));
    phases
        .filter(|(_, (energy_j, duration_s))| *energy_j > 0.0 || *duration_s > 0.0)
        .map(|(phase, (energy_j, duration_s))| PhaseEnergy {
            phase,
            duration_s,
            energy_j: Some(energy_j),
            quality: Quality::Estimated,
        })
        .collect()
}

/// How a stretch is divided. Time in it without any job counts as inference.
fn phase_shares(interval: &PowerInterval, running: &[&JobSpan], overlap: f64) -> [f64; 4] {
    let busy = busy_share(interval, running);
    let mut shares = [0.0, 0.0, 0.0, 1.0 - busy];
    for job in running {
        let part = busy * job.overlap_s(interval) / overlap;
        match job.shares() {
            Some(of_job) => of_job.into_iter().enumerate().for_each(|(place, share)| shares[place] += part * share),
            None => shares[3] += part,
        }
    }
    shares
}

/// The share of a stretch in which at least one job ran.
fn busy_share(interval: &PowerInterval, running: &[&JobSpan]) -> f64 {
    let mut spans: Vec<(i64, i64)> =
        running.iter().map(|job| (job.from.0.max(interval.from.0), job.until.0.min(interval.until.0))).collect();
    spans.sort_unstable();
    let (mut covered, mut end) = (0, interval.from.0);
    for (from, until) in spans {
        covered += (until - from.max(end)).max(0);
        end = end.max(until);
    }
    let whole = interval.until.0 - interval.from.0;
    if whole > 0 { (seconds(covered) / seconds(whole)).clamp(0.0, 1.0) } else { 0.0 }
}

/// Each stretch with the jobs that ran in it, in one pass over both.
fn with_jobs<'a>(
    intervals: &'a [PowerInterval],
    jobs: &'a [JobSpan],
) -> impl Iterator<Item = (&'a PowerInterval, Vec<&'a JobSpan>)> {
    let mut waiting: Vec<&JobSpan> = jobs.iter().collect();
    waiting.sort_by_key(|job| std::cmp::Reverse(job.from));
    let mut running: Vec<&JobSpan> = Vec::new();
    intervals.iter().map(move |interval| {
        while waiting.last().is_some_and(|job| job.from < interval.until) {
            running.extend(waiting.pop());
        }
        running.retain(|job| job.until > interval.from);
        (interval, running.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn interval(from: i64, until: i64, energy_j: f64) -> PowerInterval {
        PowerInterval { from: Timestamp(from), until: Timestamp(until), energy_j }
    }

    fn job(from: i64, until: i64, prompt_s: impl Into<Option<f64>>, generation_s: f64) -> JobSpan {
        JobSpan {
            from: Timestamp(from),
            until: Timestamp(until),
            load_s: None,
            prompt_s: prompt_s.into(),
            generation_s: Some(generation_s),
        }
    }

    fn energy_of(phases: &[PhaseEnergy], phase: Phase) -> f64 {
        phases.iter().filter(|row| row.phase == phase).filter_map(|row| row.energy_j).sum()
    }

    #[test]
    fn a_job_shares_its_joules_by_the_lengths_of_its_phases() {
        let phases = split(&[interval(0, 1000, 10.0), interval(1000, 2000, 30.0)], &[job(0, 2000, 0.5, 1.5)]);
        assert!((energy_of(&phases, Phase::Prompt) - 10.0).abs() < 1e-9);
        assert!((energy_of(&phases, Phase::Generation) - 30.0).abs() < 1e-9);
        assert_eq!(energy_of(&phases, Phase::Inference), 0.0);
    }

    #[test]
    fn jobs_of_a_batch_share_evenly_and_idle_time_stays_with_inference() {
        let jobs = [job(0, 1000, 1.0, 0.0), job(0, 1000, 0.0, 1.0), job(0, 1000, None, 1.0)];
        let phases = split(&[interval(0, 2000, 60.0)], &jobs);
        assert!((energy_of(&phases, Phase::Prompt) - 10.0).abs() < 1e-9);
        assert!((energy_of(&phases, Phase::Generation) - 10.0).abs() < 1e-9);
        assert!((energy_of(&phases, Phase::Inference) - 40.0).abs() < 1e-9);
    }

    fn any_intervals() -> impl Strategy<Value = Vec<PowerInterval>> {
        proptest::collection::vec((1i64..3000, 0.0f64..500.0), 1..40).prop_map(|steps| {
            let mut from = 0;
            let stretch = |(length, energy_j): (i64, f64)| {
                let interval = interval(from, from + length, energy_j);
                from += length;
                interval
            };
            steps.into_iter().map(stretch).collect()
        })
    }

    fn any_job() -> impl Strategy<Value = JobSpan> {
        let phases = (proptest::option::of(0.0f64..9.0), proptest::option::of(0.0f64..9.0), 0.0f64..9.0);
        (-5000i64..60_000, 0i64..30_000, phases).prop_map(|(from, length, (load_s, prompt_s, generation_s))| JobSpan {
            load_s,
            ..job(from, from + length, prompt_s, generation_s)
        })
    }

    proptest! {
        #[test]
        fn no_joule_and_no_second_is_lost_or_made(
            intervals in any_intervals(),
            jobs in proptest::collection::vec(any_job(), 0..30),
        ) {
            let phases = split(&intervals, &jobs);
            let whole: f64 = intervals.iter().map(|interval| interval.energy_j).sum();
            let time: f64 = intervals.iter().map(|interval| seconds(interval.until.0 - interval.from.0)).sum();
            let joules: f64 = phases.iter().filter_map(|row| row.energy_j).sum();
            prop_assert!((joules - whole).abs() <= 1e-9 * whole.max(1.0));
            prop_assert!((phases.iter().map(|row| row.duration_s).sum::<f64>() - time).abs() <= 1e-9 * time.max(1.0));
            prop_assert!(phases.iter().all(|row| row.energy_j.is_some_and(|joules| joules >= -1e-9)));
            let mut turned = jobs.clone();
            turned.reverse();
            let again = split(&intervals, &turned);
            for phase in [Phase::Load, Phase::Prompt, Phase::Generation, Phase::Inference] {
                prop_assert!((energy_of(&phases, phase) - energy_of(&again, phase)).abs() <= 1e-6 * whole.max(1.0));
            }
        }

        #[test]
        fn at_even_power_cutting_the_time_finer_changes_nothing(
            cuts in proptest::collection::vec(1i64..20_000, 0..20),
            jobs in proptest::collection::vec(any_job(), 0..1),
        ) {
            let mut moments: Vec<i64> = cuts;
            moments.extend([0, 20_000]);
            moments.sort_unstable();
            moments.dedup();
            let fine: Vec<PowerInterval> =
                moments.windows(2).map(|pair| interval(pair[0], pair[1], 50.0 * seconds(pair[1] - pair[0]))).collect();
            let (coarse, fine) = (split(&[interval(0, 20_000, 1000.0)], &jobs), split(&fine, &jobs));
            for phase in [Phase::Load, Phase::Prompt, Phase::Generation, Phase::Inference] {
                prop_assert!((energy_of(&coarse, phase) - energy_of(&fine, phase)).abs() < 1e-6);
            }
        }
    }
}
