//! Changed inputs: the same issue with typos, in capitals, cut short, and so on, to see whether the answer holds.
//!
//! [`PERTURBATIONS`] names them, [`apply`] changes one text, [`apply_to_fields`] an instance. The eight and their
//! exact output are upstream's. Deliberately absent: any look at the answers.

mod catalogue;
mod fields;

pub use catalogue::{PERTURBATIONS, UnknownPerturbation, apply};
pub use fields::{TEXT_FIELDS, apply_to_fields};
