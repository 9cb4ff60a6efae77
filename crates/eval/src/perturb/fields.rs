//! The fields of an instance that perturbations reach.

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

/// Changes every [`TEXT_FIELDS`] entry of `fields`, each on its own; the others (keys, priorities) stay.
pub(super) fn apply_to_fields(change: impl Fn(&str) -> String, fields: &mut BTreeMap<String, String>) {
    for field in TEXT_FIELDS {
        if let Some(text) = fields.get_mut(field) {
            *text = change(text);
        }
    }
}

/// Gives every field of issue A to issue B and the other way round, whatever it holds.
pub(super) fn swap_pair(fields: &mut BTreeMap<String, String>) {
    *fields = std::mem::take(fields)
        .into_iter()
        .map(|(name, text)| match (name.strip_suffix("_a"), name.strip_suffix("_b")) {
            (Some(stem), _) => (format!("{stem}_b"), text),
            (_, Some(stem)) => (format!("{stem}_a"), text),
            (None, None) => (name, text),
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> BTreeMap<String, String> {
        [("title_a", "Login fails"), ("title_b", "Typo"), ("issue_key_a", "AB-1"), ("source", "x")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn both_issues_of_a_pair_are_perturbed_and_their_keys_are_not() {
        let mut fields = pair();
        apply_to_fields(str::to_uppercase, &mut fields);
        assert_eq!([&fields["title_a"], &fields["title_b"], &fields["issue_key_a"]], ["LOGIN FAILS", "TYPO", "AB-1"]);
    }

    #[test]
    fn a_swap_moves_every_field_of_an_issue_even_one_the_other_lacks() {
        let mut fields = pair();
        swap_pair(&mut fields);
        assert_eq!([&fields["title_a"], &fields["title_b"], &fields["issue_key_b"]], ["Typo", "Login fails", "AB-1"]);
        assert!(!fields.contains_key("issue_key_a"));
        swap_pair(&mut fields);
        assert_eq!(fields, pair());
    }
}
