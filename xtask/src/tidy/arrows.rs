//! Which crate may depend on which.

use super::finding::Finding;
use serde_json::Value;

/// Crates of the workspace and the crates of the workspace each may depend on. `"*"` allows all.
const ARROWS: &[(&str, &[&str])] = &[
    ("puma-core", &[]),
    ("puma-kernels", &[]),
    ("puma-engine", &["puma-kernels"]),
    ("puma-backends", &["puma-core", "puma-engine"]),
    ("puma-host", &["puma-core"]),
    ("puma-eval", &["puma-core"]),
    ("puma-store", &["puma-core"]),
    ("puma-web", &["puma-core", "puma-store"]),
    ("puma", &["*"]),
    ("puma-testkit", &["puma-core", "puma-host", "puma-kernels"]),
    ("xtask", &[]),
];

/// Outside crates that only some of ours may use, because they bring I/O, a network or an async runtime with them.
const FENCED: &[(&str, &[&str])] = &[
    ("rusqlite", &["puma-store"]),
    ("rusqlite_migration", &["puma-store"]),
    ("ureq", &["puma-backends", "puma-host"]),
    ("memmap2", &["puma-engine"]),
    ("tokio", &["puma-web"]),
    ("axum", &["puma-web"]),
    ("clap", &["puma"]),
];

const WHY_ARROW: &str = "the arrows of ARCHITECTURE.md keep each crate usable and testable without the others";
const WHY_FENCE: &str = "one crate for each kind of I/O; the others stay pure and quick to build";

/// Checks the packages that `cargo metadata --no-deps` lists.
pub(crate) fn check(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Value) -> Vec<Finding> {
    let name = package["name"].as_str().unwrap_or_default();
    let place = package["manifest_path"].as_str().unwrap_or_default();
    let folder = if name == "xtask" { "xtask" } else { place.rsplit('/').nth(1).unwrap_or_default() };
    let manifest = if name == "xtask" { "xtask/Cargo.toml".to_owned() } else { format!("crates/{folder}/Cargo.toml") };
    let found = |what: String, why| Finding::new(&manifest, 0, what, why);
    let Some((_, allowed)) = ARROWS.iter().find(|(of, _)| *of == name) else {
        return vec![found(format!("{name} is not in xtask's table of crates"), WHY_ARROW)];
    };
    let mut findings = Vec::new();
    for dependency in package["dependencies"].as_array().map_or(&[][..], Vec::as_slice) {
        let on = dependency["name"].as_str().unwrap_or_default();
        let shipped = dependency["kind"].as_str() != Some("dev");
        let ours = dependency["path"].is_string();
        let may = allowed.contains(&"*") || allowed.contains(&on);
        if ours && shipped && on == "puma-testkit" {
            findings.push(found(format!("{name} ships puma-testkit"), "testkit is for tests only"));
        } else if ours && on != "puma-testkit" && !may {
            findings.push(found(format!("{name} may not depend on {on}"), WHY_ARROW));
        }
        let fence = FENCED.iter().find(|(outside, _)| *outside == on);
        if let Some((_, inside)) = fence.filter(|(_, inside)| shipped && !inside.contains(&name)) {
            findings.push(found(format!("{name} may not use {on}; only {} may", inside.join(", ")), WHY_FENCE));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use serde_json::{Value, json};

    fn depends(name: &str, on: &str, kind: Option<&str>, ours: bool) -> Vec<String> {
        let path = if ours { json!("somewhere") } else { Value::Null };
        let manifest = format!("here/crates/{}/Cargo.toml", name.trim_start_matches("puma-"));
        let metadata = json!({"packages": [{
            "name": name, "manifest_path": manifest,
            "dependencies": [{"name": on, "kind": kind, "path": path}],
        }]});
        check(&metadata).into_iter().map(|finding| format!("{}: {}", finding.path, finding.what)).collect()
    }

    #[test]
    fn an_arrow_of_the_table_passes_and_any_other_fails() {
        assert!(depends("puma-engine", "puma-kernels", None, true).is_empty());
        assert_eq!(
            depends("puma-engine", "puma-core", None, true),
            ["crates/engine/Cargo.toml: puma-engine may not depend on puma-core"]
        );
        assert!(!depends("puma-eval", "puma-store", Some("dev"), true).is_empty());
    }

    #[test]
    fn testkit_is_for_tests() {
        assert!(depends("puma-eval", "puma-testkit", Some("dev"), true).is_empty());
        assert_eq!(depends("puma", "puma-testkit", None, true), ["crates/puma/Cargo.toml: puma ships puma-testkit"]);
    }

    #[test]
    fn sqlite_belongs_to_the_store() {
        assert!(depends("puma-store", "rusqlite", None, false).is_empty());
        assert_eq!(depends("puma-eval", "rusqlite", None, false).len(), 1);
        assert!(depends("puma-eval", "rusqlite", Some("dev"), false).is_empty());
    }

    #[test]
    fn a_new_crate_must_enter_the_table() {
        assert_eq!(depends("puma-plugins", "serde", None, false).len(), 1);
    }
}
