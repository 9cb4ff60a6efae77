//! What the tests of all meters share.

use puma_core::clock::Clock;
use puma_core::measure::{Channel, Meter};
use puma_host::Machine;
use puma_host::energy::{Chain, ChainOptions, Missing, chain};
use puma_host::source::HostSource;
use puma_testkit::scripted_host::{ManualClock, ScriptedHost};
use std::sync::Arc;
use std::time::Duration;

/// The chain of a Linux machine.
pub(crate) fn open(host: ScriptedHost) -> Chain {
    open_with(host, &linux(), &ChainOptions::default())
}

pub(crate) fn open_with(host: ScriptedHost, machine: &Machine, options: &ChainOptions) -> Chain {
    let host: Arc<dyn HostSource> = Arc::new(host);
    chain(&host, machine, options)
}

/// A Linux machine of which nothing more is known.
pub(crate) fn linux() -> Machine {
    Machine { os: "linux".to_owned(), ..Machine::default() }
}

/// The meter whose source begins so.
pub(crate) fn meter<'a>(chain: &'a mut Chain, source: &str) -> &'a mut dyn Meter {
    let place = chain.meters.iter().position(|meter| meter.source().starts_with(source));
    let place = place.unwrap_or_else(|| panic!("{source} was not opened: {:?}", chain.missing));
    chain.meters[place].as_mut()
}

pub(crate) fn missing<'a>(chain: &'a Chain, source: &str) -> &'a Missing {
    let found = chain.missing.iter().find(|missing| missing.source.starts_with(source));
    found.unwrap_or_else(|| panic!("{source} is not missing: {:?}", chain.missing))
}

/// Whole joules by device after `seconds` of reading once a second.
pub(crate) fn joules(meter: &mut dyn Meter, clock: &ManualClock, seconds: u64) -> Vec<(Channel, String, f64)> {
    meter.read(clock.monotonic()).expect("a first reading");
    let mut last = Vec::new();
    for _ in 0..seconds {
        clock.advance(Duration::from_secs(1));
        last = meter.read(clock.monotonic()).expect("a reading");
    }
    last.into_iter().map(|reading| (reading.channel, reading.device, reading.energy_j.round())).collect()
}

pub(crate) fn row(channel: Channel, device: &str, energy_j: f64) -> (Channel, String, f64) {
    (channel, device.to_owned(), energy_j)
}
