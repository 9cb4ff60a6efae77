//! The few forms in which the kernel writes its facts.

use std::collections::BTreeSet;

/// More processors than any machine has: what a nonsense answer such as `0-4294967295` is cut off at.
const PROCESSOR_LIMIT: u32 = 65_536;

/// The value of the first line `key <separator> value`; `None` when there is none or it is empty.
pub(crate) fn value<'a>(text: &'a str, key: &str, separator: char) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(separator)?;
        (name.trim() == key).then(|| value.trim()).filter(|value| !value.is_empty())
    })
}

/// The blocks of `/proc/cpuinfo` that describe a processor, with its number. Other blocks describe the board.
pub(crate) fn processors(cpuinfo: &str) -> Vec<(u32, &str)> {
    let blocks = cpuinfo.split("\n\n");
    blocks.filter_map(|block| Some((value(block, "processor", ':')?.parse().ok()?, block))).collect()
}

/// The numbers in a list such as `0-3,8`. `None` when it is empty or no such list.
pub(crate) fn cpu_list(text: &str) -> Option<BTreeSet<u32>> {
    let mut numbers = BTreeSet::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse::<u32>().ok()?, last.trim().parse::<u32>().ok()?);
        if first > last || last >= PROCESSOR_LIMIT {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

/// Bytes of a line `MemTotal:  16384 kB`.
pub(super) fn kibibytes(meminfo: &str, key: &str) -> Option<u64> {
    value(meminfo, key, ':')?.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_of_processors_are_counted_and_nonsense_is_not() {
        assert_eq!(cpu_list("0-3,8\n").map(|list| list.len()), Some(5));
        assert_eq!(cpu_list("0").map(|list| list.len()), Some(1));
        for nonsense in ["", "\n", "3-0", "a", "0-", "-1", "0-4294967295", "0,,1"] {
            assert_eq!(cpu_list(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn memory_that_no_number_can_hold_is_unknown() {
        assert_eq!(kibibytes("MemTotal: 16 kB\n", "MemTotal"), Some(16 << 10));
        for nonsense in ["", "MemTotal:", "MemTotal: kB", "MemTotal: -5 kB", "MemTotal: 18446744073709551615 kB"] {
            assert_eq!(kibibytes(nonsense, "MemTotal"), None, "{nonsense:?}");
        }
    }

    proptest! {
        #[test]
        fn a_list_that_is_written_is_read(numbers in proptest::collection::btree_set(0_u32..5000, 1..40)) {
            let text: Vec<String> = numbers.iter().map(u32::to_string).collect();
            prop_assert_eq!(cpu_list(&text.join(",")), Some(numbers));
        }

        #[test]
        fn any_text_is_taken(text in "\\PC*|[0-9,\\- \n:]{0,60}") {
            let _ = (cpu_list(&text), processors(&text), value(&text, "processor", ':'), kibibytes(&text, "MemTotal"));
        }
    }
}
