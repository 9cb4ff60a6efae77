//! What a session spent, from what was read in it.

use super::counted::{self, Sum};
use super::ledger::Ledger;
use super::track::State;
use puma_core::measure::{Channel, ChannelEnergy, EnergyReport, Phase, PhaseEnergy, Quality, Reading, TrackingMode};
use std::time::Duration;

/// Half width of the interval around a counter, as a share: vendors promise no better.
const COUNTER_UNCERTAINTY: f64 = 0.05;
/// The same of an estimate from utilisation and a table.
const ESTIMATE_UNCERTAINTY: f64 = 0.5;
/// A shorter time is too near to the intervals at which counters are published.
const SHORTEST: Duration = Duration::from_secs(2);

/// A row of the report with what it is made of.
struct Judged {
    row: ChannelEnergy,
    resting: bool,
    /// Place of the track; `None` for a device that nobody counts.
    track: Option<usize>,
}

impl Ledger {
    /// What was spent from the start to `until`.
    pub(super) fn report(&self, until: Duration) -> EnergyReport {
        let duration = until.saturating_sub(self.start);
        let mut judged = self.judge(until);
        let sum = count(&mut judged, &self.inside_package);
        let counted = || judged.iter().filter(|one| one.row.counted);
        let whole = match sum {
            Sum::Nothing => false,
            Sum::System => true,
            Sum::Parts => counted().any(Judged::is_processor),
        };
        let total_j = if whole { counted().map(|one| one.row.energy_j).sum::<Option<f64>>() } else { None };
        // Beside an unknown total the power and the phases of its known parts would pass for the whole's.
        let idle_power_w = total_j.and_then(|_| self.idle_power(&judged));
        let above_idle_j =
            total_j.zip(idle_power_w.as_ref()).map(|(total, idle)| total - idle.value * duration.as_secs_f64());
        let mut report = EnergyReport {
            mode: self.mode(&judged),
            duration_s: duration.as_secs_f64(),
            total_j,
            quality: total_j.and(counted().map(|one| one.row.quality).max()).unwrap_or(Quality::Unknown),
            relative_uncertainty: total_j.and_then(|total| self.uncertainty(&judged, total, until)),
            phases: self.phases(&judged, idle_power_w.as_ref(), total_j.is_some(), until),
            idle_power_w,
            above_idle_j: above_idle_j.filter(|above| *above >= 0.0),
            intensity: None,
            co2e_g: None,
            warnings: self.warnings_of(&judged, sum, duration),
            channels: Vec::new(),
        };
        if above_idle_j.is_some_and(|above| above < 0.0) {
            report
                .warnings
                .push("the machine drew less in the run than idle before it: something else was running".to_owned());
        }
        let above = self.system_above_idle(&judged, duration);
        report.channels = judged.into_iter().map(|one| one.row).chain(above).collect();
        report
    }

    fn judge(&self, until: Duration) -> Vec<Judged> {
        let mut judged: Vec<Judged> = (self.tracks.iter().enumerate())
            .map(|(place, track)| {
                let meter = &self.meters[track.meter];
                let (state, note) = track.judge(meter, self.start, until);
                let energy_j = (state == State::Fine).then(|| track.energy_between(self.start, until));
                let row = ChannelEnergy {
                    channel: track.channel,
                    device: track.device.clone(),
                    energy_j,
                    source: meter.source.clone(),
                    quality: meter.quality,
                    counted: false,
                    note,
                };
                let unused = self.options.gpu_unused && track.channel == Channel::Gpu && energy_j.is_none();
                Judged { row, resting: unused || state == State::Resting, track: Some(place) }
            })
            .collect();
        // The order in which counters first answered depends on chance only where a meter came late.
        judged.sort_by_key(|one| {
            one.track.map(|place| (self.tracks[place].meter, one.row.channel, one.row.device.clone()))
        });
        let unused = |row: &ChannelEnergy| self.options.gpu_unused && row.channel == Channel::Gpu;
        judged.extend(self.unread().map(|row| Judged { resting: unused(&row), row, track: None }));
        judged
    }

