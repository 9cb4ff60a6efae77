//! Which departure from "no difference" a test looks for.

/// The alternative of a test, spelled as SciPy spells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alternative {
    /// A difference in either direction.
    #[default]
    TwoSided,
    /// Differences lie below zero.
    Less,
    /// Differences lie above zero.
    Greater,
}

impl Alternative {
    /// The p-value from the two tail probabilities, each including what was observed.
    pub(crate) fn p_value(self, at_most: f64, at_least: f64) -> f64 {
        match self {
            Self::TwoSided => (2.0 * at_most.min(at_least)).min(1.0),
            Self::Less => at_most.min(1.0),
            Self::Greater => at_least.min(1.0),
        }
    }
}
