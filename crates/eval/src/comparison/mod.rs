//! Two recorded runs, or two parts of one, side by side.
//!
//! [`between`] and [`within`] say which [`Side`] is compared with which, [`compare`] does it: it pairs the jobs by instance
//! and repetition, judges whether the two are comparable at all, and then tells what differs, with intervals and tests.
//! Deliberately absent: reading runs and printing, which are `store`'s and `cli`'s business.

mod breakdown;
mod comparability;
mod compare;
mod deltas;
mod difference;
mod facts;
mod flips;
mod matching;
mod pairing;
mod setup;
mod shares;
mod side;
mod significance;

pub use breakdown::{ClassChange, ConfusionChange, ProjectChange, Shift};
pub use comparability::{Comparability, Verdict};
pub use compare::{Comparison, compare};
pub use deltas::{Delta, Favour};
pub use difference::{Bearing, Difference, Subject};
pub use flips::{Change, ChangeCount, Flip, FlippedAnswer};
pub use matching::{MatchError, Matched, Selection, between, within};
pub use pairing::{PairCounts, Pairing};
pub use side::{Dimension, Side, SideName, UNPERTURBED};
pub use significance::{ALPHA, Agreement, Detectable, Effect, Imputed, Significance, Tested, correct};
