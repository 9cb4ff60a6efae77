//! Files nobody uses: sources no `mod` names, assets no source names.

use super::finding::Finding;
use super::tokens::{self, as_group, attribute, is_punct, string, word};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};

const WHY_SOURCE: &str = "a source file that no module names is never compiled and rots";
const WHY_ASSET: &str = "what nobody reads is removed, or wired in";

/// Sources that cannot be reached from `roots` (the entry files of all targets) by `mod` and `include!`.
/// `sources` are paths and texts of every `.rs` file.
pub(crate) fn dead_sources(sources: &BTreeMap<String, String>, roots: &[String]) -> Vec<Finding> {
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<(String, bool)> = roots.iter().map(|root| (root.clone(), true)).collect();
    while let Some((path, is_root)) = open.pop() {
        if !reached.insert(path.clone()) {
            continue;
        }
        let Some(stream) = sources.get(&path).and_then(|text| tokens::parse(text).ok()) else { continue };
        let folder = parent(&path);
        let children = if is_root || path.ends_with("/mod.rs") {
            folder.to_owned()
        } else {
            path.trim_end_matches(".rs").to_owned()
        };
        let mut named = Vec::new();
        modules(stream, folder, &children, &mut named);
        // Of the spellings a module may have, those that exist.
        open.extend(named.into_iter().filter(|(path, _)| sources.contains_key(path)));
    }
    let dead = sources.keys().filter(|path| !reached.contains(*path));
    dead.map(|path| Finding::new(path, 0, "no module names this file", WHY_SOURCE)).collect()
}

/// Adds every path that the modules and includes of `stream` may mean, and whether its own modules lie beside it, as they
/// do where an attribute names the path. `folder` holds the file, `children` its modules.
fn modules(stream: TokenStream, folder: &str, children: &str, named: &mut Vec<(String, bool)>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut path = None;
    for (index, token) in tokens.iter().enumerate() {
        if let Some(inside) = attribute(&tokens, index).map(|group| group.stream().into_iter().collect::<Vec<_>>())
            && inside.first().and_then(word).is_some_and(|word| word == "path")
        {
            path = inside.get(2).and_then(string);
        }
        let next = tokens.get(index + 1);
        if word(token).is_some_and(|word| word == "mod")
            && let Some(name) = next.and_then(word)
        {
            match tokens.get(index + 2) {
                Some(end) if is_punct(end, ';') => match path.take() {
                    Some(path) => named.push((join(folder, &path), true)),
                    None => {
                        named.push((format!("{children}/{name}.rs"), false));
                        named.push((format!("{children}/{name}/mod.rs"), false));
                    }
                },
                Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {
                    let inner = format!("{children}/{name}");
                    modules(body.stream(), &inner, &inner, named);
                }
                _ => {}
            }
        }
        if word(token).is_some_and(|word| word == "include")
            && let Some(inside) = tokens.get(index + 2).and_then(as_group)
            && let Some(file) = inside.stream().into_iter().next().as_ref().and_then(string)
        {
            named.push((join(folder, &file), false));
        }
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` seen from `folder`, with `..` worked out.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Assets whose name stands in no other text, and whose folder no source embeds as a whole.
pub(crate) fn dead_assets<'a>(
    assets: &[String],
    texts: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Vec<Finding> {
    let used = |asset: &String| {
        let name = asset.rsplit('/').next().unwrap_or(asset);
        let stem = format!("\"{}\"", name.rsplit_once('.').map_or(name, |(stem, _)| stem));
        let folder = format!("{}/\"", parent(asset));
        texts.clone().any(|(path, text)| {
            path != asset
                && (text.contains(name) || path.ends_with(".rs") && (text.contains(&stem) || text.contains(&folder)))
        })
    };
    let dead = assets.iter().filter(|asset| !used(asset));
    dead.map(|asset| Finding::new(asset, 0, "no text names this file", WHY_ASSET)).collect()
}

#[cfg(test)]
mod tests {
    use super::{dead_assets, dead_sources};
    use std::collections::BTreeMap;

    fn dead(files: &[(&str, &str)], roots: &[&str]) -> Vec<String> {
        let sources: BTreeMap<String, String> =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let roots: Vec<String> = roots.iter().map(|root| (*root).to_owned()).collect();
        dead_sources(&sources, &roots).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn modules_are_followed_through_every_spelling() {
        let files = [
            (
                "a/src/lib.rs",
                "mod plain;\npub mod folder;\nmod inline { mod deep; }\n#[path = \"odd/name.rs\"]\nmod x;",
            ),
            ("a/src/plain.rs", "mod child;"),
            ("a/src/plain/child.rs", ""),
            ("a/src/folder/mod.rs", "mod leaf;\ninclude!(\"../table.rs\");"),
            ("a/src/folder/leaf.rs", ""),
            ("a/src/inline/deep.rs", ""),
            ("a/src/odd/name.rs", "mod beside;"),
            ("a/src/odd/beside.rs", ""),
            ("a/src/table.rs", ""),
        ];
        assert!(dead(&files, &["a/src/lib.rs"]).is_empty());
    }

    #[test]
    fn a_file_no_module_names_is_dead_even_if_a_comment_does() {
        let files = [("a/src/lib.rs", "// mod gone;\nmod kept;"), ("a/src/kept.rs", ""), ("a/src/gone.rs", "")];
        assert_eq!(dead(&files, &["a/src/lib.rs"]), ["a/src/gone.rs"]);
    }

    #[test]
    fn an_asset_is_used_by_name_by_stem_or_with_its_folder() {
        let assets = ["assets/p/zero.j2", "assets/p/few.j2", "assets/d/x.csv", "assets/d/lost.csv"];
        let assets: Vec<String> = assets.iter().map(|asset| (*asset).to_owned()).collect();
        let texts = [
            ("a/src/lib.rs", "include_str!(\"../assets/p/zero.j2\"); load(\"few\");"),
            ("assets/p/few.j2", "few.j2 speaks of x.csv"),
        ];
        let found: Vec<String> = dead_assets(&assets, texts.into_iter()).into_iter().map(|f| f.path).collect();
        assert_eq!(found, ["assets/d/lost.csv"]);
        let folder = [("a/src/lib.rs", "include_dir!(\"assets/d/\")")];
        let found: Vec<String> = dead_assets(&assets, folder.into_iter()).into_iter().map(|f| f.path).collect();
        assert_eq!(found, ["assets/p/zero.j2", "assets/p/few.j2"]);
    }
}
