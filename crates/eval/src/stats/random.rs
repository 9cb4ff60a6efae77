//! The generator behind every resampling: small, seedable, integer only.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
///
/// 64 bits of state are plenty for resampling: a run draws far fewer than 2^32 numbers.
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The generator numbered `index` of those that belong to `seed`: work can be shared out by number, in any order.
    pub fn numbered(seed: u64, index: u64) -> Self {
        let start = Self::new(seed).next_u64();
        Self::new(Self::new(start ^ index).next_u64())
    }

    /// A uniform number from 0 to 1, 1 excluded, in steps of 2^-53.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Hands `count` uniform numbers below `bound` to `visit`, two from each 64 bits, without bias. None for a `bound`
    /// of 0.
    pub fn each_below(&mut self, bound: u32, count: u32, mut visit: impl FnMut(u32)) {
        let Some(unfair) = bound.wrapping_neg().checked_rem(bound) else { return };
        let mut one = |generator: &mut Self, half: u64| {
            let product = half * u64::from(bound);
            if product as u32 >= unfair {
                visit((product >> 32) as u32);
            } else {
                visit(generator.below(bound));
            }
        };
        for _ in 0..count / 2 {
            let bits = self.next_u64();
            one(self, bits >> 32);
            one(self, bits & 0xFFFF_FFFF);
        }
        if count % 2 == 1 {
            let bits = self.next_u64();
            one(self, bits >> 32);
        }
    }

    /// A uniform number below `bound`, without bias (Lemire, "Fast random integer generation in an interval",
    /// ACM TOMACS 2019). `bound` 0 gives 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        loop {
            let product = (self.next_u64() >> 32) * u64::from(bound);
            let low = product as u32;
            // The first test is cheap and nearly always decides; the exact threshold costs a division.
            if low >= bound || low >= bound.wrapping_neg().checked_rem(bound).unwrap_or(0) {
                return (product >> 32) as u32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SplitMix64;

    #[test]
    fn the_stream_is_the_published_one() {
        // First outputs for seed 1234567, as the reference implementation prints them.
        let mut generator = SplitMix64::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| generator.next_u64()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn every_number_below_a_bound_is_about_equally_frequent() {
        let mut generator = SplitMix64::new(7);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[generator.below(6) as usize] += 1;
        }
        // Four standard deviations of a binomial(60000, 1/6) are 365.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 365), "{counts:?}");
    }

    #[test]
    fn a_bound_of_zero_or_one_leaves_only_zero() {
        let mut generator = SplitMix64::new(0);
        assert_eq!((generator.below(0), generator.below(1)), (0, 0));
    }

    #[test]
    fn many_numbers_below_a_bound_are_as_fair_as_one() {
        let mut counts = [0u32; 7];
        SplitMix64::new(9).each_below(7, 70_001, |number| counts[number as usize] += 1);
        assert_eq!(counts.iter().sum::<u32>(), 70_001);
        // Four standard deviations of a binomial(70001, 1/7) are 370.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 370), "{counts:?}");
        SplitMix64::new(9).each_below(0, 5, |_| panic!("there is no number below 0"));
    }

    #[test]
    fn numbered_generators_differ_and_repeat() {
        let first = |seed, index| SplitMix64::numbered(seed, index).next_u64();
        assert_eq!(first(42, 7), first(42, 7));
        let mut seen: Vec<u64> =
            (0..1000).map(|index| first(42, index)).chain((0..1000).map(|i| first(43, i))).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 2000);
    }

    #[test]
    fn unit_numbers_fill_the_interval() {
        let mut generator = SplitMix64::new(4);
        let mean =
            (0..10_000).map(|_| generator.unit()).inspect(|u| assert!((0.0..1.0).contains(u))).sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 0.012, "{mean}");
    }
}
