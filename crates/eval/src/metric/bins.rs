//! Confidences in bins: of equal width, as upstream and most papers have them, and of equal mass.

/// What is counted of one bin.
#[derive(Clone, Copy, Default)]
pub(super) struct Bin {
    pub(super) n: f64,
    /// Sum of the confidences.
    pub(super) confidence: f64,
    /// Right answers.
    pub(super) right: f64,
}

/// Counts of `COUNT` bins.
#[derive(Clone, Copy)]
pub(super) struct Bins<const COUNT: usize> {
    bins: [Bin; COUNT],
}

impl<const COUNT: usize> Default for Bins<COUNT> {
    fn default() -> Self {
        Self { bins: [Bin::default(); COUNT] }
    }
}

impl<const COUNT: usize> Bins<COUNT> {
    pub(super) fn add(&mut self, bin: usize, confidence: f64, right: bool) {
        let bin = &mut self.bins[bin];
        bin.n += 1.0;
        bin.confidence += confidence;
        bin.right += f64::from(u8::from(right));
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Bin> {
        self.bins.iter()
    }

    pub(super) fn n(&self) -> f64 {
        self.all().map(|bin| bin.n).sum()
    }

    /// Σ (n_b / N)·|mean confidence − accuracy|.
    pub(super) fn mean_gap(&self) -> f64 {
        self.all().map(|bin| (bin.confidence - bin.right).abs()).sum::<f64>() / self.n()
    }

    /// The largest |mean confidence − accuracy|.
    pub(super) fn largest_gap(&self) -> f64 {
        let filled = self.all().filter(|bin| bin.n > 0.0);
        filled.map(|bin| (bin.confidence - bin.right).abs() / bin.n).fold(f64::NAN, f64::max)
    }

    /// Reliability, resolution and uncertainty of the bins' means (Murphy 1973).
    pub(super) fn murphy(&self) -> [f64; 3] {
        let n = self.n();
        let accuracy = self.all().map(|bin| bin.right).sum::<f64>() / n;
        let (mut reliability, mut resolution) = (0.0, 0.0);
        for bin in self.all().filter(|bin| bin.n > 0.0) {
            let (gap, lift) = ((bin.confidence - bin.right) / bin.n, bin.right / bin.n - accuracy);
            reliability += bin.n * gap * gap;
            resolution += bin.n * lift * lift;
        }
        [reliability / n, resolution / n, accuracy * (1.0 - accuracy)]
    }
}

/// The bin of `confidence` among `bins` of equal width: index i with i/bins ≤ confidence < (i+1)/bins, 1 in the last.
pub(super) fn equal_width_of(confidence: f64, bins: usize) -> usize {
    let edge = |index: usize| index as f64 / bins as f64;
    // Rounding of the product can miss the exact edge by one bin either way.
    let near = ((confidence * bins as f64) as usize).min(bins - 1);
    let lowered = if confidence < edge(near) { near - 1 } else { near };
    if lowered + 1 < bins && confidence >= edge(lowered + 1) { lowered + 1 } else { lowered }
}

/// The edges of `bins` bins that hold equally many of the ascending `confidences`: `bins` + 1 quantiles by linear
/// interpolation, at exact places. Empty without confidences.
pub(super) fn equal_mass_edges(confidences: &[f64], bins: usize) -> Vec<f64> {
    let Some(last) = confidences.len().checked_sub(1) else { return Vec::new() };
    let edge = |index: usize| {
        let (low, rest) = (index * last / bins, index * last % bins);
        let (below, above) = (confidences[low], confidences[(low + 1).min(last)]);
        below + (above - below) * (rest as f64 / bins as f64)
    };
    (0..=bins).map(edge).collect()
}

/// The bin of `confidence` between `edges`: as many inner edges lie below it. A confidence on an edge belongs below, as
/// scikit-learn's `calibration_curve` has it.
pub(super) fn equal_mass_of(confidence: f64, edges: &[f64]) -> usize {
    edges[1..edges.len() - 1].partition_point(|edge| *edge < confidence)
}

#[cfg(test)]
mod tests {
    use super::{equal_mass_edges, equal_mass_of, equal_width_of};

    #[test]
    fn every_edge_opens_its_own_bin_and_one_closes_the_last() {
        for bins in [10, 15] {
            for index in 0..bins {
                let edge = index as f64 / bins as f64;
                assert_eq!(equal_width_of(edge, bins), index, "{edge} among {bins}");
                if index > 0 {
                    assert_eq!(equal_width_of(edge.next_down(), bins), index - 1, "just below {edge} among {bins}");
                }
            }
            assert_eq!(equal_width_of(1.0, bins), bins - 1);
        }
    }

    #[test]
    fn bins_of_equal_mass_hold_equally_many() {
        let confidences: Vec<f64> = (0..150).map(|i| f64::from(i * i) / 22_500.0).collect();
        let edges = equal_mass_edges(&confidences, 15);
        let mut held = [0; 15];
        confidences.iter().for_each(|confidence| held[equal_mass_of(*confidence, &edges)] += 1);
        assert!(held.iter().all(|count| (9..=11).contains(count)), "{held:?}");
        assert!(equal_mass_edges(&[], 15).is_empty());
        assert_eq!(equal_mass_of(0.5, &equal_mass_edges(&[0.5], 15)), 0);
    }
}
