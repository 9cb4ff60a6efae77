//! Real datasets, which are too large and too foreign to be kept here: found in `PUMA_TEST_DATA`, or beside the
//! checkout in `../shared/data`. A machine without them runs the other tests; with `PUMA_EXPECT_DATA=1` (as in CI)
//! a missing folder is a failure.

use std::path::PathBuf;

/// The bytes of `name`, or `None` (said on stderr) if this machine has no real data.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see that some had nothing to work on")]
pub(crate) fn file(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("PUMA_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if std::env::var("PUMA_EXPECT_DATA").is_ok_and(|value| value == "1") => {
            panic!("PUMA_EXPECT_DATA=1, but {} cannot be read: {error}", path.display())
        }
        Err(_) => {
            eprintln!("not run: no data at {}", path.display());
            None
        }
    }
}
