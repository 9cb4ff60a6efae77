//! What the store promises to the rest of the program, tested through its public door.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bundle;
mod cache;
mod care;
mod documented;
mod fixture;
mod kill;
mod listing;
mod measuring;
mod opening;
mod recording;
mod resuming;
mod round_trip;
mod speeds;
mod upstream;

#[test]
fn no_test_file_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(module == "main" || include_str!("main.rs").contains(&format!("mod {module};")), "{name}");
    }
}
