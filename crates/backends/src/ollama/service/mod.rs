//! An Ollama server of PUMA's own: found or started, waited for, and stopped if and only if PUMA started it.
//!
//! Start at [`ServiceFolder::up_native`]. What was started is written down ([`ServiceRecord`]) before and after it is
//! started, so that a PUMA that dies in between leaves nothing behind that nobody knows: the server carries a marker in
//! its environment by which the next `up` or `down` finds it. A process is only ever signalled when its id, its start
//! time and its program are those that were recorded.
//! Deliberately absent: reading the environment, printing, and any decision about which model is good.

mod compose;
mod docker;
mod error;
mod folder;
mod health;
mod native;
mod process;
mod process_table;
mod program;
mod pull;
mod record;
mod stop;
mod up;

pub use compose::GpuAccess;
pub use docker::DockerOptions;
pub use error::{ServiceError, ServiceErrorKind};
pub use folder::{ServiceFolder, ServiceLock};
pub use health::version_at;
pub use native::NativeOptions;
pub use process::{ProcessIdentity, identify};
pub use program::{SearchPath, find_program};
pub use pull::{PulledModel, pull_model};
pub use record::{Mode, ServiceRecord, Stage, StartedProcess};
pub use stop::{Down, StopOutcome};
pub use up::{Step, Up};
