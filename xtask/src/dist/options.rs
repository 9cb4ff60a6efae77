//! `cargo xtask dist [--target T]… [--out DIR]`.

use crate::cross::{TARGETS, Target};
use std::path::PathBuf;

/// What to make, and where to put it.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) targets: Vec<Target>,
    /// `None`: `dist` in Cargo's target folder.
    pub(crate) out: Option<PathBuf>,
}

impl Options {
    /// Reads the words after `dist`. Without `--target`, every platform is made.
    ///
    /// # Errors
    /// A word is unknown, or an option has no value.
    pub(crate) fn parse(words: &[&str]) -> Result<Options, String> {
        let mut options = Options { targets: Vec::new(), out: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
            match *word {
                "--target" => options.targets.push(Target::named(value()?)?),
                "--out" => options.out = Some(PathBuf::from(value()?)),
                other => return Err(format!("`dist` does not know `{other}`; it knows --target and --out")),
            }
        }
        if options.targets.is_empty() {
            options.targets = TARGETS.to_vec();
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn without_a_target_every_platform_is_made() {
        let options = Options::parse(&[]).expect("nothing is wrong");
        assert_eq!(options.targets.len(), 4);
        assert_eq!(options.out, None);
    }

    #[test]
    fn targets_and_the_folder_are_taken_and_anything_else_is_refused() {
        let options = Options::parse(&["--target", "aarch64-apple-darwin", "--out", "here"]).expect("both are known");
        assert_eq!(options.targets.iter().map(|target| target.triple).collect::<Vec<_>>(), ["aarch64-apple-darwin"]);
        assert_eq!(options.out.as_deref(), Some(std::path::Path::new("here")));
        for words in [&["--target"][..], &["--target", "mac"], &["--out"], &["--debug"]] {
            assert!(Options::parse(words).is_err(), "{words:?}");
        }
    }
}
