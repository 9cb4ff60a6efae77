//! The seam to the inference cache.

use crate::completion::Completion;

/// Remembers completions under keys that hold everything that determines an answer.
/// Losing an entry costs time, never correctness, so neither method can fail.
pub trait CompletionCache {
    fn get(&self, key: &str) -> Option<Completion>;
    fn put(&self, key: &str, completion: &Completion);
}
