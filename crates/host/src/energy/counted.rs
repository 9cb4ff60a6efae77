//! Which channels belong into a total, so that every joule is in it once.
//!
//! A package counter includes its cores and an integrated GPU; a system counter includes everything. Where parts and
//! system are both measured, the parts are counted: they say what the run spent, the system also what the screen did. The
//! system is counted where the processor is only estimated, or its counter failed.

use puma_core::measure::{Channel, ChannelEnergy, Quality};

/// What the total is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// Processor, GPUs, memory.
    Parts,
    /// One counter of the whole machine.
    System,
    Nothing,
}

/// Marks the rows that are counted. Rows in `resting` (by place) never are.
pub(super) fn choose(rows: &mut [ChannelEnergy], resting: &[bool], inside_package: &[String]) -> Sum {
    for row in rows.iter_mut() {
        row.counted = false;
    }
    let processor = processor_channel(rows);
    let of_processor = |row: &ChannelEnergy| Some(row.channel) == processor;
    let parts_measured = rows.iter().any(|row| of_processor(row) && row.quality < Quality::Estimated);
    let parts_whole = rows.iter().filter(|row| of_processor(row)).all(|row| row.energy_j.is_some());
    let system = best_system(rows, resting);
    if let Some(place) = system.filter(|_| processor.is_none() || !parts_measured || !parts_whole) {
        rows[place].counted = true;
        return Sum::System;
    }
    let package = processor == Some(Channel::Package);
    let memory_measured = rows.iter().any(|row| row.channel == Channel::Dram && row.quality < Quality::Estimated);
    let mut any = false;
    for (row, resting) in rows.iter_mut().zip(resting) {
        let measured = row.quality < Quality::Estimated;
        let part = match row.channel {
            Channel::Cpu | Channel::Package => Some(row.channel) == processor && (measured || !parts_measured),
            Channel::Gpu => !(package && inside_package.contains(&row.device)),
            // A guess at the memory would turn a measured total into an estimate.
            Channel::Dram => measured || !(parts_measured || memory_measured),
            Channel::System => false,
        };
        row.counted = part && !resting;
        any |= row.counted;
    }
    if any { Sum::Parts } else { Sum::Nothing }
}

/// `Package` or `Cpu`: the better known one, the package if they are alike.
fn processor_channel(rows: &[ChannelEnergy]) -> Option<Channel> {
    let best = |channel: Channel| rows.iter().filter(|row| row.channel == channel).map(|row| row.quality).min();
    match (best(Channel::Package), best(Channel::Cpu)) {
        (None, None) => None,
        (Some(package), Some(cpu)) if cpu < package => Some(Channel::Cpu),
        (Some(_), _) => Some(Channel::Package),
        (None, Some(_)) => Some(Channel::Cpu),
    }
}

/// The place of the best known system counter that worked.
fn best_system(rows: &[ChannelEnergy], resting: &[bool]) -> Option<usize> {
    let usable = |(place, row): &(usize, &ChannelEnergy)| {
        row.channel == Channel::System && row.energy_j.is_some() && row.quality < Quality::Estimated && !resting[*place]
    };
    rows.iter().enumerate().filter(usable).min_by_key(|(place, row)| (row.quality, *place)).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(channel: Channel, device: &str, energy_j: impl Into<Option<f64>>, quality: Quality) -> ChannelEnergy {
        ChannelEnergy {
            channel,
            device: device.to_owned(),
            energy_j: energy_j.into(),
            source: "test".to_owned(),
            quality,
            counted: false,
            note: None,
        }
    }

    /// Joules of the total and what was summed.
    fn total(mut rows: Vec<ChannelEnergy>, inside_package: &[&str]) -> (Sum, Option<f64>) {
        let inside: Vec<String> = inside_package.iter().map(|name| (*name).to_owned()).collect();
        let resting = vec![false; rows.len()];
        let sum = choose(&mut rows, &resting, &inside);
        (sum, rows.iter().filter(|row| row.counted).map(|row| row.energy_j).sum())
    }

    #[test]
    fn every_joule_is_counted_once() {
        use Channel::{Cpu, Dram, Gpu, Package, System};
        use Quality::{Estimated, Measured, VendorModel};
        let server = vec![
            row(Package, "package-0", 100.0, Measured),
            row(Package, "package-1", 90.0, Measured),
            row(Cpu, "core-0", 70.0, Measured),
            row(Dram, "dram-0", 10.0, Measured),
            row(Gpu, "GPU 0", 400.0, Measured),
            row(System, "psys", 700.0, Measured),
        ];
        assert_eq!(total(server, &[]), (Sum::Parts, Some(600.0)));
        let laptop = vec![row(Package, "package-0", 100.0, VendorModel), row(Gpu, "iGPU", 30.0, VendorModel)];
        assert_eq!(total(laptop.clone(), &["iGPU"]), (Sum::Parts, Some(100.0)));
        assert_eq!(total(laptop, &[]), (Sum::Parts, Some(130.0)));
        let mac = vec![
            row(Cpu, "CPU", 20.0, VendorModel),
            row(Gpu, "GPU", 60.0, VendorModel),
            row(Dram, "DRAM", 5.0, VendorModel),
            row(System, "PSTR", 120.0, Measured),
        ];
        assert_eq!(total(mac, &["GPU"]), (Sum::Parts, Some(85.0)));
        let guessed = vec![row(Cpu, "processor", 30.0, Estimated), row(Dram, "memory", 10.0, Estimated)];
        assert_eq!(total(guessed.clone(), &[]), (Sum::Parts, Some(40.0)));
        let on_battery = [guessed.clone(), vec![row(System, "BAT0", 55.0, Measured)]].concat();
        assert_eq!(total(on_battery, &[]), (Sum::System, Some(55.0)));
        let unplugged_midway = [guessed, vec![row(System, "BAT0", None, Measured)]].concat();
        assert_eq!(total(unplugged_midway, &[]), (Sum::Parts, Some(40.0)));
    }

    #[test]
    fn a_guess_beside_a_measurement_of_the_same_is_not_counted() {
        let rows = vec![
            row(Channel::Cpu, "VDD_CPU_CV", 50.0, Quality::Measured),
            row(Channel::Cpu, "processor", 48.0, Quality::Estimated),
            row(Channel::Dram, "VDDRQ", 4.0, Quality::Measured),
            row(Channel::Dram, "memory", 9.0, Quality::Estimated),
        ];
        assert_eq!(total(rows, &[]), (Sum::Parts, Some(54.0)));
    }

    #[test]
    fn a_guessed_memory_does_not_turn_a_measured_total_into_an_estimate() {
        let rows = vec![
            row(Channel::Package, "package-0", 100.0, Quality::Measured),
            row(Channel::Dram, "memory", 10.0, Quality::Estimated),
        ];
        assert_eq!(total(rows, &[]), (Sum::Parts, Some(100.0)));
    }

    #[test]
    fn a_processor_whose_counter_failed_leaves_no_total_unless_the_system_was_measured() {
        let failed = vec![
            row(Channel::Package, "package-0", None, Quality::Measured),
            row(Channel::Gpu, "GPU 0", 40.0, Quality::Measured),
        ];
        assert_eq!(total(failed.clone(), &[]), (Sum::Parts, None));
        let rescued = [failed, vec![row(Channel::System, "psys", 150.0, Quality::Measured)]].concat();
        assert_eq!(total(rescued, &[]), (Sum::System, Some(150.0)));
        assert_eq!(total(Vec::new(), &[]), (Sum::Nothing, Some(0.0)));
    }
}
