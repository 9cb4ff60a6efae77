//! Every environment variable the program reads. This is the only place that reads them.

use std::collections::BTreeMap;

/// One variable, for help and reference.
pub(crate) struct Variable {
    pub name: &'static str,
    pub meaning: &'static str,
}

const fn row(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning }
}

/// The whole environment of the program.
pub(crate) const VARIABLES: &[Variable] = &[
    row("PUMA_HOME", "Folder whose `prompts`, `specs`, `data` and `catalog` replace the embedded ones; as `--home`."),
    row("PUMA_DATA_DIR", "Folder for the database, the cache and the models. Default: the system's data folder."),
    row("PUMA_DB", "Database file; as `--db`."),
    row("PUMA_MODELS", "Folder for downloaded models. Default: `models` in the data folder."),
    row("PUMA_OLLAMA_HOST", "Ollama server, as `OLLAMA_HOST`; wins over it, loses to `--endpoint`."),
    row("OLLAMA_HOST", "Ollama server, in every form Ollama itself accepts; `0.0.0.0` is read as this machine."),
    row("OLLAMA_MODELS", "Ollama's model store, searched for models that are already here."),
    row("HF_HOME", "Hugging Face folder; its `hub` is searched for models."),
    row("HF_HUB_CACHE", "Hugging Face cache, searched for models; wins over `HF_HOME`."),
    row("HF_ENDPOINT", "Hugging Face server to download from."),
    row("HF_TOKEN", "Token for gated Hugging Face models. Never stored or printed."),
    row("PUMA_API_KEY", "Key for an OpenAI-compatible server. Never stored or printed."),
    row("PUMA_GPU_NAME", "GPU that cannot be seen from here (in a container); wins over what is found."),
    row("PUMA_GPU_VRAM_GB", "Its memory in GiB."),
    row("PUMA_GPU_BACKEND", "Its kind: `nvidia`, `rocm`, `metal`; `none` for no GPU at all."),
    row(
        "PUMA_POWER_AGENT",
        "`puma agent` of the machine the model runs on; its joules are counted instead of this one's.",
    ),
    row("PUMA_POWER_AGENT_TOKEN", "The token that `puma agent` printed. Never stored or printed."),
    row("PUMA_POWERCAP_ROOT", "Where a container sees the host's energy counters. Default: `/sys/class/powercap`."),
    row("NO_COLOR", "Any value turns colours off."),
    row("PUMA_NO_PROGRESS", "Any value hides progress bars."),
    row("PUMA_COUNTRY", "Country of the grid (ISO 3166-1), for carbon; as `--country`."),
    row("TZ", "Time zone; its country is the guess where none is named."),
    row("XDG_DATA_HOME", "Base of the data folder on Linux."),
    row("XDG_CACHE_HOME", "Base of the Hugging Face cache on Linux."),
    row("HOME", "The user's folder."),
    row("PATH", "Searched for `ollama` and `docker` by `puma up` and `puma down`."),
    row("container", "Set by Podman, LXC and systemd for what they start: one of the signs of a container."),
    row("KUBERNETES_SERVICE_HOST", "Set by Kubernetes in its pods: one of the signs of a container."),
    row("WSL_DISTRO_NAME", "Set by Windows' Subsystem for Linux: one of the signs of it."),
];

/// Variables that describe the machine; a recording keeps them.
const OF_THE_HOST: [&str; 7] = [
    "KUBERNETES_SERVICE_HOST",
    "PUMA_GPU_BACKEND",
    "PUMA_GPU_NAME",
    "PUMA_GPU_VRAM_GB",
    "PUMA_POWERCAP_ROOT",
    "WSL_DISTRO_NAME",
    "container",
];

/// The variables a machine may be asked about, those that are set.
pub(crate) fn of_the_host() -> BTreeMap<String, String> {
    OF_THE_HOST.into_iter().filter_map(|name| Some((name.to_owned(), get(name)?))).collect()
}

/// The value of a variable in [`VARIABLES`]; empty counts as unset.
///
/// Panics when `name` is not in the table, so that no variable can be read without being documented.
pub(crate) fn get(name: &str) -> Option<String> {
    assert!(VARIABLES.iter().any(|row| row.name == name), "undocumented environment variable {name}");
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
