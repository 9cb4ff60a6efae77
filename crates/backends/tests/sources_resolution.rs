//! Names resolve against the folders that Ollama, the Hugging Face cache and LM Studio really lay out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use puma_backends::sources::{Library, ModelDigest, SourceErrorKind, StoreKind, Stores};
use std::path::PathBuf;

struct Machine {
    home: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn library(&self) -> Library {
        Library::new(Stores {
            own: self.folder("own"),
            ollama: vec![self.folder("no-such-store"), self.folder("ollama")],
            hugging_face: vec![self.folder("hub")],
            lm_studio: vec![self.folder("lm-studio")],
        })
    }

    fn write(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn ollama_blob(&self, bytes: &[u8]) -> String {
        let digest = ModelDigest::of_bytes(bytes);
        self.write(&format!("ollama/blobs/sha256-{}", digest.hex()), bytes);
        digest.to_string()
    }

    /// Lays a model out as `ollama create` does: manifest, configuration, weights, template, parameters.
    fn ollama_model(&self, manifest: &str, weights: &[u8]) {
        let layer = |kind: &str, bytes: &[u8]| {
            serde_json::json!({
                "mediaType": format!("application/vnd.ollama.image.{kind}"),
                "digest": self.ollama_blob(bytes),
                "size": bytes.len(),
            })
        };
        let config = br#"{"model_format":"gguf","model_family":"llama","model_type":"134.52M","file_type":"F16"}"#;
        let text = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json",
                       "digest": self.ollama_blob(config), "size": config.len()},
            "layers": [layer("template", b"{{ .Prompt }}"), layer("model", weights),
                       layer("params", br#"{"stop":["<|im_end|>"]}"#)],
        });
        self.write(&format!("ollama/manifests/{manifest}"), text.to_string().as_bytes());
    }

    /// Lays a file out as `huggingface_hub` does: a blob named by its digest and a link from the snapshot.
    fn hub_file(&self, repo: &str, commit: &str, file: &str, bytes: &[u8]) -> PathBuf {
        let folder = format!("hub/models--{}", repo.replace('/', "--"));
        let blob = self.write(&format!("{folder}/blobs/{}", ModelDigest::of_bytes(bytes).hex()), bytes);
        let link = self.home.path().join(format!("{folder}/snapshots/{commit}/{file}"));
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(blob, &link).unwrap();
        link
    }
}

fn gguf(content: &str) -> Vec<u8> {
    format!("GGUF{content}").into_bytes()
}

#[test]
fn an_ollama_model_resolves_to_its_blob_with_everything_beside_it() {
    let machine = Machine::new();
    machine.ollama_model("registry.ollama.ai/library/smollm2/135m", &gguf("f16"));
    let found = machine.library().resolve("smollm2:135m").unwrap();
    assert_eq!((found.store, found.digest), (StoreKind::Ollama, ModelDigest::of_bytes(&gguf("f16"))));
    assert_eq!(found.quantization.as_deref(), Some("F16"));
    assert_eq!((found.size_bytes, found.origin.as_str()), (7, "registry.ollama.ai/library/smollm2:135m"));
    let layers = found.layers.unwrap();
    assert_eq!(layers.template.as_deref(), Some("{{ .Prompt }}"));
    assert_eq!(layers.params.unwrap()["stop"][0], "<|im_end|>");
    assert_eq!(layers.family.as_deref(), Some("llama"));
    assert!(layers.manifest_digest.is_some());
}

#[test]
fn other_namespaces_and_hosts_of_ollamas_store_are_found_by_their_names() {
    let machine = Machine::new();
    machine.ollama_model("registry.ollama.ai/someone/model/latest", &gguf("a"));
    machine.ollama_model("hf.co/org/repo/Q4_K_M", &gguf("b"));
    machine.ollama_model("localhost:5000/library/model/x", &gguf("c"));
    for (name, content) in [
        ("someone/model", "a"),
        ("someone/model:latest", "a"),
        ("hf.co/org/repo:Q4_K_M", "b"),
        ("localhost:5000/model:x", "c"),
    ] {
        let found = machine.library().resolve(name).unwrap();
        assert_eq!(found.digest, ModelDigest::of_bytes(&gguf(content)), "{name}");
    }
}

