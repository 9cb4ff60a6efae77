//! What is otherwise here than where upstream made its references.

use crate::state;
use puma_core::RunHeader;
use puma_eval::canonical::{REFERENCE_ENVIRONMENT, ReferenceFact};
use puma_host::Machine;
use serde::Serialize;

/// One fact, there and here.
#[derive(Debug, Serialize)]
pub(crate) struct EnvironmentFact {
    pub what: &'static str,
    /// `null` where upstream recorded nothing.
    pub reference: Option<&'static str>,
    /// `null` where this run's record does not tell.
    pub here: Option<String>,
    /// `null` where either is unknown.
    pub same: Option<bool>,
}

/// Every fact of the reference's environment beside this run's.
pub(super) fn environment(header: &RunHeader) -> Vec<EnvironmentFact> {
    // A run that kept no machine says nothing of it, not that it had no GPU.
    let told = header.machine.get("os").is_some();
    let machine: Option<Machine> = serde_json::from_value(header.machine.clone()).ok().filter(|_| told);
    REFERENCE_ENVIRONMENT
        .iter()
        .map(|fact| {
            let here = here(fact.what, header, machine.as_ref());
            let same = fact.stated.and(here.as_ref()).map(|here| holds(fact, here));
            EnvironmentFact { what: fact.what, reference: fact.stated, here, same }
        })
        .collect()
}

fn holds(fact: &ReferenceFact, here: &str) -> bool {
    here.to_lowercase().contains(&fact.mark.to_lowercase())
}

fn here(what: &str, header: &RunHeader, machine: Option<&Machine>) -> Option<String> {
    let model = header.models.first();
    match what {
        "backend" => Some(header.backend.kind.clone()),
        "backend version" => header.backend.version.clone(),
        "model digest" => model?.digest.clone(),
        "quantization" => model?.quantization.clone(),
        "profile" => header.profile.clone(),
        "processor" => machine?.cpu.clone(),
        "GPU" => Some(machine?.main_gpu().map_or_else(|| "none".to_owned(), |gpu| gpu.name.clone())),
        "system" => {
            let machine = machine?;
            Some(
                [Some(machine.os.as_str()), machine.kernel.as_deref()]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        }
        "state of the server" => header.backend.settings.get(state::SETTING).cloned(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::here;
    use puma_core::event::RunHeader;
    use puma_eval::canonical::REFERENCE_ENVIRONMENT;
    use serde_json::json;

    /// A run on the reference machine, as a header tells it.
    fn header() -> RunHeader {
        serde_json::from_value(json!({
            "run_id": "r", "spec_hash": "s", "spec": {}, "scenario": "triage_jira", "strategies": ["zero-shot"],
            "models": [{"name": "qwen2.5:3b", "digest": "sha256:1", "quantization": "Q4_K_M"}],
            "backend": {"kind": "ollama", "version": "0.9.3", "settings": {"state": "unloaded"}},
            "dataset": {"name": "d", "sha256": "x", "rows": 1, "source": "embedded"}, "templates": {},
            "profile": "gpu-entry", "machine": {}, "puma_version": "0", "started_at": 0, "jobs": 1
        }))
        .expect("the shape of a header")
    }

    #[test]
    fn every_fact_of_the_reference_that_a_header_holds_is_looked_up() {
        let known = |what: &str| here(what, &header(), None);
        for fact in &REFERENCE_ENVIRONMENT {
            let of_machine = matches!(fact.what, "processor" | "GPU" | "system");
            assert_eq!(known(fact.what).is_some(), !of_machine, "{}", fact.what);
        }
        assert_eq!(known("something else"), None);
    }

    #[test]
    fn the_reference_environment_is_the_same_as_itself() {
        for fact in super::environment(&header()) {
            assert_ne!(fact.same, Some(false), "{}", fact.what);
        }
    }
}
