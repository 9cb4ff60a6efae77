//! The graphics cards that the kernel's drivers registered, from `/sys/class/drm`.

use super::text;
use crate::source::HostSource;

pub(crate) const AMD: u32 = 0x1002;
pub(super) const INTEL: u32 = 0x8086;
pub(super) const NVIDIA: u32 = 0x10de;

/// One card. Its outputs (`card0-DP-1`) and render nodes are views of it, not others.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    /// `/sys/class/drm/card0`.
    pub path: String,
    pub vendor: u32,
    pub device: u32,
    pub revision: Option<u32>,
    pub pci_address: Option<String>,
    /// `amdgpu`, `xe`, `nouveau`, ….
    pub driver: Option<String>,
}

impl Card {
    /// A file of the device behind the card.
    pub(crate) fn read(&self, host: &dyn HostSource, file: &str) -> Option<String> {
        host.read(&format!("{}/device/{file}", self.path)).ok()
    }

    pub(super) fn memory(&self, host: &dyn HostSource, file: &str) -> Option<u64> {
        self.read(host, file).and_then(|text| text::positive(&text)).and_then(text::memory)
    }
}

/// Every card on a PCI bus, by its number; one entry for each PCI address.
pub(crate) fn cards(host: &dyn HostSource) -> Vec<Card> {
    let Ok(names) = host.list("/sys/class/drm") else { return Vec::new() };
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| name.strip_prefix("card")?.parse().ok()).collect();
    numbers.sort_unstable();
    let mut cards: Vec<Card> = Vec::new();
    for card in numbers.into_iter().filter_map(|number| card(host, &format!("/sys/class/drm/card{number}"))) {
        let known = card.pci_address.is_some() && cards.iter().any(|other| other.pci_address == card.pci_address);
        if !known {
            cards.push(card);
        }
    }
    cards
}

fn card(host: &dyn HostSource, path: &str) -> Option<Card> {
    let file = |name: &str| host.read(&format!("{path}/device/{name}")).ok();
    let uevent = file("uevent").unwrap_or_default();
    let value = |key: &str| uevent.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let id = value("PCI_ID").and_then(|id| id.split_once(':'));
    let number = |name: &str| file(name).and_then(|text| hexadecimal(&text));
    let link = |name: &str| host.link(&format!("{path}/{name}")).ok();
    Some(Card {
        vendor: number("vendor").or_else(|| hexadecimal(id?.0))?,
        device: number("device").or_else(|| hexadecimal(id?.1))?,
        revision: number("revision"),
        pci_address: value("PCI_SLOT_NAME").and_then(text::pci_address).or_else(|| text::pci_address(&link("device")?)),
        driver: value("DRIVER")
            .map(str::to_owned)
            .or_else(|| Some(link("device/driver")?.rsplit('/').next()?.to_owned()))
            .filter(|driver| !driver.is_empty()),
        path: path.to_owned(),
    })
}

fn hexadecimal(text: &str) -> Option<u32> {
    let digits = text.trim().trim_start_matches("0x");
    u32::from_str_radix(digits, 16).ok().filter(|value| *value <= 0xffff)
}

/// Whether programs here may use the cards: in a container they are seen in `/sys` without being given to it.
pub(super) fn has_render_node(host: &dyn HostSource) -> bool {
    host.list("/dev/dri").is_ok_and(|names| names.iter().any(|name| name.starts_with("renderD")))
}
