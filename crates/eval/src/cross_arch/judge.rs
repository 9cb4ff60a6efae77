//! From two runs to a verdict.

use super::forensics::{self, TokenReport, same_answer};
use super::hypothesis::{Hypothesis, Judgement, close_calibration, close_logprobs, equal_metrics, over_all};
use super::identity::{self, Fact};
use super::level::Level;
use super::pairing::{self, Group, Pair};
use super::report::{CrossArch, GroupVerdict, Judgements};
use super::scores::{self, PairedMetric};
use super::side::Side;
use super::tokens::{self, Compared};
use crate::metric::{OutcomeCounts, Task};
use crate::stats::{Bootstrap, Clustered, Tally};
use puma_core::{JobRecord, RecordedRun};
use serde_json::Value;

/// How to judge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Judge although the runs are not one experiment.
    pub force: bool,
    pub bootstrap: Bootstrap,
}

impl Default for Options {
    fn default() -> Self {
        Self { force: false, bootstrap: Bootstrap { resamples: 1000, seed: 42, confidence: 0.95 } }
    }
}

/// Compares two runs of one experiment made on two machines. Swapping them changes signs only, a run compared with itself
/// is bit-equal, and the order of the records does not matter. The same runs give the same bits on every machine.
pub fn cross_arch(left: &RecordedRun, right: &RecordedRun, task: &Task, options: &Options) -> CrossArch {
    let models = pairing::models(&left.header.models, &right.header.models);
    let groups = pairing::groups(&left.records, &right.records, &models);
    let mut facts = identity::facts(left, right, &models, &groups);
    facts.push(reading(&groups));
    let obstacles: Vec<String> = facts.iter().filter_map(|fact| fact.obstacle.clone()).collect();
    let valid = obstacles.is_empty();
    let judged = valid || options.force;
    let greedy = [left, right].into_iter().all(is_greedy);
    let groups: Vec<GroupVerdict> =
        groups.iter().map(|group| judge_group(group, task, greedy, judged, &options.bootstrap)).collect();
    CrossArch {
        valid,
        obstacles,
        forced: options.force && !valid,
        level: if judged { groups.iter().map(|group| group.level).min().flatten() } else { None },
        hypotheses: judgements(&groups),
        left: Side::of(left, task.kind),
        right: Side::of(right, task.kind),
        facts,
        groups,
    }
}

/// Whether the most probable token was always taken, as far as the run tells.
fn is_greedy(run: &RecordedRun) -> bool {
    run.header.spec.pointer("/inference/temperature").and_then(Value::as_f64) == Some(0.0)
}

fn read_differently(pair: &Pair<'_>) -> bool {
    let texts = |record: &JobRecord| record.completions.iter().map(|one| one.text.clone()).collect::<Vec<_>>();
    let spoken = !pair.left.completions.is_empty();
    spoken && !same_answer(pair) && texts(pair.left) == texts(pair.right)
}

