//! Groups of options that several commands share.

use clap::{Args, ValueEnum};
use puma_core::measure::TrackingMode;
use puma_engine::KvType;

/// Which engine answers, and how it is reached.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Backend")]
pub(crate) struct BackendArgs {
    /// Who answers [default: embedded]. All but `embedded` and `ollama` speak the OpenAI protocol.
    #[arg(long, value_enum)]
    pub backend: Option<BackendKind>,
    /// Address of the server; wins over PUMA_OLLAMA_HOST, OLLAMA_HOST and what `puma up` wrote down.
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Requests in flight at once (servers only) [default: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub concurrency: Option<u32>,
    /// Seconds before a request to a server is given up [default: the catalogue's value for the model, else 120].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,
    /// How long Ollama keeps the model loaded [default: 5m].
    #[arg(long, value_name = "DURATION")]
    pub keep_alive: Option<String>,
    /// Context window in tokens; servers of the OpenAI protocol set their own [default: the model's, at most 8192].
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(64..=1_048_576))]
    pub context: Option<u32>,
    /// How Ollama is asked [default: chat].
    #[arg(long, value_enum)]
    pub api: Option<OllamaApi>,
    /// Let models think that can (servers only).
    #[arg(long)]
    pub think: bool,
    /// Let the server reuse what it computed for an earlier prompt: faster, but answers may depend on order.
    #[arg(long)]
    pub reuse_prompts: bool,
    #[command(flatten)]
    pub engine: EngineOptions,
}

/// What the run takes the machine for.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    /// Take this profile instead of the one that fits, also where the spec requires another [default: auto].
    #[arg(long, value_name = "ID")]
    pub profile: Option<String>,
    /// Measure no energy.
    #[arg(long, conflicts_with_all = ["tracking", "idle_seconds"])]
    pub no_emissions: bool,
    /// Which joules count [default: the best this machine has].
    #[arg(long, value_enum, value_name = "MODE")]
    pub tracking: Option<Tracking>,
    /// Seconds to measure before the run what the machine draws without it; 0 for not at all [default: 3 where the spec
    /// says `codecarbon: true`, else 0].
    #[arg(long, value_name = "SECONDS", value_parser = idle_seconds, allow_negative_numbers = true)]
    pub idle_seconds: Option<f64>,
    /// Country of the grid, by its ISO 3166-1 code [default: PUMA_COUNTRY, the spec's, the time zone's, the world].
    #[arg(long, value_name = "CODE")]
    pub country: Option<String>,
    /// Carbon intensity of the grid, in grams of CO₂ equivalent per kilowatt-hour, instead of a country's.
    #[arg(long, value_name = "G_PER_KWH", conflicts_with = "country", allow_negative_numbers = true)]
    pub intensity: Option<f64>,
    /// Stop the run when parts of the model are read from the disk again and again: its speed and energy would be void.
    #[arg(long)]
    pub stop_on_paging: bool,
}

/// Which joules count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tracking {
    /// Counters of the whole machine.
    Machine,
    /// This program's share of them, by processor time; embedded engine only.
    Process,
    /// Utilisation against a power curve, also where counters can be read.
    Estimated,
    /// None.
    Off,
}

impl From<Tracking> for TrackingMode {
    fn from(tracking: Tracking) -> Self {
        match tracking {
            Tracking::Machine => Self::Machine,
            Tracking::Process => Self::Process,
            Tracking::Estimated => Self::Estimated,
            Tracking::Off => Self::Off,
        }
    }
}

fn idle_seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "give seconds".to_owned())?;
    if (0.0..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("give 0 to 3600 seconds".to_owned()) }
}

/// Ollama's two ways to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OllamaApi {
    /// `/api/chat`: messages with roles.
    Chat,
    /// `/api/generate`: one prompt, as upstream PUMA asks.
    Generate,
}

/// Options of the embedded engine. Only the type of keys and values changes bits, and it has a numerics contract of its
/// own.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Embedded engine")]
pub(crate) struct EngineOptions {
    /// Threads [default: one for each fast core this process may use].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
    /// Instruction set [default: the best this processor has].
    #[arg(long, value_name = "NAME")]
    pub simd: Option<String>,
    /// Sequences computed together [default: 32].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub batch: Option<u32>,
    /// What keys and values are kept as: f32, or f16, which is another numerics contract [default: f32].
    #[arg(long, value_name = "TYPE", value_parser = kv_type)]
    pub kv_type: Option<KvType>,
    /// Memory for keys and values, of running sequences and of beginnings kept for later ones, in MB [default: 512].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_kv_mb: Option<u32>,
}

/// The type of keys and values of that name.
pub(crate) fn kv_type(name: &str) -> Result<KvType, String> {
    let names = || KvType::ALL.map(KvType::name).join(", ");
    KvType::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| format!("types are {}", names()))
}

/// The engines and servers PUMA can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackendKind {
    /// PUMA's own engine: nothing to install, the same bits on every machine.
    Embedded,
    /// A native Ollama server.
    Ollama,
    /// Any server with `/v1/chat/completions`.
    Openai,
    /// llama.cpp's server.
    LlamaServer,
    /// LM Studio.
    Lmstudio,
    /// mlx_lm.server on Apple Silicon.
    Mlx,
    /// `transformers serve`.
    Transformers,
    /// vLLM.
    Vllm,
}
