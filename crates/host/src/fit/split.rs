//! Which layers lie on the GPU and which in main memory.

use super::load::{EngineRules, Load};
use super::shape::ModelShape;

/// What lies on each side when `layers` of the model are offloaded.
pub(super) struct Split {
    pub(super) layers: u32,
    pub(super) gpu_bytes: u64,
    pub(super) host_bytes: u64,
}

/// Fills the devices one after the other with the model's last layers, as llama.cpp does: a device takes whole layers,
/// each with its part of the caches, and a compute buffer of its own; the output goes with the last layer.
pub(super) fn split(shape: &ModelShape, load: &Load, rules: &EngineRules, room: &[u64]) -> Split {
    let compute = shape.compute_bytes(load, rules);
    let (mut layers, mut gpu) = (0u32, 0u64);
    let mut remaining = shape.layers.iter().rev().peekable();
    for &room in room {
        // A share of the compute buffer and, on the first device, the output matrix.
        let fixed = compute + if layers == 0 { shape.output_bytes } else { 0 };
        let Some(mut left) = room.checked_sub(fixed) else { continue };
        let before = layers;
        while let Some(layer) = remaining.peek() {
            let bytes = layer.weights_bytes.saturating_add(layer.kv_bytes(load, rules));
            let Some(after) = left.checked_sub(bytes) else { break };
            left = after;
            layers += 1;
            remaining.next();
        }
        if layers > before {
            gpu += room - left;
        }
    }
    let host_layers: u64 = remaining.map(|layer| layer.weights_bytes.saturating_add(layer.kv_bytes(load, rules))).sum();
    let output = if layers == 0 { shape.output_bytes } else { 0 };
    let tables = if layers == 0 { shape.lookup_bytes } else { shape.resident_bytes() };
    let scratch = if layers == 0 || host_layers > 0 { compute } else { 0 };
    let host_bytes = host_layers.saturating_add(output + tables).saturating_add(scratch);
    Split { layers, gpu_bytes: gpu, host_bytes }
}
