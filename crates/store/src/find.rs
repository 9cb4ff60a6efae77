//! From what a person types to one run.

use crate::{Store, StoreError};
use puma_core::RunId;

/// Typed instead of a run id: the run that was started last.
pub const LATEST: &str = "latest";

/// How many ids an error names.
const NAMED: usize = 5;

impl Store {
    /// The run that `wanted` means: a whole id, [`LATEST`], or the beginning of exactly one id.
    ///
    /// # Errors
    /// There is none (with the nearest ids as suggestions), or more than one begins so.
    pub fn find_run(&self, wanted: &str) -> Result<RunId, StoreError> {
        const ATTEMPTED: &str = "look for the run";
        let exact: Vec<String> =
            self.rows(ATTEMPTED, "SELECT run_id FROM runs WHERE run_id = ?1", [wanted], |row| row.get(0))?;
        if let Some(run_id) = exact.into_iter().next() {
            return Ok(RunId::new(run_id));
        }
        if wanted == LATEST {
            return self.latest_run()?.ok_or_else(|| StoreError::NoRuns { path: self.name().to_path_buf() });
        }
        let mut candidates: Vec<String> = self.rows(
            ATTEMPTED,
            "SELECT run_id FROM runs WHERE ?1 <> '' AND substr(run_id, 1, length(?1)) = ?1 \
             ORDER BY started_at DESC, run_id DESC",
            [wanted],
            |row| row.get(0),
        )?;
        match candidates.len() {
            0 => Err(self.run_not_found(wanted)),
            1 => Ok(RunId::new(candidates.remove(0))),
            _ => {
                candidates.truncate(NAMED);
                Err(StoreError::AmbiguousRun { wanted: wanted.to_owned(), candidates })
            }
        }
    }

    /// The run that was started last, if there is any.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn latest_run(&self) -> Result<Option<RunId>, StoreError> {
        self.rows(
            "look for the latest run",
            "SELECT run_id FROM runs ORDER BY started_at DESC, run_id DESC LIMIT 1",
            [],
            |row| row.get::<_, String>(0).map(RunId::new),
        )
        .map(|runs| runs.into_iter().next())
    }

    /// The error for a run that does not exist, with the ids nearest to what was typed.
    pub(crate) fn run_not_found(&self, wanted: &str) -> StoreError {
        let known: Vec<String> = self
            .rows(
                "look for the run",
                "SELECT run_id FROM runs ORDER BY started_at DESC, run_id DESC LIMIT 1000",
                [],
                |row| row.get(0),
            )
            .unwrap_or_default();
        StoreError::RunNotFound {
            path: self.name().to_path_buf(),
            wanted: wanted.to_owned(),
            suggestions: nearest(wanted, known),
        }
    }

    /// # Errors
    /// The run does not exist.
    pub(crate) fn require_run(&self, run_id: &RunId) -> Result<(), StoreError> {
        let found: Vec<i64> =
            self.rows("look for the run", "SELECT 1 FROM runs WHERE run_id = ?1", [run_id.as_str()], |row| row.get(0))?;
        if found.is_empty() { Err(self.run_not_found(run_id.as_str())) } else { Ok(()) }
    }
}

/// At most three of `known` (newest first) that contain `wanted`, or whose beginning is within a third of its length.
fn nearest(wanted: &str, known: Vec<String>) -> Vec<String> {
    let length = wanted.chars().count();
    if length == 0 {
        return Vec::new();
    }
    let mut scored: Vec<(usize, String)> = known
        .into_iter()
        .filter_map(|run_id| {
            let distance = if run_id.contains(wanted) {
                0
            } else {
                let beginning: String = run_id.chars().take(length).collect();
                edit_distance(wanted, &beginning).min(edit_distance(wanted, &run_id))
            };
            (distance <= length / 3).then_some((distance, run_id))
        })
        .collect();
    scored.sort_by_key(|(distance, _)| *distance);
    scored.into_iter().take(3).map(|(_, run_id)| run_id).collect()
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::edit_distance;

    #[test]
    fn edit_distances_match_known_words() {
        for (a, b, distance) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("flaw", "lawn", 2)] {
            assert_eq!(edit_distance(a, b), distance);
        }
    }
}
