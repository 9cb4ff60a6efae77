//! What Linux writes about processor time, memory and processes, read.
//!
//! Every reader takes any text and leaves out what it does not know.

use super::sample::{MemorySample, ProcessSample, Ticks};
use procfs_core::FromBufRead;
use procfs_core::MemoryPressure;

/// Linux counts pages of 4 KiB in `/proc/vmstat` but on some ARM machines.
pub(super) const PAGE_BYTES: u64 = 4096;

/// All processors together, and each, from `/proc/stat`. `None` in sandboxes that count nothing.
pub(super) fn processors(text: &str) -> Option<(Ticks, Vec<Ticks>)> {
    let mut all = None;
    let mut each = Vec::new();
    for line in text.lines().map_while(|line| line.strip_prefix("cpu")) {
        match line.strip_prefix(' ') {
            Some(fields) => all = ticks(fields),
            None => each.extend(line.split_once(' ').and_then(|(_, fields)| ticks(fields))),
        }
    }
    Some((all.filter(|all| all.total > 0)?, each))
}

/// `user nice system idle iowait irq softirq steal …`. Waiting for a disk is idle; time of guests is in `user` already.
fn ticks(fields: &str) -> Option<Ticks> {
    let counts: Vec<u64> = fields.split_whitespace().map_while(|field| field.parse().ok()).collect();
    let count = |place: usize| counts.get(place).copied().unwrap_or(0);
    if counts.len() < 4 {
        return None;
    }
    let busy = [0, 1, 2, 5, 6, 7].into_iter().map(count).fold(0_u64, u64::saturating_add);
    Some(Ticks { busy, total: busy.saturating_add(count(3)).saturating_add(count(4)), stolen: count(7) })
}

/// `MemTotal: 24682936 kB` and its kin.
pub(super) fn meminfo(text: &str, memory: &mut MemorySample) {
    let bytes = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    };
    memory.total_bytes = bytes("MemTotal").filter(|total| *total > 0);
    memory.available_bytes = bytes("MemAvailable").filter(|_| memory.total_bytes.is_some());
    memory.swap_total_bytes = bytes("SwapTotal");
    memory.swap_used_bytes = memory.swap_total_bytes.and_then(|total| total.checked_sub(bytes("SwapFree")?));
}

/// `/proc/vmstat`; whether anything of it is there.
pub(super) fn vmstat(text: &str, memory: &mut MemorySample) -> bool {
    let count = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        value.trim().parse::<u64>().ok()
    };
    let pages = |name: &str| count(name)?.checked_mul(PAGE_BYTES);
    memory.major_faults = count("pgmajfault");
    memory.swapped_in_bytes = pages("pswpin");
    memory.swapped_out_bytes = pages("pswpout");
    // Before 5.9 there was one counter for both kinds, of which nearly all are files.
    memory.read_again_bytes = pages("workingset_refault_file").or_else(|| pages("workingset_refault"));
    memory.major_faults.or(memory.swapped_in_bytes).or(memory.read_again_bytes).is_some()
}

/// `/proc/pressure/memory`; whether it could be read.
pub(super) fn pressure(text: &str, memory: &mut MemorySample) -> bool {
    let Ok(pressure) = MemoryPressure::from_buf_read(text.as_bytes()) else { return false };
    memory.some_stalled_us = Some(pressure.some.total);
    memory.all_stalled_us = Some(pressure.full.total);
    true
}

/// `/proc/PID/stat`: major faults and processor time.
pub(super) fn process(text: &str, process: &mut ProcessSample) -> bool {
    // The program's name may hold spaces and parentheses; what follows the last one is regular.
    let Some((_, rest)) = text.rsplit_once(')') else { return false };
    let fields: Vec<&str> = rest.split_whitespace().take(13).collect();
    let number = |place: usize| fields.get(place).and_then(|field| field.parse::<u64>().ok());
    process.major_faults = number(9);
    process.ticks = number(11).zip(number(12)).and_then(|(user, system)| user.checked_add(system));
    process.ticks.is_some()
}

/// `read_bytes` of `/proc/PID/io`.
pub(super) fn fetched_bytes(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("read_bytes:"))?.trim().parse().ok()
}

/// A file with one number in it.
pub(super) fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn processor_time_is_told_for_all_and_for_each() {
        let text = "cpu  100 20 30 1000 50 1 2 3 40 5\ncpu0 50 10 15 500 25 0 1 1 20 2\ncpu1 1 1 1 1\nintr 9\n";
        let (all, each) = processors(text).expect("it counts");
        assert_eq!(all, Ticks { busy: 156, total: 1206, stolen: 3 });
        assert_eq!(each, [Ticks { busy: 77, total: 602, stolen: 1 }, Ticks { busy: 3, total: 4, stolen: 0 }]);
        assert_eq!(processors("cpu  0 0 0 0 0 0 0 0 0 0\n"), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let mut memory = MemorySample::default();
        meminfo(
            "MemTotal:       1000 kB\nMemAvailable:    400 kB\nSwapTotal:  100 kB\nSwapFree:  30 kB\n",
            &mut memory,
        );
        assert!(vmstat(
            "pgmajfault 7\npswpin 2\npswpout 3\nworkingset_refault_anon 9\nworkingset_refault_file 5\n",
            &mut memory
        ));
        let text = "some avg10=0.63 avg60=1.42 avg300=0.81 total=11094671\nfull avg10=0.05 avg60=0.20 avg300=0.06 total=1867081\n";
        assert!(pressure(text, &mut memory));
        let expected = MemorySample {
            total_bytes: Some(1_024_000),
            available_bytes: Some(409_600),
            swap_total_bytes: Some(102_400),
            swap_used_bytes: Some(71_680),
            major_faults: Some(7),
            read_again_bytes: Some(20_480),
            swapped_in_bytes: Some(8192),
            swapped_out_bytes: Some(12_288),
            some_stalled_us: Some(11_094_671),
            all_stalled_us: Some(1_867_081),
            ..MemorySample::default()
        };
        assert_eq!(memory, expected);
    }

    #[test]
    fn a_process_with_a_strange_name_is_read() {
        let mut seen = ProcessSample::default();
        let text = "8694 (a) b (c d) R 8685 8685 4879 0 -1 4194304 101 0 44 0 70 12 5 6 20 0 1 0 1159708 3133440 390";
        assert!(process(text, &mut seen));
        assert_eq!((seen.ticks, seen.major_faults), (Some(82), Some(44)));
        assert_eq!(fetched_bytes("rchar: 1\nread_bytes: 4096\ncancelled_write_bytes: 0\n"), Some(4096));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "(?s).*", words in proptest::collection::vec("[a-z:]{0,12} ?-?[0-9]{0,25}", 0..12)) {
            for text in [text, words.join("\n"), format!("cpu  {}", words.join(" "))] {
                let (mut memory, mut seen) = (MemorySample::default(), ProcessSample::default());
                if let Some((all, _)) = processors(&text) {
                    prop_assert!(all.busy <= all.total);
                }
                meminfo(&text, &mut memory);
                vmstat(&text, &mut memory);
                pressure(&text, &mut memory);
                process(&text, &mut seen);
                fetched_bytes(&text);
            }
        }
    }
}
