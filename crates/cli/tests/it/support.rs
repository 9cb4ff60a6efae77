//! A home of its own for every test: data folder, tiny model, and the program with a clean environment.

use puma_kernels::TensorType;
use puma_testkit::gguf::{Architecture, TinyModel};
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder with a data folder and a model in it.
pub(crate) struct Home {
    pub dir: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(dir.path().join("tiny.gguf"), tiny_model()).expect("the model can be written");
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn model(&self) -> String {
        self.path("tiny.gguf").display().to_string()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the file can be written");
        path.display().to_string()
    }

    /// The program with only this home to look at.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_puma"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.dir.path())
            .env("PUMA_DATA_DIR", self.path("data"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn puma(&self, args: &[&str]) -> Ended {
        Ended::from(self.command(args).output().expect("the program starts"))
    }

    /// Runs `puma run` with the tiny model on the embedded triage issues and returns the report.
    pub(crate) fn run_json(&self, more: &[&str]) -> Value {
        let model = self.model();
        let mut args = vec!["run", "--scenario", "triage_jira", "--model", &model, "--max-tokens", "4", "--json"];
        args.extend(more);
        self.puma(&args).json()
    }
}

/// How a call of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

impl Ended {
    pub(crate) fn json(self) -> Value {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// The call failed with `code` and said everything in `said` on standard error, without a panic.
    pub(crate) fn fails(self, code: i32, said: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        for text in said {
            assert!(self.stderr.contains(text), "nothing says {text:?} in {}", self.stderr);
        }
        self
    }
}

/// A random two-layer model whose context holds every prompt.
pub(crate) fn tiny_model() -> Vec<u8> {
    TinyModel { context: 8192, ..TinyModel::new(Architecture::Llama, TensorType::Q4_0) }.write()
}

/// The upstream triage set, where this machine has it.
pub(crate) fn real_data(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PUMA_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("PUMA_EXPECT_DATA").is_none(), "there is no {}", path.display());
    // A failed write to standard error leaves nothing to tell anybody.
    let _ = writeln!(std::io::stderr(), "not run: there is no {}", path.display());
    None
}
