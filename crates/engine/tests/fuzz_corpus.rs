//! The committed corpus of the fuzz targets, replayed: seeds, and every input that once broke something.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

// The same checks as the fuzz targets make; they live with the targets, outside of the workspace.
#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the checks are a library's public functions for the fuzz targets")]
mod fuzz;

use std::path::Path;
use std::time::Duration;

/// Longest time for one input on an unoptimised build and a busy machine; a hang takes for ever.
const PATIENCE: Duration = Duration::from_secs(20);

fn replay(target: &str, at_least: usize, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= at_least, "{} holds {} inputs", folder.display(), files.len());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let name = file.display().to_string();
        let started = std::time::Instant::now();
        let held = std::panic::catch_unwind(|| check(&bytes));
        assert!(held.is_ok(), "{name} breaks a law of fuzz/src/{target}.rs");
        assert!(started.elapsed() < PATIENCE, "{name} takes {:?}", started.elapsed());
    }
}

#[test]
fn model_files_of_the_corpus_are_refused_or_run() {
    replay("gguf", 10, fuzz::gguf::check);
}

#[test]
fn vocabularies_and_texts_of_the_corpus_keep_the_laws() {
    replay("tokenizer", 20, fuzz::tokenizer::check);
}

#[test]
fn templates_of_the_corpus_end_in_text_or_an_error() {
    replay("template", 8, fuzz::template::check);
}
