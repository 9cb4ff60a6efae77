//! Apple's chips: what a brand string says, what the tables know of the chip, how much memory its GPU may use.
//!
//! A chip that no table lists still gets an answer, marked as extrapolated, or none. Deliberately absent: asking the
//! machine, which `super::macos` does.

mod brand;
mod table;
mod working_set;

pub use brand::Chip;
pub use table::{ChipFacts, ChipStatus, MOST_GPU_CORES, Seen, chip_facts};
pub use working_set::{WorkingSetRule, working_set};
