//! A name for a machine's hardware: the same after a restart or an update, and nobody's.

use crate::machine::{Gpu, Machine};
use puma_core::canon::sha256_hex;
use serde_json::{Value, json};

/// Sixteen hex digits over processor, cores, memory in whole GiB and GPUs with their bandwidth. Speeds learned under one key hold for every
/// machine with the same parts, and for no other.
pub fn machine_key(machine: &Machine) -> String {
    let gibibytes = |bytes: Option<u64>| bytes.map(|bytes| (bytes + (1 << 29)) >> 30);
    let gpu = |gpu: &Gpu| -> Value {
        // One name stands for cards with faster and slower memory.
        let bandwidth_gb_s = gpu.bandwidth_gb_s.as_ref().map(|bandwidth| bandwidth.value.round() as u64);
        json!([gpu.name, gpu.cores, gibibytes(gpu.memory_bytes.as_ref().map(|memory| memory.value)), bandwidth_gb_s])
    };
    let facts = json!([
        machine.arch,
        machine.cpu,
        machine.physical_cores,
        machine.logical_cores,
        machine.cpu_limit_cores.map(|cores| format!("{cores:.2}")),
        gibibytes(machine.memory_bytes),
        machine.apple.as_ref().and_then(|apple| apple.model.clone()),
        machine.gpus.iter().map(gpu).collect::<Vec<_>>(),
    ]);
    sha256_hex(facts.to_string().as_bytes())[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_changes_the_key_and_the_moment_does_not() {
        let machine = Machine {
            arch: "x86_64".to_owned(),
            cpu: Some("a processor".to_owned()),
            memory_bytes: Some(16 << 30),
            memory_available_bytes: Some(9 << 30),
            ..Machine::default()
        };
        let key = machine_key(&machine);
        assert_eq!(key.len(), 16);
        let later = Machine {
            memory_available_bytes: Some(1 << 30),
            memory_bytes: Some((16 << 30) - 300_000),
            os_version: Some("another".to_owned()),
            ..machine.clone()
        };
        assert_eq!(machine_key(&later), key);
        let larger = Machine { memory_bytes: Some(32 << 30), ..machine };
        assert_ne!(machine_key(&larger), key);
    }
}
