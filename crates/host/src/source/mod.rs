//! The seam to the machine: every question PUMA asks one, and who answers.
//!
//! [`RealHost`] is the machine the program runs on. [`RecordedHost`] is another one, recorded earlier: it gives the same
//! answers on every machine, which is how a Mac is tested on Linux. Deliberately absent: the meaning of the answers.

mod command;
mod question;
mod real;
mod recorded;

pub use question::{Answer, HostSource, NativeQuery, Unanswered};
pub use real::RealHost;
pub use recorded::{Kept, KeptNames, RecordedHost, Recording, RecordingError};
