//! Watches the machine while a run is worked on.

use crate::context::Context;
use crate::execute::{Gathered, Order, is_embedded};
use crate::failure::Failure;
use crate::measure::is_elsewhere;
use crate::options::BackendKind;
use puma_core::{Clock, JobRecord, ModelIdentity};
use puma_host::pressure::{MonitorOptions, PressureMonitor};
use std::sync::Arc;

/// Begins to sample this machine; `None` where that would say nothing of the run: on a recorded machine, and where the model
/// runs behind another one's address.
///
/// # Errors
/// `--stop-on-paging` was asked for and paging cannot be seen.
pub(crate) fn start(
    order: &Order,
    gathered: &Gathered,
    context: &Context,
    clock: &Arc<dyn Clock>,
) -> Result<Option<PressureMonitor>, Failure> {
    let endpoint = gathered.backend.identity().endpoint;
    let elsewhere = endpoint.filter(|url| is_elsewhere(url));
    let unseen = match elsewhere {
        Some(endpoint) => Some(format!("the model runs behind {endpoint}, whose memory this machine does not see")),
        None if context.host.is_recorded() => Some("a recorded machine does not change".to_owned()),
        None => None,
    };
    match unseen {
        Some(why) if order.machine.stop_on_paging => {
            return Err(Failure::invalid(format!("--stop-on-paging cannot work: {why}"))
                .hint("leave it out, or run PUMA on the machine that holds the model"));
        }
        Some(_) => return Ok(None),
        None => {}
    }
    let options = MonitorOptions {
        servers: order.backend.backend.map(servers).unwrap_or_default(),
        uses_gpu: !is_embedded(order),
        on_paging: order.machine.stop_on_paging.then(|| context.cancel.clone()),
        ..MonitorOptions::default()
    };
    Ok(Some(PressureMonitor::start(Arc::clone(&context.host), &gathered.snapshot.machine, Arc::clone(clock), options)))
}

/// The models are known and, as far as can be, ready.
pub(crate) fn begin_asking(monitor: &PressureMonitor, models: &[ModelIdentity], loaded: bool) {
    let sizes: Vec<u64> = models.iter().filter_map(|model| model.size_bytes).collect();
    let all = sizes.iter().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes));
    // A model of unknown size may be any size.
    let to_load = if sizes.len() < models.len() { u64::MAX } else { all };
    monitor.begin_asking(sizes, if loaded { 0 } else { to_load });
}

/// Counts what the job generated, as far as the model was asked for it.
pub(crate) fn job_finished(monitor: &PressureMonitor, record: &JobRecord) {
    let fresh = record.completions.iter().filter(|completion| !completion.from_cache);
    monitor.generated(fresh.filter_map(|completion| completion.usage.generated_tokens).map(u64::from).sum());
}

/// How the programs of a server are called. What they use is the run's own doing, not a neighbour's.
fn servers(kind: BackendKind) -> Vec<String> {
    let names: &[&str] = match kind {
        BackendKind::Embedded => &[],
        BackendKind::Ollama => &["ollama", "llama-server"],
        BackendKind::LlamaServer => &["llama-server", "llama-swap"],
        BackendKind::Lmstudio => &["lm-studio", "lm studio", "lms", "llmworker", "node"],
        BackendKind::Mlx => &["mlx", "python"],
        BackendKind::Transformers => &["transformers", "python"],
        BackendKind::Vllm => &["vllm", "python"],
        BackendKind::Openai => ALL_SERVERS,
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Every program that is known to hold models.
pub(crate) const ALL_SERVERS: &[&str] =
    &["ollama", "llama-", "lm-studio", "lms", "mlx", "vllm", "python", "tgi", "sglang"];
