//! Which of a Mac's meters are used, and why the others are not.

use super::super::chain::{Chain, Missing};
use super::estimate::{GpuEstimate, ProcessorEstimate};
use super::io_report;
use super::powermetrics::PowerMetrics;
use super::system_power::SystemPower;
use crate::machine::Machine;
use crate::machine::apple::{Chip, ChipFacts, Seen, chip_facts};
use crate::source::HostSource;
use puma_core::measure::Channel;
use std::sync::Arc;
use std::time::Duration;

/// From this macOS on IOReport's counters of the processor may stand still.
const FROZEN_FROM: u32 = 27;

/// The meters of the Mac behind `host`. On macOS 27 and later this takes two seconds, in which is seen whether the
/// processor's counters move.
pub(in crate::energy) fn meters(host: &Arc<dyn HostSource>, machine: &Machine) -> Chain {
    let (mut chain, device) = match chip(machine) {
        Ok(device) => (Chain::default(), device),
        Err(missing) => {
            let mut chain = Chain { missing: vec![missing], ..Chain::default() };
            if machine.apple.is_none() {
                chain.take(SystemPower::open(host));
            }
            return chain;
        }
    };
    // A recording stands still by nature; waiting for it shows nothing new.
    let waits: &dyn Fn(Duration) = if host.is_recorded() { &|_| {} } else { &std::thread::sleep };
    let counted = io_report::find(host, device, may_be_frozen(machine).then_some(waits));
    let gpu = chain.take(counted.gpu);
    let processor = chain.take(counted.processor);
    let uncounted: Vec<Channel> = [(Channel::Cpu, processor), (Channel::Gpu, gpu)]
        .into_iter()
        .filter_map(|(channel, counted)| (!counted).then_some(channel))
        .collect();
    if !uncounted.is_empty() && !chain.take(PowerMetrics::open(host, device, &uncounted)) {
        chain.extend(estimated(host, machine, device, &uncounted));
    }
    chain.take(SystemPower::open(host));
    chain
}

/// The meters that guess from how busy the chip of the Mac behind `host` is.
pub(in crate::energy) fn estimates(host: &Arc<dyn HostSource>, machine: &Machine) -> Chain {
    match chip(machine) {
        Ok(device) => estimated(host, machine, device, &[Channel::Cpu, Channel::Gpu]),
        Err(missing) => Chain { missing: vec![missing], ..Chain::default() },
    }
}

fn estimated(host: &Arc<dyn HostSource>, machine: &Machine, device: &str, channels: &[Channel]) -> Chain {
    let facts = facts(machine);
    let mut chain = Chain::default();
    if channels.contains(&Channel::Cpu) {
        chain.take(ProcessorEstimate::open(host, device, &facts));
    }
    if channels.contains(&Channel::Gpu) {
        chain.take(GpuEstimate::open(host, device, &facts));
    }
    chain
}

/// The name of the chip whose joules can be told, or why none can.
fn chip(machine: &Machine) -> Result<&str, Missing> {
    match &machine.apple {
        None => Err(Missing::new(io_report::SOURCE, &[Channel::Cpu, Channel::Gpu])
            .because("this Mac has no chip of Apple's, whose counters PUMA could read")),
        Some(apple) if apple.virtual_machine => {
            Err(Missing::new(io_report::SOURCE, &[Channel::Cpu, Channel::Gpu, Channel::Dram])
                .because("this Mac is virtual: what it spends is spent by the Mac below, which it cannot read")
                .hint("run `puma agent` on the Mac below and set PUMA_POWER_AGENT"))
        }
        Some(apple) => Ok(&apple.brand),
    }
}

fn may_be_frozen(machine: &Machine) -> bool {
    let major = machine.os_version.as_deref().and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    major.is_some_and(|major| major >= FROZEN_FROM)
}

/// What the tables know of the machine's chip.
fn facts(machine: &Machine) -> ChipFacts {
    let apple = machine.apple.as_ref();
    let chip = apple.and_then(|apple| Chip::parse(&apple.brand)).unwrap_or_else(Chip::unknown);
    let seen = Seen {
        gpu_cores: apple.and_then(|apple| apple.gpu_cores),
        cpu_cores: machine.physical_cores,
        memory_bytes: machine.memory_bytes,
    };
    chip_facts(&chip, seen)
}
