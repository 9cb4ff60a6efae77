//! "Did you mean": the known name closest to what was typed.

/// The candidate closest to `typed`, when it is close enough to be meant: at most a third of its letters differ
/// (two at least), or one is the beginning of the other. Case, `_` and `-` do not count as differences. Ties take
/// the earlier candidate.
pub(crate) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(typed);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let name = plain(candidate);
        let length = wanted.chars().count().max(name.chars().count());
        let mut distance = edit_distance(&wanted, &name);
        let begins = wanted.len() >= 2 && name.len() >= 2 && (name.starts_with(&wanted) || wanted.starts_with(&name));
        if begins {
            distance = distance.min(1);
        }
        let close_enough = distance <= (length / 3).max(2) && distance < length;
        if close_enough && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| name)
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace(['_', ' '], "-")
}

/// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment distance).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_slips_find_the_name_that_was_meant() {
        let keys = ["temperature", "top_logprobs", "logprobs", "seed", "max_tokens", "format"];
        assert_eq!(nearest("temperatura", keys), Some("temperature"));
        assert_eq!(nearest("temprature", keys), Some("temperature"));
        assert_eq!(nearest("max-tokens", keys), Some("max_tokens"));
        assert_eq!(nearest("sede", keys), Some("seed"));
        assert_eq!(nearest("num_predict", keys), None);
        assert_eq!(nearest("", keys), None);
    }

    #[test]
    fn a_name_that_is_equal_but_for_case_and_dashes_is_at_distance_zero() {
        assert_eq!(edit_distance(&plain("Few_Shot_3"), &plain("few-shot-3")), 0);
        assert_eq!(edit_distance("ab", "ba"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
    }
}