#[test]
fn every_name_that_a_listing_shows_resolves() {
    let machine = Machine::new();
    machine.ollama_model("registry.ollama.ai/library/tiny/1b", &gguf("1"));
    machine.ollama_model("hf.co/org/repo/Q8_0", &gguf("2"));
    machine.hub_file("org/other", "c0ffee", "sub/x-q8_0.gguf", &gguf("3"));
    machine.write("lm-studio/publisher/repo/y-Q4_K_M.gguf", &gguf("4"));
    machine.ollama_model("registry.ollama.ai/library/qwen2.5/3b", &gguf("5"));
    let library = machine.library();
    let list = library.list();
    let names: Vec<&str> = list.other.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(
        names,
        ["hf.co/org/repo:Q8_0", "tiny:1b", "hf:org/other/sub/x-q8_0.gguf", "lmstudio:publisher/repo/y-Q4_K_M.gguf"]
    );
    for model in &list.other {
        assert_eq!(library.resolve(&model.name).unwrap().path, model.location.path, "{}", model.name);
    }
    let qwen = list.models.iter().find(|model| model.tag == "qwen2.5:3b").unwrap();
    assert_eq!(qwen.local.len(), 1, "a catalogue model is listed with its entry, not twice");
}

#[test]
fn the_hugging_face_cache_is_read_through_its_links_by_file_and_by_quantisation() {
    let machine = Machine::new();
    machine.hub_file("org/repo", "aaaa", "model-q4_k_m.gguf", &gguf("old"));
    machine.hub_file("org/repo", "bbbb", "model-q4_k_m.gguf", &gguf("new"));
    machine.hub_file("org/repo", "bbbb", "model-q8_0.gguf", &gguf("eight"));
    machine.write("hub/models--org--repo/refs/main", b"bbbb");
    let library = machine.library();
    let digest = |name: &str| library.resolve(name).unwrap().digest;
    assert_eq!(digest("hf:org/repo/model-q4_k_m.gguf"), ModelDigest::of_bytes(&gguf("new")), "main goes first");
    assert_eq!(digest("hf.co/org/repo:Q8_0"), ModelDigest::of_bytes(&gguf("eight")));
    assert_eq!(digest("hf:org/repo@aaaa/model-q4_k_m.gguf"), ModelDigest::of_bytes(&gguf("old")));
    assert_eq!(library.locate("hf:org/repo/model-q4_k_m.gguf").unwrap().locations.len(), 2);
    assert_eq!(library.resolve("hf:org/repo:Q2_K").unwrap_err().kind, SourceErrorKind::NotFound);
}

#[test]
fn a_link_whose_blob_is_gone_is_no_model() {
    let machine = Machine::new();
    let link = machine.hub_file("org/repo", "aaaa", "m.gguf", &gguf("x"));
    std::fs::remove_file(std::fs::canonicalize(link).unwrap()).unwrap();
    assert_eq!(machine.library().resolve("hf:org/repo/m.gguf").unwrap_err().kind, SourceErrorKind::NotFound);
}

#[test]
fn a_catalogue_tag_finds_what_other_programs_downloaded_for_it_and_a_source_chooses() {
    let machine = Machine::new();
    let (repo, file) = ("Qwen/Qwen2.5-3B-Instruct-GGUF", "qwen2.5-3b-instruct-q4_k_m.gguf");
    machine.hub_file(repo, "aaaa", file, &gguf("hub"));
    machine.write(&format!("lm-studio/{repo}/{file}"), &gguf("studio"));
    machine.ollama_model("registry.ollama.ai/library/qwen2.5/3b", &gguf("ollama"));
    let library = machine.library();
    let stores: Vec<StoreKind> =
        library.locate("qwen2.5:3b").unwrap().locations.iter().map(|location| location.store).collect();
    assert_eq!(stores, [StoreKind::Ollama, StoreKind::HuggingFace, StoreKind::LmStudio]);
    assert_eq!(library.resolve("qwen2.5:3b").unwrap().store, StoreKind::Ollama);
    assert_eq!(library.resolve("qwen2.5:3b@hugging-face").unwrap().store, StoreKind::HuggingFace);
    let error = library.resolve("qwen2.5:3b@nowhere").unwrap_err();
    assert!(error.hint.unwrap().contains("ollama, hugging-face"));
}

#[test]
fn bytes_that_differ_from_what_the_store_states_are_refused() {
    let machine = Machine::new();
    machine.ollama_model("registry.ollama.ai/library/smollm2/135m", &gguf("good"));
    let path = machine.library().resolve("smollm2:135m").unwrap().path;
    std::fs::write(path, gguf("evil")).unwrap();
    let error = machine.library().resolve("smollm2:135m").unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::DigestMismatch);
    for digest in [ModelDigest::of_bytes(&gguf("good")), ModelDigest::of_bytes(&gguf("evil"))] {
        assert!(error.message.contains(&digest.to_string()), "{error}");
    }
}

