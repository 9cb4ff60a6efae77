//! The pages people read: links lead somewhere, shown commands exist, shown files work.

use crate::support::Home;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every Markdown page at the top and under `docs`, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages = Vec::new();
    let mut folders = vec![(root(), false), (root().join("docs"), true)];
    while let Some((folder, deep)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be listed") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() && deep {
                folders.push((path, true));
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let text = std::fs::read_to_string(&path).expect("the page can be read");
                pages.push((path, text));
            }
        }
    }
    assert!(pages.len() > 20, "only {} pages were found", pages.len());
    pages
}

/// The lines of fenced blocks of `language`, block by block.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<Vec<&'a str>> {
    let mut found = Vec::new();
    let mut inside: Option<Vec<&str>> = None;
    for line in text.lines() {
        match (&mut inside, line.trim().strip_prefix("```")) {
            (None, Some(name)) if name == language => inside = Some(Vec::new()),
            (Some(_), Some(_)) => found.extend(inside.take()),
            (Some(lines), None) => lines.push(line),
            (None, _) => {}
        }
    }
    found
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    for (page, text) in pages() {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            let file = target.split('#').next().unwrap_or(target);
            if file.is_empty() || target.contains("://") {
                continue;
            }
            let path = page.parent().expect("a page lies in a folder").join(file);
            assert!(path.exists(), "{} links to {target}, which is not there", page.display());
        }
    }
}

#[test]
fn every_shown_command_and_flag_exists() {
    let home = Home::new();
    let mut help: BTreeMap<String, String> = BTreeMap::new();
    let mut shown = 0;
    for (page, text) in pages() {
        for line in blocks(&text, "console").concat() {
            let Some(arguments) = line.trim().strip_prefix("$ puma ") else { continue };
            let arguments = arguments.split(['#', '|']).next().unwrap_or_default();
            let words: Vec<&str> = arguments.split_whitespace().collect();
            let named = words.iter().skip_while(|word| word.starts_with("--") || **word == "DIR");
            let command: Vec<&str> = match named.copied().collect::<Vec<_>>().as_slice() {
                [first @ ("models" | "engine" | "bench" | "cache" | "db" | "bundle"), second, ..] => {
                    vec![first, second]
                }
                ["datasets", "check", ..] => vec!["datasets", "check"],
                [first, ..] => vec![first],
                [] => panic!("{}: `{line}` names no command", page.display()),
            };
            let help = help.entry(command.join(" ")).or_insert_with(|| {
                let ended = home.puma(&[&command[..], &["--help"]].concat());
                assert_eq!(ended.code, Some(0), "{}: `{line}`: {}", page.display(), ended.stderr);
                ended.stdout
            });
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(
                    help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n")),
                    "{}: `{line}`: no {flag}",
                    page.display()
                );
            }
            shown += 1;
        }
    }
    assert!(shown > 20, "only {shown} commands were found");
}

#[test]
fn the_shown_spec_runs() {
    let home = Home::new();
    let page = std::fs::read_to_string(root().join("docs/reference/run-spec.md")).expect("the page can be read");
    let specs = blocks(&page, "yaml");
    assert_eq!(specs.len(), 1);
    let spec = home.write("shown.yaml", specs[0].join("\n").replace("smollm2:135m", &home.model()));
    let plan = home.puma(&["run", &spec, "--dry-run", "--json"]).json();
    assert_eq!(plan["jobs"].as_array().map(Vec::len), Some(8));
}

#[test]
fn the_shown_prompt_replaces_the_embedded_one() {
    let home = Home::new();
    let page = std::fs::read_to_string(root().join("docs/reference/prompts.md")).expect("the page can be read");
    let folder = home.path("mine/prompts/triage_jira");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(folder.join("zero_shot.jinja"), blocks(&page, "jinja")[0].join("\n"))
        .expect("the file can be written");
    let (mine, model) = (home.path("mine").display().to_string(), home.model());
    let args =
        ["--home", &mine, "run", "--scenario", "triage_jira", "--model", &model, "--instances", "1", "--dry-run"];
    let plan = home.puma(&args).stdout;
    assert!(
        plan.contains("Patient safety comes first.") && plan.contains("Critical, Major, Minor, Trivial?"),
        "{plan}"
    );
}
