//! Which servers must be there for the tests that talk to them.

/// Whether `PUMA_EXPECT_SERVERS` (names with commas between, or `all`) says that the test of `name` must not be left out.
pub fn is_expected(name: &str) -> bool {
    let names = std::env::var("PUMA_EXPECT_SERVERS").unwrap_or_default();
    names.split(',').any(|one| one.trim() == name || one.trim() == "all")
}
