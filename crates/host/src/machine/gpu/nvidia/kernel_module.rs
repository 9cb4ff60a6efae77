//! What NVIDIA's kernel module lists by itself: names and addresses, nothing a program could use.

use crate::machine::gpu::text;
use crate::source::HostSource;

const FOLDER: &str = "/proc/driver/nvidia";

/// A GPU that the module knows.
pub(super) struct Listed {
    pub pci_address: String,
    /// `NVIDIA GeForce RTX 2060 (0000:01:00.0, driver 550.54.14)`.
    pub described: String,
}

/// The GPUs of the module.
pub(super) fn gpus(host: &dyn HostSource) -> Vec<Listed> {
    let Ok(addresses) = host.list(&format!("{FOLDER}/gpus")) else { return Vec::new() };
    let driver = host.read(&format!("{FOLDER}/version")).ok().and_then(|text| version(&text));
    let driver = driver.map_or_else(String::new, |version| format!(", driver {version}"));
    addresses
        .iter()
        .filter_map(|address| {
            let pci_address = text::pci_address(address)?;
            let text = host.read(&format!("{FOLDER}/gpus/{address}/information")).ok();
            let name = text.as_deref().and_then(model).unwrap_or_else(|| "NVIDIA GPU".to_owned());
            Some(Listed { described: format!("{name} ({pci_address}{driver})"), pci_address })
        })
        .collect()
}

fn model(information: &str) -> Option<String> {
    information.lines().find_map(|line| text::name(line.strip_prefix("Model:")?))
}

/// `550.54.14` of `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 …`.
fn version(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("NVRM version"))?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = |word: &&str| word.len() < 24 && word.contains('.') && word.split('.').all(is_number);
    line.split_whitespace().find(is_version).map(str::to_owned)
}
