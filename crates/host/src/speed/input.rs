//! What a prediction is made from: plain numbers, each with its unit.

use puma_core::measure::Reading;
use serde::{Deserialize, Serialize};

/// What computes, as far as its constants differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// llama.cpp or Ollama on Apple's GPU, builds up to 2025.
    #[serde(rename = "metal_2025")]
    Metal2025,
    /// The same, builds of 2026 and later.
    #[serde(rename = "metal_2026")]
    Metal2026,
    Cuda,
    Vulkan,
    Rocm,
    /// llama.cpp or Ollama on processor cores.
    LlamaCpu,
    /// PUMA's own engine.
    Embedded,
}

impl Engine {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metal2025 => "metal_2025",
            Self::Metal2026 => "metal_2026",
            Self::Cuda => "cuda",
            Self::Vulkan => "vulkan",
            Self::Rocm => "rocm",
            Self::LlamaCpu => "llama_cpu",
            Self::Embedded => "embedded",
        }
    }

    /// Whether the weights are read by processor cores.
    pub fn is_cpu(self) -> bool {
        matches!(self, Self::LlamaCpu | Self::Embedded)
    }
}

/// What does the arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Processor {
    /// An Apple GPU. `generation` is the M number (see [`apple_generation`](super::apple_generation)), from 1 on.
    AppleGpu {
        generation: u32,
        gpu_cores: Option<u32>,
    },
    /// A graphics card. `name` as the driver says it; `fp16_tflops` as the vendor does, if known.
    Gpu {
        name: String,
        fp16_tflops: Option<f64>,
    },
    Cpu,
}

/// A share of the weights that is read by processor cores because the graphics memory is too small.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offload {
    /// Of the bytes of one token, weights and cache, those that lie in main memory.
    pub cpu_bytes: u64,
    /// Main memory's read bandwidth in 1e9 bytes per second.
    pub bandwidth_gb_s: Option<Reading<f64>>,
}

/// A share of the weights that does not stay in memory and is read from disk for every token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paging {
    /// Of the bytes of one token, those that are not resident.
    pub missing_bytes: u64,
    /// The disk's read bandwidth in 1e9 bytes per second.
    pub disk_gb_s: Option<Reading<f64>>,
}

/// A model, a context and a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpeedInput {
    pub engine: Engine,
    pub processor: Processor,
    /// Read bandwidth of the memory that holds the weights, in 1e9 bytes per second.
    pub bandwidth_gb_s: Option<Reading<f64>>,
    /// Weights one token reads. Dense: the file without the token embedding table, unless the output layer shares it.
    /// Mixture of experts: the shared tensors and the chosen experts only.
    pub weights_active_bytes: u64,
    /// Cache (keys, values, state) read by one token at the position asked about.
    pub kv_bytes_at_position: u64,
    pub layers: u32,
    /// Whether experts are routed, which costs time in every layer.
    pub mixture_of_experts: bool,
    /// Parameters one token multiplies with, counted like `weights_active_bytes`.
    pub parameters_active: Option<u64>,
    /// Heads times head size, for the cost of attention in long prompts.
    pub attention_width: Option<u32>,
    /// Length of the prompt whose prefill is asked about.
    pub prompt_tokens: u32,
    /// Whether the weights are 16 or 32 bit floats, which prefill faster than blocks that have to be unpacked.
    pub float_weights: bool,
    pub offload: Option<Offload>,
    pub paging: Option<Paging>,
}
