//! Who else used the processors while a test ran: without that, a slow figure says nothing.

use crate::context::Context;
use puma_host::machine::Machine;
use puma_host::pressure::{Sample, Sampler};
use std::sync::Arc;

/// Reads the machine's counters before and after every repetition.
pub(crate) struct Watch {
    sampler: Sampler,
    before: Sample,
}

/// Processor time in ticks, summed over what was watched.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spent {
    own: u64,
    busy: u64,
    stolen: u64,
    total: u64,
    processors: usize,
}

impl Watch {
    pub(crate) fn new(context: &Context) -> Self {
        let machine = Machine::probe(context.host.as_ref());
        let sampler = Sampler::new(Arc::clone(&context.host), &machine, Arc::new(context.clock), &[]);
        Self { sampler, before: Sample::default() }
    }

    pub(crate) fn begin(&mut self) {
        self.before = self.sampler.read();
    }

    /// Adds what happened since [`begin`](Self::begin) to `spent`; nothing where the system does not tell.
    pub(crate) fn end(&mut self, spent: &mut Spent) {
        let after = self.sampler.read();
        if let Some(more) = Spent::between(&self.before, &after) {
            spent.add(more);
        }
    }
}

impl Spent {
    fn between(before: &Sample, after: &Sample) -> Option<Self> {
        let (one, other) = (before.processor.all?, after.processor.all?);
        let own = |sample: &Sample| sample.processes.first()?.ticks;
        Some(Self {
            own: own(after)?.checked_sub(own(before)?)?,
            busy: other.busy.checked_sub(one.busy)?,
            stolen: other.stolen.checked_sub(one.stolen)?,
            total: other.total.checked_sub(one.total)?,
            processors: after.processor.each.len(),
        })
    }

    pub(crate) fn add(&mut self, more: Self) {
        let Self { own, busy, stolen, total, processors } = more;
        self.own += own;
        self.busy += busy;
        self.stolen += stolen;
        self.total += total;
        self.processors = self.processors.max(processors);
    }

    fn percent(&self, ticks: u64) -> Option<f64> {
        (self.total > 0).then(|| 100.0 * ticks as f64 / self.total as f64)
    }

    /// What other programs and other virtual machines used, in percent of all processors' time.
    pub(crate) fn others_percent(&self) -> Option<f64> {
        self.percent(self.busy.saturating_sub(self.own))
    }

    /// What the hypervisor gave to other machines; part of [`others_percent`](Self::others_percent).
    pub(crate) fn stolen_percent(&self) -> Option<f64> {
        self.percent(self.stolen)
    }

    /// How many processors this program kept busy on average.
    pub(crate) fn own_processors(&self) -> Option<f64> {
        Some(self.percent(self.own)? / 100.0 * self.processors as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_host::pressure::{ProcessSample, ProcessorSample, Ticks};

    fn sample(own: u64, busy: u64, total: u64, stolen: u64) -> Sample {
        let all = Ticks { busy, total, stolen };
        Sample {
            processor: ProcessorSample { all: Some(all), each: vec![all; 2], ..ProcessorSample::default() },
            processes: vec![ProcessSample { ticks: Some(own), ..ProcessSample::default() }],
            ..Sample::default()
        }
    }

    #[test]
    fn what_others_used_is_what_was_busy_and_not_ours() {
        let mut spent = Spent::default();
        assert_eq!((spent.others_percent(), spent.own_processors()), (None, None));
        spent.add(Spent::between(&sample(10, 100, 1000, 5), &sample(60, 170, 1100, 8)).unwrap());
        spent.add(Spent::between(&sample(60, 170, 1100, 8), &sample(110, 220, 1200, 8)).unwrap());
        assert_eq!(spent.others_percent(), Some(10.0));
        assert_eq!(spent.stolen_percent(), Some(1.5));
        assert_eq!(spent.own_processors(), Some(1.0));
    }
}
