//! What hypervisor runs this machine, as the processor itself reports it. The answer is a JSON text of at most twelve
//! characters, such as `KVMKVMKVM`.

use crate::source::{Answer, Unanswered};

/// Asks the processor; only x86 has an instruction for it.
#[cfg(target_arch = "x86_64")]
pub(super) fn name() -> Answer {
    /// Leaf 1 says whether a hypervisor is there, leaf 0x4000_0000 what it calls itself.
    const SIGNATURE: u32 = 0x4000_0000;
    let present = raw_cpuid::CpuId::new().get_feature_info().is_some_and(|info| info.has_hypervisor());
    if !present {
        return Err(Unanswered::Absent);
    }
    let registers = raw_cpuid::cpuid!(SIGNATURE);
    let bytes: Vec<u8> =
        [registers.ebx, registers.ecx, registers.edx].iter().flat_map(|part| part.to_le_bytes()).collect();
    let name = String::from_utf8_lossy(&bytes);
    serde_json::to_string(name.trim_matches('\0')).map_err(|error| Unanswered::Failed(error.to_string()))
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn name() -> Answer {
    Err(Unanswered::Absent)
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn the_processor_and_the_kernel_agree_on_whether_there_is_a_hypervisor() {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").expect("a Linux kernel");
        let flags = cpuinfo.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
        // Emulators show the processor of the machine below in the file.
        if let Ok(name) = name() {
            assert!(serde_json::from_str::<String>(&name).is_ok(), "{name}");
            assert!(flags.contains("hypervisor"), "{name}");
        } else {
            assert!(!flags.contains("hypervisor"));
        }
    }
}
