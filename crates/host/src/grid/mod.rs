//! How much CO₂ equivalent a kilowatt-hour stands for, by country. No network is ever asked.
//!
//! [`choose`] decides between what the user said, the time zone and the world's average, and says which it was.
//! Deliberately absent: live intensities, regions inside a country.

mod choose;
mod table;
mod time_zone;

pub use choose::{Choice, GridError, choose};
pub use table::{Country, WORLD, countries, find};
pub use time_zone::guess;
