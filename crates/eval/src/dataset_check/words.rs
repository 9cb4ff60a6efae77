//! Text as words.

use crate::baseline::text::tfidf::{all_words, words};
use crate::dataset::Row;

/// Title and description in lower-case words, one blank between: two issues with the same
/// words are the same issue to a reader.
pub(super) fn key_of(row: &Row) -> String {
    let text = |field: &str| row.fields.get(field).map_or("", String::as_str).to_lowercase();
    let (title, description) = (text("title"), text("description"));
    let joined: Vec<&str> = all_words(&title).chain(all_words(&description)).collect();
    if joined.is_empty() { format!("{} {}", title.trim(), description.trim()) } else { joined.join(" ") }
}

/// The words of a [`key_of`] that have two letters and more.
pub(super) fn words_of(key: &str) -> impl Iterator<Item = &str> {
    words(key)
}

/// `text` as one word for messages: at most `limit` characters of it, on one line.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect();
    if text.chars().nth(limit).is_some() { line + "…" } else { line }
}
