//! Takes out of a recording what tells whose machine it is, and leaves what tells which machine it is.
//!
//! Three nets: names that the machine itself gives its user and itself ([`names`]), shapes that only identifiers have
//! ([`shapes`]), and, where any word could be a name, a list of the words that are none ([`words`]). Every identifier
//! becomes a fixed placeholder; equal ones become equal placeholders, because two cards must stay two.

mod names;
mod placeholder;
mod places;
mod recording;
mod shapes;
mod words;

pub use names::Names;
pub use recording::{neutralise, neutralise_text};
