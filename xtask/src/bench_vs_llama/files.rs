//! The model files that both programs read.

use super::options::Options;
use super::programs::Programs;
use crate::test_model::{self, TestModel};
use crate::{command, workspace};
use std::path::PathBuf;
use std::process::Command;

/// Types that the default model is also measured in.
const TYPES: [&str; 3] = ["Q4_0", "Q8_0", "Q4_K_M"];

/// One file.
#[derive(Clone, Debug)]
pub(super) struct ModelFile {
    pub path: PathBuf,
    /// Its name, without the ending.
    pub name: String,
}

/// The files asked for, or the default model: as it is published, and in the other types, made by llama-quantize from it.
///
/// # Errors
/// A file is missing, or cannot be made.
pub(super) fn provide(options: &Options, programs: &Programs) -> Result<Vec<ModelFile>, String> {
    if !options.models.is_empty() {
        return options.models.iter().map(|path| named(path.clone())).collect();
    }
    let original = match test_model::provide(&test_model::SMOLLM2)? {
        TestModel::At(path) => path,
        TestModel::Missing { reason } => return Err(format!("the default model cannot be had: {reason}")),
    };
    let folder = workspace::root().join("target/models");
    let mut files = vec![named(original.clone())?];
    for kind in TYPES {
        let file = folder.join(format!("SmolLM2-135M-Instruct.{kind}.gguf"));
        if !file.exists() {
            let fresh = file.with_extension("unfinished");
            let mut quantize = Command::new(programs.required("llama-quantize")?);
            command::run_command(quantize.arg("--allow-requantize").args([&original, &fresh]).arg(kind))?;
            std::fs::rename(&fresh, &file).map_err(|error| format!("{} cannot be named: {error}", file.display()))?;
        }
        files.push(named(file)?);
    }
    Ok(files)
}

fn named(path: PathBuf) -> Result<ModelFile, String> {
    let path = path.canonicalize().map_err(|error| format!("{} cannot be found: {error}", path.display()))?;
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(ModelFile { path, name })
}
