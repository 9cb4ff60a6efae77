//! LM Studio's folders: `PUBLISHER/REPO/FILE.gguf`.

use super::location::{Location, StoreKind};
use super::own::walk;
use crate::sources::name::quantization_in;
use crate::sources::stores::Stores;
use std::path::Path;

/// Every LM Studio folder's copy of this file.
pub(crate) fn find(stores: &Stores, publisher: &str, repo: &str, file: &str) -> Vec<Location> {
    let relative = format!("{publisher}/{repo}/{file}");
    stores.lm_studio.iter().filter_map(|folder| read(folder, &relative)).collect()
}

/// Every model in every LM Studio folder, named `lmstudio:PUBLISHER/REPO/FILE`.
pub(crate) fn scan(stores: &Stores) -> Vec<(String, Location)> {
    let mut found = Vec::new();
    for folder in &stores.lm_studio {
        walk(folder, 0, &mut |path| {
            let Some(relative) = path.strip_prefix(folder).ok().and_then(Path::to_str) else { return };
            let is_model = relative.matches('/').count() == 2 && relative.to_ascii_lowercase().ends_with(".gguf");
            if is_model && let Some(location) = read(folder, relative) {
                found.push((location.origin.clone(), location));
            }
        });
    }
    found
}

fn read(folder: &Path, relative: &str) -> Option<Location> {
    let path = folder.join(relative);
    let size_bytes = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
    Some(Location {
        store: StoreKind::LmStudio,
        source: "lm-studio".to_owned(),
        origin: format!("lmstudio:{relative}"),
        quantization: quantization_in(relative),
        path,
        size_bytes,
        digest: None,
        layers: None,
    })
}
