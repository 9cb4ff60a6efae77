//! What NVML answers, as JSON: an array of [`NvmlDevice`] or of [`NvmlCounters`].
//!
//! A value that the board does not have is `null` or missing. The UUID and serial number are left out: they identify
//! the card's owner and nobody here needs them.

use serde::{Deserialize, Serialize};

/// Everything about one GPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct NvmlDevice {
    #[serde(flatten)]
    pub counters: NvmlCounters,
    pub name: Option<String>,
    pub driver_version: Option<String>,
    pub vbios_version: Option<String>,
    /// `8.9`.
    pub compute_capability: Option<String>,
    pub cores: Option<u32>,
    pub memory_bus_width_bits: Option<u32>,
    pub max_memory_clock_mhz: Option<u32>,
    /// What the board keeps to now; the user's limit or a lower one of the vendor's.
    pub enforced_power_limit_mw: Option<u32>,
    pub pcie_generation: Option<u32>,
    pub pcie_width: Option<u32>,
    /// `ATS` where the GPU's memory is the machine's.
    pub addressing_mode: Option<String>,
    /// Whether the board is divided.
    pub mig_mode: Option<bool>,
    /// Its parts, where it is.
    pub mig_devices: Vec<MigDevice>,
}

/// A part of a divided board.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MigDevice {
    /// `NVIDIA A100-SXM4-80GB MIG 3g.40gb`.
    pub name: Option<String>,
    pub memory_total_bytes: Option<u64>,
    pub memory_free_bytes: Option<u64>,
}

/// What changes while a GPU works.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct NvmlCounters {
    pub index: u32,
    /// `00000000:01:00.0`.
    pub pci_bus_id: Option<String>,
    pub memory_total_bytes: Option<u64>,
    pub memory_free_bytes: Option<u64>,
    pub memory_used_bytes: Option<u64>,
    pub power_draw_mw: Option<u32>,
    /// Since the driver was loaded.
    pub energy_mj: Option<u64>,
    pub utilization_percent: Option<u32>,
    pub temperature_c: Option<u32>,
    pub graphics_clock_mhz: Option<u32>,
    pub memory_clock_mhz: Option<u32>,
    /// Why the clocks are lower than they could be, in NVML's words: `sw_power_cap`, `hw_thermal_slowdown`, ….
    pub throttle_reasons: Option<Vec<String>>,
}
