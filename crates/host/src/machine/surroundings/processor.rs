//! Signs in `/proc/cpuinfo`: a guest's processor is not what it seems.

use super::evidence::Claim::{Guest, Host, Translated};
use super::evidence::Evidence;
use crate::machine::HostOs::{Linux, Macos};
use crate::machine::linux::{processors, value};

const PLACE: &str = "/proc/cpuinfo";

/// Adds what the first processor shows. `arch` is what this program was built for.
pub(super) fn look(cpuinfo: &str, arch: &str, evidence: &mut Evidence) {
    let Some((_, block)) = processors(cpuinfo).into_iter().next() else { return };
    let is_arm = value(block, "CPU implementer", ':').is_some();
    let is_x86 = value(block, "vendor_id", ':').is_some() && value(block, "flags", ':').is_some();
    if (arch == "aarch64" && is_x86) || (arch == "x86_64" && is_arm) {
        let seen = if is_arm { "an ARM processor" } else { "an x86 processor" };
        evidence.add(PLACE, seen, "this program was built for another processor and is translated", &[(Translated, 8)]);
    }
    let model = value(block, "model name", ':').unwrap_or_default();
    if model.contains("VirtualApple") {
        evidence.add(
            PLACE,
            "VirtualApple",
            "Rosetta translates in a Linux guest of a Mac",
            &[(Guest(Some("apple virtualization")), 4), (Host(Macos), 8), (Translated, 8)],
        );
    }
    if model.contains("QEMU TCG") {
        evidence.add(
            PLACE,
            "QEMU TCG",
            "QEMU translates every instruction",
            &[(Guest(Some("qemu tcg")), 8), (Translated, 8)],
        );
    } else if model.contains("QEMU Virtual CPU") {
        evidence.add(PLACE, "QEMU Virtual CPU", "a processor that QEMU presents", &[(Guest(Some("qemu")), 3)]);
    }
    if value(block, "flags", ':').is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor")) {
        evidence.add(PLACE, "flag hypervisor", "the processor knows of a hypervisor", &[(Guest(None), 4)]);
    }
    apple(block, evidence);
}

fn apple(block: &str, evidence: &mut Evidence) {
    let (implementer, part) = (value(block, "CPU implementer", ':'), value(block, "CPU part", ':'));
    match (implementer, part) {
        (Some("0x61"), Some("0x000")) => {
            evidence.add(
                PLACE,
                "implementer 0x61, part 0x000",
                "an Apple core as macOS shows it to its guests",
                &[(Guest(None), 4), (Host(Macos), 5)],
            );
        }
        (Some("0x61"), Some(part)) => {
            evidence.add(
                PLACE,
                &format!("implementer 0x61, part {part}"),
                "an Apple core without macOS",
                &[(Host(Linux), 4)],
            );
        }
        (Some("0x00"), Some("0x000")) => {
            evidence.add(
                PLACE,
                "implementer 0x00",
                "older Docker Desktops show Apple cores so",
                &[(Guest(None), 3), (Host(Macos), 3)],
            );
        }
        _ => {}
    }
}
