//! The seam to the machine: every question PUMA asks one, and who answers.
//!
//! [`RealHost`] is the machine the program runs on. [`RecordedHost`] is another one, recorded earlier: it gives the same
//! answers on every machine, which is how a Mac is tested on Linux. A [`Recorder`] keeps the
//! answers, [`record`] asks everything, and [`neutralise`] takes out whose machine it is. Deliberately absent: the meaning of the answers.

mod command;
mod neutralise;
mod question;
mod real;
mod record;
mod recorded;
mod recorder;

pub use neutralise::{Names, neutralise, neutralise_text};
pub use question::{Answer, HostSource, NativeQuery, Unanswered};
pub use real::RealHost;
pub use record::{PROBES, Probe, Recorded, record};
pub use recorded::{Kept, KeptNames, RecordedHost, Recording, RecordingError};
pub use recorder::Recorder;
