//! Few rows that still show every pair of settings together.

/// Rows of choices, one of each of `sizes`' axes, such that any two choices of two axes meet in some row. Greedy: the
/// row that shows most new pairs comes next, the first of equals.
pub(crate) fn pairwise(sizes: &[usize]) -> Vec<Vec<usize>> {
    let all: Vec<Vec<usize>> = product(sizes);
    let mut seen = std::collections::BTreeSet::new();
    let mut rows = Vec::new();
    loop {
        let fresh = |row: &Vec<usize>| pairs(row).filter(|pair| !seen.contains(pair)).count();
        let best = all.iter().rev().max_by_key(|row| fresh(row)).filter(|row| fresh(row) > 0);
        let Some(best) = best else { return rows };
        seen.extend(pairs(best));
        rows.push(best.clone());
    }
}

/// Every row of choices, the last axis fastest.
pub(crate) fn product(sizes: &[usize]) -> Vec<Vec<usize>> {
    sizes.iter().fold(vec![Vec::new()], |rows, &size| {
        let longer = |row: &Vec<usize>, choice| [row.as_slice(), &[choice]].concat();
        rows.iter().flat_map(|row| (0..size).map(move |choice| longer(row, choice))).collect()
    })
}

/// The axes and choices of every two places of a row.
fn pairs(row: &[usize]) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    let places = row.len();
    (0..places).flat_map(move |a| (a + 1..places).map(move |b| (a, row[a], b, row[b])))
}

#[test]
fn any_two_choices_meet_in_few_rows() {
    for sizes in [&[3, 4, 4, 2, 2, 3][..], &[2, 2, 2], &[1, 4, 1], &[5]] {
        let rows = pairwise(sizes);
        let product = product(sizes);
        assert_eq!(product.len(), sizes.iter().product::<usize>());
        for pair in product.iter().flat_map(|row| pairs(row)) {
            assert!(rows.iter().any(|row| pairs(row).any(|shown| shown == pair)), "{sizes:?} {pair:?}");
        }
        assert!(rows.len() <= 20, "{} rows for {sizes:?}", rows.len());
    }
}
