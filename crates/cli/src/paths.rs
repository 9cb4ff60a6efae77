//! Where PUMA keeps things.

use crate::environment;
use std::path::{Path, PathBuf};

/// The data folder: `PUMA_DATA_DIR`, or the system's place for application data.
pub(crate) fn data_dir() -> PathBuf {
    if let Some(dir) = environment::get("PUMA_DATA_DIR") {
        return PathBuf::from(dir);
    }
    // Without HOME (a service, a container), the system's user table tells.
    let home = std::env::home_dir().unwrap_or_else(|| PathBuf::from("."));
    if cfg!(target_os = "macos") {
        return home.join("Library/Application Support/puma");
    }
    match environment::get("XDG_DATA_HOME") {
        Some(dir) => PathBuf::from(dir).join("puma"),
        None => home.join(".local/share/puma"),
    }
}

/// The database: the flag, `PUMA_DB`, or `puma.db` in the data folder.
pub(crate) fn database(flag: Option<&PathBuf>) -> PathBuf {
    flag.cloned()
        .or_else(|| environment::get("PUMA_DB").map(PathBuf::from))
        .unwrap_or_else(|| data_dir().join("puma.db"))
}

/// The inference cache, beside the database's default place.
pub(crate) fn cache() -> PathBuf {
    data_dir().join("cache.db")
}

/// The folder of downloaded models.
pub(crate) fn models() -> PathBuf {
    environment::get("PUMA_MODELS").map_or_else(|| data_dir().join("models"), PathBuf::from)
}

/// `path` with the user's folder written as `~`, for everything that is stored or shared.
pub(crate) fn without_home(path: &Path) -> String {
    shortened(path, environment::get("HOME").as_deref())
}

/// By whole folder names: `/home/ana` is no part of `/home/anabel`.
fn shortened(path: &Path, home: Option<&str>) -> String {
    let inside = home.filter(|home| *home != "/").and_then(|home| path.strip_prefix(home).ok());
    inside.map_or_else(|| path.display().to_string(), |rest| format!("~/{}", rest.display()))
}

/// The path that [`without_home`] wrote.
pub(crate) fn with_home(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), environment::get("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_users_own_folder_is_shortened() {
        let short = |path: &str| shortened(Path::new(path), Some("/home/ana"));
        assert_eq!(short("/home/ana/issues.csv"), "~/issues.csv");
        assert_eq!(short("/home/anabel/issues.csv"), "/home/anabel/issues.csv");
        assert_eq!(shortened(Path::new("/srv/a.csv"), Some("/")), "/srv/a.csv");
        assert_eq!(shortened(Path::new("/srv/a.csv"), None), "/srv/a.csv");
    }
}
