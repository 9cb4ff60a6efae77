//! Whether a run that goes on is still the run that was begun.

use puma_core::{InstanceRow, ModelIdentity, RunHeader};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// What differs between the stored header and the one that comes on resume, a sentence each; empty if nothing that
/// can change an answer does. Threads, instruction set, machine, profile and program version may change: the numerics
/// contract promises the same bits. A server promises nothing, so there its version counts.
pub(crate) fn header_differences(stored: &RunHeader, now: &RunHeader) -> Vec<String> {
    let mut found = Vec::new();
    differs(&mut found, "spec hash", &stored.spec_hash, &now.spec_hash);
    differs(&mut found, "scenario", &stored.scenario, &now.scenario);
    differs(&mut found, "strategies", &stored.strategies.join(", "), &now.strategies.join(", "));
    differs(&mut found, "number of jobs", &stored.jobs, &now.jobs);
    differs(&mut found, "dataset", &stored.dataset.name, &now.dataset.name);
    differs(&mut found, "dataset hash", &stored.dataset.sha256, &now.dataset.sha256);
    differs(&mut found, "backend", &stored.backend.kind, &now.backend.kind);
    differs(&mut found, "numerics contract", or_none(&stored.backend.numerics), or_none(&now.backend.numerics));
    if stored.backend.kind != "embedded" {
        differs(&mut found, "backend version", or_none(&stored.backend.version), or_none(&now.backend.version));
    }
    for name in keys(&stored.backend.settings, &now.backend.settings) {
        let (before, after) = (stored.backend.settings.get(name).cloned(), now.backend.settings.get(name).cloned());
        differs(&mut found, &format!("backend setting {name}"), or_none(&before), or_none(&after));
    }
    model_differences(&mut found, &stored.models, &now.models);
    for name in keys(&stored.templates, &now.templates) {
        let hash = |templates: &BTreeMap<String, String>| templates.get(name).cloned();
        let (before, after) = (hash(&stored.templates), hash(&now.templates));
        differs(&mut found, &format!("hash of template {name}"), or_none(&before), or_none(&after));
    }
    found
}

fn model_differences(found: &mut Vec<String>, stored: &[ModelIdentity], now: &[ModelIdentity]) {
    let by_name = |models: &[ModelIdentity]| -> BTreeMap<String, ModelIdentity> {
        models.iter().map(|model| (model.name.clone(), model.clone())).collect()
    };
    let (stored, now) = (by_name(stored), by_name(now));
    for name in keys(&stored, &now) {
        match (stored.get(name), now.get(name)) {
            (Some(before), Some(after)) => {
                let mut field = |what: &str, before: &Option<String>, after: &Option<String>| {
                    differs(found, &format!("{what} of model {name}"), or_none(before), or_none(after));
                };
                field("digest", &before.digest, &after.digest);
                field("quantization", &before.quantization, &after.quantization);
                field("template hash", &before.template_hash, &after.template_hash);
                let context = |model: &ModelIdentity| model.context_length.map(|tokens| tokens.to_string());
                field("context length", &context(before), &context(after));
            }
            (Some(_), None) => found.push(format!("model {name} is not asked any more")),
            _ => found.push(format!("model {name} was not asked before")),
        }
    }
}

/// What differs between the stored instances and those that come on resume: at most a few of them, then a count.
pub(crate) fn instance_differences(stored: &[InstanceRow], now: &[InstanceRow]) -> Vec<String> {
    const NAMED: usize = 3;
    let by_id = |rows: &'_ [InstanceRow]| -> BTreeMap<String, InstanceRow> {
        rows.iter().map(|row| (row.instance_id.as_str().to_owned(), row.clone())).collect()
    };
    let (stored, now) = (by_id(stored), by_id(now));
    let mut found: Vec<String> = keys(&stored, &now)
        .into_iter()
        .filter_map(|id| match (stored.get(id), now.get(id)) {
            (Some(before), Some(after)) if before == after => None,
            (Some(_), Some(_)) => Some(format!("instance {id} has other content")),
            (Some(_), None) => Some(format!("instance {id} is missing")),
            _ => Some(format!("instance {id} is new")),
        })
        .collect();
    let more = found.len().saturating_sub(NAMED);
    if more > 0 {
        found.truncate(NAMED);
        found.push(format!("{more} more instances differ"));
    }
    found
}

fn differs<T: PartialEq + Display + ?Sized>(found: &mut Vec<String>, what: &str, before: &T, after: &T) {
    if before != after {
        found.push(format!("{what} was {before}, now {after}"));
    }
}

fn or_none(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("unknown")
}

fn keys<'a, T>(a: &'a BTreeMap<String, T>, b: &'a BTreeMap<String, T>) -> BTreeSet<&'a String> {
    a.keys().chain(b.keys()).collect()
}
