//! Feed-forward blocks of which a router chooses a few for each token.

use super::pass::{Buffers, Forward};
use crate::model::Experts;
use puma_kernels::float::activation;
use puma_kernels::math::exp::exp;

/// One of the experts that a token takes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Chosen {
    expert: usize,
    weight: f32,
}

impl Forward<'_> {
    /// The weighted experts of every normalised token, which `columns` hold, into `product`.
    ///
    /// Each expert runs once, over the tokens that chose it; a token's experts are added in order of their rank.
    pub(super) fn experts(&self, experts: &Experts, buffers: &mut Buffers) {
        let width = self.model.config.embedding_length;
        let used = self.model.config.experts.map_or(1, |experts| experts.used);
        let Buffers { normal, columns, gate, up, product, gathered, chosen, .. } = buffers;
        normal.clear();
        (0..columns.count()).for_each(|token| normal.extend_from_slice(columns.values(token)));
        self.multiply(&experts.router, columns, gate);
        let choices: Vec<Chosen> =
            gate.chunks_exact(experts.each.len()).flat_map(|logits| choose(logits, used)).collect();
        chosen.resize(choices.len() * width, 0.0);
        for (index, block) in experts.each.iter().enumerate() {
            // Places in `choices`; token `place / used`, rank `place % used`.
            let places: Vec<usize> = (0..choices.len()).filter(|&place| choices[place].expert == index).collect();
            if places.is_empty() {
                continue;
            }
            gathered.clear();
            for place in &places {
                gathered.extend_from_slice(&normal[place / used * width..][..width]);
            }
            self.fill_copied(columns, gathered, width);
            self.gated(block, columns, [gate, up], product);
            for (place, out) in places.iter().zip(product.chunks_exact(width)) {
                chosen[place * width..][..width].copy_from_slice(out);
            }
        }
        match &experts.shared {
            Some(block) => {
                self.fill_copied(columns, normal, width);
                self.gated(block, columns, [gate, up], gathered);
            }
            None => gathered.clear(),
        }
        product.clear();
        product.resize(normal.len(), 0.0);
        let ranked = chosen.chunks_exact(used * width).zip(choices.chunks_exact(used));
        for (sum, (outs, choices)) in product.chunks_exact_mut(width).zip(ranked) {
            for (out, choice) in outs.chunks_exact(width).zip(choices) {
                activation::add_scaled(sum, choice.weight, out);
            }
        }
        if experts.shared.is_some() {
            (self.kernels.add)(product, gathered);
        }
    }
}

/// The `used` experts with the largest logits, the lower index first among equals, weighted by the softmax over them.
///
/// Order: `e = exp(logit - largest)`, their sum in order of rank, each divided by it.
fn choose(logits: &[f32], used: usize) -> Vec<Chosen> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    // Adding zero makes both zeros equal; the total order keeps NaN, which the logits' check reports, from upsetting sort.
    order.sort_by(|&one, &other| (logits[other] + 0.0).total_cmp(&(logits[one] + 0.0)).then(one.cmp(&other)));
    order.truncate(used);
    let largest = logits[order[0]];
    let mut sum = 0.0;
    let mut chosen: Vec<Chosen> = order
        .into_iter()
        .map(|expert| {
            let weight = exp(logits[expert] - largest);
            sum += weight;
            Chosen { expert, weight }
        })
        .collect();
    chosen.iter_mut().for_each(|chosen| chosen.weight /= sum);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_logits_are_chosen_and_ties_go_to_the_lower_index() {
        let experts: Vec<usize> = choose(&[1.0, 3.0, 0.0, 3.0, 1.0], 3).iter().map(|chosen| chosen.expert).collect();
        assert_eq!(experts, [1, 3, 0]);
    }

    #[test]
    fn weights_are_the_softmax_over_the_chosen_alone() {
        let chosen = choose(&[2.0, 5.0, 4.0, -1.0], 2);
        let e = (-1f64).exp();
        assert!((f64::from(chosen[0].weight) - 1.0 / (1.0 + e)).abs() < 1e-6);
        assert!((f64::from(chosen[1].weight) - e / (1.0 + e)).abs() < 1e-6);
        assert_eq!(choose(&[2.0], 1), [Chosen { expert: 0, weight: 1.0 }]);
    }

    #[test]
    fn equal_zeros_of_either_sign_are_ties() {
        let experts: Vec<usize> = choose(&[-0.0, 0.0, -1.0], 1).iter().map(|chosen| chosen.expert).collect();
        assert_eq!(experts, [0]);
    }
}
