//! How busy a Mac's processors are.

use crate::source::{Answer, HostSource, NativeQuery, Unanswered};
use serde::Deserialize;

/// Time spent since the system started, in ticks over all processors. The counters have 32 bits and wrap around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ProcessorTicks {
    user: u32,
    system: u32,
    idle: u32,
    nice: u32,
}

impl ProcessorTicks {
    /// # Errors
    /// The system does not tell.
    pub(super) fn read(host: &dyn HostSource) -> Result<Self, Unanswered> {
        let answer: Answer = host.native(&NativeQuery::ProcessorTicks);
        serde_json::from_str(&answer?).map_err(|error| Unanswered::Failed(error.to_string()))
    }

    /// Share of the time since `earlier` in which processors worked, 0 to 1; `None` when no time has passed.
    pub(super) fn busy_share_since(self, earlier: Self) -> Option<f64> {
        let passed = |now: u32, before: u32| f64::from(now.wrapping_sub(before));
        let busy =
            passed(self.user, earlier.user) + passed(self.system, earlier.system) + passed(self.nice, earlier.nice);
        let all = busy + passed(self.idle, earlier.idle);
        (all > 0.0).then(|| busy / all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busy_share_survives_a_counter_that_wraps_around() {
        let ticks = |user, idle| ProcessorTicks { user, system: 10, idle, nice: 0 };
        assert_eq!(ticks(130, 370).busy_share_since(ticks(100, 300)), Some(0.3));
        assert_eq!(ticks(20, 370).busy_share_since(ticks(u32::MAX - 9, 300)), Some(0.3));
        assert_eq!(ticks(100, 300).busy_share_since(ticks(100, 300)), None);
    }
}
