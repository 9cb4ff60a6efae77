//! What AMD's compute driver says of its GPUs: `/sys/class/kfd`.

use crate::source::HostSource;

const NODES: &str = "/sys/class/kfd/kfd/topology/nodes";

/// `gfx1100` of the GPU at a PCI address.
pub(super) fn compute_target(host: &dyn HostSource, pci_address: &str) -> Option<String> {
    let nodes = host.list(NODES).ok()?;
    nodes.iter().find_map(|node| {
        let text = host.read(&format!("{NODES}/{node}/properties")).ok()?;
        let value = |key: &str| {
            text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse::<u32>().ok())
        };
        let location = value("location_id")?;
        let address = format!(
            "{:04x}:{:02x}:{:02x}.{}",
            value("domain").unwrap_or(0),
            location >> 8 & 0xff,
            location >> 3 & 0x1f,
            location & 7
        );
        (address == pci_address).then(|| value("gfx_target_version").and_then(target))?
    })
}

/// 90010 is major 9, minor 0, stepping 10: `gfx90a`.
fn target(version: u32) -> Option<String> {
    let (major, minor, stepping) = (version / 10_000, version / 100 % 100, version % 100);
    (major > 0 && minor < 16 && stepping < 16).then(|| format!("gfx{major}{minor:x}{stepping:x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_become_the_names_that_compilers_use() {
        for (version, name) in
            [(90_010, "gfx90a"), (90_402, "gfx942"), (100_300, "gfx1030"), (110_000, "gfx1100"), (110_501, "gfx1151")]
        {
            assert_eq!(target(version).as_deref(), Some(name));
        }
        assert_eq!(target(0), None);
        assert_eq!(target(u32::MAX), None);
    }
}
