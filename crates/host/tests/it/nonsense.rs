//! Machines that answer nonsense: whatever they say, a probe ends and gives no impossible number.

use crate::machines::host;
use proptest::prelude::*;
use puma_host::source::{Kept, KeptNames, Recording, Unanswered};
use puma_host::{Machine, RecordedHost};

/// A kernel never says these; a broken driver, a sandbox or a hand-written file may.
fn nonsense() -> impl Strategy<Value = Kept> {
    prop_oneof![
        "\\PC{0,80}".prop_map(Kept::Text),
        "[ -~\n\t\0]{0,200}".prop_map(Kept::Text),
        "-?[0-9]{1,40}".prop_map(Kept::Text),
        "(0-|max |0::/|processor\t: |MemTotal: |1 2 3:4 / / rw - )[0-9a-z/ ,.:-]{0,40}\n".prop_map(Kept::Text),
        Just(Kept::Text(String::new())),
        Just(Kept::None { unanswered: Unanswered::TimedOut }),
        "\\PC{0,20}".prop_map(|message| Kept::None { unanswered: Unanswered::Failed(message) }),
    ]
}

/// Replaces every third or so of the answers, beginning at `first`.
fn spoil(recording: &mut Recording, spoilt: &[Kept], first: usize) {
    let answers = recording.files.values_mut().chain(recording.links.values_mut());
    let answers = answers.chain(recording.commands.values_mut()).chain(recording.native.values_mut());
    for (answer, nonsense) in answers.skip(first % 3).step_by(3).zip(spoilt.iter().cycle()) {
        *answer = nonsense.clone();
    }
    for names in recording.folders.values_mut().skip(first % 2).step_by(2) {
        *names = KeptNames::Names(vec![String::new(), "card0".to_owned(), "policy0".to_owned(), "../..".to_owned()]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nonsense_ends_in_unknown_and_never_in_a_panic(
        spoilt in proptest::collection::vec(nonsense(), 1..12),
        first in 0_usize..6,
        name in prop::sample::select(&["laptop-intel-8gb", "kubernetes-pod-4gb", "asahi-m1", "firecracker-vm", "wsl2", "gvisor"]),
    ) {
        let mut recording = host(name).recording().clone();
        spoil(&mut recording, &spoilt, first);
        let machine = Machine::probe(&RecordedHost::new(recording));
        prop_assert!(machine.physical_cores != Some(0) && machine.sockets != Some(0) && machine.numa_nodes != Some(0));
        prop_assert!(machine.cpu_limit_cores.is_none_or(|cores| cores.is_finite() && cores > 0.0));
        prop_assert!(machine.cpu_max_mhz.is_none_or(|mhz| mhz.is_finite() && mhz > 0.0));
        prop_assert!(machine.memory_bytes != Some(0));
        prop_assert!(machine.surroundings.signs.iter().all(|sign| sign.seen.chars().count() <= 80));
    }
}
