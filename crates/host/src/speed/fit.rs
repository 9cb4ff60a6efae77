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

/// A form of the model: which terms are fitted, and what is known beforehand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form<'a> {
    /// Given where measurements are too few or too alike to tell reading from overhead; else `terms` has `Roof`.
    pub(super) known_efficiency: Option<f64>,
    pub(super) terms: &'a [Term],
}

impl Form<'_> {
    fn known_ms(&self, sample: &Sample) -> f64 {
        self.known_efficiency.map_or(0.0, |efficiency| sample.roof_ms / efficiency)
    }

    /// Coefficients with the smallest relative errors under Huber's loss: a slow machine counts as much as a fast one,
    /// and a strange one little. `None` when the samples do not determine them.
    pub(super) fn fit(&self, samples: &[Sample]) -> Option<Vec<f64>> {
        let row = |sample: &Sample| self.terms.iter().map(|term| term.of(sample) / sample.measured_ms).collect();
        let rows: Vec<Vec<f64>> = samples.iter().map(row).collect();
        let targets: Vec<f64> = samples.iter().map(|sample| 1.0 - self.known_ms(sample) / sample.measured_ms).collect();
        regress(&rows, &targets)
    }

    /// The natural logarithm of predicted speed by measured speed.
    pub(super) fn log_ratio(&self, sample: &Sample, coefficients: &[f64]) -> f64 {
        let fitted_ms: f64 = self.terms.iter().zip(coefficients).map(|(term, by)| term.of(sample) * by).sum();
        (sample.measured_ms / (self.known_ms(sample) + fitted_ms)).ln()
    }

    /// Log ratios of every sample when its whole group was left out of the fit, in the order of `samples`.
    pub(super) fn held_out(&self, samples: &[Sample]) -> Vec<f64> {
        let without = |group: &str| -> Vec<Sample> { samples.iter().filter(|s| s.group != group).cloned().collect() };
        let judged = samples.iter().map(|sample| {
            let coefficients = self.fit(&without(&sample.group))?;
            Some(self.log_ratio(sample, &coefficients))
        });
        judged.flatten().collect()
    }
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
        let form = Form { known_efficiency: None, terms: &[Term::Roof, Term::Layers, Term::LayersByGeneration] };
        let found = form.fit(&samples).expect("six samples, three unknowns");
        for (found, wanted) in found.iter().zip([1.0 / 0.9, 0.1, 0.2]) {
            assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        }
        let knowing = Form { known_efficiency: Some(0.9), terms: &[Term::Layers, Term::LayersByGeneration] };
        let overheads = knowing.fit(&samples).expect("six samples, two unknowns");
        assert!((overheads[0] - 0.1).abs() < 1e-9 && (overheads[1] - 0.2).abs() < 1e-9, "{overheads:?}");
        assert!(form.held_out(&samples).iter().all(|ratio| ratio.abs() < 1e-9));
    }
}
