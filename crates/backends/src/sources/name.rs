//! Reading model names: what a person types to say which weights they mean.

use super::error::{SourceError, SourceErrorKind};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// The registry that names without a host mean.
pub const DEFAULT_REGISTRY: &str = "registry.ollama.ai";

/// A model name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelName {
    /// `models/some.gguf`, `./x.gguf`, `/a/b.gguf`
    Path(PathBuf),
    /// `hf:ORG/REPO/FILE.gguf`, `hf.co/ORG/REPO:Q4_K_M`, with `@REVISION` after the repository if wanted
    HuggingFace(HuggingFaceName),
    /// `lmstudio:PUBLISHER/REPO/FILE.gguf`
    LmStudio { publisher: String, repo: String, file: String },
    /// `smollm2:135m`, `smollm2:135m@ollama`, `NAMESPACE/NAME:TAG`, `HOST:PORT/NAMESPACE/NAME:TAG`
    Registry { reference: RegistryReference, source: Option<String> },
}

/// A GGUF file of a Hugging Face repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HuggingFaceName {
    pub org: String,
    pub repo: String,
    /// Branch, tag or commit; `None` is `main`.
    pub revision: Option<String>,
    pub file: FileChoice,
}

/// Which file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChoice {
    /// The path inside the repository.
    Exact(String),
    /// The one `.gguf` whose name carries this quantisation.
    Quantization(String),
    /// The one `.gguf` there is.
    Only,
}

impl HuggingFaceName {
    /// `ORG/REPO`
    pub fn repository(&self) -> String {
        format!("{}/{}", self.org, self.repo)
    }

    /// Whether `file` (a path inside the repository) is a file this name may mean.
    pub fn admits(&self, file: &str) -> bool {
        let is_gguf = file.to_ascii_lowercase().ends_with(".gguf");
        match &self.file {
            FileChoice::Exact(wanted) => file == wanted,
            FileChoice::Quantization(wanted) => {
                is_gguf && quantization_in(file).is_some_and(|found| found.eq_ignore_ascii_case(wanted))
            }
            FileChoice::Only => is_gguf,
        }
    }
}

impl fmt::Display for HuggingFaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hf:{}/{}", self.org, self.repo)?;
        if let Some(revision) = &self.revision {
            write!(f, "@{revision}")?;
        }
        match &self.file {
            FileChoice::Exact(file) => write!(f, "/{file}"),
            FileChoice::Quantization(quantization) => write!(f, ":{quantization}"),
            FileChoice::Only => Ok(()),
        }
    }
}

/// Where a model lives in an OCI registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryReference {
    /// `true` when the address began with `http://`.
    pub plain_http: bool,
    /// Host with port, if any: `localhost:5000`.
    pub host: String,
    /// `library/smollm2`
    pub repository: String,
    /// `135m`
    pub tag: String,
}

impl RegistryReference {
    /// Reads `[http[s]://][HOST[:PORT]/][NAMESPACE/]NAME[:TAG]`. Without host: [`DEFAULT_REGISTRY`]; without
    /// namespace: `library`; without tag: `latest`.
    ///
    /// # Errors
    /// A part is empty or has characters that registries do not allow.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let invalid = |why: &str| {
            SourceError::new(SourceErrorKind::InvalidName, format!("`{text}` is not a model name: {why}"))
                .with_hint("names look like `smollm2:135m`, `path/to/model.gguf`, `hf:ORG/REPO/FILE.gguf` or `HOST/library/NAME:TAG`")
        };
        let (plain_http, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => (false, text),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            _ => (rest, "latest"),
        };
        let (host, path) = match path.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
            _ => (DEFAULT_REGISTRY, path),
        };
        let repository = if path.contains('/') { path.to_owned() } else { format!("library/{path}") };
        let part_ok = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        if !repository.split('/').all(part_ok) {
            return Err(invalid(
                "a part between slashes is empty or has characters other than letters, digits, `.`, `_`, `-`",
            ));
        }
        if !part_ok(tag) {
            return Err(invalid(
                "the tag after `:` is empty or has characters other than letters, digits, `.`, `_`, `-`",
            ));
        }
        let host_ok = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
        if !host_ok {
            return Err(invalid("the host has characters that host names do not have"));
        }
        Ok(Self { plain_http, host: host.to_owned(), repository, tag: tag.to_owned() })
    }

    /// Whether the host is this machine, where plain HTTP is harmless.
    pub fn is_loopback(&self) -> bool {
        let bare = match self.host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or(rest),
            None => self.host.split(':').next().unwrap_or(&self.host),
        };
        bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.host, self.repository, self.tag)
    }
}

