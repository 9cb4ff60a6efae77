//! Statistics: seeded bootstrap over instances, score intervals, exact paired tests, effect sizes, corrections for several
//! tests, quantiles.
//!
//! Everything here gives the same bits on every machine: own integer generator, own transcendental functions, fixed order
//! of sums.

mod binomial;
mod bootstrap;
mod effect;
mod hypothesis;
mod mcnemar;
mod multiple;
mod normal;
mod permutation;
mod portable;
mod power;
mod quantile;
mod random;
mod ranked;
mod sign;
mod signed_rank;
mod wilcoxon;
mod wilson;

pub use binomial::Binomial;
pub use bootstrap::{Bootstrap, Clustered, Estimate, IntervalMethod, MeanTally, Tally, acceleration, bca_interval};
pub use effect::{cliffs_delta, cohens_dz, cohens_h, vargha_delaney_a12};
pub use hypothesis::Alternative;
pub use mcnemar::{PairedCounts, mcnemar_exact, mcnemar_mid_p};
pub use multiple::{Adjusted, adjust, benjamini_hochberg, holm};
pub use normal::{erfc, normal_cdf};
pub use permutation::{Permutation, PermutationResult};
pub use portable::{arcsine, exp, ln, normal_quantile};
pub use power::{EXACT_POWER_INSTANCES, PowerMethod, Study};
pub use quantile::{median, quantile};
pub use random::SplitMix64;
pub use ranked::Ranked;
pub use sign::{SignTest, sign_test};
pub use wilcoxon::{EXACT_PAIRS, Wilcoxon, WilcoxonMethod, WilcoxonResult, ZeroMethod};
pub use wilson::wilson;
