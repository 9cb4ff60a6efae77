//! Which rules of memory a backend follows.

use crate::failure::Failure;
use crate::options::{BackendKind, EngineOptions};
use puma_host::Machine;
use puma_host::fit::{Budget, EngineRules, KvType, budget};

/// The rules of the engine behind `kind`.
///
/// # Errors
/// Nothing is known of the server behind `openai`, not even that it runs on this machine.
pub(crate) fn rules(kind: BackendKind) -> Result<EngineRules, Failure> {
    Ok(match kind {
        BackendKind::Embedded => EngineRules::EMBEDDED,
        BackendKind::Ollama => EngineRules::OLLAMA,
        BackendKind::LlamaServer => EngineRules::LLAMA_SERVER,
        BackendKind::Lmstudio => EngineRules { name: "lmstudio", ..EngineRules::LLAMA_SERVER },
        BackendKind::Mlx => EngineRules::MLX,
        BackendKind::Transformers => EngineRules { name: "transformers", ..EngineRules::TORCH },
        BackendKind::Vllm => EngineRules { name: "vllm", ..EngineRules::TORCH },
        BackendKind::Openai => {
            return Err(Failure::invalid("what a server of unknown make needs cannot be told")
                .hint("name the one it resembles: `--backend llama-server`, `--backend vllm`, …"));
        }
    })
}

/// The rules of the backend of that name, as runs store it.
pub(crate) fn rules_by_name(name: &str) -> Option<EngineRules> {
    use clap::ValueEnum as _;
    rules(BackendKind::from_str(name, false).ok()?).ok()
}

/// Ollama on processor cores computes attention without the shortcut that it takes on GPUs; seen in its own log.
pub(crate) fn on_this_machine(rules: EngineRules, budget: &Budget) -> EngineRules {
    let on_cpu = matches!(budget, Budget::Cpu { .. });
    EngineRules { scores_at_once: on_cpu && rules.name == EngineRules::OLLAMA.name, ..rules }
}

/// The embedded engine's rules with what was asked of its keys and values.
pub(crate) fn as_asked(rules: EngineRules, asked: &EngineOptions) -> EngineRules {
    let default_kv_type = match asked.kv_type {
        Some(puma_engine::KvType::F16) => KvType::F16,
        Some(puma_engine::KvType::F32) => KvType::F32,
        None => rules.default_kv_type,
    };
    let Some(limit) = asked.max_kv_mb.map(|megabytes| u64::from(megabytes) * 1_000_000) else {
        return EngineRules { default_kv_type, ..rules };
    };
    let prefix_bytes = rules.prefix_bytes.min(limit);
    EngineRules { default_kv_type, prefix_bytes, cache_limit_bytes: Some(limit - prefix_bytes), ..rules }
}

/// Who would answer if nobody is named: Ollama where it has a GPU, else PUMA's own engine.
pub(crate) fn default_kind(machine: &Machine) -> BackendKind {
    match budget(machine, &EngineRules::OLLAMA) {
        Ok(Budget::Cpu { .. }) | Err(_) => BackendKind::Embedded,
        Ok(_) => BackendKind::Ollama,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_the_embedded_engine_are_its_default_options() {
        let (rules, options) = (EngineRules::EMBEDDED, puma_engine::EngineOptions::default());
        assert_eq!(rules.cache_limit_bytes.expect("a limit") + rules.prefix_bytes, options.kv_bytes as u64);
        assert_eq!(rules.chunk_tokens as usize, options.chunk_tokens);
    }

    #[test]
    fn what_is_asked_of_keys_and_values_counts() {
        let asked = |kv_type, max_kv_mb| EngineOptions { kv_type, max_kv_mb, ..EngineOptions::default() };
        let rules = EngineRules::EMBEDDED;
        assert_eq!(as_asked(rules, &asked(None, None)).cache_limit_bytes, rules.cache_limit_bytes);
        let small = as_asked(rules, &asked(Some(puma_engine::KvType::F16), Some(100)));
        assert_eq!(small.default_kv_type, KvType::F16);
        assert_eq!(small.cache_limit_bytes.map(|bytes| bytes + small.prefix_bytes), Some(100_000_000));
    }

    #[test]
    fn every_backend_but_the_unknown_one_has_rules_under_its_name() {
        use clap::ValueEnum as _;
        for kind in BackendKind::value_variants() {
            let name = kind.to_possible_value().expect("no backend is hidden").get_name().to_owned();
            match rules(*kind) {
                Ok(rules) => assert_eq!(rules.name, name),
                Err(_) => assert_eq!(name, "openai"),
            }
        }
    }
}
