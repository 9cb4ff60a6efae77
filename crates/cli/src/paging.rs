//! Whether the models of a run fit into memory, said before the first of them is loaded.

use crate::context::Context;
use crate::execute::{Order, is_embedded};
use crate::failure::Failure;
use crate::fit::models::file_of;
use crate::wire;
use puma_backends::embedded::CONTEXT_CAP;
use puma_engine::memory_plan;
use puma_host::Machine;
use puma_host::fit::Verdict;

/// Key of a run's machine facts that names the models which were larger than its free memory.
pub(crate) const FACT: &str = "will_page";

/// Names of the embedded engine's models that are larger than the free memory of `machine`, with their sizes in bytes.
///
/// # Errors
/// The engine's options contradict each other, or the catalogue cannot be read.
pub(crate) fn models(order: &Order, machine: &Machine, context: &Context) -> Result<Vec<(String, u64)>, Failure> {
    if !is_embedded(order) || machine.recorded {
        return Ok(Vec::new());
    }
    let window = order.backend.context.map_or(CONTEXT_CAP, |tokens| tokens as usize);
    let options = wire::engine_options_on(machine, &order.backend.engine, window)?;
    let library = wire::library(context.home.as_deref())?;
    let sized = order.spec.models.iter().filter_map(|model| {
        let bytes = std::fs::metadata(file_of(&library, model)?).ok()?.len();
        let plan = memory_plan(bytes, options.kv_bytes as u64, options.available_bytes);
        plan.will_page.then(|| (model.clone(), bytes))
    });
    Ok(sized.collect())
}

/// A sentence for each of [`models`].
///
/// # Errors
/// As [`models`].
pub(crate) fn warnings(order: &Order, machine: &Machine, context: &Context) -> Result<Vec<String>, Failure> {
    let gib = |bytes: u64| format!("{:.2} GiB", bytes as f64 / (1u64 << 30) as f64);
    let free = machine.free_memory_bytes().map_or_else(|| "an unknown amount".to_owned(), gib);
    let sentence = |(model, bytes): (String, u64)| {
        let (verdict, bytes) = (Verdict::WillPage.as_str(), gib(bytes));
        format!(
            "{verdict}: {model} has {bytes} of weights and {free} of memory is free; parts of it are read from the \
             disk again and again, which changes no answer but takes long"
        )
    };
    Ok(models(order, machine, context)?.into_iter().map(sentence).collect())
}