impl ModelName {
    /// Reads a name in any of its forms.
    ///
    /// # Errors
    /// The text has none of the forms; the message says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let trimmed = text.trim();
        let hub = ["hf:", "hf.co/", "huggingface.co/"].iter().find_map(|prefix| trimmed.strip_prefix(prefix));
        if let Some(rest) = hub {
            return hugging_face(text, rest).map(Self::HuggingFace);
        }
        if let Some(rest) = trimmed.strip_prefix("lmstudio:") {
            return lm_studio(text, rest);
        }
        let is_path = trimmed.to_ascii_lowercase().ends_with(".gguf")
            || ["/", "./", "../"].iter().any(|prefix| trimmed.starts_with(prefix));
        if is_path {
            return Ok(Self::Path(PathBuf::from(trimmed)));
        }
        let (base, source) = match trimmed.rsplit_once('@') {
            Some((base, source)) => (base, Some(source.to_owned())),
            None => (trimmed, None),
        };
        Ok(Self::Registry { reference: RegistryReference::parse(base)?, source })
    }
}

fn invalid(text: &str, form: &str) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidName, format!("`{text}` is not of the form {form}"))
}

fn plain_parts(parts: &[&str]) -> bool {
    parts.iter().all(|part| !part.is_empty() && *part != "." && *part != ".." && !part.contains(['\\', '\0']))
}

fn hugging_face(text: &str, rest: &str) -> Result<HuggingFaceName, SourceError> {
    let form = || invalid(text, "hf:ORG/REPO/FILE.gguf or hf:ORG/REPO:QUANTIZATION");
    let mut parts: Vec<&str> = rest.split('/').collect();
    if parts.len() < 2 || !plain_parts(&parts) {
        return Err(form());
    }
    let files = parts.split_off(2);
    let (repo, file) = match (parts[1].split_once(':'), files.is_empty()) {
        (Some((repo, quantization)), true) if !quantization.is_empty() => {
            (repo, FileChoice::Quantization(quantization.to_owned()))
        }
        (None, true) => (parts[1], FileChoice::Only),
        (None, false) => (parts[1], FileChoice::Exact(files.join("/"))),
        _ => return Err(form()),
    };
    let (repo, revision) = match repo.split_once('@') {
        Some((repo, revision)) => (repo, Some(revision.to_owned())),
        None => (repo, None),
    };
    if repo.is_empty() || revision.as_deref() == Some("") {
        return Err(form());
    }
    Ok(HuggingFaceName { org: parts[0].to_owned(), repo: repo.to_owned(), revision, file })
}

fn lm_studio(text: &str, rest: &str) -> Result<ModelName, SourceError> {
    let parts: Vec<&str> = rest.split('/').collect();
    match parts.as_slice() {
        [publisher, repo, file] if plain_parts(&parts) => Ok(ModelName::LmStudio {
            publisher: (*publisher).to_owned(),
            repo: (*repo).to_owned(),
            file: (*file).to_owned(),
        }),
        _ => Err(invalid(text, "lmstudio:PUBLISHER/REPO/FILE.gguf")),
    }
}

/// The quantisation that a file name carries, spelled as GGUF spells it: `Q4_K_M` in `x-q4_k_m.gguf`.
pub fn quantization_in(file: &str) -> Option<String> {
    let name = file.rsplit('/').next().unwrap_or(file).to_ascii_uppercase();
    let stem = name.strip_suffix(".GGUF").unwrap_or(&name);
    stem.rsplit(['-', '.'])
        .find(|part| {
            let digit_at = |index: usize| part.as_bytes().get(index).is_some_and(u8::is_ascii_digit);
            matches!(*part, "F16" | "F32" | "BF16")
                || (part.starts_with('Q') && digit_at(1) && part.as_bytes().get(2) == Some(&b'_'))
                || (part.starts_with("IQ") && digit_at(2) && part.as_bytes().get(3) == Some(&b'_'))
        })
        .map(str::to_owned)
}

/// Whether `file` is one part of a model split into several files.
pub fn is_split_part(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file).to_ascii_lowercase();
    let Some(stem) = name.strip_suffix(".gguf") else { return false };
    let Some((before, total)) = stem.rsplit_once("-of-") else { return false };
    let five_digits = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    five_digits(total) && before.rsplit_once('-').is_some_and(|(_, part)| five_digits(part))
}

