//! The Hugging Face cache: `models--ORG--REPO/snapshots/REVISION/FILE`, each file a link to `blobs/ETAG`.
//! The ETag of a large file is its SHA-256 (64 digits); that of a small one is a git hash (40 digits).

use super::location::{Location, StoreKind};
use super::own::walk;
use crate::sources::digest::ModelDigest;
use crate::sources::name::{HuggingFaceName, quantization_in};
use crate::sources::stores::Stores;
use std::path::{Path, PathBuf};

/// Every cached file that `name` may mean. With several snapshots, the one `refs/main` points to (or the revision
/// asked for) comes first.
pub(crate) fn find(stores: &Stores, name: &HuggingFaceName) -> Vec<Location> {
    let mut found = Vec::new();
    for cache in &stores.hugging_face {
        let folder = cache.join(format!("models--{}--{}", name.org, name.repo));
        for snapshot in snapshots(&folder, name.revision.as_deref()) {
            each_gguf(&snapshot, &mut |file, path| {
                if name.admits(file) {
                    found.extend(read(path, file, &name.repository()));
                }
            });
        }
    }
    found
}

/// Every GGUF file in every cache, named `hf:ORG/REPO/FILE`.
pub(crate) fn scan(stores: &Stores) -> Vec<(String, Location)> {
    let mut found = Vec::new();
    for cache in &stores.hugging_face {
        for folder in sorted_folders(cache) {
            let Some(repo) = folder.file_name().and_then(|n| n.to_str()).and_then(repository_of) else { continue };
            for snapshot in snapshots(&folder, None).into_iter().take(1) {
                each_gguf(&snapshot, &mut |file, path| {
                    found.extend(read(path, file, &repo).map(|location| (location.origin.clone(), location)));
                });
            }
        }
    }
    found
}

fn repository_of(folder: &str) -> Option<String> {
    let (org, repo) = folder.strip_prefix("models--")?.split_once("--")?;
    Some(format!("{org}/{repo}"))
}

fn sorted_folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|p| p.is_dir()).collect();
    paths.sort();
    paths
}

/// Snapshot folders to look into. A revision is a commit or a name under `refs`; without one, `main` goes first.
fn snapshots(folder: &Path, revision: Option<&str>) -> Vec<PathBuf> {
    let base = folder.join("snapshots");
    let named = revision.unwrap_or("main");
    let commit = std::fs::read_to_string(folder.join("refs").join(named)).ok();
    let wanted = base.join(commit.as_deref().map_or(named, str::trim));
    let mut found: Vec<PathBuf> = wanted.is_dir().then(|| wanted.clone()).into_iter().collect();
    if revision.is_none() {
        found.extend(sorted_folders(&base).into_iter().filter(|snapshot| *snapshot != wanted));
    }
    found
}

fn each_gguf(snapshot: &Path, visit: &mut dyn FnMut(&str, &Path)) {
    walk(snapshot, 0, &mut |path| {
        let relative = path.strip_prefix(snapshot).ok().and_then(Path::to_str);
        if let Some(file) = relative.filter(|file| file.to_ascii_lowercase().ends_with(".gguf")) {
            visit(file, path);
        }
    });
}

fn read(path: &Path, file: &str, repo: &str) -> Option<Location> {
    // A link to a blob that is gone (an interrupted clean-up) is no model: metadata follows the link.
    let size_bytes = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?.len();
    let blob = std::fs::canonicalize(path).ok()?;
    let digest = blob.file_name().and_then(|name| name.to_str()).and_then(ModelDigest::parse);
    Some(Location {
        store: StoreKind::HuggingFace,
        source: "hugging-face".to_owned(),
        origin: format!("hf:{repo}/{file}"),
        path: path.to_owned(),
        size_bytes,
        quantization: quantization_in(file),
        digest,
        layers: None,
    })
}
