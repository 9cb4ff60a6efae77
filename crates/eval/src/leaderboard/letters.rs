//! The compact letter display: entries that share a letter cannot be told apart.

use std::collections::BTreeSet;

/// Beyond this many letters nobody reads them, and the worst case grows exponentially.
const MOST: usize = 702;

/// Letters for `count` entries, best first, of which `different` says which pairs are told apart. Two entries share a
/// letter exactly if they are not told apart. `None` where that would take too many letters.
///
/// Source: Piepho, An Algorithm for a Letter-Based Representation of All-Pairwise Comparisons, Journal of Computational
/// and Graphical Statistics 13, 2004: insert, then absorb; letters that say nothing new are then dropped.
pub fn compact_letters(count: usize, different: impl Fn(usize, usize) -> bool) -> Option<Vec<String>> {
    let mut columns: Vec<BTreeSet<usize>> = vec![(0..count).collect()];
    for first in 0..count {
        for second in first + 1..count {
            if different(first, second) {
                columns = split(columns, first, second);
                if columns.len() > MOST {
                    return None;
                }
            }
        }
    }
    // The first letter goes to the best entry.
    columns.sort();
    drop_redundant(&mut columns);
    let letters = (0..count).map(|entry| {
        let own = columns.iter().enumerate().filter(|(_, column)| column.contains(&entry));
        own.map(|(place, _)| letter(place)).collect::<Vec<_>>()
    });
    // Two-letter names are set apart, so that `aab` is never read two ways.
    Some(letters.map(|own| own.join(if columns.len() > 26 { " " } else { "" })).collect())
}

/// Insert: no column may hold both. Absorb: a column within another one says nothing.
fn split(columns: Vec<BTreeSet<usize>>, first: usize, second: usize) -> Vec<BTreeSet<usize>> {
    let mut inserted: Vec<BTreeSet<usize>> = Vec::new();
    for column in columns {
        if column.contains(&first) && column.contains(&second) {
            for without in [first, second] {
                let mut part = column.clone();
                part.remove(&without);
                inserted.push(part);
            }
        } else {
            inserted.push(column);
        }
    }
    inserted.sort_by_key(|column| std::cmp::Reverse(column.len()));
    let mut kept: Vec<BTreeSet<usize>> = Vec::new();
    for column in inserted {
        if !kept.iter().any(|larger| column.is_subset(larger)) {
            kept.push(column);
        }
    }
    kept
}

/// Drops columns whose every entry and every pair another column has, the last first.
fn drop_redundant(columns: &mut Vec<BTreeSet<usize>>) {
    for place in (0..columns.len()).rev() {
        let covered = {
            let others = || columns.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, column)| column);
            let pairs =
                |first: &usize| columns[place].range(first..).map(|second| (*first, *second)).collect::<Vec<_>>();
            columns[place]
                .iter()
                .flat_map(pairs)
                .all(|(first, second)| others().any(|column| column.contains(&first) && column.contains(&second)))
        };
        if covered {
            columns.remove(place);
        }
    }
}

/// `a` to `z`, then `aa` to `zz`.
fn letter(place: usize) -> String {
    let of = |place: usize| char::from(b'a' + (place % 26) as u8);
    if place < 26 { of(place).to_string() } else { [of(place / 26 - 1), of(place)].iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::{compact_letters, letter};

    fn of(count: usize, pairs: &[(usize, usize)]) -> Vec<String> {
        compact_letters(count, |a, b| pairs.contains(&(a, b)) || pairs.contains(&(b, a))).expect("few letters")
    }

    #[test]
    fn a_printed_example_has_its_printed_letters() {
        // Piepho 2004, section 2: eight treatments, fifteen significant pairs (numbered from 1 there).
        let significant = [
            (1, 7),
            (1, 8),
            (2, 4),
            (2, 5),
            (2, 6),
            (2, 7),
            (2, 8),
            (3, 5),
            (3, 6),
            (3, 7),
            (3, 8),
            (4, 7),
            (4, 8),
            (5, 8),
            (6, 8),
        ];
        let pairs: Vec<(usize, usize)> = significant.iter().map(|(a, b)| (a - 1, b - 1)).collect();
        let letters = of(8, &pairs);
        for first in 0..8 {
            for second in first + 1..8 {
                let shared = letters[first].chars().any(|c| letters[second].contains(c));
                assert_eq!(shared, !pairs.contains(&(first, second)), "{first} {second}: {letters:?}");
            }
        }
    }

    #[test]
    fn the_extremes_are_one_letter_and_all_letters() {
        assert_eq!(of(4, &[]), ["a", "a", "a", "a"]);
        assert_eq!(compact_letters(3, |_, _| true).expect("three letters"), ["a", "b", "c"]);
        assert_eq!(of(3, &[(0, 2)]), ["a", "ab", "b"]);
        assert_eq!(compact_letters(0, |_, _| true), Some(Vec::new()));
    }

    #[test]
    fn names_go_on_after_z() {
        assert_eq!([letter(0), letter(25), letter(26), letter(701)], ["a", "z", "aa", "zz"]);
        let many = compact_letters(30, |_, _| true).expect("thirty letters");
        assert_eq!((many[0].as_str(), many[29].as_str()), ("a", "ad"));
    }
}
