//! The embedded table. Sources and licences: `assets/carbon/NOTICE.md`.

use serde::Deserialize;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../../../../assets/carbon/intensity.csv");

/// The code of the world's average.
pub const WORLD: &str = "WORLD";

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Country {
    /// ISO 3166-1 alpha-3, or [`WORLD`].
    pub iso3: String,
    /// ISO 3166-1 alpha-2; empty for the world.
    pub iso2: String,
    pub name: String,
    /// Grams of CO₂ equivalent per kilowatt-hour produced, life cycle.
    pub g_per_kwh: f64,
    pub year: u16,
    /// `ember` or `owid`.
    source: String,
}

impl Country {
    /// The publication, to be named wherever the number is shown.
    pub fn source(&self) -> &'static str {
        match self.source.as_str() {
            "ember" => "Ember, Yearly Electricity Data, 2026 release",
            _ => "Our World in Data (Ember, Energy Institute)",
        }
    }

    pub fn licence(&self) -> &'static str {
        "CC BY 4.0"
    }
}

/// Every country, by code.
pub fn countries() -> &'static [Country] {
    static COUNTRIES: OnceLock<Vec<Country>> = OnceLock::new();
    COUNTRIES.get_or_init(|| {
        let mut reader = csv::Reader::from_reader(TABLE.as_bytes());
        reader.deserialize().collect::<Result<_, _>>().expect("the embedded table is tested")
    })
}

/// The country with this ISO 3166-1 code of three or two letters, in any case.
pub fn find(code: &str) -> Option<&'static Country> {
    let code = code.trim();
    let same = |other: &str| !other.is_empty() && other.eq_ignore_ascii_case(code);
    countries().iter().find(|country| same(&country.iso3) || same(&country.iso2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_plausible_country_in_the_order_of_codes() {
        let rows = countries();
        assert!(rows.len() > 200);
        for pair in rows.windows(2) {
            assert!(pair[0].iso3 < pair[1].iso3, "{} {}", pair[0].iso3, pair[1].iso3);
        }
        for row in rows {
            assert!(row.g_per_kwh > 0.0 && row.g_per_kwh < 1500.0, "{row:?}");
            assert!((2009..=2025).contains(&row.year), "{row:?}");
            assert!(["ember", "owid"].contains(&row.source.as_str()), "{row:?}");
            assert_eq!(row.iso2.len(), if row.iso3 == WORLD { 0 } else { 2 }, "{row:?}");
        }
    }

    #[test]
    fn the_published_values_are_there() {
        for (code, g_per_kwh) in [("ESP", 153.56), ("FRA", 41.45), ("DEU", 329.65), ("USA", 384.4), (WORLD, 458.49)] {
            assert_eq!(find(code).map(|country| country.g_per_kwh), Some(g_per_kwh), "{code}");
        }
        assert_eq!(find(" es ").map(|country| country.iso3.as_str()), Some("ESP"));
        assert_eq!(find(""), None);
        assert_eq!(find("XYZ"), None);
    }
}
