//! A run without what tells whose machine it was made on. Issue texts, prompts and answers are data and stay.

use crate::failure::Failure;
use puma_core::{Completion, JobRecord, RecordedRun};
use puma_host::source::{Names, neutralise_text};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// `run` without personal names, folders and addresses, and what was replaced in it, a sentence each.
///
/// `home` is the user's folder, `names` those of the user and the machine.
///
/// # Errors
/// What was measured cannot be written as JSON.
pub(crate) fn neutral(
    mut run: RecordedRun,
    names: &Names,
    home: Option<&str>,
) -> Result<(RecordedRun, Vec<String>), Failure> {
    let mut names = names.clone();
    let mut done = Vec::new();
    let mut note = |changed: bool, what: &str| done.extend(changed.then(|| what.to_owned()));
    let model_names = without_folders(&run);
    let renamed = rename_models(&mut run, &model_names);
    note(renamed, "model names that were paths: only the file name is kept");
    let endpoint = run.header.backend.endpoint.as_deref().map(neutral_endpoint);
    if let Some((address, host)) = endpoint {
        host.iter().for_each(|host| names.add("server", host));
        note(host.is_some(), "run.json, backend.endpoint: the server's name is replaced");
        run.header.backend.endpoint = Some(address);
    }
    let source = file_name(&run.header.dataset.source);
    note(source != run.header.dataset.source, "run.json, dataset.source: only the file name is kept");
    run.header.dataset.source = source;
    let known = |text: &str| {
        let text = model_names.iter().fold(text.to_owned(), |text, (path, name)| text.replace(path, name));
        home.filter(|home| home.len() > 1).map_or(text.clone(), |home| text.replace(home, "~"))
    };
    // Places of the system, as a machine's facts name them, are nobody's; what stands in a message can be anybody's.
    let clean_fact = |text: &str| neutralise_text(&known(text), &names);
    let clean = |text: &str| neutralise_text(&without_paths(&known(text)), &names);
    let spec = mapped(&run.header.spec, &|text| model_names.get(text).cloned().unwrap_or_else(|| clean(text)));
    note(spec != run.header.spec, "run.json, spec: names and paths are replaced; spec_hash is that of the original");
    run.header.spec = spec;
    let machine = mapped(&run.header.machine, &clean_fact);
    note(machine != run.header.machine, "run.json, machine: names, addresses and serial numbers are replaced");
    run.header.machine = machine;
    let mut changed = false;
    for model in &mut run.header.models {
        changed |= replace_option(&mut model.source, &without_paths);
    }
    for setting in run.header.backend.settings.values_mut() {
        changed |= replace(setting, &clean);
    }
    note(changed, "run.json, models and settings: of a path only the file name is kept");
    let sessions = through_json(&run.sessions, &clean_fact)?;
    note(sessions != run.sessions, "sessions.jsonl: names, addresses and serial numbers are replaced");
    run.sessions = sessions;
    let changed = run.records.iter_mut().map(|record| clean_errors(record, &clean)).fold(false, |any, one| any | one);
    note(changed, "predictions.jsonl, errors: names, paths and addresses are replaced");
    Ok((run, done))
}

/// Models that are named by a path, and the file names that stand for them; two of one name stay two.
fn without_folders(run: &RecordedRun) -> BTreeMap<String, String> {
    let names = run.header.models.iter().map(|model| &model.name).chain(run.records.iter().map(|record| &record.model));
    let all: BTreeSet<&String> = names.collect();
    let mut taken: BTreeSet<String> = all.iter().filter(|name| !is_path(name)).map(|name| (*name).clone()).collect();
    let mut short = BTreeMap::new();
    for name in all.into_iter().filter(|name| is_path(name)) {
        let base = last_part(name).to_owned();
        let numbered = (2_u32..).map(|number| format!("{base}-{number}"));
        let free = std::iter::once(base.clone()).chain(numbered).find(|candidate| !taken.contains(candidate));
        let free = free.unwrap_or(base);
        taken.insert(free.clone());
        short.insert(name.clone(), free);
    }
    short
}

fn rename_models(run: &mut RecordedRun, names: &BTreeMap<String, String>) -> bool {
    let places = run.header.models.iter_mut().map(|model| &mut model.name);
    let places = places.chain(run.records.iter_mut().map(|record| &mut record.model));
    for place in places {
        if let Some(short) = names.get(place) {
            place.clone_from(short);
        }
    }
    !names.is_empty()
}

/// Whether a model's name is a path. Registries name models with slashes too: `hf.co/someone/model`.
fn is_path(name: &str) -> bool {
    let file = name.ends_with(".gguf") && name.contains(['/', '\\']) && !name.contains(':');
    is_rooted(name) || file
}

