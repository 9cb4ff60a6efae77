//! The licences of what is linked into an executable. Most ask that their text goes wherever the program goes.

use crate::command;
use crate::cross::{Target, Zig};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// What licence files are called.
const BEGINNINGS: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];

const OPENING: &str = "\
# Licences of what is inside

PUMA itself is under the MIT licence (LICENSE). Its executable also contains Rust's standard library (MIT or Apache-2.0, by
the Rust project's developers), parts of LLVM's runtime (Apache-2.0 with LLVM exception), SQLite (public domain) and the
packages below, each with the licence it names. Texts that several packages share stand here once.
";

/// The page for one platform.
///
/// # Errors
/// Cargo cannot list the packages, or a licence's text cannot be read.
pub(crate) fn page(target: &Target, zig: &Zig) -> Result<String, String> {
    let filter = ["metadata", "--format-version=1", "--locked", "--filter-platform", target.triple];
    let text = command::output("cargo", &filter)?;
    let metadata = serde_json::from_str(&text).map_err(|error| format!("`cargo metadata` printed no JSON: {error}"))?;
    let mut packages = String::new();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in linked(&metadata) {
        let word = |key: &str| package[key].as_str().unwrap_or_default();
        let name = format!("{} {}", word("name"), word("version"));
        let folder = Path::new(word("manifest_path")).parent().unwrap_or(Path::new(""));
        let found = licence_texts(folder, word("license"))?;
        let _ = write!(packages, "- {name}: {}", word("license"));
        if found.is_empty() {
            let authors: Vec<&str> =
                package["authors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let _ = write!(packages, " (carries no text of it; by {}, {})", authors.join(", "), word("repository"));
        }
        packages.push('\n');
        for text in found {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    if target.triple.ends_with("-musl") {
        texts.entry(zig.licence_of_musl()?).or_default().push("musl".to_owned());
    }
    let mut sorted: Vec<_> = texts.into_iter().collect();
    sorted.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    let mut page = format!("{OPENING}\n{packages}");
    for (text, names) in sorted {
        let _ = write!(page, "\n## {}\n\n```text\n{}\n```\n", names.join(", "), text.trim_end());
    }
    Ok(page)
}

/// Every package from outside that the package puma is built from, sorted by name and version. Build scripts and tests
/// are not handed out.
fn linked(metadata: &Value) -> Vec<&Value> {
    let list = |value: &'_ Value| -> Vec<Value> { value.as_array().cloned().unwrap_or_default() };
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let mut needed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let shipped = |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        let of = list(&node["deps"]).into_iter().filter(shipped);
        let names = of.filter_map(|dependency| Some(dependency["pkg"].as_str()?.to_owned())).collect();
        needed.insert(node["id"].as_str().unwrap_or_default().to_owned(), names);
    }
    let is_puma = |package: &&Value| package["name"] == "puma" && package["source"].is_null();
    let start = packages.iter().find(is_puma).and_then(|package| package["id"].as_str());
    let mut open: Vec<String> = start.map(str::to_owned).into_iter().collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = open.pop() {
        if reached.insert(id.clone()) {
            open.extend(needed.get(&id).cloned().unwrap_or_default());
        }
    }
    let is_foreign = |package: &&Value| !package["source"].is_null();
    let is_reached = |package: &&Value| package["id"].as_str().is_some_and(|id| reached.contains(id));
    let mut found: Vec<&Value> = packages.iter().filter(is_foreign).filter(is_reached).collect();
    found.sort_by_key(|package| [package["name"].as_str(), package["version"].as_str()]);
    found
}

/// The licence files of a package's folder. Where the MIT licence may be chosen, the Apache licence's text is left out.
fn licence_texts(folder: &Path, expression: &str) -> Result<Vec<String>, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.file_type().map_err(unreadable)?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    let texts = chosen(&names, expression).into_iter().map(|name| std::fs::read_to_string(folder.join(name)));
    texts.collect::<Result<_, _>>().map_err(unreadable)
}

fn chosen<'a>(names: &'a [String], expression: &str) -> Vec<&'a str> {
    let names = names.iter().map(String::as_str);
    let is_licence = |name: &str| {
        let upper = name.to_uppercase();
        upper.starts_with("UNLICENSE") || BEGINNINGS.iter().any(|beginning| upper.starts_with(beginning))
    };
    let licences: Vec<&str> = names.filter(|name| is_licence(name)).collect();
    let has_choice = !expression.contains(" AND ") && (expression.contains(" OR ") || expression.contains('/'));
    let has_mit = licences.iter().any(|name| name.to_uppercase().contains("MIT"));
    let is_wanted = |name: &&str| !(has_choice && has_mit && name.to_uppercase().contains("APACHE"));
    licences.into_iter().filter(is_wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::{chosen, linked};
    use serde_json::json;

    #[test]
    fn what_is_only_built_or_tested_with_is_not_listed() {
        let package =
            |name: &str, source: Option<&str>| json!({"id": name, "name": name, "version": "1", "source": source});
        let needs = |name: &str, kind: Option<&str>| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [
                package("zlib", Some("r")), package("puma", None), package("own", None), package("ansi", Some("r")),
                package("cc", Some("r")), package("proptest", Some("r")), package("stranger", Some("r")),
            ],
            "resolve": {"nodes": [
                {"id": "puma", "deps": [needs("own", None), needs("cc", Some("build")), needs("proptest", Some("dev"))]},
                {"id": "own", "deps": [needs("zlib", None)]},
                {"id": "zlib", "deps": [needs("ansi", None)]},
            ]},
        });
        let names: Vec<_> = linked(&metadata).iter().filter_map(|package| package["name"].as_str()).collect();
        assert_eq!(names, ["ansi", "zlib"]);
    }

    #[test]
    fn where_mit_may_be_chosen_its_text_is_enough() {
        let names = ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "NOTICE", "src.rs"].map(str::to_owned);
        assert_eq!(chosen(&names, "MIT OR Apache-2.0"), ["LICENSE-MIT", "NOTICE"]);
        assert_eq!(chosen(&names, "MIT AND Apache-2.0"), ["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"]);
        assert_eq!(chosen(&names[..2], "MIT OR Apache-2.0"), ["LICENSE-APACHE"]);
    }
}
