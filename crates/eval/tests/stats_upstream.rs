//! The paired tests that upstream PUMA published, recomputed (`docs/results/upstream-numbers.md`).

use puma_eval::stats::{PairedCounts, Wilcoxon, WilcoxonMethod, mcnemar_exact};

/// Paired correctness, first minus second: `b` pairs only the first gets right, `c` only the second, the rest equal.
fn differences(b: usize, c: usize, all: usize) -> Vec<f64> {
    let signs = [(1.0, b), (-1.0, c), (0.0, all - b - c)];
    signs.into_iter().flat_map(|(sign, count)| std::iter::repeat_n(sign, count)).collect()
}

const APPROXIMATE: Wilcoxon = Wilcoxon {
    zeros: puma_eval::stats::ZeroMethod::Wilcox,
    alternative: puma_eval::stats::Alternative::TwoSided,
    method: WilcoxonMethod::Asymptotic,
    continuity: false,
};

#[test]
fn the_demonstration_of_upstreams_wilcoxon_command_comes_out() {
    let found = APPROXIMATE.test(&differences(13, 6, 19)).expect("pairs");
    assert_eq!(found.statistic, 60.0);
    assert!((found.p_value - 0.1083).abs() < 5e-5, "{}", found.p_value);
    // The test that fits such data says the same with less certainty.
    assert!(mcnemar_exact(13, 6) > found.p_value);
}

#[test]
fn the_test_of_upstreams_first_hypothesis_comes_out_with_its_continuity_correction() {
    let all = 200;
    let found = Wilcoxon { continuity: true, ..APPROXIMATE }.test(&differences(10, 77, all)).expect("pairs");
    assert_eq!((found.statistic, found.n_nonzero), (440.0, 87));
    let z = found.z.expect("differences");
    assert!((z + 7.1807).abs() < 5e-5, "{z}");
    assert!((found.p_value / 6.93e-13 - 1.0).abs() < 1e-3, "{}", found.p_value);
    let r = found.effect_r(all).expect("pairs");
    assert!((r + 0.5078).abs() < 5e-5, "{r}");
    // Without the correction it is another number, so the published one had it.
    let without = APPROXIMATE.test(&differences(10, 77, all)).expect("pairs");
    assert!((without.z.expect("differences") + 7.1807).abs() > 1e-3);
}

#[test]
fn with_right_and_wrong_alone_the_approximation_depends_on_the_discordant_pairs_only() {
    for (b, c) in [(13, 6), (77, 10), (4, 4)] {
        let few = APPROXIMATE.test(&differences(b, c, b + c)).expect("pairs");
        let many = APPROXIMATE.test(&differences(b, c, 500)).expect("pairs");
        assert_eq!((few.statistic, few.p_value), (many.statistic, many.p_value));
        let counts =
            PairedCounts { only_first_right: b as u64, only_second_right: c as u64, ..PairedCounts::default() };
        // Both call the same data clear or unclear.
        assert_eq!(few.p_value < 0.05, counts.p_value() < 0.05, "{b} against {c}");
    }
}
