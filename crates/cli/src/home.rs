//! Files that replace embedded ones: `--home DIR`.

use crate::failure::Failure;
use puma_eval::prompt::Templates;
use std::collections::BTreeMap;
use std::path::Path;

/// The prompt templates: the embedded ones, with those of `DIR/prompts/<scenario>/<name>.jinja`, or else upstream's
/// `DIR/specs/prompts/…`, in their place.
pub(crate) fn templates(home: Option<&Path>) -> Result<Templates, Failure> {
    let built_in = Templates::built_in();
    let mut texts = BTreeMap::new();
    for folder in home.into_iter().flat_map(|home| [home.join("specs/prompts"), home.join("prompts")]) {
        for scenario in subfolders(&folder) {
            let name = file_name(&scenario);
            for file in files(&scenario, "jinja") {
                let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                refuse_misspelt(&built_in, &file, &name, &stem)?;
                texts.insert(format!("{name}/{stem}"), read(&file)?);
            }
        }
    }
    Templates::with_overrides(&texts).map_err(|error| Failure::invalid(error.to_string()).hint(error.hint()))
}

/// Strategies are written with dashes and their templates with underscores; a file named after the strategy would be
/// ignored without a word.
fn refuse_misspelt(built_in: &Templates, file: &Path, scenario: &str, stem: &str) -> Result<(), Failure> {
    let right = stem.replace('-', "_");
    if right == stem || built_in.text(scenario, &right).is_none() {
        return Ok(());
    }
    Err(Failure::invalid(format!("the prompt template {} is used by no strategy", file.display()))
        .hint(format!("name it {right}.jinja")))
}

/// A file of `home`, if it is there.
pub(crate) fn file(home: Option<&Path>, names: &[&str]) -> Option<std::path::PathBuf> {
    names.iter().map(|name| home.map(|home| home.join(name))).find_map(|path| path.filter(|path| path.is_file()))
}

/// The text of a file, with a message that names it.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::InvalidData => "save it again as UTF-8",
            _ => "check the name and the permissions",
        };
        Failure::invalid(format!("{} cannot be read: {error}", path.display())).hint(hint)
    })
}

fn subfolders(folder: &Path) -> Vec<std::path::PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(folder: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    entries(folder).into_iter().filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
