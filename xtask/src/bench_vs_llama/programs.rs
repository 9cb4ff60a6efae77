//! The two programs that are compared: found, or built.

use super::options::Options;
use crate::{command, workspace};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds llama.cpp from the source inside a Python package, with everything this processor has.
const SCRIPT: &str = "scripts/servers/llama-server.sh";

/// Where the programs are.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    pub puma: PathBuf,
    /// Folder of llama.cpp's programs.
    llama: PathBuf,
}

impl Programs {
    /// # Errors
    /// Something cannot be built.
    pub(super) fn provide(options: &Options) -> Result<Self, String> {
        let puma = match &options.puma {
            Some(file) => file.clone(),
            None => {
                command::run("cargo", &["build", "--release", "--package", "puma"])?;
                workspace::target_directory()?.join("release/puma")
            }
        };
        Ok(Self { puma: absolute(&puma)?, llama: llama(options.llama.as_deref())? })
    }

    /// One of llama.cpp's programs; `None` if this build does not have it.
    pub(super) fn llama(&self, name: &str) -> Option<PathBuf> {
        let file = self.llama.join(name);
        file.exists().then_some(file)
    }

    /// One that every build has.
    pub(super) fn required(&self, name: &str) -> Result<PathBuf, String> {
        self.llama(name).ok_or_else(|| format!("there is no {name} in {}", self.llama.display()))
    }

    /// A `puma` with a data folder of its own, so that nobody's database or settings take part.
    pub(super) fn puma(&self, data: &Path) -> Command {
        let mut command = Command::new(&self.puma);
        command.env("PUMA_DATA_DIR", data).env_remove("PUMA_HOME").env_remove("PUMA_DB");
        command
    }
}

/// The folder of llama.cpp's programs: `wanted` itself, or what is built below it, by default in the user's cache.
fn llama(wanted: Option<&Path>) -> Result<PathBuf, String> {
    let folder = match wanted {
        Some(folder) if folder.join("llama-bench").exists() => return absolute(folder),
        Some(folder) => folder.to_owned(),
        None => cache()?.join("puma-llama.cpp"),
    };
    let programs = folder.join("build/bin");
    if !programs.join("llama-bench").exists() {
        let script = workspace::root().join(SCRIPT);
        command::run_command(Command::new("bash").arg(script).arg("build").arg(&folder))?;
    }
    absolute(&programs)
}

/// The user's folder for what can be made again; outside the repository, so that a clean build keeps it.
fn cache() -> Result<PathBuf, String> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("XDG_CACHE_HOME")
        .or_else(|| Some(variable("HOME")?.join(".cache")))
        .ok_or_else(|| "neither XDG_CACHE_HOME nor HOME says where to build llama.cpp; use --llama DIR".to_owned())
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| format!("{} cannot be found: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_the_programs_is_taken_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join("llama-bench"), "").expect("a file can be written");
        assert_eq!(llama(Some(folder.path())).ok(), folder.path().canonicalize().ok());
    }
}
