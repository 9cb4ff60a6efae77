//! A Mac, from the programs that come with macOS.

use super::Machine;
use crate::source::HostSource;

/// Fills in what `sysctl` and `sw_vers` tell.
pub(super) fn probe(host: &dyn HostSource, machine: &mut Machine) {
    let sysctl = |key: &str| host.sysctl(key).ok();
    machine.os_version = host.ask("/usr/bin/sw_vers", &["-productVersion"]).ok().map(|text| text.trim().to_owned());
    machine.cpu = sysctl("machdep.cpu.brand_string");
    machine.physical_cores = sysctl("hw.physicalcpu").and_then(|text| text.parse().ok());
    machine.memory_bytes = sysctl("hw.memsize").and_then(|text| text.parse().ok());
    let has = |name: &str| sysctl(name).as_deref() == Some("1");
    for (key, feature) in [
        ("hw.optional.arm.FEAT_DotProd", "dotprod"),
        ("hw.optional.arm.FEAT_I8MM", "i8mm"),
        ("hw.optional.arm.FEAT_BF16", "bf16"),
        ("hw.optional.arm.FEAT_SME", "sme"),
        ("hw.optional.avx2_0", "avx2"),
    ] {
        if has(key) {
            machine.cpu_features.push(feature.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Kept, RecordedHost, Recording};

    #[test]
    fn a_mac_answers_through_sysctl() {
        let commands = [
            ("sysctl -n machdep.cpu.brand_string", "Apple M4 Pro\n"),
            ("sysctl -n hw.memsize", "25769803776\n"),
            ("sysctl -n hw.physicalcpu", "12\n"),
            ("sysctl -n hw.optional.arm.FEAT_I8MM", "1\n"),
            ("sysctl -n hw.optional.arm.FEAT_SME", "0\n"),
            ("sw_vers -productVersion", "15.2\n"),
        ];
        let machine = Machine::probe(&RecordedHost::new(Recording {
            format: Recording::FORMAT,
            os: "macos".to_owned(),
            arch: "aarch64".to_owned(),
            available_parallelism: 12,
            commands: commands.iter().map(|(key, text)| ((*key).to_owned(), Kept::Text((*text).to_owned()))).collect(),
            ..Recording::default()
        }));
        assert_eq!(machine.cpu.as_deref(), Some("Apple M4 Pro"));
        assert_eq!(machine.memory_bytes, Some(24 << 30));
        assert_eq!(machine.cpu_features, ["i8mm"]);
    }
}
