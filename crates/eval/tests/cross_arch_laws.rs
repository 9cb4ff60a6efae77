//! What holds for the verdict between any two runs.

mod cross_arch_runs;

use cross_arch_runs::{LABELS, job, run, token, triage};
use proptest::prelude::*;
use puma_core::{JobRecord, RecordedRun, TokenLogprob};
use puma_eval::cross_arch::{CrossArch, Judgement, Level, Options, cross_arch};
use puma_eval::stats::Bootstrap;

fn judge(left: &RecordedRun, right: &RecordedRun) -> CrossArch {
    let bootstrap = Bootstrap { resamples: 60, seed: 42, confidence: 0.95 };
    cross_arch(left, right, &triage(), &Options { bootstrap, ..Options::default() })
}

fn any_token() -> impl Strategy<Value = TokenLogprob> {
    let text = prop::sample::select(vec!["Critical", "Major", "Minor", "Trivial", " the", ".", " é"]);
    (text, -5.0f32..0.0, 0.0f32..2.0).prop_map(|(text, logprob, gap)| token(text, logprob, "other", gap))
}

fn any_tokens() -> impl Strategy<Value = Vec<TokenLogprob>> {
    prop::collection::vec(any_token(), 0..6)
}

/// Two runs of the same jobs whose answers sometimes agree.
fn two_runs() -> impl Strategy<Value = (RecordedRun, RecordedRun)> {
    let one = (0usize..4, any_tokens(), any_tokens(), 0..3, -0.1f32..0.1);
    prop::collection::vec(one, 1..10).prop_map(|jobs| {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (index, (gold, ours, theirs, kind, shift)) in jobs.into_iter().enumerate() {
            let moved = |tokens: &[TokenLogprob]| {
                let mut tokens = tokens.to_vec();
                tokens.iter_mut().for_each(|token| token.logprob += shift);
                tokens
            };
            let theirs = match kind {
                0 => ours.clone(),
                1 => moved(&ours),
                _ => theirs,
            };
            left.push(job(index, LABELS[gold], ours));
            right.push(job(index, LABELS[gold], theirs));
        }
        (run(left), run(right))
    })
}

/// Level, judgements, sizes of what was measured, and counts of one group.
type Unsigned = (Option<Level>, Vec<Judgement>, Vec<Option<f64>>, [usize; 4]);

/// What a verdict says without sign and side.
fn unsigned(verdict: &CrossArch) -> Vec<Unsigned> {
    let of_group = |group: &puma_eval::cross_arch::GroupVerdict| {
        let judged = group.hypotheses.iter().map(|found| found.judgement).collect();
        let values = group.hypotheses.iter().map(|found| found.value.map(f64::abs)).collect();
        let tokens = &group.tokens;
        let counts = [tokens.same_tokens, tokens.flips.len(), tokens.chosen.n, tokens.listed.equal_bits];
        (group.level, judged, values, counts)
    };
    verdict.groups.iter().map(of_group).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_run_equals_itself_in_every_respect((left, _) in two_runs()) {
        let verdict = judge(&left, &left);
        let spoken = left.records.iter().any(|record| !record.completions[0].tokens.is_empty());
        prop_assert_eq!(verdict.level, Some(if spoken { Level::BitEqual } else { Level::SameTokens }));
        prop_assert_eq!(verdict.hypotheses.h0, Judgement::Holds);
        prop_assert_ne!(verdict.hypotheses.h2, Judgement::Rejected);
        let tokens = &verdict.groups[0].tokens;
        prop_assert_eq!((tokens.divergences.len(), tokens.flips.len()), (0, 0));
        prop_assert_eq!(tokens.listed.n, tokens.listed.equal_bits);
    }

    #[test]
    fn swapping_the_runs_changes_signs_only((left, right) in two_runs()) {
        let (there, back) = (judge(&left, &right), judge(&right, &left));
        prop_assert_eq!(unsigned(&there), unsigned(&back));
        for (there, back) in there.groups.iter().zip(&back.groups) {
            prop_assert_eq!(there.tokens.chosen.mean, back.tokens.chosen.mean.map(|mean| -mean));
            prop_assert_eq!(&there.tokens.near_ties, &back.tokens.near_ties);
            for (there, back) in there.metrics.iter().zip(&back.metrics) {
                prop_assert_eq!(there.delta, back.delta.map(|delta| -delta));
                prop_assert_eq!(there.half_width, back.half_width);
            }
        }
    }

    #[test]
    fn the_order_of_the_records_says_nothing((left, right) in two_runs()) {
        let mut turned = right.clone();
        turned.records.reverse();
        prop_assert_eq!(judge(&left, &right), judge(&left, &turned));
    }

    #[test]
    fn each_level_contains_the_weaker_ones((left, right) in two_runs()) {
        let verdict = judge(&left, &right);
        let group = &verdict.groups[0];
        let level = group.level.expect("there are pairs");
        if level >= Level::SameTokens {
            prop_assert!(group.tokens.divergences.is_empty());
        }
        if level >= Level::SameLabels {
            prop_assert!(group.tokens.flips.is_empty());
            prop_assert_eq!(verdict.hypotheses.h0, Judgement::Holds);
        }
        prop_assert_eq!(verdict.satisfies(Some(level)), true);
        prop_assert!(verdict.hypotheses.h0 != verdict.hypotheses.h1);
    }

    #[test]
    fn a_changed_bit_is_seen_wherever_it_lies((left, _) in two_runs(), job in 0usize..10, place in 0usize..6, bit in 0u32..23) {
        let mut right = left.clone();
        let at = job % right.records.len();
        let changed = |record: &mut JobRecord| {
            let tokens = &mut record.completions[0].tokens;
            let count = tokens.len();
            let token = tokens.get_mut(place % count.max(1))?;
            token.logprob = f32::from_bits(token.logprob.to_bits() ^ (1 << bit));
            Some(())
        };
        if changed(&mut right.records[at]).is_some() {
            prop_assert_eq!(judge(&left, &right).level, Some(Level::SameTokens));
        }
    }
}
