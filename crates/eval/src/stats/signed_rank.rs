//! The exact distribution of a rank sum when every sign is a fair coin.

/// The probabilities that the sum of a random part of `doubled` is at most and at least `observed`.
///
/// `doubled` are ranks times two, so that mid-ranks are whole; each joins the sum with probability one half. The whole
/// distribution is built rank by rank (Streitberg and Röhmel 1986), O(n · Σ ranks). Every addition is of numbers above 0.
pub(super) fn tails(doubled: &[usize], observed: usize) -> (f64, f64) {
    let total: usize = doubled.iter().sum();
    let mut mass = vec![0.0; total + 1];
    mass[0] = 1.0;
    let mut reached = 0;
    for rank in doubled {
        reached += rank;
        for sum in (0..=reached).rev() {
            let joined = if sum >= *rank { mass[sum - rank] } else { 0.0 };
            mass[sum] = (mass[sum] + joined) / 2.0;
        }
    }
    let at_most = mass.iter().take(observed + 1).sum();
    let at_least = mass.iter().skip(observed).rev().sum();
    (at_most, at_least)
}

#[cfg(test)]
mod tests {
    use super::tails;

    #[test]
    fn the_distribution_equals_counting_all_signs() {
        for ranks in [vec![2, 4, 6], vec![3, 3, 6, 8], vec![5, 5, 5, 5, 5], vec![2, 7, 7, 7, 12, 14, 16]] {
            let total: usize = ranks.iter().sum();
            for observed in 0..=total {
                let sums = (0..1_u32 << ranks.len()).map(|signs| {
                    ranks.iter().enumerate().filter(|(at, _)| signs >> at & 1 == 1).map(|(_, rank)| rank).sum::<usize>()
                });
                let all = f64::from(1_u32 << ranks.len());
                let at_most = sums.clone().filter(|sum| *sum <= observed).count() as f64 / all;
                let at_least = sums.filter(|sum| *sum >= observed).count() as f64 / all;
                assert_eq!(tails(&ranks, observed), (at_most, at_least), "{ranks:?} at {observed}");
            }
        }
    }
}
