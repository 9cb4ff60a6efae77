//! `cargo xtask bench-vs-llama [--models FILE,…] [--threads 1,2] [--repetitions 5] …`.

use std::path::PathBuf;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `pp512` and `tg128`.
    Speed,
    FirstToken,
    Triage,
}

const PARTS: [(&str, Part); 3] = [("speed", Part::Speed), ("first-token", Part::FirstToken), ("triage", Part::Triage)];

/// What to measure, with what.
#[derive(Debug)]
pub(crate) struct Options {
    /// Model files; empty for the default model in four types.
    pub(crate) models: Vec<PathBuf>,
    pub(crate) threads: Vec<usize>,
    pub(crate) repetitions: usize,
    pub(crate) parts: Vec<Part>,
    /// Triage issues as CSV, upstream's `jira_balanced_200.csv`; without it that part is left out.
    pub(crate) data: Option<PathBuf>,
    /// Issues of the triage run.
    pub(crate) issues: usize,
    /// Where llama.cpp is built, or the folder of its programs if they are there already.
    pub(crate) llama: Option<PathBuf>,
    /// A `puma` that is built already.
    pub(crate) puma: Option<PathBuf>,
    /// Where to write everything that was measured.
    pub(crate) json: Option<PathBuf>,
    /// Tokens of the prompt and generation tests.
    pub(crate) prompt: usize,
    pub(crate) generate: usize,
}

impl Options {
    /// Reads the words after `bench-vs-llama`.
    ///
    /// # Errors
    /// A word is unknown, or an option has no value or one that cannot be read.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self {
            models: Vec::new(),
            threads: vec![1, 2],
            repetitions: 5,
            parts: PARTS.map(|(_, part)| part).to_vec(),
            data: None,
            issues: 200,
            llama: None,
            puma: None,
            json: None,
            prompt: 512,
            generate: 128,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if *word == "--quick" {
                options = Self { repetitions: 1, issues: 8, prompt: 64, generate: 16, ..options };
                continue;
            }
            let mut value = || words.next().copied().ok_or_else(|| format!("`{word}` needs a value"));
            match *word {
                "--models" => options.models.extend(value()?.split(',').map(PathBuf::from)),
                "--threads" => options.threads = counts(word, value()?)?,
                "--repetitions" => options.repetitions = count(word, value()?)?,
                "--issues" => options.issues = count(word, value()?)?,
                "--parts" => options.parts = value()?.split(',').map(part).collect::<Result<_, _>>()?,
                "--data" => options.data = Some(PathBuf::from(value()?)),
                "--llama" => options.llama = Some(PathBuf::from(value()?)),
                "--puma" => options.puma = Some(PathBuf::from(value()?)),
                "--json" => options.json = Some(PathBuf::from(value()?)),
                other => return Err(format!("`bench-vs-llama` does not know `{other}`; see `cargo xtask help`")),
            }
        }
        Ok(options)
    }
}

fn part(name: &str) -> Result<Part, String> {
    let names = || PARTS.map(|(name, _)| name).join(", ");
    let found = PARTS.iter().find(|(known, _)| *known == name).map(|(_, part)| *part);
    found.ok_or_else(|| format!("there is no part `{name}`; parts are {}", names()))
}

fn count(option: &str, text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&count| count > 0).ok_or_else(|| format!("`{option}` takes numbers from 1, not `{text}`"))
}

fn counts(option: &str, text: &str) -> Result<Vec<usize>, String> {
    text.split(',').map(|one| count(option, one)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_words_everything_is_measured_with_one_and_two_threads() {
        let options = Options::parse(&[]).expect("nothing is wrong");
        assert_eq!((options.threads, options.repetitions, options.issues), (vec![1, 2], 5, 200));
        assert_eq!(options.parts, [Part::Speed, Part::FirstToken, Part::Triage]);
    }

    #[test]
    fn lists_are_read_and_quick_means_small() {
        let words = ["--models", "a.gguf,b.gguf", "--quick", "--threads", "4", "--parts", "triage,speed"];
        let options = Options::parse(&words).expect("all are known");
        assert_eq!(options.models, [PathBuf::from("a.gguf"), PathBuf::from("b.gguf")]);
        assert_eq!((options.threads, options.repetitions), (vec![4], 1));
        assert_eq!(options.parts, [Part::Triage, Part::Speed]);
    }

    #[test]
    fn anything_else_is_refused() {
        for words in [&["--models"][..], &["--threads", "0"], &["--parts", "everything"], &["--fast"]] {
            assert!(Options::parse(words).is_err(), "{words:?}");
        }
    }
}