/// Whether equal texts were read alike: if not, two versions of the parser are compared and not two machines.
fn reading(groups: &[Group<'_>]) -> Fact {
    let pairs = || groups.iter().flat_map(|group| &group.pairs);
    let odd = pairs().filter(|pair| read_differently(pair)).count();
    let shown = Some(format!("{odd} of {} jobs", pairs().count()));
    Fact {
        name: "same text, read differently".to_owned(),
        model: None,
        left: shown.clone(),
        right: shown,
        agreement: if odd == 0 { identity::Agreement::Same } else { identity::Agreement::Differs },
        obstacle: (odd > 0).then(|| {
            format!("the same text was read as different answers in {odd} jobs: the parsers differ, not the machines")
        }),
    }
}

fn judge_group(group: &Group<'_>, task: &Task, greedy: bool, judged: bool, bootstrap: &Bootstrap) -> GroupVerdict {
    let compared: Vec<Compared> = group.pairs.iter().map(|pair| tokens::compare(*pair)).collect();
    let metrics = scores::score(task, &group.pairs, bootstrap);
    let tokens = forensics::report(task, &group.pairs, &compared, greedy);
    let [h0, h1] = equal_metrics(task.kind, &metrics);
    let h2 = close_logprobs(&tokens.chosen, mean_interval(group, &compared, bootstrap), no_logprobs(&group.pairs));
    let mut hypotheses = vec![h0, h1, h2, close_calibration(&metrics)];
    if !judged {
        let why = "the comparison is invalid";
        hypotheses = hypotheses.into_iter().map(|found| found.withdrawn(why)).collect();
    }
    let outcomes = |of: fn(&Pair<'_>) -> puma_core::Outcome| OutcomeCounts::count(group.pairs.iter().map(of));
    let unread = |of: fn(&Pair<'_>) -> bool| group.pairs.iter().filter(|pair| of(pair)).count();
    GroupVerdict {
        model: group.model.to_owned(),
        strategy: group.strategy.to_owned(),
        perturbation: group.perturbation.map(str::to_owned),
        pairs: group.counts,
        left_outcomes: outcomes(|pair| pair.left.outcome),
        right_outcomes: outcomes(|pair| pair.right.outcome),
        left_unread: unread(|pair| pair.left.answer.is_none()),
        right_unread: unread(|pair| pair.right.answer.is_none()),
        read_differently: group.pairs.iter().filter(|pair| read_differently(pair)).count(),
        level: if judged { level(&group.pairs, &compared, &tokens, &metrics) } else { None },
        hypotheses,
        metrics,
        tokens,
    }
}

/// The strongest agreement of a group; `None` without a pair.
fn level(pairs: &[Pair<'_>], compared: &[Compared], tokens: &TokenReport, metrics: &[PairedMetric]) -> Option<Level> {
    if pairs.is_empty() {
        return None;
    }
    let same_tokens = compared.iter().all(|one| one.fork.is_none());
    let bits = compared.iter().all(|one| one.bits_equal == Some(true)) && tokens.chosen.n > 0;
    let mut headlines = metrics.iter().filter(|metric| metric.headline);
    Some(if same_tokens && bits {
        Level::BitEqual
    } else if same_tokens {
        Level::SameTokens
    } else if pairs.iter().all(same_answer) {
        Level::SameLabels
    } else if headlines.all(|metric| metric.is_within_its_interval() == Some(true)) {
        Level::SameMetric
    } else {
        Level::Different
    })
}

/// Why no logprobs can be paired; `None` where both sides have some.
fn no_logprobs(pairs: &[Pair<'_>]) -> Option<&'static str> {
    let has = |record: &JobRecord| record.completions.iter().any(|completion| !completion.tokens.is_empty());
    let left = pairs.iter().any(|pair| has(pair.left));
    let right = pairs.iter().any(|pair| has(pair.right));
    match (left, right) {
        (true, true) => None,
        (false, false) => Some("neither run has logprobs (`logprobs: true` in the spec asks for them)"),
        (false, true) => Some("the first run has no logprobs"),
        (true, false) => Some("the second run has no logprobs"),
    }
}

/// Bootstrap interval of the mean absolute difference of paired logprobs, over instances: tokens of one answer are not
/// independent.
fn mean_interval(group: &Group<'_>, compared: &[Compared], bootstrap: &Bootstrap) -> Option<(f64, f64)> {
    let sums: Vec<(f64, usize)> = compared.iter().map(|one| one.chosen.total_abs()).collect();
    let mut sample = Clustered::default();
    let mut next = 0;
    for instance in group.pairs.chunk_by(|a, b| a.left.instance_id == b.left.instance_id) {
        sample.push(sums[next..next + instance.len()].iter().copied());
        next += instance.len();
    }
    bootstrap.estimate(&sample, &mut MeanTally::default(), 1)[0].interval
}

/// A mean of means by their counts.
#[derive(Default)]
struct MeanTally {
    sum: f64,
    n: usize,
}

impl Tally for MeanTally {
    type Item = (f64, usize);

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, (sum, n): &(f64, usize)) {
        self.sum += sum;
        self.n += n;
    }

    fn read(&mut self, values: &mut [f64]) {
        values[0] = self.sum / self.n as f64;
    }
}

fn judgements(groups: &[GroupVerdict]) -> Judgements {
    let over =
        |index: usize| over_all(&groups.iter().map(|group| &group.hypotheses[index]).collect::<Vec<&Hypothesis>>());
    let h0 = over(0);
    let h1 = match h0 {
        Judgement::Holds => Judgement::Rejected,
        Judgement::Rejected => Judgement::Holds,
        Judgement::NotTestable => Judgement::NotTestable,
    };
    Judgements { h0, h1, h2: over(2), h3: over(3) }
}
