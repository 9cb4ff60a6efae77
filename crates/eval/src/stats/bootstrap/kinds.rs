//! Instances that count alike, drawn together.

use super::binomial_draw::{BinomialDraw, LnFactorials};
use super::clustered::Clustered;
use super::tally::Tally;
use crate::stats::random::SplitMix64;

/// The kinds of instance in a sample. Drawing as many instances as there are, with replacement, is a multinomial draw of
/// how often each kind comes, which is a chain of binomial draws: O(kinds · √n) instead of O(n).
#[derive(Clone, Debug)]
pub(super) struct Kinds {
    /// An instance of each kind, and how many there are of it.
    pub(super) members: Vec<(u32, u32)>,
    draws: Vec<BinomialDraw>,
    factorials: LnFactorials,
    instances: u32,
}

/// Drawing by kind pays where a kind has at least about this many instances on average (measured).
const INSTANCES_PER_KIND: usize = 64;

impl Kinds {
    /// Finds the kinds, in an order that depends on their names alone. `None` where the tally has none, or too many.
    pub(super) fn of<T: Tally>(sample: &Clustered<T::Item>, tally: &T) -> Option<Self> {
        let instances = sample.instances();
        let named: Option<Vec<(Vec<u128>, u32)>> = (0..instances)
            .map(|instance| {
                let names: Option<Vec<u128>> = sample.of(instance).iter().map(|item| tally.kind(item)).collect();
                Some((names?, instance as u32))
            })
            .collect();
        let mut named = named?;
        named.sort_unstable();
        let members: Vec<(u32, u32)> =
            named.chunk_by(|a, b| a.0 == b.0).map(|alike| (alike[0].1, alike.len() as u32)).collect();
        if members.len() * INSTANCES_PER_KIND > instances {
            return None;
        }
        let mut left = instances as u32;
        let draws = members.iter().map(|(_, count)| {
            let draw = BinomialDraw::new(*count, left);
            left -= count;
            draw
        });
        let draws = draws.collect();
        Some(Self { members, draws, factorials: LnFactorials::up_to(instances as u32), instances: instances as u32 })
    }

    /// Draws how often each kind comes: (an instance of the kind, times).
    pub(super) fn draw(&self, generator: &mut SplitMix64, mut visit: impl FnMut(u32, u32)) {
        let mut left = self.instances;
        for ((member, _), draw) in self.members.iter().zip(&self.draws) {
            let times = draw.draw(left, &self.factorials, generator);
            left -= times;
            if times > 0 {
                visit(*member, times);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kinds;
    use crate::stats::{Clustered, MeanTally, SplitMix64};

    fn sample(values: impl Iterator<Item = f64>) -> Clustered<f64> {
        let mut sample = Clustered::default();
        values.for_each(|value| sample.push([value]));
        sample
    }

    #[test]
    fn every_draw_has_as_many_instances_as_the_sample() {
        let sample = sample((0..700).map(|i| f64::from(i * i % 7)));
        let kinds = Kinds::of(&sample, &MeanTally::default()).expect("few kinds");
        assert_eq!(kinds.members.iter().map(|(_, count)| count).sum::<u32>(), 700);
        let mut generator = SplitMix64::new(3);
        let mut mean = 0.0;
        for _ in 0..2000 {
            let (mut drawn, mut first) = (0, 0);
            kinds.draw(&mut generator, |member, times| {
                drawn += times;
                first += if member == kinds.members[0].0 { times } else { 0 };
            });
            assert_eq!(drawn, 700);
            mean += f64::from(first) / 2000.0;
        }
        // The standard error of the mean is about 0.2.
        assert!((mean - f64::from(kinds.members[0].1)).abs() < 1.0, "{mean}");
    }

    #[test]
    fn samples_of_unlike_instances_are_not_drawn_by_kind() {
        assert!(Kinds::of(&sample((0..100).map(f64::from)), &MeanTally::default()).is_none());
    }
}
