//! Perturbing an instance: every text a prompt shows, each with the same seed.

use super::catalogue::{UnknownPerturbation, apply};
use std::collections::BTreeMap;

/// Fields that hold issue text. Upstream knows only the first three, so its prioritization pairs stayed unperturbed.
pub const TEXT_FIELDS: [&str; 9] = [
    "title",
    "description",
    "summary",
    "title_a",
    "description_a",
    "summary_a",
    "title_b",
    "description_b",
    "summary_b",
];

/// Perturbs every [`TEXT_FIELDS`] entry of `fields`; the others (keys, priorities) stay.
///
/// Errors: [`UnknownPerturbation`]; the fields are then untouched.
pub fn apply_to_fields(
    name: &str,
    seed: u64,
    fields: &mut BTreeMap<String, String>,
) -> Result<(), UnknownPerturbation> {
    for field in TEXT_FIELDS {
        if let Some(text) = fields.get_mut(field) {
            *text = apply(name, seed, text)?;
        }
    }
    apply(name, seed, "").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_issues_of_a_pair_are_perturbed_and_their_keys_are_not() {
        let mut fields: BTreeMap<String, String> =
            [("title_a", "Login fails"), ("title_b", "Typo"), ("issue_key_a", "AB-1")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into();
        apply_to_fields("case_upper", 1, &mut fields).unwrap();
        assert_eq!(fields["title_a"], "LOGIN FAILS");
        assert_eq!(fields["title_b"], "TYPO");
        assert_eq!(fields["issue_key_a"], "AB-1");
        assert!(apply_to_fields("nothing", 1, &mut BTreeMap::new()).is_err());
    }
}
