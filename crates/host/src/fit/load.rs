//! What one use of a model takes: weights, the caches of its contexts, and the buffers of its engine.

use super::shape::{LayerShape, ModelShape};
use serde::{Deserialize, Serialize};

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KvType {
    F32,
    F16,
    Q8_0,
    Q4_0,
}

impl KvType {
    pub const ALL: [Self; 4] = [Self::F32, Self::F16, Self::Q8_0, Self::Q4_0];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
        }
    }

    /// Bytes of a row of `elements` numbers; quantised rows are whole blocks of 32.
    pub fn row_bytes(self, elements: u64) -> u64 {
        let (block, bytes) = match self {
            Self::F32 => (1, 4),
            Self::F16 => (1, 2),
            Self::Q8_0 => (32, 34),
            Self::Q4_0 => (32, 18),
        };
        elements.div_ceil(block).saturating_mul(bytes)
    }
}

/// What is asked of a model: the length and number of its contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Tokens of one sequence, prompt and answer together.
    pub context: u32,
    pub kv_type: KvType,
    /// Sequences computed at once, each with a context of its own.
    pub sequences: u32,
}

/// How an engine uses memory beside the weights. The constants are measured or read; see each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineRules {
    /// The engine's name, for people.
    pub name: &'static str,
    pub family: Family,
    /// Where the rules come from.
    pub source: &'static str,
    /// Whether it computes on a GPU where there is one.
    pub uses_gpu: bool,
    /// What it keeps keys and values as unless told otherwise.
    pub default_kv_type: KvType,
    /// Contexts are rounded up to a multiple of this many tokens.
    pub context_step: u32,
    /// Prompt tokens computed at once.
    pub chunk_tokens: u32,
    /// Whether layers with a sliding window keep only their window.
    pub keeps_windows: bool,
    /// Whether attention scores of a whole chunk are kept at once (no flash attention).
    pub scores_at_once: bool,
    /// Tokens whose logits are kept at once, for each sequence computed.
    pub logit_rows: LogitRows,
    /// The engine runs fewer sequences rather than let their caches pass this; one always runs.
    pub cache_limit_bytes: Option<u64>,
    /// Memory for prompts kept from request to request.
    pub prefix_bytes: u64,
    /// The program itself.
    pub program_bytes: u64,
    /// By what it reaches AMD's GPUs.
    pub amd: AmdDriver,
    /// Whether it can leave layers in main memory when the GPU is too small.
    pub can_split: bool,
}

/// What kind of program an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// PUMA's own engine.
    Embedded,
    LlamaCpp,
    Mlx,
    Torch,
}

/// How an engine reaches AMD's GPUs. It decides what an integrated one may use: Vulkan reports the carve-out and the
/// shared part of main memory together, ROCm the larger of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmdDriver {
    Vulkan,
    Rocm,
}

/// How many rows of logits an engine keeps at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogitRows {
    /// One a sequence.
    Sequences,
    /// One for every token of a chunk.
    Chunk,
}

impl EngineRules {
    /// PUMA's own engine with its default options: weights are mapped from the file, caches are f32 in blocks of 32
    /// positions, and all of them together end at 512 MB, of which kept prefixes are counted with 64 MiB.
    pub const EMBEDDED: Self = Self {
        name: "embedded",
        family: Family::Embedded,
        source: "the engine's own options and sizes",
        uses_gpu: false,
        default_kv_type: KvType::F32,
        context_step: 32,
        chunk_tokens: 256,
        keeps_windows: false,
        scores_at_once: false,
        logit_rows: LogitRows::Sequences,
        cache_limit_bytes: Some(512_000_000 - (64 << 20)),
        prefix_bytes: 64 << 20,
        program_bytes: 32 << 20,
        amd: AmdDriver::Rocm,
        can_split: false,
    };

    /// llama.cpp's server: flash attention, micro-batches of 512 tokens.
    pub const LLAMA_SERVER: Self = Self {
        name: "llama-server",
        family: Family::LlamaCpp,
        source: "buffer sizes that llama-server reports",
        uses_gpu: true,
        default_kv_type: KvType::F16,
        context_step: 256,
        chunk_tokens: 512,
        keeps_windows: true,
        scores_at_once: false,
        logit_rows: LogitRows::Sequences,
        cache_limit_bytes: None,
        prefix_bytes: 0,
        program_bytes: 150 << 20,
        amd: AmdDriver::Vulkan,
        can_split: true,
    };

    /// Ollama, whose runner keeps the logits of a whole micro-batch.
    pub const OLLAMA: Self = Self {
        name: "ollama",
        family: Family::LlamaCpp,
        source: "buffer sizes that Ollama's runner reports",
        logit_rows: LogitRows::Chunk,
        amd: AmdDriver::Rocm,
        ..Self::LLAMA_SERVER
    };

