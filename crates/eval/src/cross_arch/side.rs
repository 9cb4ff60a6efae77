//! What each run was made on, and what it cost there. Shown side by side and never judged.

use crate::measured;
use crate::metric::TaskKind;
use crate::stats::quantile;
use puma_core::measure::Quality;
use puma_core::{JobRecord, RecordedRun};
use serde::Serialize;
use serde_json::Value;

/// One of the two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    pub run_id: String,
    pub status: String,
    pub started_at: String,
    pub machine: MachineFacts,
    pub engine: EngineFacts,
    pub cost: Cost,
}

/// The machine as the run kept it. `None` is unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MachineFacts {
    pub processor: Option<String>,
    /// `x86_64`, `aarch64`, ….
    pub architecture: Option<String>,
    pub system: Option<String>,
    /// Instruction sets that matter for inference.
    pub processor_features: Vec<String>,
    /// Whether its instructions are translated to another processor's, so that times say nothing.
    pub translated: Option<bool>,
    pub memory_bytes: Option<u64>,
    pub gpus: Vec<String>,
    /// `native_metal`, `native_cpu`, ….
    pub mode: Option<String>,
    pub profile: Option<String>,
}

/// What computed the answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EngineFacts {
    pub kind: String,
    pub version: Option<String>,
    /// The instruction set that the embedded engine used.
    pub simd: Option<String>,
    pub threads: Option<u32>,
    pub numerics: Option<String>,
}

/// Time and energy. Answers from the cache took neither and are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Model time of a job without loading the model, milliseconds.
    pub latency_ms_p50: Option<f64>,
    pub latency_ms_p95: Option<f64>,
    /// Jobs behind the latencies.
    pub latency_n: usize,
    pub energy_j: Option<f64>,
    pub energy_per_job_j: Option<f64>,
    pub energy_quality: Option<Quality>,
    pub co2e_g: Option<f64>,
    /// Whether a disturbance made time and energy meaningless; `None` where nobody watched.
    pub void: Option<bool>,
}

impl Side {
    pub(super) fn of(run: &RecordedRun, kind: TaskKind) -> Self {
        let backend = &run.header.backend;
        Self {
            run_id: run.header.run_id.to_string(),
            status: run.status.as_str().to_owned(),
            started_at: run.header.started_at.rfc3339(),
            machine: machine(&run.header.machine, run.header.profile.as_deref()),
            engine: EngineFacts {
                kind: backend.kind.clone(),
                version: backend.version.clone(),
                simd: backend.simd.clone(),
                threads: backend.threads,
                numerics: backend.numerics.clone(),
            },
            cost: cost(run, kind),
        }
    }
}

fn machine(facts: &Value, profile: Option<&str>) -> MachineFacts {
    let text = |pointer: &str| facts.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let texts = |pointer: &str, key: Option<&str>| -> Vec<String> {
        let items = facts.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| key.map_or(Some(item), |key| item.get(key))?.as_str().map(str::to_owned)).collect()
    };
    let system = text("/os_version").or_else(|| text("/os"));
    MachineFacts {
        processor: text("/cpu"),
        architecture: text("/arch"),
        system,
        processor_features: texts("/cpu_features", None),
        translated: facts.pointer("/surroundings/translated").and_then(Value::as_bool),
        memory_bytes: facts.pointer("/memory_bytes").and_then(Value::as_u64),
        gpus: texts("/gpus", Some("name")),
        mode: text("/mode/kind"),
        profile: profile.map(str::to_owned).or_else(|| text("/profile/id")),
    }
}

fn cost(run: &RecordedRun, kind: TaskKind) -> Cost {
    let fresh = |record: &&JobRecord| record.completions.iter().all(|completion| !completion.from_cache);
    let mut latencies_ms: Vec<f64> = run.records.iter().filter(fresh).filter_map(JobRecord::warm_latency_ms).collect();
    latencies_ms.sort_unstable_by(f64::total_cmp);
    let energy = measured::energy(&run.sessions, &run.records, kind);
    let health = measured::health(&run.sessions, &run.records);
    Cost {
        latency_ms_p50: quantile(&latencies_ms, 0.5),
        latency_ms_p95: quantile(&latencies_ms, 0.95),
        latency_n: latencies_ms.len(),
        energy_j: energy.as_ref().and_then(|energy| energy.total_j),
        energy_per_job_j: energy.as_ref().and_then(|energy| energy.per_job_j),
        energy_quality: energy.as_ref().map(|energy| energy.quality),
        co2e_g: energy.as_ref().and_then(|energy| energy.co2e_g),
        void: health.map(|health| health.void),
    }
}
