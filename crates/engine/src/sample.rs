//! Choosing the next token, and the probabilities that are reported with it.

use puma_kernels::Kernels;
use puma_kernels::math::exp::exp_f64;

/// A token and the natural logarithm of its probability before temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenLogprob {
    pub id: u32,
    pub logprob: f32,
}

/// One generated token.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratedToken {
    pub id: u32,
    /// Log probability at temperature 1, if logprobs were asked for.
    pub logprob: Option<f32>,
    /// The most probable tokens, most probable first, the lower id first among equals.
    pub top: Vec<TokenLogprob>,
}

/// A generator of one request: SplitMix64. Neighbours in a batch have their own.
#[derive(Clone, Debug)]
pub(crate) struct Generator(u64);

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `[0, 1)` with 53 random bits.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }
}

/// How tokens are chosen and what is reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// 0 is greedy.
    pub(crate) temperature: f64,
    pub(crate) logprobs: bool,
    pub(crate) top_logprobs: usize,
}

/// Whether all logits are finite numbers.
pub(crate) fn all_finite(logits: &[f32]) -> bool {
    // A sum of exponent-masked comparisons without early exit, so that it vectorises.
    logits.iter().fold(true, |finite, logit| finite & (logit.to_bits() & 0x7f80_0000 != 0x7f80_0000))
}

/// Chooses the next token from finite `logits`.
pub(crate) fn choose(kernels: &Kernels, logits: &[f32], choice: Choice, generator: &mut Generator) -> GeneratedToken {
    let id = if choice.temperature > 0.0 { draw(logits, choice.temperature, generator) } else { greedy(logits) };
    if !choice.logprobs {
        return GeneratedToken { id, logprob: None, top: Vec::new() };
    }
    let normaliser = (kernels.log_normaliser)(logits);
    let logprob = |id: u32| (f64::from(logits[id as usize]) - normaliser) as f32;
    let top = top(logits, choice.top_logprobs).into_iter().map(|id| TokenLogprob { id, logprob: logprob(id) });
    GeneratedToken { id, logprob: Some(logprob(id)), top: top.collect() }
}

/// Logits looked at together: a block whose largest is too small is passed over as a whole.
const BLOCK: usize = 64;
const LANES: usize = 16;

/// The largest of some finite numbers. Lanes instead of one running maximum, so that it vectorises.
fn largest(block: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let larger = |lane: &mut f32, number: &f32| *lane = if *number > *lane { *number } else { *lane };
    let mut groups = block.chunks_exact(LANES);
    for group in &mut groups {
        lanes.iter_mut().zip(group).for_each(|(lane, number)| larger(lane, number));
    }
    lanes.iter_mut().zip(groups.remainder()).for_each(|(lane, number)| larger(lane, number));
    lanes.into_iter().fold(f32::NEG_INFINITY, |best, lane| if lane > best { lane } else { best })
}

/// The id of the largest logit, the lowest of equals.
fn greedy(logits: &[f32]) -> u32 {
    let most = largest(logits);
    logits.iter().position(|&logit| logit == most).expect("there are logits, and they are finite") as u32
}

/// Draws an id with probability proportional to `exp(logit / temperature)`; both sums run over ids in order, in f64.
fn draw(logits: &[f32], temperature: f64, generator: &mut Generator) -> u32 {
    let max = f64::from(logits[greedy(logits) as usize]);
    let weights: Vec<f64> = logits.iter().map(|&logit| exp_f64((f64::from(logit) - max) / temperature)).collect();
    let mut total = 0.0;
    for weight in &weights {
        total += weight;
    }
    let target = generator.unit() * total;
    let mut sum = 0.0;
    for (id, weight) in weights.iter().enumerate() {
        sum += weight;
        if sum > target {
            return id as u32;
        }
    }
    greedy(logits)
}

/// The ids of the `count` largest logits, largest first, the lowest of equals first.
fn top(logits: &[f32], count: usize) -> Vec<u32> {
    let mut best: Vec<u32> = Vec::with_capacity(count + 1);
    if count == 0 {
        return best;
    }
    let mut least = f32::NEG_INFINITY;
    for (number, block) in logits.chunks(BLOCK).enumerate() {
        if best.len() == count && largest(block) <= least {
            continue;
        }
        for (offset, &logit) in block.iter().enumerate() {
            if best.len() == count && logit <= least {
                continue;
            }
            let at = best.partition_point(|&other| logits[other as usize] >= logit);
            best.insert(at, (number * BLOCK + offset) as u32);
            best.truncate(count);
            least = logits[best[best.len() - 1] as usize];
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use puma_kernels::Level;

    proptest! {
        #[test]
        fn top_is_the_head_of_a_stable_sort(logits in proptest::collection::vec(-9i8..9, 1..300), count in 0usize..25) {
            let logits: Vec<f32> = logits.into_iter().map(f32::from).collect();
            let mut ids: Vec<u32> = (0..logits.len() as u32).collect();
            ids.sort_by(|&a, &b| logits[b as usize].total_cmp(&logits[a as usize]));
            ids.truncate(count);
            prop_assert_eq!(top(&logits, count), ids);
            let first = logits.iter().position(|&logit| logits.iter().all(|&other| other <= logit)).unwrap();
            prop_assert_eq!(greedy(&logits) as usize, first);
        }
    }

    #[test]
    fn draws_follow_the_probabilities_and_the_seed() {
        let logits = [0.0f32, 3f32.ln(), f32::MIN, 0.0];
        let mut counts = [0u32; 4];
        let mut generator = Generator::new(5);
        for _ in 0..20_000 {
            counts[draw(&logits, 1.0, &mut generator) as usize] += 1;
        }
        for (count, share) in counts.into_iter().zip([0.2, 0.6, 0.0, 0.2]) {
            assert!((f64::from(count) / 20_000.0 - share).abs() < 0.02, "{counts:?}");
        }
        let mut cold = Generator::new(5);
        assert!((0..100).all(|_| draw(&logits, 0.01, &mut cold) == 1));
        let run = |seed| {
            let mut generator = Generator::new(seed);
            (0..50).map(|_| draw(&logits, 1.0, &mut generator)).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn logprobs_are_of_temperature_one() {
        let kernels = Kernels::new(Level::Scalar);
        let choice = Choice { temperature: 0.5, logprobs: true, top_logprobs: 2 };
        let token = choose(&kernels, &[0.0, 1.0, 0.0], choice, &mut Generator::new(1));
        assert_eq!(token.top[0].id, 1);
        assert_eq!(token.top[1].id, 0);
        let total = 1f64.exp() + 2.0;
        assert!((f64::from(token.top[0].logprob) - (1f64.exp() / total).ln()).abs() < 1e-7);
    }
}
