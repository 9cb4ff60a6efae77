//! How long the texts of an instance are.

use serde_json::Value;

/// Characters (not bytes) of those `fields` of a stored instance that prompts show.
pub fn text_length(fields: &Value, shown: &[&str]) -> u64 {
    let characters = |name: &&str| fields.get(name).and_then(Value::as_str).map_or(0, |text| text.chars().count());
    shown.iter().map(characters).sum::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use super::text_length;
    use serde_json::json;

    #[test]
    fn characters_of_the_shown_fields_are_counted() {
        let fields = json!({"title": "Crème", "description": "brûlée", "key": "MESOS-1", "points": 3});
        assert_eq!(text_length(&fields, &["title", "description", "summary", "points"]), 11);
        assert_eq!(text_length(&json!(null), &["title"]), 0);
    }
}
