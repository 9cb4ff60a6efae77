//! What other libraries say: the committed file, and where packages may be installed a fresh one with another seed.
//!
//! A fresh one is made where `PUMA_TEST_SCIENCE_PYTHON` names a Python with the packages of
//! `scripts/golden/requirements.txt`, or where `PUMA_EXPECT_SERVERS` expects `science`: then they are installed with pip
//! below the target folder. Missing otherwise, it is said on stderr. `PUMA_TEST_SCIENCE_SEED` repeats a failure.

use puma_testkit::expected::is_expected;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The cases of the committed file and those of a fresh one, by section.
pub(crate) struct Oracle {
    files: Vec<Value>,
}

impl Oracle {
    /// Reads `committed`, and what `scripts/golden/SCRIPT.py` says today.
    pub(crate) fn of(script: &str, committed: &str) -> Self {
        let committed = serde_json::from_str(committed).expect("the golden file is JSON");
        Self { files: std::iter::once(committed).chain(fresh(script)).collect() }
    }

    /// Every case of a section. The committed file alone has at least `least`.
    pub(crate) fn cases(&self, section: &str, least: usize) -> Vec<Value> {
        let of = |file: &Value| file[section].as_array().expect("a list of cases").clone();
        let committed = of(&self.files[0]).len();
        assert!(committed >= least, "{section}: {committed} cases");
        self.files.iter().flat_map(of).collect()
    }
}

/// What the script writes with a seed that was never used before, if its packages are there.
fn fresh(script: &str) -> Option<Value> {
    let python = python()?;
    let nanoseconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_nanos();
    let seed = std::env::var("PUMA_TEST_SCIENCE_SEED").unwrap_or_else(|_| (nanoseconds % 1_000_000_007).to_string());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{script}-{seed}-{}.json", std::process::id()));
    let program = scripts().join(format!("{script}.py"));
    ran(Command::new(python).arg(program).arg(&file).arg(&seed));
    let text = std::fs::read_to_string(&file).expect("the script wrote it");
    std::fs::remove_file(&file).expect("it is ours");
    let _ = writeln!(std::io::stderr(), "{script}.py: fresh cases, PUMA_TEST_SCIENCE_SEED={seed}");
    Some(serde_json::from_str(&text).expect("the script writes JSON"))
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/golden")
}

fn ran(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A Python with the packages, made once; another test program that makes it at the same time is waited for.
fn python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(find_python).clone()
}

fn find_python() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("PUMA_TEST_SCIENCE_PYTHON") {
        return Some(PathBuf::from(path));
    }
    if !is_expected("science") {
        let say =
            "only the committed cases: set PUMA_TEST_SCIENCE_PYTHON to a Python with scripts/golden/requirements.txt";
        let _ = writeln!(std::io::stderr(), "{say}");
        return None;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let lock = File::create(target.join("science.lock")).expect("the target folder is writable");
    lock.lock().expect("a lock");
    let wanted = std::fs::read_to_string(scripts().join("requirements.txt")).expect("it is committed");
    let folder = target.join("science");
    let installed = folder.join("installed.txt");
    if std::fs::read_to_string(&installed).ok().as_deref() != Some(&wanted) {
        ran(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        ran(Command::new(folder.join("bin/pip"))
            .args(["install", "--quiet", "-r"])
            .arg(scripts().join("requirements.txt")));
        std::fs::write(&installed, wanted).expect("the target folder is writable");
    }
    Some(folder.join("bin/python3"))
}