/// Refuses files that are one part of several, with the way out.
pub(crate) fn refuse_split(file: &str) -> Result<(), SourceError> {
    if !is_split_part(file) {
        return Ok(());
    }
    Err(SourceError::new(
        SourceErrorKind::UnusableFile,
        format!("`{file}` is one part of a model split into several files, which PUMA does not read"),
    )
    .with_hint("join the parts with `llama-gguf-split --merge FIRST_PART OUT.gguf` and give the path of OUT.gguf"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn registry(text: &str) -> String {
        let ModelName::Registry { reference, source } = ModelName::parse(text).unwrap() else {
            panic!("{text} is no registry name")
        };
        format!("{reference} {}", source.unwrap_or_default())
    }

    #[test]
    fn every_form_of_registry_name_fills_in_what_is_left_out() {
        assert_eq!(registry("smollm2:135m"), "registry.ollama.ai/library/smollm2:135m ");
        assert_eq!(registry("smollm2:135m@pypi"), "registry.ollama.ai/library/smollm2:135m pypi");
        assert_eq!(registry("mistral"), "registry.ollama.ai/library/mistral:latest ");
        assert_eq!(registry("someone/model"), "registry.ollama.ai/someone/model:latest ");
        assert_eq!(registry("localhost:5000/library/smollm2:135m"), "localhost:5000/library/smollm2:135m ");
        assert_eq!(registry("localhost:5000/smollm2"), "localhost:5000/library/smollm2:latest ");
        assert_eq!(registry("example.org/a/b/c:d"), "example.org/a/b/c:d ");
        assert!(RegistryReference::parse("http://127.0.0.1:5000/a/b:c").unwrap().plain_http);
    }

    #[test]
    fn only_this_machine_counts_as_loopback() {
        for (text, loopback) in [
            ("localhost:5000/a/b:c", true),
            ("127.0.0.1:5000/a/b:c", true),
            ("[::1]:5000/a/b:c", true),
            ("127.0.0.1.example.org/a/b:c", false),
            ("localhost.example.org/a/b:c", false),
            ("10.0.0.1:5000/a/b:c", false),
        ] {
            assert_eq!(RegistryReference::parse(text).unwrap().is_loopback(), loopback, "{text}");
        }
    }

    #[test]
    fn hugging_face_names_say_repository_revision_and_file() {
        let ModelName::HuggingFace(name) = ModelName::parse("hf:org/repo@v1/sub/x.gguf").unwrap() else { panic!() };
        assert_eq!(name.repository(), "org/repo");
        assert_eq!((name.revision.as_deref(), &name.file), (Some("v1"), &FileChoice::Exact("sub/x.gguf".into())));
        assert_eq!(name.to_string(), "hf:org/repo@v1/sub/x.gguf");
        let ModelName::HuggingFace(name) = ModelName::parse("hf.co/org/repo:q4_k_m").unwrap() else { panic!() };
        assert!(name.admits("Model-Q4_K_M.gguf") && !name.admits("Model-Q4_K_S.gguf") && !name.admits("Q4_K_M.txt"));
        for bad in ["hf:org", "hf:org/", "hf:org/repo/", "hf:org/../x.gguf", "hf:org/repo:q/x.gguf", "hf:org/@v/x.gguf"]
        {
            assert_eq!(ModelName::parse(bad).unwrap_err().kind, SourceErrorKind::InvalidName, "{bad}");
        }
    }

    #[test]
    fn paths_and_lm_studio_names_are_told_apart() {
        assert_eq!(ModelName::parse("a/b.gguf").unwrap(), ModelName::Path("a/b.gguf".into()));
        assert_eq!(ModelName::parse("./folder").unwrap(), ModelName::Path("./folder".into()));
        assert!(matches!(ModelName::parse("lmstudio:p/r/f.gguf").unwrap(), ModelName::LmStudio { .. }));
        assert!(ModelName::parse("lmstudio:p/../f.gguf").is_err());
    }

    #[test]
    fn quantisations_are_read_from_file_names() {
        for (file, found) in [
            ("SmolLM2-135M-Instruct.Q4_1.gguf", Some("Q4_1")),
            ("qwen2.5-3b-instruct-q4_k_m.gguf", Some("Q4_K_M")),
            ("sub-q8_0/model-f16.gguf", Some("F16")),
            ("model-IQ3_XS.gguf", Some("IQ3_XS")),
            ("qwen2.5-3b.gguf", None),
        ] {
            assert_eq!(quantization_in(file).as_deref(), found, "{file}");
        }
    }

    #[test]
    fn parts_of_split_models_are_recognised_and_refused() {
        assert!(is_split_part("a/model-00001-of-00003.gguf"));
        for whole in ["model-1-of-3.gguf", "model-00001-of-00003.txt", "best-of-00003.gguf", "model.gguf"] {
            assert!(!is_split_part(whole), "{whole}");
        }
        assert!(refuse_split("model-00002-of-00003.gguf").unwrap_err().hint.unwrap().contains("--merge"));
    }

    proptest! {
        #[test]
        fn reading_any_text_never_panics(text in "\\PC{0,40}") {
            let _ = ModelName::parse(&text);
            let _ = quantization_in(&text);
            let _ = is_split_part(&text);
        }

        #[test]
        fn a_printed_reference_reads_back(host in "[a-z]{1,5}\\.[a-z]{2}(:[1-9][0-9]{3})?", ns in "[a-z][a-z0-9]{0,5}", name in "[a-z][a-z0-9._-]{0,8}", tag in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,6}") {
            let first = RegistryReference::parse(&format!("{host}/{ns}/{name}:{tag}")).unwrap();
            prop_assert_eq!(RegistryReference::parse(&first.to_string()).unwrap(), first);
        }
    }
}
