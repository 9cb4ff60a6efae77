//! How a statistic is computed from items.

/// Several statistics of one sample, computed item by item. The value and its interval come from the same code.
///
/// `clear`, `add` and `read` are enough. A sample of 100,000 is resampled 10,000 times in seconds when the tally also says
/// which items count alike (`kind` and `add_times`) and lets copies of itself work in parallel (`fork`).
pub trait Tally: Send + Sized {
    type Item: Sync;
    /// Forgets every item.
    fn clear(&mut self);
    fn add(&mut self, item: &Self::Item);
    /// Writes each statistic of the items added since `clear`; NaN where it is undefined.
    fn read(&mut self, values: &mut [f64]);

    /// A name shared by exactly the items that this tally cannot tell apart; `None` where items have none. Where few kinds
    /// make up a sample, it is drawn kind by kind, which gives the same distribution as item by item.
    fn kind(&self, item: &Self::Item) -> Option<u128> {
        let _ = item;
        None
    }

    /// Adds an item `times` times.
    fn add_times(&mut self, item: &Self::Item, times: u32) {
        (0..times).for_each(|_| self.add(item));
    }

    /// Another tally of the same statistics for another thread; `None` keeps all work on one. How many threads there are
    /// changes no bit.
    fn fork(&self) -> Option<Self> {
        None
    }
}

impl<T: Tally> Tally for &mut T {
    type Item = T::Item;

    fn clear(&mut self) {
        T::clear(self);
    }

    fn add(&mut self, item: &Self::Item) {
        T::add(self, item);
    }

    fn read(&mut self, values: &mut [f64]) {
        T::read(self, values);
    }

    fn kind(&self, item: &Self::Item) -> Option<u128> {
        T::kind(self, item)
    }

    fn add_times(&mut self, item: &Self::Item, times: u32) {
        T::add_times(self, item, times);
    }
}

/// The mean of numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanTally {
    sum: f64,
    n: f64,
}

impl Tally for MeanTally {
    type Item = f64;

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, item: &f64) {
        self.sum += item;
        self.n += 1.0;
    }

    fn read(&mut self, values: &mut [f64]) {
        values[0] = self.sum / self.n;
    }

    fn kind(&self, item: &f64) -> Option<u128> {
        Some(u128::from(item.to_bits()))
    }

    fn add_times(&mut self, item: &f64, times: u32) {
        self.sum += item * f64::from(times);
        self.n += f64::from(times);
    }

    fn fork(&self) -> Option<Self> {
        Some(*self)
    }
}