#[test]
fn files_that_are_no_whole_gguf_are_refused_with_a_way_out() {
    let machine = Machine::new();
    let page = machine.write("page.gguf", b"<!doctype html>");
    let part = machine.write("big-00001-of-00004.gguf", &gguf("part"));
    let stub = machine.write("stub.gguf", b"GG");
    for path in [page, part, stub] {
        let error = machine.library().resolve(path.to_str().unwrap()).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::UnusableFile, "{error}");
        assert!(error.hint.is_some());
    }
}

#[test]
fn a_path_resolves_without_any_store_and_says_nothing_personal() {
    let machine = Machine::new();
    let path = machine.write("private/Tiny-Q8_0.gguf", &gguf("x"));
    let found = machine.library().resolve(path.to_str().unwrap()).unwrap();
    assert_eq!((found.store, found.path.as_path()), (StoreKind::Path, path.as_path()));
    assert_eq!((found.origin.as_str(), found.quantization.as_deref()), ("Tiny-Q8_0.gguf", Some("Q8_0")));
    let folder = machine.folder("private");
    let error = machine.library().resolve(&format!("{}/gone.gguf", folder.display())).unwrap_err();
    assert!(error.message.ends_with("gone.gguf does not exist"), "{error}");
}

#[test]
fn a_name_nobody_has_gets_the_nearest_ones_or_the_command_that_fetches_it() {
    let machine = Machine::new();
    machine.ollama_model("registry.ollama.ai/library/tinyllama/1b", &gguf("x"));
    let hint = |name: &str| machine.library().resolve(name).unwrap_err().hint.unwrap();
    assert!(hint("smolm2:135m").contains("`smollm2:135m`"));
    assert!(hint("qwen2.5:99b").contains("`qwen2.5:"));
    assert!(hint("tinylama:1b").contains("`tinyllama:1b`"), "local names count too");
    assert_eq!(hint("qwen2.5:3b"), "fetch it with `puma models pull qwen2.5:3b`");
    assert_eq!(hint("qwen2.5:3b@ollama"), "fetch it with `puma models pull qwen2.5:3b --source ollama`");
    assert!(hint("zzzz/unheard-of:1").contains("puma models pull zzzz/unheard-of:1"));
}

#[test]
fn a_second_resolution_does_not_read_the_file_again() {
    let machine = Machine::new();
    let path = machine.write("m.gguf", &gguf("content"));
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    let resolve = || {
        let mut reports = 0;
        let mut count = |_: &puma_backends::sources::PullProgress<'_>| reports += 1;
        let name = path.to_str().unwrap();
        let found = machine.library().resolve_with(name, &mut count, &puma_core::Cancel::default()).unwrap();
        (found.digest, reports)
    };
    let (first, reads) = resolve();
    assert_eq!(resolve(), (first, 0));
    assert!(reads > 0);
    assert!(machine.folder("own/digests.json").exists());
}

#[test]
fn showing_a_model_tells_what_its_file_says_or_why_it_cannot_be_read() {
    use puma_testkit::gguf::{Architecture, TensorType, TinyModel};
    let machine = Machine::new();
    let model = TinyModel::new(Architecture::Qwen2, TensorType::Q8_0).write();
    let path = machine.write("tiny-q8_0.gguf", &model);
    let shown = machine.library().show(path.to_str().unwrap()).unwrap();
    let facts = shown.gguf.unwrap();
    assert_eq!((facts.architecture.as_deref(), shown.embedded), (Some("qwen2"), Some(true)));
    assert!(facts.parameters > 0 && facts.tensor_types.contains_key("Q8_0") && facts.vocabulary.is_some());
    assert!(facts.context_length.is_some() && facts.layers.is_some() && facts.tokenizer.is_some());
    let broken = machine.write("broken.gguf", &model[..model.len() / 2]);
    let shown = machine.library().show(broken.to_str().unwrap()).unwrap();
    assert!(shown.gguf.is_none() && shown.gguf_problem.unwrap().contains("broken.gguf"));
    let shown = machine.library().show("gemma4:e2b").unwrap();
    assert_eq!((shown.embedded, shown.gguf), (Some(false), None));
    assert!(shown.catalogue.is_some() && shown.local.is_empty());
}
