//! Memory fit: laws, oracles and the complaints that users of other tools filed.

mod complaints;
mod families;
mod laws;
mod machines;
mod models;
mod oracle;
mod recorded;
mod verdicts;