    /// Devices that no meter counts: rows without joules.
    fn unread(&self) -> impl Iterator<Item = ChannelEnergy> + '_ {
        let empty = |channel, device: &str, source: &str, note: &str| ChannelEnergy {
            channel,
            device: device.to_owned(),
            energy_j: None,
            source: source.to_owned(),
            quality: Quality::Unknown,
            counted: false,
            note: Some(note.to_owned()),
        };
        self.missing.iter().filter_map(move |missing| {
            let device = missing.uncounted_device.as_deref()?;
            let channel = missing.channels.first().copied().unwrap_or(Channel::Gpu);
            Some(empty(channel, device, &missing.source, &missing.reason))
        })
    }

    fn mode(&self, judged: &[Judged]) -> TrackingMode {
        let mut counted = judged.iter().filter(|one| one.row.counted).peekable();
        let guessed = |one: &Judged| one.quality(self) == Quality::Estimated;
        match self.options.mode {
            Some(mode @ (TrackingMode::Off | TrackingMode::Process)) => mode,
            Some(TrackingMode::Estimated) => TrackingMode::Estimated,
            _ if counted.peek().is_some() && counted.all(guessed) => TrackingMode::Estimated,
            _ => TrackingMode::Machine,
        }
    }

    /// The counted rows' own uncertainties, which are taken to err together.
    fn uncertainty(&self, judged: &[Judged], total_j: f64, until: Duration) -> Option<f64> {
        let duration_s = until.saturating_sub(self.start).as_secs_f64();
        if total_j <= 0.0 || duration_s <= 0.0 {
            return None;
        }
        let of = |one: &Judged| {
            let track = &self.tracks[one.track?];
            let meter = &self.meters[track.meter];
            let own = if meter.quality < Quality::Estimated { COUNTER_UNCERTAINTY } else { ESTIMATE_UNCERTAINTY };
            let published = meter.resolution.as_secs_f64() / duration_s;
            let lost = track.lost_share(meter, self.start, until);
            Some((own.max(published) + lost) * one.row.energy_j?)
        };
        let joules: f64 = judged.iter().filter(|one| one.row.counted).map(of).sum::<Option<f64>>()?;
        Some(joules / total_j)
    }

    fn phases(
        &self,
        judged: &[Judged],
        idle_power_w: Option<&Reading<f64>>,
        known: bool,
        until: Duration,
    ) -> Vec<PhaseEnergy> {
        let tracks: Option<Vec<_>> = (judged.iter().filter(|one| one.row.counted))
            .map(|one| one.row.energy_j.and(one.track).map(|place| &self.tracks[place]))
            .collect();
        let tracks = tracks.filter(|tracks| known && !tracks.is_empty());
        let quality = judged.iter().filter(|one| one.row.counted).map(|one| one.row.quality).max();
        let idle = self.options.idle.as_ref().map(|idle| PhaseEnergy {
            phase: Phase::Idle,
            duration_s: idle.duration.as_secs_f64(),
            energy_j: idle_power_w.map(|power| power.value * idle.duration.as_secs_f64()),
            quality: idle_power_w.map_or(Quality::Unknown, |power| power.quality),
        });
        let measured = self.stretches(until).into_iter().map(|(phase, stretches)| {
            let joules = |tracks: &Vec<&super::track::Track>| -> f64 {
                let pairs = tracks.iter().flat_map(|track| stretches.iter().map(move |stretch| (track, stretch)));
                pairs.map(|(track, (from, end))| track.energy_between(*from, *end)).sum()
            };
            PhaseEnergy {
                phase,
                duration_s: stretches.iter().map(|(from, end)| (*end - *from).as_secs_f64()).sum(),
                energy_j: tracks.as_ref().map(joules),
                quality: if tracks.is_some() { quality.unwrap_or(Quality::Unknown) } else { Quality::Unknown },
            }
        });
        idle.into_iter().chain(measured).collect()
    }

    /// What the counted rows drew before the run; `None` unless it is known of all of them.
    fn idle_power(&self, judged: &[Judged]) -> Option<Reading<f64>> {
        let idle = self.options.idle.as_ref()?;
        let mut counted = judged.iter().filter(|one| one.row.counted).peekable();
        counted.peek()?;
        let rows: Option<Vec<_>> =
            counted.map(|one| idle.power(&one.row.source, one.row.channel, &one.row.device)).collect();
        let rows = rows?;
        let quality = rows.iter().map(|row| row.quality).max().unwrap_or(Quality::Unknown);
        let source = format!("{:.0} s before the run", idle.duration.as_secs_f64());
        Some(Reading::new(rows.iter().map(|row| row.power_w).sum(), source, quality))
    }

    /// What the run added to a whole machine's draw: the row beside the system's own.
    fn system_above_idle(&self, judged: &[Judged], duration: Duration) -> Vec<ChannelEnergy> {
        let Some(idle) = self.options.idle.as_ref() else { return Vec::new() };
        let above = |one: &Judged| {
            let row = &one.row;
            let power = idle.power(&row.source, row.channel, &row.device)?;
            let energy_j = row.energy_j? - power.power_w * duration.as_secs_f64();
            (energy_j >= 0.0).then(|| ChannelEnergy {
                device: format!("{} above idle", row.device),
                energy_j: Some(energy_j),
                quality: row.quality.max(power.quality),
                counted: false,
                note: Some(format!("without the {:.1} W it drew before the run", power.power_w)),
                ..row.clone()
            })
        };
        judged.iter().filter(|one| one.row.channel == Channel::System).filter_map(above).collect()
    }

    /// Why a number is missing or is not what it seems, each in a sentence.
    fn warnings_of(&self, judged: &[Judged], sum: Sum, duration: Duration) -> Vec<String> {
        let mut warnings = self.warnings.clone();
        if duration < SHORTEST && !judged.is_empty() {
            warnings.push(format!(
                "{:.1} s are too short for counters that are published now and then",
                duration.as_secs_f64()
            ));
        }
        let counted = || judged.iter().filter(|one| one.row.counted);
        let processor = |one: &&Judged| one.is_processor();
        if sum != Sum::System && !counted().any(Judged::is_processor) && self.options.mode != Some(TrackingMode::Off) {
            warnings.push(format!("nothing counts the processor's energy{}", self.why_missing()));
        } else if counted().filter(processor).any(|one| one.quality(self) == Quality::Estimated)
            && self.options.mode != Some(TrackingMode::Process)
        {
            warnings.push(format!("the processor's energy is an estimate, ±50 %{}", self.why_missing()));
        }
        if sum == Sum::System && judged.iter().any(|one| one.is_processor() && one.row.energy_j.is_none()) {
            warnings.push("the processor's counter failed: the total is the whole machine's".to_owned());
        }
        for one in judged.iter().filter(|one| one.row.energy_j.is_none()) {
            let row = &one.row;
            let part = if row.counted { "no total: " } else { "" };
            let note = row.note.as_deref().unwrap_or("unknown");
            warnings.push(format!("{part}{} {} ({}): {note}", row.channel.as_str(), row.device, row.source));
        }
        let silent =
            self.meters.iter().enumerate().filter(|(place, _)| self.tracks.iter().all(|track| track.meter != *place));
        for (_, meter) in silent {
            let error = meter.error.as_deref().unwrap_or("it never had a reading");
            warnings.push(format!("{}: {error}", meter.source));
        }
        warnings
    }

    /// `: RAPL powercap: permission denied …`, for the first source that would have measured the processor.
    fn why_missing(&self) -> String {
        let processor = [Channel::Cpu, Channel::Package, Channel::System];
        let first =
            self.missing.iter().find(|missing| missing.channels.iter().any(|channel| processor.contains(channel)));
        first.map_or(String::new(), |missing| format!(": {}: {}", missing.source, missing.reason))
    }
}

impl Judged {
    fn is_processor(&self) -> bool {
        matches!(self.row.channel, Channel::Cpu | Channel::Package)
    }

    /// The meter's quality, also where it had no joules.
    fn quality(&self, ledger: &Ledger) -> Quality {
        self.track.map_or(Quality::Unknown, |place| ledger.meters[ledger.tracks[place].meter].quality)
    }
}

fn count(judged: &mut [Judged], inside_package: &[String]) -> Sum {
    let mut rows: Vec<ChannelEnergy> = judged.iter().map(|one| one.row.clone()).collect();
    let resting: Vec<bool> = judged.iter().map(|one| one.resting).collect();
    let sum = counted::choose(&mut rows, &resting, inside_package);
    for (one, row) in judged.iter_mut().zip(rows) {
        one.row = row;
        if one.row.energy_j.is_none() {
            one.row.quality = Quality::Unknown;
        }
    }
    sum
}
