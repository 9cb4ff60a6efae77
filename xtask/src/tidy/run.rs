//! All rules on the whole repository.

use super::{arrows, purity, reach, source, text};
use crate::workspace;
use serde_json::Value;
use std::collections::BTreeMap;

/// Folders whose files the rules read, and the files beside them.
const FOLDERS: &[&str] = &["crates", "xtask", "fuzz", "assets", "docs", "scripts", ".ci", ".cargo"];
const FILES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "Cargo.toml",
    "deny.toml",
    "clippy.toml",
    "rustfmt.toml",
    "rust-toolchain.toml",
];

/// Checks the repository and prints every broken rule.
///
/// # Errors
/// A rule is broken, or the repository cannot be read.
pub(crate) fn run() -> Result<(), String> {
    let texts = texts()?;
    let metadata = workspace::metadata()?;
    let mut findings = arrows::check(&metadata);
    let mut lengths = Vec::new();
    let mut sources = BTreeMap::new();
    for (path, content) in &texts {
        findings.extend(text::check(path, content));
        if path.ends_with(".rs") {
            let (found, functions) = source::check(path, content);
            findings.extend(found);
            findings.extend(purity::check(path, content));
            lengths.extend(functions);
            sources.insert(path.clone(), content.clone());
        }
    }
    let mut roots = roots(&metadata);
    // The fuzz targets form a workspace of their own.
    roots.extend(workspace::files("fuzz/fuzz_targets")?);
    findings.extend(reach::dead_sources(&sources, &roots));
    let assets = workspace::files("assets")?;
    findings.extend(reach::dead_assets(&assets, texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))));
    findings.sort();
    lengths.sort_by(|a, b| b.lines.cmp(&a.lines).then_with(|| (&a.path, a.line).cmp(&(&b.path, b.line))));
    eprintln!("xtask tidy: {} files, {} sources; the longest functions:", texts.len(), sources.len());
    for function in lengths.iter().take(5) {
        eprintln!("  {:>4} lines  {}  {}:{}", function.lines, function.name, function.path, function.line);
    }
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err("one rule is broken".to_owned()),
        count => Err(format!("rules are broken in {count} places")),
    }
}

/// Every text file the rules read, by path.
fn texts() -> Result<BTreeMap<String, String>, String> {
    let mut paths: Vec<String> = FILES.iter().map(|file| (*file).to_owned()).collect();
    paths.retain(|path| workspace::root().join(path).exists());
    for folder in FOLDERS {
        paths.extend(workspace::files(folder)?);
    }
    let mut texts = BTreeMap::new();
    for path in paths {
        if let Some(text) = workspace::text(&path)? {
            texts.insert(path, text);
        }
    }
    Ok(texts)
}

/// The entry file of every target of every package.
fn roots(metadata: &Value) -> Vec<String> {
    let root = format!("{}/", metadata["workspace_root"].as_str().unwrap_or_default());
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages = list(&metadata["packages"]);
    let targets = packages.iter().flat_map(|package| list(&package["targets"]));
    targets.filter_map(|target| Some(target["src_path"].as_str()?.strip_prefix(&root)?.to_owned())).collect()
}
