//! Logarithms of probabilities from logits.

use crate::math::{exp::exp_f64, ln::ln};

/// Lanes of the f64 sum over a vocabulary.
const LANES: usize = 16;

/// The constant to subtract from a logit (as f64) to get its natural log probability.
///
/// `max + ln(sum(exp(logit - max)))` in f64; element `i` belongs to lane `i % 16`, lanes are added by the tree
/// 8, 4, 2, 1. The logits must be finite and at least one; of an empty slice it is negative infinity.
#[inline(always)]
pub fn log_normaliser(logits: &[f32]) -> f64 {
    let mut max = f32::NEG_INFINITY;
    for &logit in logits {
        max = if logit > max { logit } else { max };
    }
    let max = f64::from(max);
    let mut lanes = [0.0f64; LANES];
    let (chunks, rest) = logits.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += exp_f64(f64::from(chunk[i]) - max);
        }
    }
    for (lane, &logit) in lanes.iter_mut().zip(rest) {
        *lane += exp_f64(f64::from(logit) - max);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    max + ln(lanes[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one() {
        let logits: Vec<f32> = (0..1001).map(|i| ((i * 37) % 101) as f32 * 0.13 - 4.0).collect();
        let normaliser = log_normaliser(&logits);
        let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - normaliser).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }
}
