//! The fuzz targets of `fuzz/`, for a while each.

use crate::{command, workspace};
use std::process::Command;

const TARGETS: [&str; 3] = ["gguf", "tokenizer", "template"];
/// Long enough to see that nothing broke on the way; the recorded runs took half an hour each.
const SECONDS: u32 = 60;
/// Inputs larger than this find nothing that smaller ones do not.
const LONGEST_INPUT_BYTES: u32 = 16_384;
const MEMORY_MB: u32 = 2048;
/// A slower input is reported as a hang.
const HANG_S: u32 = 10;

/// What to run and for how long.
pub(crate) struct Options {
    targets: Vec<&'static str>,
    seconds: u32,
}

impl Options {
    /// # Errors
    /// A word is no target and no option.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self { targets: Vec::new(), seconds: SECONDS };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            if word == "--seconds" {
                let number = words.next().and_then(|number| number.parse().ok()).filter(|&seconds| seconds > 0);
                options.seconds = number.ok_or("`--seconds` needs a number above 0: the seconds of each target")?;
            } else if let Some(target) = TARGETS.into_iter().find(|&target| target == word) {
                options.targets.push(target);
            } else {
                return Err(format!("`{word}` is no fuzz target; there are {}", TARGETS.join(", ")));
            }
        }
        if options.targets.is_empty() {
            options.targets.extend(TARGETS);
        }
        Ok(options)
    }
}

/// Runs each target. Inputs that were found go to `fuzz/grown`, those that break something to `fuzz/artifacts`.
///
/// # Errors
/// A tool is missing, or an input breaks a law, hangs or takes too much memory.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    if !command::works("cargo", &["+nightly", "--version"]) {
        return Err("fuzzing needs a nightly compiler: `rustup toolchain install nightly`".to_owned());
    }
    if !command::works("cargo", &["+nightly", "fuzz", "--version"]) {
        return Err("cargo-fuzz is missing: `cargo install cargo-fuzz --locked`".to_owned());
    }
    let folder = workspace::root().join("fuzz");
    for target in &options.targets {
        let grown = folder.join("grown").join(target);
        std::fs::create_dir_all(&grown).map_err(|error| format!("{} cannot be made: {error}", grown.display()))?;
        let mut cargo = Command::new("cargo");
        // What is read has no unsafe code of its own; without the sanitizer twice as many inputs are tried.
        cargo.args(["+nightly", "fuzz", "run", "--sanitizer", "none", target]).arg(&grown).args([
            format!("corpus/{target}"),
            "--".to_owned(),
            format!("-dict=dictionaries/{target}.dict"),
            format!("-max_total_time={}", options.seconds),
            format!("-rss_limit_mb={MEMORY_MB}"),
            format!("-timeout={HANG_S}"),
            format!("-max_len={LONGEST_INPUT_BYTES}"),
            "-print_final_stats=1".to_owned(),
        ]);
        command::run_command(cargo.current_dir(&folder))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Options, SECONDS};

    #[test]
    fn targets_and_time_are_chosen_by_words() {
        let all = Options::parse(&[]).unwrap();
        assert_eq!((all.targets.len(), all.seconds), (3, SECONDS));
        let one = Options::parse(&["template", "--seconds", "5"]).unwrap();
        assert_eq!((one.targets, one.seconds), (vec!["template"], 5));
        for wrong in [&["templates"][..], &["--seconds"], &["--seconds", "0"]] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
