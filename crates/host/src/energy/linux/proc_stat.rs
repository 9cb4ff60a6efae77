//! Processor time from `/proc/stat` and `/proc/self/stat`.

/// Ticks of all processors together since the machine started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticks {
    pub(super) busy: u64,
    pub(super) total: u64,
    pub(super) processors: usize,
}

/// The first line of `/proc/stat` and how many processors the others are of. Waiting for a disk is idle; time of guests is
/// in the users' already.
pub(super) fn machine(text: &str) -> Option<Ticks> {
    let mut fields = text.lines().find_map(|line| line.strip_prefix("cpu "))?.split_whitespace();
    let mut next = || fields.next().and_then(|field| field.parse::<u64>().ok());
    let (user, nice, system, idle) = (next()?, next()?, next()?, next()?);
    let [iowait, irq, softirq, steal] = [(); 4].map(|()| next().unwrap_or(0));
    let busy = [user, nice, system, irq, softirq, steal].into_iter().fold(0u64, u64::saturating_add);
    let total = busy.saturating_add(idle).saturating_add(iowait);
    let is_processor = |line: &&str| {
        let rest = line.strip_prefix("cpu").unwrap_or_default();
        rest.starts_with(|first: char| first.is_ascii_digit())
    };
    Some(Ticks { busy, total, processors: text.lines().filter(is_processor).count() })
}

/// Ticks that this process and its threads used, in user and kernel.
pub(super) fn process(text: &str) -> Option<u64> {
    // The program's name may hold spaces and parentheses; what follows the last one is regular.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11).map(|field| field.parse::<u64>().ok());
    fields.next()??.checked_add(fields.next()??)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn busy_time_is_all_but_idle_and_waiting() {
        let text = "cpu  100 20 30 1000 50 1 2 3 40 5\ncpu0 50 10 15 500 25 0 1 1 20 2\ncpu1 1 1 1 1\nctxt 9\n";
        assert_eq!(machine(text), Some(Ticks { busy: 156, total: 1206, processors: 2 }));
        assert_eq!(machine("cpu  1 2 3 4\n"), Some(Ticks { busy: 6, total: 10, processors: 0 }));
        assert_eq!(machine("intr 1 2 3\n"), None);
    }

    #[test]
    fn a_program_with_a_strange_name_is_read() {
        let text = "8694 (a) b (c d) R 8685 8685 4879 0 -1 4194304 101 0 0 0 70 12 5 6 20 0 1 0 1159708 3133440 390";
        assert_eq!(process(text), Some(82));
        assert_eq!(process("8694 (cat) R 1"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in ".*", numbers in proptest::collection::vec(any::<u64>(), 0..12)) {
            let line: Vec<String> = numbers.iter().map(u64::to_string).collect();
            for text in [text, format!("cpu  {}\n", line.join(" "))] {
                if let Some(ticks) = machine(&text) {
                    prop_assert!(ticks.busy <= ticks.total);
                }
                process(&text);
            }
        }
    }
}
