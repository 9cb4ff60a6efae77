//! Upstream PUMA's published reference numbers, and what is known of how they were made.
//!
//! This file is a table. The figures are those of upstream's `baseline_references.md`, `HARDWARE.md` and of its one
//! published submission; what these leave open is `None`, never guessed.

/// One published number that a run can be held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CanonicalReference {
    pub name: &'static str,
    /// The shipped spec that repeats it.
    pub spec: &'static str,
    /// A name of the metric table.
    pub metric: &'static str,
    pub value: f64,
    /// How far off a repetition may be, in units of the metric.
    pub tolerance: f64,
    /// Who says so.
    pub tolerance_source: &'static str,
    pub model: &'static str,
    pub strategy: &'static str,
    pub instances: u32,
    /// SHA-256 of the data file, where it is known.
    pub dataset_sha256: Option<&'static str>,
    /// What upstream itself saw when it repeated the number.
    pub observed: &'static str,
}

/// One fact about where upstream made its references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceFact {
    pub what: &'static str,
    /// As upstream states it; `None` where it recorded nothing.
    pub stated: Option<&'static str>,
    /// What the same fact holds wherever it is told, whatever the rest of the words.
    pub mark: &'static str,
}

const fn fact(what: &'static str, stated: Option<&'static str>, mark: &'static str) -> ReferenceFact {
    ReferenceFact { what, stated, mark }
}

/// The one machine and server of every reference.
pub static REFERENCE_ENVIRONMENT: [ReferenceFact; 9] = [
    fact("backend", Some("ollama"), "ollama"),
    fact("backend version", None, ""),
    fact("model digest", None, ""),
    // Ollama's default for the tag.
    fact("quantization", Some("Q4_K_M"), "Q4_K_M"),
    fact("profile", Some("gpu-entry"), "gpu-entry"),
    fact("processor", Some("Intel Core i7-10750H"), "i7-10750H"),
    fact("GPU", Some("NVIDIA GeForce RTX 2060 Mobile, 6 GB"), "RTX 2060"),
    fact("system", Some("Linux 6.8"), "linux 6.8"),
    fact("state of the server", Some("restarted before the run"), "unloaded"),
];

const JIRA: Option<&str> = Some("bfec679f95f5f5f28ac62df2e2636ec4b80b4da9409942787b525c12598f505e");

/// Every reference; the first of a metric is its default.
pub static CANONICAL_REFERENCES: [CanonicalReference; 3] = [
    CanonicalReference {
        name: "triage",
        spec: "baseline_triage",
        metric: "f1_macro",
        value: 0.5867,
        tolerance: 0.01,
        tolerance_source: "upstream",
        model: "qwen2.5:3b",
        strategy: "contextual-anchoring",
        instances: 200,
        dataset_sha256: JIRA,
        observed: "0.5831 in v2.5 to v2.7, 0.5891 and 0.5894 in other sessions",
    },
    CanonicalReference {
        name: "estimation",
        spec: "baseline_estimation_canonical",
        metric: "mae",
        value: 5.7150,
        tolerance: 0.05,
        tolerance_source: "upstream",
        model: "qwen2.5:3b",
        strategy: "zero-shot",
        instances: 200,
        dataset_sha256: None,
        observed: "6.3150 when the server had answered a triage run before",
    },
    CanonicalReference {
        name: "triage-floor",
        spec: "smoke_triage_zeroshot",
        metric: "f1_macro",
        value: 0.389_766_883_657_848_73,
        tolerance: 0.01,
        tolerance_source: "that of `triage`; upstream states none",
        model: "qwen2.5:3b",
        strategy: "zero-shot",
        instances: 200,
        dataset_sha256: JIRA,
        observed: "nothing else: it was published once",
    },
];

/// The reference called `name`.
pub fn canonical_reference(name: &str) -> Option<&'static CanonicalReference> {
    CANONICAL_REFERENCES.iter().find(|reference| reference.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::resolve;
    use crate::spec::{parse, shipped};

    #[test]
    fn every_reference_says_what_its_spec_says() {
        for reference in &CANONICAL_REFERENCES {
            assert_eq!(canonical_reference(reference.name), Some(reference));
            assert_eq!(resolve(reference.metric).expect("in the table").1, reference.metric);
            let text = shipped(reference.spec).expect("the spec is shipped");
            let spec = parse(text, reference.spec).expect("the spec is sound");
            assert_eq!(spec.models, [reference.model], "{}", reference.name);
            assert_eq!(spec.adaptation.strategy, [reference.strategy], "{}", reference.name);
            assert_eq!(spec.sample_size, reference.instances, "{}", reference.name);
        }
    }
}
