//! Where models may lie on this machine: PUMA's own folder and the folders of other programs.

use std::ffi::OsString;
use std::path::PathBuf;

/// The environment variables that [`Stores::from_environment`] and [`super::PullOptions::from_environment`] ask for,
/// and what each does.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("PUMA_MODELS", "folder for the models PUMA pulls"),
    ("OLLAMA_MODELS", "Ollama's model folder, read for models already there"),
    ("HF_HUB_CACHE", "Hugging Face cache folder, read for models already there"),
    ("HF_HOME", "Hugging Face home; its `hub` folder is the cache unless HF_HUB_CACHE is set"),
    ("HF_TOKEN", "access token for gated Hugging Face models"),
    ("HF_ENDPOINT", "address of the Hugging Face hub or of a mirror"),
    ("XDG_DATA_HOME", "base of PUMA's model folder on Linux"),
    ("XDG_CACHE_HOME", "base of the Hugging Face cache"),
    ("HOME", "base of every default folder"),
];

/// Folders to look into. Folders that do not exist are fine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stores {
    /// PUMA's own folder; the only one that is ever written to.
    pub own: PathBuf,
    /// Ollama model folders (each with `manifests` and `blobs`).
    pub ollama: Vec<PathBuf>,
    /// Hugging Face hub caches (each with `models--ORG--NAME`).
    pub hugging_face: Vec<PathBuf>,
    /// LM Studio folders (each with `PUBLISHER/REPO/FILE.gguf`).
    pub lm_studio: Vec<PathBuf>,
}

impl Stores {
    /// The folders that the programs use by default or are told to use by their environment variables.
    /// `variable` looks a variable up; `os` is [`std::env::consts::OS`].
    pub fn from_environment(variable: impl Fn(&str) -> Option<OsString>, os: &str) -> Self {
        let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = folder("HOME").unwrap_or_default();
        let data = match os {
            "macos" => home.join("Library/Application Support"),
            _ => folder("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")),
        };
        let cache = folder("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        let hub = folder("HF_HUB_CACHE")
            .or_else(|| folder("HF_HOME").map(|hf_home| hf_home.join("hub")))
            .unwrap_or_else(|| cache.join("huggingface/hub"));
        let ollama = match folder("OLLAMA_MODELS") {
            Some(folder) => vec![folder],
            None => vec![
                home.join(".ollama/models"),
                PathBuf::from("/usr/share/ollama/.ollama/models"),
                PathBuf::from("/var/lib/ollama/.ollama/models"),
                PathBuf::from("/var/lib/ollama/models"),
                PathBuf::from("/var/lib/ollama"),
            ],
        };
        Self {
            own: folder("PUMA_MODELS").unwrap_or_else(|| data.join("puma/models")),
            ollama,
            hugging_face: vec![hub],
            lm_studio: vec![home.join(".lmstudio/models"), cache.join("lm-studio/models")],
        }
    }

    /// Only PUMA's own folder.
    pub fn only(own: impl Into<PathBuf>) -> Self {
        Self { own: own.into(), ..Self::default() }
    }

    /// The folder inside [`own`](Self::own) that holds what was pulled under `name`.
    pub(crate) fn own_folder(&self, name: &str) -> PathBuf {
        name.split(['/', ':'])
            .filter(|part| !part.is_empty())
            .map(safe_component)
            .fold(self.own.clone(), |folder, part| folder.join(part))
    }
}

/// `part` as one folder name: letters, digits, `-`, `_` and inner dots stay, all else becomes `%XX`.
fn safe_component(part: &str) -> String {
    let mut out = String::new();
    for (index, byte) in part.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => out.push(char::from(byte)),
            b'.' if index > 0 => out.push('.'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn stores(os: &str, variables: &[(&str, &str)]) -> Stores {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        Stores::from_environment(|name| variables.get(name).map(OsString::from), os)
    }

    #[test]
    fn defaults_follow_each_system() {
        let linux = stores("linux", &[("HOME", "/h")]);
        assert_eq!(linux.own, Path::new("/h/.local/share/puma/models"));
        assert_eq!(linux.ollama[0], Path::new("/h/.ollama/models"));
        assert_eq!(linux.hugging_face, [Path::new("/h/.cache/huggingface/hub")]);
        assert_eq!(linux.lm_studio[0], Path::new("/h/.lmstudio/models"));
        assert_eq!(stores("macos", &[("HOME", "/h")]).own, Path::new("/h/Library/Application Support/puma/models"));
    }

    #[test]
    fn each_variable_moves_its_folder_and_an_empty_one_does_not_count() {
        let moved = stores(
            "linux",
            &[
                ("HOME", "/h"),
                ("PUMA_MODELS", "/m"),
                ("OLLAMA_MODELS", "/o"),
                ("HF_HOME", "/hf"),
                ("XDG_CACHE_HOME", "/c"),
            ],
        );
        assert_eq!((moved.own.as_path(), moved.ollama.as_slice()), (Path::new("/m"), [PathBuf::from("/o")].as_slice()));
        assert_eq!(moved.hugging_face, [Path::new("/hf/hub")]);
        assert_eq!(moved.lm_studio[1], Path::new("/c/lm-studio/models"));
        let hub = stores("linux", &[("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/hub"), ("PUMA_MODELS", "")]);
        assert_eq!(hub.hugging_face, [Path::new("/hub")]);
        assert!(hub.own.ends_with("puma/models"));
    }

    #[test]
    fn no_name_leaves_the_own_folder() {
        let stores = Stores::only("/m");
        assert_eq!(stores.own_folder("smollm2:135m"), Path::new("/m/smollm2/135m"));
        assert_eq!(stores.own_folder("localhost:5000/a/b:c"), Path::new("/m/localhost/5000/a/b/c"));
        assert_eq!(stores.own_folder("../..:/.x"), Path::new("/m/%2E./%2E./%2Ex"));
    }
}
