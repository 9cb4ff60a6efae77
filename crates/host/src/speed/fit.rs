//! Fitting the terms of the decode model to measured speeds, and judging the fit on held-out groups.

use super::robust::regress;

/// A measured decode speed.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// What is held out together: a chip generation, a machine.
    pub(super) group: String,
    /// Time to read the bytes of a token at full bandwidth.
    pub(super) roof_ms: f64,
    pub(super) layers: f64,
    pub(super) generation: Option<f64>,
    pub(super) mixture: bool,
    /// Measured time of a token.
    pub(super) measured_ms: f64,
}

/// A term of the time of a token; its coefficient is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// Coefficient: one by the efficiency.
    Roof,
    /// Coefficient: milliseconds per layer.
    Layers,
    /// Coefficient: milliseconds per layer in the first chip generation, falling as one by the generation.
    LayersByGeneration,
    /// Coefficient: milliseconds per layer with routed experts.
    MixtureLayers,
}

impl Term {
    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::Roof => sample.roof_ms,
            Self::Layers => sample.layers,
            Self::LayersByGeneration => sample.generation.map_or(0.0, |generation| sample.layers / generation),
            Self::MixtureLayers => f64::from(u8::from(sample.mixture)) * sample.layers,
        }
    }
}

/// Coefficients with the smallest relative errors under Huber's loss: a slow machine counts as much as a fast one, and
/// a strange one little. `None` when the samples do not determine them.
pub(super) fn fit(samples: &[Sample], terms: &[Term]) -> Option<Vec<f64>> {
    let rows: Vec<Vec<f64>> =
        samples.iter().map(|sample| terms.iter().map(|term| term.of(sample) / sample.measured_ms).collect()).collect();
    regress(&rows, &vec![1.0; rows.len()])
}

/// The natural logarithm of predicted speed by measured speed.
pub(super) fn log_ratio(sample: &Sample, terms: &[Term], coefficients: &[f64]) -> f64 {
    let predicted_ms: f64 = terms.iter().zip(coefficients).map(|(term, by)| term.of(sample) * by).sum();
    (sample.measured_ms / predicted_ms).ln()
}

/// Log ratios of every sample when its whole group was left out of the fit, in the order of `samples`.
pub(super) fn held_out(samples: &[Sample], terms: &[Term]) -> Vec<f64> {
    let without = |group: &str| -> Vec<Sample> { samples.iter().filter(|s| s.group != group).cloned().collect() };
    let judged = samples.iter().map(|sample| {
        let coefficients = fit(&without(&sample.group), terms)?;
        Some(log_ratio(sample, terms, &coefficients))
    });
    judged.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(group: &str, roof_ms: f64, generation: f64) -> Sample {
        let measured_ms = roof_ms / 0.9 + 32.0 * (0.1 + 0.2 / generation);
        let generation = Some(generation);
        Sample { group: group.into(), roof_ms, layers: 32.0, generation, mixture: false, measured_ms }
    }

    #[test]
    fn exact_data_give_the_constants_they_were_made_from() {
        let samples: Vec<Sample> = [(60.0, 1.0), (20.0, 1.0), (9.0, 2.0), (30.0, 2.0), (5.0, 3.0), (70.0, 3.0)]
            .map(|(roof_ms, generation)| sample(&format!("M{generation}"), roof_ms, generation))
            .to_vec();
        let terms = [Term::Roof, Term::Layers, Term::LayersByGeneration];
        let found = fit(&samples, &terms).expect("six samples, three unknowns");
        for (found, wanted) in found.iter().zip([1.0 / 0.9, 0.1, 0.2]) {
            assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        }
        assert!(held_out(&samples, &terms).iter().all(|ratio| ratio.abs() < 1e-9));
    }
}
