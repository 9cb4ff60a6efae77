//! Which intensity counts.

use super::table::{Country, WORLD, find};
use super::time_zone::guess;
use crate::source::HostSource;
use puma_core::measure::GridIntensity;

/// What the user said about the grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// Grams per kilowatt-hour, of `--intensity`.
    pub g_per_kwh: Option<f64>,
    /// ISO code of `--country`.
    pub country: Option<String>,
    /// ISO code of `PUMA_COUNTRY`.
    pub country_variable: Option<String>,
    /// ISO code of the spec's `sustainability.country_iso`, where it was written there.
    pub country_of_spec: Option<String>,
}

/// The user's word about the grid cannot be taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GridError {
    #[error("there is no carbon intensity for the country `{code}` ({said_by})")]
    UnknownCountry { code: String, said_by: &'static str },
    #[error("{0} g/kWh is no carbon intensity")]
    BadIntensity(f64),
}

impl GridError {
    pub fn hint(&self) -> &'static str {
        match self {
            Self::UnknownCountry { .. } => {
                "name it by its ISO 3166-1 code, as `--country ESP`, or give the number: `--intensity 153.6`"
            }
            Self::BadIntensity(_) => "give grams of CO₂ equivalent per kilowatt-hour, 0 to 5000",
        }
    }
}

/// The user's number, else the user's country, else the spec's, else that of the time zone, else the world.
///
/// # Errors
/// The user named a country that is not in the table, or a number that cannot be an intensity.
pub fn choose(choice: &Choice, host: &dyn HostSource) -> Result<GridIntensity, GridError> {
    if let Some(g_per_kwh) = choice.g_per_kwh {
        if !(0.0..=5000.0).contains(&g_per_kwh) {
            return Err(GridError::BadIntensity(g_per_kwh));
        }
        return Ok(GridIntensity {
            country: None,
            g_per_kwh,
            year: None,
            source: "the user".to_owned(),
            licence: None,
            chosen_by: "--intensity".to_owned(),
        });
    }
    let said = [
        (&choice.country, "--country"),
        (&choice.country_variable, "PUMA_COUNTRY"),
        (&choice.country_of_spec, "the spec's country_iso"),
    ];
    if let Some((code, said_by)) = said.into_iter().find_map(|(code, said_by)| Some((code.as_ref()?, said_by))) {
        let country = find(code).ok_or_else(|| GridError::UnknownCountry { code: code.clone(), said_by })?;
        return Ok(of(country, said_by));
    }
    if let Some(country) = guess(host) {
        return Ok(of(country, "guessed by the time zone"));
    }
    let world = find(WORLD).expect("the table has the world");
    Ok(of(world, "world average, because no country is known"))
}

fn of(country: &Country, chosen_by: &str) -> GridIntensity {
    GridIntensity {
        country: Some(country.iso3.clone()),
        g_per_kwh: country.g_per_kwh,
        year: Some(country.year),
        source: country.source().to_owned(),
        licence: Some(country.licence().to_owned()),
        chosen_by: chosen_by.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{RecordedHost, Recording};

    fn nowhere() -> RecordedHost {
        RecordedHost::new(Recording { format: 1, ..Recording::default() })
    }

    #[test]
    fn what_the_user_says_wins_and_an_unknown_country_is_never_replaced() {
        let some = |text: &str| Some(text.to_owned());
        let mut choice = Choice { country_of_spec: some("FRA"), ..Choice::default() };
        let chosen = |choice: &Choice| choose(choice, &nowhere()).map(|grid| (grid.country, grid.g_per_kwh));
        assert_eq!(chosen(&choice), Ok((some("FRA"), 41.45)));
        choice.country_variable = some("deu");
        assert_eq!(chosen(&choice), Ok((some("DEU"), 329.65)));
        choice.country = some("ESP");
        assert_eq!(chosen(&choice), Ok((some("ESP"), 153.56)));
        choice.g_per_kwh = Some(12.5);
        assert_eq!(chosen(&choice), Ok((None, 12.5)));
        for bad in [f64::NAN, -1.0, f64::INFINITY] {
            assert!(choose(&Choice { g_per_kwh: Some(bad), ..Choice::default() }, &nowhere()).is_err());
        }
        let error =
            choose(&Choice { country: some("Atlantis"), ..Choice::default() }, &nowhere()).expect_err("no land");
        assert!(error.to_string().contains("Atlantis"));
    }

    #[test]
    fn without_a_word_the_world_counts_and_says_so() {
        let grid = choose(&Choice::default(), &nowhere()).expect("the world");
        assert_eq!((grid.country.as_deref(), grid.g_per_kwh), (Some(WORLD), 458.49));
        assert!(grid.chosen_by.contains("world average"));
    }
}
