//! Writes the tiny models and vocabularies of the golden set to a folder, for another program to read.
#![expect(clippy::print_stderr, reason = "a command-line program speaks to its user")]

use puma_testkit::gguf::{golden_architectures, golden_models, golden_vocabularies};
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: write_tiny_models FOLDER");
        return Err(std::io::ErrorKind::InvalidInput.into());
    };
    let sets = [
        ("models", golden_models()),
        ("architectures", golden_architectures()),
        ("vocabularies", golden_vocabularies()),
    ];
    for (kind, files) in sets {
        let folder = folder.join(kind);
        std::fs::create_dir_all(&folder)?;
        for (name, model) in files {
            std::fs::write(folder.join(format!("{name}.gguf")), model.write())?;
        }
    }
    Ok(())
}
