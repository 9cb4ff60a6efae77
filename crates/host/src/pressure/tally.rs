//! First, last, least, mean and most of every quantity, however long the run.

use super::change::Change;
use super::sample::Sample;
use puma_core::measure::Quantity;
use std::collections::BTreeMap;

/// Quantities by name, unit last.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(BTreeMap<String, (Quantity, u64)>);

impl Tally {
    #[expect(clippy::cast_precision_loss, reason = "bytes of a machine's memory")]
    pub(super) fn sample(&mut self, sample: &Sample) {
        let memory = &sample.memory;
        let bytes = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64);
        let used = memory.total_bytes.zip(memory.available_bytes).map(|(total, free)| total.saturating_sub(free));
        self.add("memory_used_bytes", bytes(used));
        self.add("memory_limit_used_bytes", bytes(memory.limit_used_bytes));
        self.add("memory_free_percent", memory.free_percent);
        self.add("swap_used_bytes", bytes(memory.swap_used_bytes));
        self.add("temperature_c", sample.temperature_c);
        for (place, gpu) in sample.gpus.iter().enumerate() {
            self.add(&format!("gpu{place}_memory_used_bytes"), bytes(gpu.memory_used_bytes));
            self.add(&format!("gpu{place}_utilization_percent"), gpu.utilization_percent);
            self.add(&format!("gpu{place}_clock_mhz"), gpu.clock_mhz);
            self.add(&format!("gpu{place}_temperature_c"), gpu.temperature_c);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counters of seconds, not of ages")]
    pub(super) fn change(&mut self, change: &Change) {
        let percent = |share: Option<f64>| share.map(|share| share * 100.0);
        let a_second = |count: Option<u64>| count.map(|count| count as f64 / change.seconds);
        self.add("cpu_busy_percent", percent(change.busy_share));
        self.add("cpu_others_percent", percent(change.others_share));
        self.add("cpu_stolen_percent", percent(change.stolen_share));
        self.add("cpu_frequency_mhz", change.frequency_mhz);
        self.add("cpu_speed_limit_percent", change.speed_limit_percent);
        self.add("cpu_heat_events_per_s", a_second(change.heat_events));
        self.add("major_faults_per_s", change.major_faults_per_s);
        self.add("fetched_bytes_per_s", a_second(change.fetched_bytes));
        self.add("read_again_bytes_per_s", a_second(change.read_again_bytes));
        self.add("swapped_in_bytes_per_s", a_second(change.swapped_in_bytes));
        self.add("memory_stalled_percent", percent(change.all_stalled_share));
    }

    fn add(&mut self, name: &str, value: Option<f64>) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        if !self.0.contains_key(name) {
            let first =
                Quantity { name: name.to_owned(), first: value, last: value, min: value, mean: 0.0, max: value };
            self.0.insert(name.to_owned(), (first, 0));
        }
        let (quantity, count) = self.0.get_mut(name).expect("it was just put there");
        *count += 1;
        quantity.last = value;
        quantity.min = quantity.min.min(value);
        quantity.max = quantity.max.max(value);
        quantity.mean += (value - quantity.mean) / *count as f64;
    }

    pub(super) fn quantities(&self) -> Vec<Quantity> {
        self.0.values().map(|(quantity, _)| quantity.clone()).collect()
    }
}
