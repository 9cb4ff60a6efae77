//! Which of two comes first.
//!
//! This file is a table.

use super::definition::{AGREEMENT, Better, FACT, Family, MetricDef, SCORE, Scale, row};
use super::missing::{Missing, WRONG};

const PAIRS: &[Family] = &[Family::Ranking];
const DIFFERENCE: Scale = Scale { unit: "", better: Better::Neither, range: "-1 to 1" };
const FOR_THE_OTHER: Missing = Missing::CountsForTheOther { beside: "accuracy" };

#[rustfmt::skip]
pub(super) static RANKING: &[MetricDef] = &[
    row("pairwise_accuracy", &[], PAIRS, SCORE,
        "Accuracy in which a pair of two issues of the same priority counts one half, whichever is chosen. Equals accuracy where no pair is a tie; PUMA makes none.",
        ("share", WRONG)),
    row("position_share_a", &[], PAIRS, FACT,
        "Share of the answers that chose the option shown first. Far from the share of right answers A, the model prefers a place.",
        ("share", Missing::LeftOut { beside: "coverage", twin: "accuracy" })),
    row("position_bias", &[], PAIRS, DIFFERENCE,
        "Accuracy of pairs whose right answer is shown first, minus accuracy of those whose right answer is shown second. 0 without a preference for a place.",
        ("difference of recalls", WRONG)),
    row("kendall_tau", &["tau", "tau_b"], PAIRS, AGREEMENT,
        "Kendall's tau-b between the priorities of the issues shown and the order the answers imply: issues sorted by the share of their comparisons they won.",
        ("Kendall, Biometrika 33, 1945; order by wins after Copeland 1951 and Shah and Wainwright, JMLR 18, 2018", FOR_THE_OTHER)),
    row("ndcg", &[], PAIRS, SCORE,
        "Discounted gain of that order over the best possible one: gain the priority, 0 for the lowest; discount 1/log2(place + 1); issues with equal shares of wins share their places.",
        ("Järvelin and Kekäläinen, ACM TOIS 20, 2002; ties after McSherry and Najork 2008", FOR_THE_OTHER)),
    row("swap_consistency", &[], PAIRS, SCORE,
        "Share of pairs for which the same issue is chosen in both orders of showing, told of the records of pair_swap.",
        ("Zheng et al., Judging LLM-as-a-judge, NeurIPS 2023", WRONG)),
    row("accuracy_both_orders", &[], PAIRS, SCORE,
        "Share of pairs answered rightly in both orders of showing, told of the records of pair_swap.",
        ("Zheng et al., Judging LLM-as-a-judge, NeurIPS 2023", WRONG)),
];
