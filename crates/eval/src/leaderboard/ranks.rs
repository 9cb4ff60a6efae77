//! Which ranks an entry may have, given which pairs are told apart.

/// The best and the worst rank (from 1) of each of `count` entries, of which `better(a, b)` says that `a` is surely better
/// than `b`. With tests corrected so that all hold at once, all intervals hold at once.
///
/// Source: Mohamad, Goeman and van Zwet, Simultaneous confidence intervals for ranks, 2019 (arXiv:1708.02428).
pub fn rank_intervals(count: usize, better: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let interval = |entry: usize| {
        let above = (0..count).filter(|other| better(*other, entry)).count();
        let below = (0..count).filter(|other| better(entry, *other)).count();
        (1 + above, count - below)
    };
    (0..count).map(interval).collect()
}

#[cfg(test)]
mod tests {
    use super::rank_intervals;

    #[test]
    fn nothing_known_leaves_every_rank_and_everything_known_leaves_one() {
        assert_eq!(rank_intervals(3, |_, _| false), [(1, 3), (1, 3), (1, 3)]);
        assert_eq!(rank_intervals(3, |a, b| a < b), [(1, 1), (2, 2), (3, 3)]);
        assert_eq!(rank_intervals(3, |a, b| a == 0 && b == 2), [(1, 2), (1, 3), (2, 3)]);
    }
}
