//! From scores to probabilities: how sure a model is among the answers it was allowed.

use crate::stats::exp;
use puma_core::ScoredAnswer;

/// The probability of each answer given that one of them is the answer: the softmax of their logprobs, in their order.
///
/// Longer answers are not favoured or punished: the sum is the logarithm of the probability that the model writes just this
/// answer, and dividing it by a length would make it the logarithm of nothing. What the answers lack to probability 1
/// before this division stays readable from the logprobs themselves. `None` if no answer has a finite logprob.
pub fn answer_probabilities(scores: &[ScoredAnswer]) -> Option<Vec<f64>> {
    let logprobs: Vec<f64> = scores.iter().map(ScoredAnswer::logprob).collect();
    let best = logprobs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !best.is_finite() {
        return None;
    }
    let shares: Vec<f64> = logprobs.iter().map(|logprob| exp(logprob - best)).collect();
    let total: f64 = shares.iter().sum();
    Some(shares.into_iter().map(|share| share / total).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use puma_core::{Logprob, TokenLogprob, most_probable};

    fn scored(answer: &str, logprobs: &[f32], ending: Option<f32>) -> ScoredAnswer {
        let token = |&logprob: &f32| TokenLogprob { id: None, token: String::new(), logprob, top: Vec::new() };
        let tokens = logprobs.iter().map(token).collect();
        ScoredAnswer { answer: answer.to_owned(), tokens, ending: ending.map(Logprob) }
    }

    #[test]
    fn probabilities_are_shares_of_what_the_answers_have_together() {
        let ln = |probability: f64| probability.ln() as f32;
        let scores = [
            scored("1", &[ln(0.4)], Some(ln(0.25))),
            scored("13", &[ln(0.4), ln(0.5)], Some(ln(1.0))),
            scored("2", &[ln(0.1)], Some(ln(1.0))),
        ];
        let found = answer_probabilities(&scores).expect("finite");
        // 0.1, 0.2 and 0.1 of all texts.
        for (found, expected) in found.iter().zip([0.25, 0.5, 0.25]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert_eq!(most_probable(&scores).map(|best| best.answer.as_str()), Some("13"));
    }

    #[test]
    fn the_first_wins_among_equals_and_nothing_is_said_without_a_score() {
        let scores = [scored("B", &[-1.0], None), scored("A", &[-0.5, -0.5], None)];
        assert_eq!(most_probable(&scores).map(|best| best.answer.as_str()), Some("B"));
        assert_eq!(answer_probabilities(&[]), None);
        assert_eq!(answer_probabilities(&[scored("A", &[f32::NEG_INFINITY], None)]), None);
    }

    proptest! {
        #[test]
        fn probabilities_sum_to_one_and_follow_the_scores(sums in proptest::collection::vec(-90f32..0.0, 1..9)) {
            let scores: Vec<ScoredAnswer> = sums.iter().map(|&sum| scored("", &[sum], None)).collect();
            let found = answer_probabilities(&scores).expect("finite");
            prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for (one, p) in sums.iter().zip(&found) {
                for (other, q) in sums.iter().zip(&found) {
                    prop_assert!(one > other || p <= q);
                }
            }
        }
    }
}
