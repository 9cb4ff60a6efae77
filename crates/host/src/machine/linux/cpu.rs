//! What the processor is called and can do.

use super::arm;
use super::fields::{processors, value};
use crate::source::HostSource;

/// Features worth knowing when two machines are compared, in this order.
const FEATURES: [&str; 18] = [
    "sse4_1",
    "avx",
    "avx2",
    "fma",
    "f16c",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx512_bf16",
    "avx_vnni",
    "amx_int8",
    "asimd",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
    "sve2",
    "sme",
];

/// The features of the first processor that the engine can use or could profit from.
pub(super) fn features(cpuinfo: &str) -> Vec<String> {
    let flags = value(cpuinfo, "flags", ':').or_else(|| value(cpuinfo, "Features", ':')).unwrap_or_default();
    let present: Vec<&str> = flags.split_whitespace().collect();
    FEATURES.iter().filter(|feature| present.contains(feature)).map(|feature| (*feature).to_owned()).collect()
}

/// The processor's name. ARM names its cores by number only; the board, where it has a name, is added.
pub(super) fn name(host: &dyn HostSource, cpuinfo: &str) -> Option<String> {
    let cores = arm_cores(cpuinfo);
    if cores.is_empty() {
        let name = value(cpuinfo, "model name", ':').or_else(|| value(cpuinfo, "Hardware", ':'));
        // gVisor writes the word.
        return name.filter(|name| *name != "unknown").map(str::to_owned);
    }
    let named = match cores.as_slice() {
        // A guest sees no part number; the features still tell the first generation from the later ones.
        [(arm::APPLE, 0)] => Some(if features(cpuinfo).iter().any(|feature| feature == "i8mm") {
            "Apple core, virtualised (M2 or later)".to_owned()
        } else {
            "Apple core, virtualised (M1)".to_owned()
        }),
        cores => joined(cores),
    };
    match (named, board(host, cpuinfo)) {
        (Some(named), Some(board)) => Some(format!("{named} ({board})")),
        (named, board) => named.or(board),
    }
}

/// `ARM Cortex-X4 + Cortex-A720`; `None` when no core has a name.
fn joined(cores: &[(u32, u32)]) -> Option<String> {
    let maker = arm::maker(cores.first()?.0);
    let names: Vec<&str> = cores.iter().filter_map(|(implementer, part)| arm::core(*implementer, *part)).collect();
    match (maker, names.is_empty()) {
        (Some(maker), false) => Some(format!("{maker} {}", names.join(" + "))),
        (Some(maker), true) => Some(format!("{maker} core {:#05x}", cores.first()?.1)),
        (None, _) => None,
    }
}

/// Kinds of cores as (implementer, part), the last processor's first: the fast ones are listed last.
fn arm_cores(cpuinfo: &str) -> Vec<(u32, u32)> {
    let mut cores = Vec::new();
    for (_, block) in processors(cpuinfo).into_iter().rev() {
        if let Some(core) = arm_core(block).filter(|core| !cores.contains(core)) {
            cores.push(core);
        }
    }
    cores
}

/// The (implementer, part) of one block.
pub(super) fn arm_core(block: &str) -> Option<(u32, u32)> {
    let number = |key| u32::from_str_radix(value(block, key, ':')?.strip_prefix("0x")?, 16).ok();
    Some((number("CPU implementer")?, number("CPU part")?))
}

/// What the board is called: by its device tree, or by the last lines of `/proc/cpuinfo` (Raspberry Pi).
fn board(host: &dyn HostSource, cpuinfo: &str) -> Option<String> {
    let tree = host.read("/proc/device-tree/model").ok();
    let name = tree.as_deref().map(|text| text.trim_matches(['\0', '\n', ' ']));
    let name = name.or_else(|| value(cpuinfo, "Model", ':')).or_else(|| value(cpuinfo, "Hardware", ':'))?;
    // Emulated boards are called so.
    (!name.is_empty() && name != "linux,dummy-virt").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Kept, RecordedHost, Recording};

    fn named(cpuinfo: &str, tree: Option<&str>) -> Option<String> {
        let mut recording = Recording { format: Recording::FORMAT, ..Recording::default() };
        if let Some(tree) = tree {
            recording.files.insert("/proc/device-tree/model".to_owned(), Kept::Text(tree.to_owned()));
        }
        name(&RecordedHost::new(recording), cpuinfo)
    }

    fn arm(parts: &[(&str, &str)], features: &str) -> String {
        let block = |(at, (implementer, part)): (usize, &(&str, &str))| {
            format!(
                "processor\t: {at}\nFeatures\t: {features}\nCPU implementer\t: {implementer}\nCPU part\t: {part}\n\n"
            )
        };
        parts.iter().enumerate().map(block).collect()
    }

    #[test]
    fn arm_cores_are_named_by_their_numbers() {
        let one = |implementer, part| named(&arm(&[(implementer, part)], "fp asimd"), None);
        assert_eq!(one("0x41", "0xd40").as_deref(), Some("ARM Neoverse-V1"));
        assert_eq!(one("0x41", "0xfff").as_deref(), Some("ARM core 0xfff"));
        assert_eq!(one("0x99", "0x001"), None);
        assert_eq!(one("0x00", "0x000"), None);
        let two = arm(&[("0x41", "0xd80"), ("0x41", "0xd82")], "fp asimd");
        assert_eq!(named(&two, None).as_deref(), Some("ARM Cortex-X4 + Cortex-A520"));
    }

    #[test]
    fn a_virtual_apple_core_shows_its_generation_by_its_features() {
        let apple = |features| named(&arm(&[("0x61", "0x000")], features), None);
        assert_eq!(apple("fp asimd asimddp").as_deref(), Some("Apple core, virtualised (M1)"));
        assert_eq!(apple("fp asimd i8mm bf16").as_deref(), Some("Apple core, virtualised (M2 or later)"));
    }

    #[test]
    fn the_board_is_added_where_it_has_a_name() {
        let pi = arm(&[("0x41", "0xd0b")], "fp asimd");
        assert_eq!(
            named(&pi, Some("Raspberry Pi 5 Model B\0")).as_deref(),
            Some("ARM Cortex-A76 (Raspberry Pi 5 Model B)")
        );
        assert_eq!(named(&pi, Some("linux,dummy-virt\0")).as_deref(), Some("ARM Cortex-A76"));
        assert_eq!(named("processor\t: 0\nHardware\t: BCM2835\n", None).as_deref(), Some("BCM2835"));
    }
}
