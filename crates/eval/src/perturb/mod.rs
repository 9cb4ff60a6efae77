//! Changed questions: the same issue with typos, in capitals, cut short, as the second of a pair, with the options in
//! another order or under other names, to see whether the answer holds.
//!
//! [`TABLE`] names them and says what each keeps. [`View`] is how one job shows its instance, perturbed or not, and what
//! is then right. The first eight and their exact output are upstream's. Deliberately absent: any look at the answers.

mod confusables;
mod fields;
mod options;
mod shorten;
mod table;
mod upstream;
mod view;
mod whitespace;

pub use fields::TEXT_FIELDS;
pub use options::label_names;
pub use table::{Change, Kind, PERTURBATIONS, Perturbation, TABLE, UnknownPerturbation, find};
pub use view::View;