    /// MLX: no padding to speak of, the working set of Metal is the limit.
    pub const MLX: Self = Self {
        name: "mlx",
        family: Family::Mlx,
        source: "llama.cpp's sizes, taken over for lack of MLX's own",
        can_split: false,
        ..Self::LLAMA_SERVER
    };

    /// PyTorch servers (vLLM, Transformers): all or nothing on the GPU, logits of a whole chunk.
    pub const TORCH: Self = Self {
        name: "torch",
        family: Family::Torch,
        source: "llama.cpp's sizes, taken over for lack of PyTorch's own",
        logit_rows: LogitRows::Chunk,
        program_bytes: 2 << 30,
        amd: AmdDriver::Rocm,
        can_split: false,
        ..Self::LLAMA_SERVER
    };

    fn padded(&self, context: u32) -> u64 {
        u64::from(context).next_multiple_of(u64::from(self.context_step.max(1)))
    }
}

/// Memory of one use, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    pub weights_bytes: u64,
    /// Keys, values and states of all sequences.
    pub kv_bytes: u64,
    /// Activations, attention scratch, logits.
    pub compute_bytes: u64,
    /// The program and what it keeps of earlier prompts.
    pub program_bytes: u64,
}

impl Needs {
    pub fn total_bytes(&self) -> u64 {
        let Self { weights_bytes, kv_bytes, compute_bytes, program_bytes } = *self;
        weights_bytes.saturating_add(kv_bytes).saturating_add(compute_bytes).saturating_add(program_bytes)
    }
}

impl ModelShape {
    /// What `load` takes with an engine of these rules.
    pub fn needs(&self, load: &Load, rules: &EngineRules) -> Needs {
        let one = Load { sequences: 1, ..*load };
        let limit = rules.cache_limit_bytes.map(|limit| limit.max(self.kv_bytes(&one, rules)));
        let kv_bytes = self.kv_bytes(load, rules).min(limit.unwrap_or(u64::MAX));
        Needs {
            weights_bytes: self.weights_bytes,
            kv_bytes,
            compute_bytes: self.compute_bytes(load, rules),
            program_bytes: rules.program_bytes.saturating_add(rules.prefix_bytes),
        }
    }

    /// Keys, values and states of all layers and sequences.
    pub fn kv_bytes(&self, load: &Load, rules: &EngineRules) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.kv_bytes(load, rules)))
    }

    /// Buffers of one step over a chunk of the prompt.
    ///
    /// Estimated as llama.cpp lays them out: residual stream, projections and feed-forward of a chunk, the attention
    /// mask in f16 and, without flash attention, the scores of all heads with the mask in f32. Measured with
    /// llama-server on SmolLM2-135M at 1,024 to 32,768 tokens: exact to 0.1 MiB.
    pub fn compute_bytes(&self, load: &Load, rules: &EngineRules) -> u64 {
        let chunk = u64::from(rules.chunk_tokens.min(load.context.max(1)));
        let context = rules.padded(load.context);
        let width = self.embedding_length.unwrap_or(0);
        let inner = self.feed_forward_length.unwrap_or(0);
        let used = self.experts.map_or(1, |experts| u64::from(experts.used));
        let kv_width = self.layers.iter().map(|layer| layer.key_width + layer.value_width).max().unwrap_or(0);
        let numbers = [5 * width, 2 * inner * used, self.query_width.unwrap_or(width), kv_width];
        let activations = numbers.iter().fold(0u64, |sum, count| sum.saturating_add(*count)).saturating_mul(4 * chunk);
        let attention = if rules.scores_at_once {
            let heads = self.head_count.unwrap_or(1);
            context.saturating_mul(chunk).saturating_mul(4 * (heads + 1)).saturating_add(4 * 4 * chunk * width)
        } else {
            activations.saturating_add(context.saturating_mul(chunk).saturating_mul(2))
        };
        let rows = match rules.logit_rows {
            LogitRows::Sequences => u64::from(load.sequences),
            LogitRows::Chunk => chunk,
        };
        let logits = rows.saturating_mul(self.vocabulary.unwrap_or(0)).saturating_mul(4);
        attention.max(logits.saturating_add(4 * chunk * width)).max(activations)
    }
}

impl LayerShape {
    /// Keys, values and state of all sequences in this layer.
    pub fn kv_bytes(&self, load: &Load, rules: &EngineRules) -> u64 {
        let full = rules.padded(load.context);
        let positions = match self.window.filter(|_| rules.keeps_windows) {
            // A chunk is written before the window moves on; llama.cpp pads the sum to 256.
            Some(window) => full.min((u64::from(window) + u64::from(rules.chunk_tokens)).next_multiple_of(256)),
            None => full,
        };
        let row = load.kv_type.row_bytes(self.key_width).saturating_add(load.kv_type.row_bytes(self.value_width));
        let state = self.state_elements.saturating_mul(4);
        positions.saturating_mul(row).saturating_add(state).saturating_mul(u64::from(load.sequences))
    }
}