/// Whether a word begins as only paths do.
fn is_rooted(word: &str) -> bool {
    let rooted = ["/", "~/", "~\\", "./", "../", ".\\", "..\\", "\\\\"].iter().any(|start| word.starts_with(start));
    rooted || word.get(1..3).is_some_and(|part| part == ":\\" || part == ":/")
}

fn last_part(path: &str) -> &str {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The last part of a path; anything else as it is.
fn file_name(text: &str) -> String {
    if text.contains(['/', '\\']) { last_part(text).to_owned() } else { text.to_owned() }
}

/// Every path in a sentence without its folders.
fn without_paths(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || "\"'`(),;=".contains(c)) {
        let end = piece.trim_end_matches(|c: char| c.is_whitespace() || "\"'`(),;=.:".contains(c)).len();
        let (word, rest) = piece.split_at(end);
        out.push_str(if is_rooted(word) && word.len() > 1 { last_part(word) } else { word });
        out.push_str(rest);
    }
    out
}

/// An address without user and password, its host replaced unless it is this machine's own; and the replaced host.
fn neutral_endpoint(endpoint: &str) -> (String, Option<String>) {
    let (scheme, rest) = endpoint.split_once("://").map_or(("", endpoint), |(scheme, rest)| (scheme, rest));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let host_end = if address.starts_with('[') {
        address.find(']').map_or(address.len(), |at| at + 1)
    } else {
        address.find(':').unwrap_or(address.len())
    };
    let (host, port) = address.split_at(host_end);
    let own = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    if own {
        (format!("{scheme}{host}{port}{path}"), None)
    } else {
        (format!("{scheme}server{port}{path}"), Some(host.to_owned()))
    }
}

fn clean_errors(record: &mut JobRecord, clean: &dyn Fn(&str) -> String) -> bool {
    let JobRecord { error, failed_attempts, completions, .. } = record;
    let attempts = completions.iter_mut().flat_map(|Completion { attempts, .. }| attempts).chain(failed_attempts);
    let mut changed = replace_option(error, clean);
    for attempt in attempts {
        changed |= replace_option(&mut attempt.error, clean);
    }
    changed
}

fn replace_option(text: &mut Option<String>, with: &dyn Fn(&str) -> String) -> bool {
    text.as_mut().is_some_and(|text| replace(text, with))
}

fn replace(text: &mut String, with: &dyn Fn(&str) -> String) -> bool {
    let clean = with(text);
    let changed = clean != *text;
    *text = clean;
    changed
}

fn through_json<T: Serialize + DeserializeOwned>(value: &T, with: &dyn Fn(&str) -> String) -> Result<T, Failure> {
    let unreadable = |error: serde_json::Error| Failure::operation(format!("what was measured is no JSON: {error}"));
    let value = serde_json::to_value(value).map_err(unreadable)?;
    serde_json::from_value(mapped(&value, with)).map_err(unreadable)
}

/// `value` with every text in it, but no key, through `with`.
fn mapped(value: &Value, with: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(with(text)),
        Value::Array(items) => items.iter().map(|item| mapped(item, with)).collect(),
        Value::Object(map) => map.iter().map(|(key, item)| (key.clone(), mapped(item, with))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_sentences_lose_their_folders_and_names_of_registries_stay() {
        for (text, expected) in [
            ("`/srv/ana/models/tiny.gguf` is no model", "`tiny.gguf` is no model"),
            ("cannot read ~/a b/x.csv: gone", "cannot read a b/x.csv: gone"),
            (r"C:\Users\ana\x.gguf.", "x.gguf."),
            ("hf.co/someone/model:Q4", "hf.co/someone/model:Q4"),
            ("pypi:smol==1/data/model.gguf", "pypi:smol==1/data/model.gguf"),
            ("read/write", "read/write"),
            ("a / b", "a / b"),
        ] {
            assert_eq!(without_paths(text), expected);
        }
    }

    #[test]
    fn an_endpoint_keeps_its_port_and_loses_its_server() {
        for (endpoint, expected, host) in [
            ("http://127.0.0.1:11434", "http://127.0.0.1:11434", None),
            ("http://[::1]:8080/v1", "http://[::1]:8080/v1", None),
            ("https://ana:secret@gpu.lab.example:8443/v1", "https://server:8443/v1", Some("gpu.lab.example")),
            ("gpu-box:11434", "server:11434", Some("gpu-box")),
        ] {
            assert_eq!(neutral_endpoint(endpoint), (expected.to_owned(), host.map(str::to_owned)));
        }
    }
}
