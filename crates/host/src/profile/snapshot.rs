//! What a run keeps of the machine it ran on.

use super::{Mode, ProfileError, ProfileFacts, Selection, mode, select};
use crate::machine::Machine;
use crate::source::HostSource;
use serde::Serialize;

/// The machine, its profile and its mode. As JSON, the machine's facts lie at the top.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MachineSnapshot {
    #[serde(flatten)]
    pub machine: Machine,
    pub profile: Selection,
    pub mode: Mode,
}

impl MachineSnapshot {
    /// Reads the machine behind `host`. `wanted` is a profile's id, or `auto`.
    ///
    /// # Errors
    /// `wanted` is no profile.
    pub fn take(host: &dyn HostSource, wanted: Option<&str>) -> Result<Self, ProfileError> {
        let machine = Machine::probe(host);
        let profile = select(&ProfileFacts::of(&machine), wanted)?;
        let mode = mode(&machine);
        Ok(Self { machine, profile, mode })
    }
}
