//! The built-in catalogue keeps upstream's facts, and broken catalogues are refused with the place of the error.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use puma_backends::sources::{Catalogue, EMBEDDED_CATALOGUE, Place, SourceErrorKind};

/// Upstream PUMA's catalogue 2.7.0: tag, billions of parameters, gigabytes, context, logprobs, number of profiles,
/// time limit in seconds.
const UPSTREAM: [(&str, f64, f64, u32, bool, usize, u32); 17] = [
    ("qwen2.5:1.5b", 1.5, 1.0, 32_768, true, 15, 120),
    ("qwen2.5:3b", 3.0, 1.9, 32_768, true, 13, 120),
    ("qwen2.5:7b", 7.0, 4.4, 131_072, true, 10, 120),
    ("qwen2.5:14b", 14.0, 9.0, 131_072, true, 6, 180),
    ("qwen3:30b", 30.0, 17.3, 262_144, false, 1, 600),
    ("qwen3:30b-a3b", 30.0, 17.3, 262_144, false, 1, 600),
    ("gemma3:1b", 1.0, 0.8, 32_768, true, 15, 120),
    ("gemma3:4b", 4.0, 3.3, 131_072, true, 13, 120),
    ("gemma3:12b", 12.0, 8.1, 131_072, true, 9, 1800),
    ("gemma3:27b", 27.0, 17.0, 131_072, true, 5, 300),
    ("gemma4:e2b", 2.0, 7.2, 262_144, true, 3, 120),
    ("gemma4:e4b", 4.0, 4.0, 262_144, true, 2, 120),
    ("gemma4:26b-a4b", 26.0, 16.0, 262_144, true, 1, 300),
    ("mistral:7b", 7.0, 4.4, 32_768, true, 10, 120),
    ("llama3.1:8b", 8.0, 4.9, 131_072, true, 10, 120),
    ("deepseek-r1:7b", 7.0, 4.7, 131_072, true, 10, 300),
    ("deepseek-r1:14b", 14.0, 9.0, 131_072, true, 6, 300),
];

#[test]
fn every_upstream_entry_is_there_with_upstreams_figures() {
    let catalogue = Catalogue::embedded();
    for (tag, params_b, size_gb, context_window, logprobs, profiles, timeout_s) in UPSTREAM {
        let entry = catalogue.get(tag).unwrap_or_else(|| panic!("{tag} is missing"));
        assert_eq!((entry.params_b, entry.size_gb), (params_b, size_gb), "{tag}");
        let limits = (entry.context_window, entry.logprobs, entry.timeout_s);
        assert_eq!(limits, (context_window, logprobs, timeout_s), "{tag}");
        assert_eq!(entry.profiles.len(), profiles, "{tag}");
    }
}

#[test]
fn the_default_is_reproducible_its_first_source_has_a_digest_and_its_own_quantisation() {
    let catalogue = Catalogue::embedded();
    let entry = catalogue.get(&catalogue.default).unwrap();
    let first = &entry.sources[0];
    assert_eq!((entry.tag.as_str(), first.id.as_str()), ("smollm2:135m", "pypi"));
    assert_eq!(first.quantization.as_deref(), Some("Q4_1"));
    assert_eq!((first.size_bytes, entry.size_bytes()), (Some(98_362_432), 98_362_432));
    assert!(first.sha256.is_some());
    assert_eq!(entry.source("ollama").unwrap().quantization.as_deref(), Some("F16"));
    assert!(entry.embedded());
}

#[test]
fn every_entry_can_be_fetched_from_ollamas_registry_under_its_own_tag() {
    let catalogue = Catalogue::embedded();
    for entry in &catalogue.models {
        let place = &entry.source("ollama").unwrap().place;
        let Place::Registry { reference, .. } = place else { panic!("{}: {place:?}", entry.tag) };
        assert_eq!(*reference, format!("registry.ollama.ai/library/{}", entry.tag));
    }
    let place = &catalogue.get("qwen2.5:3b").unwrap().source("ollama").unwrap().place;
    assert!(matches!(place, Place::Registry { manifest: Some(digits), .. } if digits == "357c53fb659c"));
}

#[test]
fn a_catalogue_survives_json_and_back() {
    let catalogue = Catalogue::embedded();
    let text = serde_json::to_string(&catalogue).unwrap();
    assert_eq!(Catalogue::parse(&text, "JSON").unwrap(), catalogue, "JSON is YAML");
}

#[test]
fn each_broken_rule_is_named() {
    for (find, replace, message) in [
        ("tag: smollm2:360m", "tag: smollm2:135m", "listed twice"),
        ("tag: smollm2:360m", "tag: Smollm2", "not a tag"),
        ("default: smollm2:135m", "default: gpt:5", "default `gpt:5`"),
        ("id: ollama", "id: pypi", "source `pypi` is listed twice"),
        ("id: pypi", "id: Py Pi", "lowercase"),
        ("timeout_s: 120", "timeout_s: 0", "must be positive"),
        ("library/smollm2:135m", "li brary/smollm2:135m", "not a model name"),
        ("\"357c53fb659c\"", "\"357c\"", "hex digits"),
        ("b179c952", "z179c952", "not a SHA-256"),
        ("context_window:", "context_windw:", "context_windw"),
    ] {
        assert!(EMBEDDED_CATALOGUE.contains(find), "{find}");
        let error = Catalogue::parse(&EMBEDDED_CATALOGUE.replacen(find, replace, 1), "models.yaml").unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::InvalidCatalogue);
        assert!(error.message.starts_with("models.yaml is not valid") && error.message.contains(message), "{error}");
    }
}

#[test]
fn every_profile_of_upstream_has_a_recommended_model_that_lists_it() {
    let catalogue = Catalogue::embedded();
    let profiles = &catalogue.get("qwen2.5:1.5b").unwrap().profiles;
    assert_eq!(profiles.len(), 15);
    for profile in profiles {
        let model = catalogue.recommended_for(profile).unwrap();
        assert!(model.profiles.contains(profile));
        // The model of upstream's published results wherever it may be.
        let is_reference = catalogue.get("qwen2.5:3b").unwrap().profiles.contains(profile);
        assert_eq!(model.tag == "qwen2.5:3b", is_reference, "{profile}");
    }
    assert!(catalogue.recommended_for("gpu-pro").is_none());
    let without = EMBEDDED_CATALOGUE.replace("recommended: [qwen2.5:3b, qwen2.5:1.5b]", "");
    let without = Catalogue::parse(&without, "test").unwrap();
    assert_eq!(without.recommended_for("gpu-high").unwrap().tag, catalogue.models[0].tag);
    let unknown = EMBEDDED_CATALOGUE.replace("recommended: [qwen2.5:3b", "recommended: [nope:1b");
    assert!(Catalogue::parse(&unknown, "test").unwrap_err().message.contains("nope:1b"));
}
