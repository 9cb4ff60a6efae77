//! Whether a gap between parts could come from dealing the instances at random.

use crate::stats::SplitMix64;

/// The score of one instance: what is summed over its records, and how many they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct InstanceSum {
    pub(super) part: usize,
    pub(super) sum: f64,
    pub(super) n: f64,
}

/// Largest − smallest mean among `parts` parts; `None` if one of them is empty or there are fewer than two.
fn gap(instances: &[InstanceSum], dealt: &[usize], parts: usize) -> Option<f64> {
    let mut sums = vec![(0.0, 0.0); parts];
    for (instance, part) in instances.iter().zip(dealt) {
        sums[*part].0 += instance.sum;
        sums[*part].1 += instance.n;
    }
    let means: Option<Vec<f64>> = sums.into_iter().map(|(sum, n)| (n > 0.0).then(|| sum / n)).collect();
    let means = means.filter(|means| means.len() > 1)?;
    Some(means.iter().copied().fold(f64::MIN, f64::max) - means.iter().copied().fold(f64::MAX, f64::min))
}

/// The p-value of the largest gap between the means of the parts `0..parts`: the share of `rounds` random deals, the real
/// one added, whose gap is at least as large (Phipson and Smyth, Permutation P-values Should Never Be Zero, 2010).
pub(super) fn gap_p_value(instances: &[InstanceSum], parts: usize, rounds: u32, seed: u64) -> Option<f64> {
    let mut dealt: Vec<usize> = instances.iter().map(|instance| instance.part).collect();
    let real = gap(instances, &dealt, parts)?;
    if rounds == 0 {
        return None;
    }
    // Sums in another order may differ in their last bits; such a gap is the same gap.
    let at_least = real - real.abs() * 1e-12;
    let mut generator = SplitMix64::new(seed);
    let mut as_large = 0_u32;
    for _ in 0..rounds {
        for last in (1..dealt.len()).rev() {
            let other = generator.below(u32::try_from(last + 1).expect("a run holds fewer than 2^32 records")) as usize;
            dealt.swap(last, other);
        }
        as_large += u32::from(gap(instances, &dealt, parts).is_some_and(|gap| gap >= at_least));
    }
    Some(f64::from(as_large + 1) / (f64::from(rounds) + 1.0))
}

#[cfg(test)]
mod tests {
    use super::{InstanceSum, gap_p_value};

    fn instances(values: &[(usize, f64)]) -> Vec<InstanceSum> {
        values.iter().map(|(part, sum)| InstanceSum { part: *part, sum: *sum, n: 1.0 }).collect()
    }

    #[test]
    fn a_separation_that_one_deal_in_ten_shows_has_a_p_value_near_it() {
        // Two of five against three of five: of the 10 ways to deal, only the real one separates all.
        let five = instances(&[(0, 1.0), (0, 1.0), (1, 0.0), (1, 0.0), (1, 0.0)]);
        let p = gap_p_value(&five, 2, 20_000, 7).expect("two parts");
        assert!((p - 0.1).abs() < 0.01, "{p}");
    }

    #[test]
    fn without_a_gap_every_deal_is_as_large() {
        let equal = instances(&[(0, 1.0), (0, 1.0), (1, 1.0), (1, 1.0)]);
        assert_eq!(gap_p_value(&equal, 2, 100, 1), Some(1.0));
        assert_eq!(gap_p_value(&equal[..2], 2, 100, 1), None, "one part is empty");
    }
}
