//! Items and the instances they belong to.

/// Items grouped by the instance they belong to. Instances are resampled whole: repetitions of one instance are not
/// independent of each other.
#[derive(Clone, Debug)]
pub struct Clustered<T> {
    items: Vec<T>,
    /// Where each instance's items end.
    ends: Vec<u32>,
    /// Whether every instance has exactly one item, so that the i-th item is that of the i-th instance.
    one_each: bool,
}

impl<T> Default for Clustered<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ends: Vec::new(), one_each: true }
    }
}

impl<T> Clustered<T> {
    /// Adds one instance with its items. An instance without items counts: it may be drawn and then adds nothing.
    pub fn push(&mut self, items: impl IntoIterator<Item = T>) {
        self.items.extend(items);
        self.ends.push(u32::try_from(self.items.len()).expect("a run holds fewer than 2^32 records"));
        self.one_each &= self.items.len() == self.ends.len();
    }

    /// Every item, in the order of the instances.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// How many instances there are.
    pub fn instances(&self) -> usize {
        self.ends.len()
    }

    /// The items of one instance.
    pub(super) fn of(&self, instance: usize) -> &[T] {
        if self.one_each {
            return &self.items[instance..=instance];
        }
        let start = if instance == 0 { 0 } else { self.ends[instance - 1] as usize };
        &self.items[start..self.ends[instance] as usize]
    }
}
