//! What is handed out: an archive for each platform, equal in every byte whoever makes it from the same commit.

mod archive;
mod checksums;
mod licences;
mod options;
mod pages;
mod run;
mod source;

pub(crate) use options::Options;
pub(crate) use run::run;
