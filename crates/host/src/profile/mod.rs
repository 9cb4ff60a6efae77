//! Which class of machine this is, by upstream PUMA's fifteen profiles and generic classes beside them.
//!
//! [`select`] is a pure function from [`ProfileFacts`] to a [`Selection`] that names the rule which decided.
//! [`mode`] says what the models can run on. Deliberately absent: whether one model fits; see `fit`.

mod facts;
mod mode;
mod select;
mod snapshot;
mod table;

pub use facts::ProfileFacts;
pub use mode::{Mode, ModeKind, mode};
pub use select::{ProfileError, Rule, Selection, select, upstream_id};
pub use snapshot::MachineSnapshot;
pub use table::{PROFILES, Profile, find, unmet};
