//! Ollama's store: `manifests/HOST/NAMESPACE/NAME/TAG` (JSON) pointing to `blobs/sha256-HEX`.
//!
//! Source: the folder that Ollama 0.9.3 writes; the manifest is the registry's own manifest, byte for byte.

use super::location::{Location, OllamaLayers, StoreKind};
use super::own::walk;
use crate::sources::digest::ModelDigest;
use crate::sources::manifest::{Manifest, PARAMS_LAYER, SYSTEM_LAYER, TEMPLATE_LAYER};
use crate::sources::name::{DEFAULT_REGISTRY, RegistryReference};
use crate::sources::stores::Stores;
use std::path::{Path, PathBuf};

/// Every Ollama folder's copy of `reference`.
pub(crate) fn find(stores: &Stores, reference: &RegistryReference) -> Vec<Location> {
    let manifest = Path::new("manifests").join(&reference.host).join(&reference.repository).join(&reference.tag);
    stores.ollama.iter().filter_map(|store| read(store, &store.join(&manifest), reference.to_string())).collect()
}

/// Every model in every Ollama folder, under the name that finds it again.
pub(crate) fn scan(stores: &Stores) -> Vec<(String, Location)> {
    let mut found = Vec::new();
    for store in &stores.ollama {
        let manifests = store.join("manifests");
        walk(&manifests, 0, &mut |path| {
            if let Some(name) = path.strip_prefix(&manifests).ok().and_then(name_of)
                && let Ok(reference) = RegistryReference::parse(&name)
                && let Some(location) = read(store, path, reference.to_string())
            {
                found.push((name, location));
            }
        });
    }
    found
}

/// `registry.ollama.ai/library/smollm2/135m` is `smollm2:135m`; other hosts and namespaces stay in the name.
fn name_of(relative: &Path) -> Option<String> {
    let parts: Vec<&str> = relative.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    let (tag, path) = parts.split_last()?;
    let shown = match path {
        [host, "library", rest @ ..] if *host == DEFAULT_REGISTRY && !rest.is_empty() => rest,
        [host, rest @ ..] if *host == DEFAULT_REGISTRY && !rest.is_empty() => rest,
        [_, _, ..] => path,
        _ => return None,
    };
    Some(format!("{}:{tag}", shown.join("/")))
}

fn blob_path(store: &Path, digest: &ModelDigest) -> PathBuf {
    store.join("blobs").join(format!("sha256-{}", digest.hex()))
}

/// Largest text layer read; templates and parameters are a few kilobytes.
const MAX_LAYER_BYTES: u64 = 1 << 20;

fn read(store: &Path, manifest_path: &Path, origin: String) -> Option<Location> {
    let text = std::fs::read(manifest_path).ok()?;
    let manifest = Manifest::parse(&text).ok()?;
    let weights = manifest.weights()?;
    let path = blob_path(store, &weights.digest);
    let size_bytes = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
    let layer = |media_type: &str| {
        let layer = manifest.layer(media_type).filter(|layer| layer.size <= MAX_LAYER_BYTES)?;
        std::fs::read_to_string(blob_path(store, &layer.digest)).ok()
    };
    let config = manifest
        .config
        .as_ref()
        .filter(|config| config.size <= MAX_LAYER_BYTES)
        .and_then(|config| std::fs::read(blob_path(store, &config.digest)).ok())
        .and_then(|text| crate::sources::manifest::ModelConfig::parse(&text));
    let (quantization, family) = config.map_or((None, None), |c| (c.file_type, c.model_family));
    Some(Location {
        store: StoreKind::Ollama,
        source: "ollama".to_owned(),
        origin,
        path,
        size_bytes,
        quantization,
        digest: Some(weights.digest.clone()),
        layers: Some(OllamaLayers {
            manifest_digest: Some(ModelDigest::of_bytes(&text)),
            template: layer(TEMPLATE_LAYER),
            system: layer(SYSTEM_LAYER),
            params: layer(PARAMS_LAYER).and_then(|text| serde_json::from_str(&text).ok()),
            family,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::name_of;
    use std::path::Path;

    #[test]
    fn names_leave_out_what_reading_fills_in() {
        for (path, name) in [
            ("registry.ollama.ai/library/smollm2/135m", Some("smollm2:135m")),
            ("registry.ollama.ai/someone/model/latest", Some("someone/model:latest")),
            ("hf.co/org/repo/Q4_K_M", Some("hf.co/org/repo:Q4_K_M")),
            ("localhost:5000/library/x/y", Some("localhost:5000/library/x:y")),
            ("stray", None),
        ] {
            assert_eq!(name_of(Path::new(path)).as_deref(), name);
        }
    }
}
