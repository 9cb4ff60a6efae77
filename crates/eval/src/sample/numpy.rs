//! Row sampling as pandas does it on NumPy's legacy `RandomState`, and the two samplers upstream builds on it.

use super::mersenne::MersenneTwister;

/// NumPy's legacy `RandomState(seed)`.
#[derive(Clone)]
pub struct NumpyRandom {
    twister: MersenneTwister,
}

impl NumpyRandom {
    /// Seeds as `RandomState(seed)` does for seeds below 2³².
    pub fn new(seed: u32) -> Self {
        Self { twister: MersenneTwister::from_word(seed) }
    }

    /// A uniform number in `0..=max`, by masked rejection (`legacy random_interval`).
    pub fn interval(&mut self, max: u64) -> u64 {
        if max == 0 {
            return 0;
        }
        let mask = u64::MAX >> max.leading_zeros();
        loop {
            let word = if max <= u64::from(u32::MAX) {
                u64::from(self.twister.next_u32())
            } else {
                let high = u64::from(self.twister.next_u32());
                (high << 32) | u64::from(self.twister.next_u32())
            };
            if word & mask <= max {
                return word & mask;
            }
        }
    }

    /// `RandomState.permutation(len)`: Fisher and Yates from the end.
    pub fn permutation(&mut self, len: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..len).collect();
        for i in (1..len).rev() {
            let j = usize::try_from(self.interval(i as u64)).expect("a draw in 0..=i fits where i fits");
            order.swap(i, j);
        }
        order
    }
}

/// Positions that `DataFrame.sample(count, random_state=seed)` picks from `len` rows, in its order.
/// `count` beyond `len` gives all rows.
pub fn dataframe_sample(len: usize, count: usize, seed: u32) -> Vec<usize> {
    let mut order = NumpyRandom::new(seed).permutation(len);
    order.truncate(count);
    order
}

/// Upstream's estimation sampler: all rows in file order if `count` reaches `len`, else a plain draw.
pub fn plain(len: usize, count: usize, seed: u32) -> Vec<usize> {
    if count >= len { (0..len).collect() } else { dataframe_sample(len, count, seed) }
}

/// Upstream's triage sampler over the rows' classes: all rows in file order if `count` reaches their number, else
/// `count / classes` (one at least) of every class in alphabetical order, filled up from the rest, cut to `count`.
///
/// Every class is drawn with the same seed, so equally large classes give the same positions within the class; that
/// is upstream's way and part of what makes its samples reproducible.
pub fn stratified<C: AsRef<str>>(classes: &[C], count: usize, seed: u32) -> Vec<usize> {
    if count >= classes.len() {
        return (0..classes.len()).collect();
    }
    let mut by_class: std::collections::BTreeMap<&str, Vec<usize>> = std::collections::BTreeMap::new();
    for (position, class) in classes.iter().enumerate() {
        by_class.entry(class.as_ref()).or_default().push(position);
    }
    let per_class = (count / by_class.len()).max(1);
    let mut chosen = Vec::with_capacity(count);
    for members in by_class.values() {
        chosen.extend(dataframe_sample(members.len(), per_class, seed).into_iter().map(|at| members[at]));
    }
    if chosen.len() < count {
        let mut taken = vec![false; classes.len()];
        for &position in &chosen {
            taken[position] = true;
        }
        let rest: Vec<usize> = (0..classes.len()).filter(|&position| !taken[position]).collect();
        let missing = count - chosen.len();
        chosen.extend(dataframe_sample(rest.len(), missing, seed).into_iter().map(|at| rest[at]));
    }
    chosen.truncate(count);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_permutation_holds_every_position_once(len in 0usize..400, seed: u32) {
            let mut order = NumpyRandom::new(seed).permutation(len);
            order.sort_unstable();
            prop_assert_eq!(order, (0..len).collect::<Vec<_>>());
        }

        #[test]
        fn a_stratified_sample_has_no_row_twice_and_the_size_asked_for(
            labels in proptest::collection::vec(0usize..5, 0..120), count in 0usize..150, seed: u32,
        ) {
            let classes: Vec<String> = labels.iter().map(|label| format!("class {label}")).collect();
            let sample = stratified(&classes, count, seed);
            prop_assert_eq!(sample.len(), count.min(classes.len()));
            let mut unique = sample.clone();
            unique.sort_unstable();
            unique.dedup();
            prop_assert_eq!(unique.len(), sample.len());
        }

        #[test]
        fn intervals_stay_within_their_bound(max in 0u64..=u64::MAX, seed: u32) {
            let mut random = NumpyRandom::new(seed);
            for _ in 0..20 {
                prop_assert!(random.interval(max) <= max);
            }
        }
    }
}
