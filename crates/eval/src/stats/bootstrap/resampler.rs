//! Ways to compute statistics over a draw of instances, and over all but a few.

use super::clustered::Clustered;
use super::kinds::Kinds;
use super::tally::Tally;
use crate::stats::random::SplitMix64;

/// Up to this many instances, or kinds of instance, each is left out alone; above, that many blocks are. A fixed number,
/// so that the jackknife costs a fixed share of the resampling.
pub(super) const LEFT_OUT: usize = 400;

/// A sample whose statistics can be computed over draws.
pub(super) trait Resampler {
    /// The statistics of one random draw.
    fn resample(&mut self, generator: &mut SplitMix64, values: &mut [f64]);
    /// How many ways there are to leave something out.
    fn parts(&self) -> usize;
    /// The statistics without part `part`; gives how many instances it stands for.
    fn without(&mut self, part: usize, values: &mut [f64]) -> f64;
}

/// Which block an instance belongs to: neighbours go to different blocks, because files are often sorted.
fn block(instance: usize, instances: usize) -> usize {
    instance % instances.min(LEFT_OUT)
}

/// Draws instances one by one.
pub(super) struct ByInstance<'s, T: Tally> {
    pub(super) sample: &'s Clustered<T::Item>,
    pub(super) tally: T,
}

impl<T: Tally> Resampler for ByInstance<'_, T> {
    fn resample(&mut self, generator: &mut SplitMix64, values: &mut [f64]) {
        self.tally.clear();
        let (sample, tally) = (self.sample, &mut self.tally);
        let instances = sample.instances() as u32;
        generator.each_below(instances, instances, |instance| {
            sample.of(instance as usize).iter().for_each(|item| tally.add(item));
        });
        tally.read(values);
    }

    fn parts(&self) -> usize {
        self.sample.instances().min(LEFT_OUT)
    }

    fn without(&mut self, part: usize, values: &mut [f64]) -> f64 {
        self.tally.clear();
        let instances = self.sample.instances();
        for instance in (0..instances).filter(|instance| block(*instance, instances) != part) {
            self.sample.of(instance).iter().for_each(|item| self.tally.add(item));
        }
        self.tally.read(values);
        1.0
    }
}

/// Draws how often each kind of instance comes.
pub(super) struct ByKind<'s, T: Tally> {
    pub(super) sample: &'s Clustered<T::Item>,
    pub(super) kinds: &'s Kinds,
    pub(super) tally: T,
}

impl<T: Tally> ByKind<'_, T> {
    fn each_alone(&self) -> bool {
        self.kinds.members.len() <= LEFT_OUT
    }
}

impl<T: Tally> Resampler for ByKind<'_, T> {
    fn resample(&mut self, generator: &mut SplitMix64, values: &mut [f64]) {
        self.tally.clear();
        let (sample, tally) = (self.sample, &mut self.tally);
        self.kinds.draw(generator, |member, times| {
            sample.of(member as usize).iter().for_each(|item| tally.add_times(item, times));
        });
        tally.read(values);
    }

    fn parts(&self) -> usize {
        if self.each_alone() { self.kinds.members.len() } else { self.sample.instances().min(LEFT_OUT) }
    }

    fn without(&mut self, part: usize, values: &mut [f64]) -> f64 {
        if !self.each_alone() {
            self.tally.clear();
            let instances = self.sample.instances();
            for instance in (0..instances).filter(|instance| block(*instance, instances) != part) {
                self.sample.of(instance).iter().for_each(|item| self.tally.add(item));
            }
            self.tally.read(values);
            return 1.0;
        }
        self.tally.clear();
        for (index, (member, count)) in self.kinds.members.iter().enumerate() {
            let times = count - u32::from(index == part);
            self.sample.of(*member as usize).iter().for_each(|item| self.tally.add_times(item, times));
        }
        self.tally.read(values);
        f64::from(self.kinds.members[part].1)
    }
}

/// Hands draws, as indices of instances, to a function.
pub(super) struct ByDraw<F> {
    pub(super) instances: u32,
    pub(super) drawn: Vec<u32>,
    pub(super) read: F,
}

impl<F: FnMut(&[u32], &mut [f64])> ByDraw<F> {
    /// The statistics of the sample itself.
    pub(super) fn whole(&mut self, values: &mut [f64]) {
        self.drawn.clear();
        self.drawn.extend(0..self.instances);
        (self.read)(&self.drawn, values);
    }
}

impl<F: FnMut(&[u32], &mut [f64])> Resampler for ByDraw<F> {
    fn resample(&mut self, generator: &mut SplitMix64, values: &mut [f64]) {
        self.drawn.clear();
        generator.each_below(self.instances, self.instances, |instance| self.drawn.push(instance));
        (self.read)(&self.drawn, values);
    }

    fn parts(&self) -> usize {
        (self.instances as usize).min(LEFT_OUT)
    }

    fn without(&mut self, part: usize, values: &mut [f64]) -> f64 {
        self.drawn.clear();
        let instances = self.instances as usize;
        self.drawn.extend((0..self.instances).filter(|instance| block(*instance as usize, instances) != part));
        (self.read)(&self.drawn, values);
        1.0
    }
}
