//! From a verdict to the question how fast: where each byte that a token reads lies.

use super::budget::Budget;
use super::load::{AmdDriver, EngineRules, Family, Load};
use super::shape::ModelShape;
use super::verdict::{Fit, Verdict};
use crate::machine::{Apple, Gpu, GpuVendor, Machine};
use crate::speed::{Engine, Offload, Paging, Processor, SpeedInput, apple_generation};
use puma_core::measure::Reading;

/// What a speed is asked for, beside the model and the machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Question<'a> {
    pub load: &'a Load,
    pub rules: &'a EngineRules,
    pub budget: &'a Budget,
    pub fit: &'a Fit,
    /// Tokens of the prompt; the answer is written behind them.
    pub prompt_tokens: u32,
    /// Read bandwidth of main memory in 1e9 bytes per second, where it was measured.
    pub memory_bandwidth: Option<Reading<f64>>,
}

/// What a prediction is made from. Layers in main memory are read by processor cores; weights that have no room are
/// read from the disk.
pub fn speed_input(shape: &ModelShape, machine: &Machine, question: &Question<'_>) -> SpeedInput {
    let Question { load, rules, budget, fit, prompt_tokens, memory_bandwidth } = question;
    let gpu = deciding_gpu(machine, budget);
    let (engine, processor) = who(machine, rules, budget, gpu);
    let at = Load { context: *prompt_tokens, sequences: 1, ..**load };
    // A cache is read as far as it is written; rounding up would read what is not there.
    let exact = EngineRules { context_step: 1, ..**rules };
    let kv_bytes_at_position = shape.kv_bytes(&at, &exact);
    let per_token = shape.active_bytes.saturating_add(kv_bytes_at_position);
    let bandwidth = match (gpu, machine.apple.as_ref()) {
        (Some(gpu), _) => gpu.bandwidth_gb_s.clone(),
        (None, Some(_)) => memory_bandwidth.clone().or_else(|| apple_bandwidth(machine)),
        (None, None) => memory_bandwidth.clone(),
    };
    SpeedInput {
        engine,
        processor,
        bandwidth_gb_s: bandwidth,
        weights_active_bytes: shape.active_bytes,
        kv_bytes_at_position,
        layers: u32::try_from(shape.layers.len()).unwrap_or(u32::MAX),
        mixture_of_experts: shape.experts.is_some(),
        parameters_active: shape.active_parameters,
        attention_width: shape.query_width.and_then(|width| u32::try_from(width).ok()),
        prompt_tokens: *prompt_tokens,
        float_weights: shape.float_weights,
        offload: offload(shape, per_token, fit, memory_bandwidth.clone()),
        paging: paging(per_token, fit, budget),
    }
}

/// The share of a token's bytes that lies in main memory, by layers.
fn offload(shape: &ModelShape, per_token: u64, fit: &Fit, bandwidth: Option<Reading<f64>>) -> Option<Offload> {
    let layers = shape.layers.len() as u64;
    let on_gpu = u64::from(fit.gpu_layers?);
    let split = matches!(fit.verdict, Verdict::PartialOffload | Verdict::WillPage | Verdict::WillNotFit);
    (split && on_gpu < layers)
        .then(|| Offload { cpu_bytes: share(per_token, layers - on_gpu, layers), bandwidth_gb_s: bandwidth })
}

/// The share of a token's bytes that has no room in memory at all.
fn paging(per_token: u64, fit: &Fit, budget: &Budget) -> Option<Paging> {
    if fit.verdict != Verdict::WillPage {
        return None;
    }
    let (need, room) = match budget {
        Budget::Metal { working_set, .. } => (fit.needs.total_bytes(), working_set.limit_bytes()),
        Budget::Cpu { host } => (fit.needs.total_bytes(), host.limit_bytes()),
        Budget::Discrete { host, .. } | Budget::Integrated { host, .. } => (fit.host_bytes, host.limit_bytes()),
    };
    let missing = need.saturating_sub(room);
    Some(Paging { missing_bytes: share(per_token, missing, need.max(1)), disk_gb_s: None })
}

fn share(bytes: u64, part: u64, whole: u64) -> u64 {
    let exact = u128::from(bytes) * u128::from(part.min(whole)) / u128::from(whole.max(1));
    u64::try_from(exact).expect("a share is not larger than the whole")
}

/// The GPU that computes: the first of the budget's devices.
fn deciding_gpu<'a>(machine: &'a Machine, budget: &Budget) -> Option<&'a Gpu> {
    match budget {
        Budget::Cpu { .. } => None,
        Budget::Metal { .. } => machine.gpus.iter().find(|gpu| gpu.vendor == GpuVendor::Apple),
        Budget::Discrete { devices, .. } => {
            let first = devices.first()?;
            machine.gpus.iter().find(|gpu| gpu.name == first.name)
        }
        Budget::Integrated { pool, .. } => machine.gpus.iter().find(|gpu| gpu.name == pool.name),
    }
}

fn who(machine: &Machine, rules: &EngineRules, budget: &Budget, gpu: Option<&Gpu>) -> (Engine, Processor) {
    if rules.family == Family::Embedded {
        return (Engine::Embedded, Processor::Cpu);
    }
    match (budget, gpu, machine.apple.as_ref()) {
        (Budget::Metal { .. }, gpu, Some(apple)) => {
            let cores = gpu.and_then(|gpu| gpu.cores).or(apple.gpu_cores);
            let generation = generation(apple);
            (Engine::Metal2026, Processor::AppleGpu { generation, gpu_cores: cores })
        }
        (Budget::Cpu { .. }, ..) | (_, None, _) => (Engine::LlamaCpu, Processor::Cpu),
        (_, Some(gpu), _) => {
            let engine = match (gpu.vendor, rules.amd) {
                (GpuVendor::Nvidia, _) => Engine::Cuda,
                (GpuVendor::Amd, AmdDriver::Rocm) => Engine::Rocm,
                _ => Engine::Vulkan,
            };
            (engine, Processor::Gpu { name: gpu.name.clone(), fp16_tflops: None })
        }
    }
}

fn generation(apple: &Apple) -> u32 {
    apple_generation(&apple.brand).or(apple.generation).unwrap_or(1)
}

/// Apple's cores and GPU share one memory; its bandwidth is listed with the GPU.
fn apple_bandwidth(machine: &Machine) -> Option<Reading<f64>> {
    machine.gpus.iter().find(|gpu| gpu.vendor == GpuVendor::Apple)?.bandwidth_gb_s.clone()
}
