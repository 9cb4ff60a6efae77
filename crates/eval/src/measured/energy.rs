//! The energy of a run over all its sessions.

use crate::metric::TaskKind;
use puma_core::measure::{
    ChannelEnergy, EnergyReport, GridIntensity, J_PER_KWH, Phase, PhaseEnergy, Quality, SessionMeasurement,
    TrackingMode,
};
use puma_core::{JobRecord, Reading};
use serde::Serialize;

/// Energy and carbon of a run. A number is `None` while one session has none: a part must not pass for the whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnergySummary {
    /// How the latest session measured.
    pub mode: TrackingMode,
    /// Sessions that measured energy, of `sessions_total`.
    pub sessions: usize,
    pub sessions_total: usize,
    /// Seconds measured.
    pub duration_s: f64,
    pub total_j: Option<f64>,
    pub total_kwh: Option<f64>,
    /// The worst of all sessions.
    pub quality: Quality,
    /// Half width of the interval around the total, as a share of it: the widest of all sessions.
    pub relative_uncertainty: Option<f64>,
    /// Total without what the idle machine would have drawn in the same time.
    pub above_idle_j: Option<f64>,
    /// Of the latest session.
    pub idle_power_w: Option<Reading<f64>>,
    /// Grams of CO₂ equivalent.
    pub co2e_g: Option<f64>,
    /// Of the latest session.
    pub intensity: Option<GridIntensity>,
    /// Joules per finished job that the model really answered while they were measured, the cache's answers left out.
    /// This and the following are `None` in a run of several models or strategies, which share the joules.
    pub per_job_j: Option<f64>,
    /// Joules per right answer; `None` for numbers, where right is a matter of degree.
    pub per_correct_answer_j: Option<f64>,
    pub co2e_g_per_correct_answer: Option<f64>,
    /// Joules per thousand generated tokens.
    pub per_1000_generated_tokens_j: Option<f64>,
    /// By phase, over all sessions.
    pub phases: Vec<PhaseEnergy>,
    /// By channel and device, over all sessions.
    pub channels: Vec<ChannelEnergy>,
    pub warnings: Vec<String>,
}

/// Sums what the sessions measured; `None` if none measured energy.
pub fn energy(sessions: &[SessionMeasurement], records: &[JobRecord], kind: TaskKind) -> Option<EnergySummary> {
    let reports: Vec<&EnergyReport> = sessions.iter().filter_map(|session| session.energy.as_ref()).collect();
    let latest = reports.last()?;
    let complete = reports.len() == sessions.len();
    let sum = |value: fn(&EnergyReport) -> Option<f64>| {
        reports.iter().map(|report| value(report)).sum::<Option<f64>>().filter(|_| complete)
    };
    let total_j = sum(|report| report.total_j);
    let co2e_g = sum(|report| report.co2e_g);
    // Answers from the cache cost nothing and earn nothing; what a killed process did after its last numbers has no joules.
    let asked: Vec<&JobRecord> = asked(sessions, records).collect();
    // Joules are counted for the run, not for each of its models and strategies: a mean over them says nothing of one.
    let alike =
        records.windows(2).all(|pair| (&pair[0].model, &pair[0].strategy) == (&pair[1].model, &pair[1].strategy));
    let per = |total: Option<f64>, count: u64| total.filter(|_| alike && count > 0).map(|total| total / count as f64);
    let correct = asked.iter().filter(|record| record.answer.as_deref() == Some(record.gold.as_str())).count() as u64;
    let correct = if kind == TaskKind::Regression { 0 } else { correct };
    let tokens = asked.iter().map(|record| record.generated_tokens()).sum::<Option<u64>>().unwrap_or(0);
    Some(EnergySummary {
        mode: latest.mode,
        sessions: reports.len(),
        sessions_total: sessions.len(),
        duration_s: reports.iter().map(|report| report.duration_s).sum(),
        total_j,
        total_kwh: total_j.map(|joules| joules / J_PER_KWH),
        quality: if complete { worst(&reports) } else { Quality::Unknown },
        relative_uncertainty: reports.iter().filter_map(|report| report.relative_uncertainty).reduce(f64::max),
        above_idle_j: sum(|report| report.above_idle_j),
        idle_power_w: latest.idle_power_w.clone(),
        co2e_g,
        intensity: latest.intensity.clone(),
        per_job_j: per(total_j, asked.len() as u64),
        per_correct_answer_j: per(total_j, correct),
        co2e_g_per_correct_answer: per(co2e_g, correct),
        per_1000_generated_tokens_j: per(total_j, tokens).map(|joules| joules * 1000.0),
        phases: phases(&reports),
        channels: channels(&reports),
        warnings: warnings(&reports),
    })
}

/// The jobs that cost the joules of `sessions`.
pub(super) fn asked<'a>(
    sessions: &[SessionMeasurement],
    records: &'a [JobRecord],
) -> impl Iterator<Item = &'a JobRecord> {
    records.iter().filter(|record| was_asked(record) && sessions.iter().any(|one| covers(one, record)))
}

/// Whether the job ran within what the session measured.
fn covers(session: &SessionMeasurement, record: &JobRecord) -> bool {
    session.started_at <= record.started_at && record.finished_at <= session.measured_at
}

/// Whether the model was asked for it in this run: not all of it came from the cache.
fn was_asked(record: &JobRecord) -> bool {
    record.completions.iter().any(|completion| !completion.from_cache)
}

fn worst(reports: &[&EnergyReport]) -> Quality {
    reports.iter().map(|report| report.quality).max().unwrap_or(Quality::Unknown)
}

fn phases(reports: &[&EnergyReport]) -> Vec<PhaseEnergy> {
    const ORDER: [Phase; 5] = [Phase::Idle, Phase::Load, Phase::Prompt, Phase::Generation, Phase::Inference];
    let of_phase = |phase: Phase| {
        let parts: Vec<&PhaseEnergy> =
            reports.iter().flat_map(|report| &report.phases).filter(|part| part.phase == phase).collect();
        (!parts.is_empty()).then(|| PhaseEnergy {
            phase,
            duration_s: parts.iter().map(|part| part.duration_s).sum(),
            energy_j: parts.iter().map(|part| part.energy_j).sum(),
            quality: parts.iter().map(|part| part.quality).max().unwrap_or(Quality::Unknown),
        })
    };
    ORDER.into_iter().filter_map(of_phase).collect()
}

/// One row a counter. A counter that one session has and another has not stays, with what is known of it.
fn channels(reports: &[&EnergyReport]) -> Vec<ChannelEnergy> {
    let mut rows: Vec<ChannelEnergy> = Vec::new();
    for energy in reports.iter().flat_map(|report| &report.channels) {
        let same = |row: &&mut ChannelEnergy| {
            (row.channel, &row.device, &row.source) == (energy.channel, &energy.device, &energy.source)
        };
        match rows.iter_mut().find(same) {
            None => rows.push(energy.clone()),
            Some(row) => {
                row.energy_j = row.energy_j.zip(energy.energy_j).map(|(sum, more)| sum + more);
                row.quality = row.quality.max(energy.quality);
                row.counted |= energy.counted;
                row.note = row.note.take().or_else(|| energy.note.clone());
            }
        }
    }
    rows
}

fn warnings(reports: &[&EnergyReport]) -> Vec<String> {
    let mut warnings: Vec<String> = Vec::new();
    for warning in reports.iter().flat_map(|report| &report.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    warnings
}
