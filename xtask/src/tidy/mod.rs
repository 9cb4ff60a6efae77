//! The rules of the house as tests. Each rule is a pure function from text to findings, so each is tested on small
//! texts; `run` applies them to the repository.

mod arrows;
mod finding;
mod purity;
mod reach;
mod run;
mod source;
mod text;
mod tokens;

pub(crate) use run::run;
