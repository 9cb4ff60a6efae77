//! The worst of all forms of an instance.

use super::super::judge::Group;
use super::super::task::{Options, Task, TaskKind};
use super::mark::{Guesses, Mark};
use super::report::WorstCase;
use crate::stats::{Clustered, Estimate, MeanTally, wilson};
use puma_core::InstanceId;
use std::collections::BTreeMap;

/// One instance × repetition in all its forms.
#[derive(Default)]
struct Forms {
    count: usize,
    wrong: bool,
    silent: bool,
    failed: bool,
    largest_error: Option<f64>,
}

impl Forms {
    fn add(&mut self, mark: Option<Mark>, error: Option<f64>) {
        self.count += 1;
        let Some(mark) = mark else {
            self.failed = true;
            return;
        };
        self.wrong |= !mark.right;
        self.silent |= !mark.answered;
        self.largest_error = self.largest_error.into_iter().chain(error).reduce(f64::max);
    }
}

/// The worst form counts, the original among them (Liang et al., Holistic Evaluation of Language Models, 2022). `None`
/// without an instance whose every form was run and completed.
pub(super) fn worst_case(task: &Task, groups: &[&Group<'_>], options: &Options) -> Option<WorstCase> {
    let numbers = task.kind == TaskKind::Regression;
    let guesses = Guesses::of(groups[0]);
    let mut forms: BTreeMap<(&InstanceId, u32), Forms> = BTreeMap::new();
    for record in groups.iter().flat_map(|group| &group.records) {
        let mark = Mark::of(task, record);
        let error = mark.and_then(|mark| guesses.error(&mark, record));
        forms.entry((&record.instance_id, record.repeat)).or_default().add(mark, error);
    }
    let all = forms.len();
    forms.retain(|_, forms| !forms.failed && forms.count == groups.len());
    let worst = |forms: &Forms| if numbers { forms.largest_error } else { Some(f64::from(u8::from(!forms.wrong))) };
    let worst_of_each: Vec<(&InstanceId, Option<f64>)> =
        forms.iter().map(|((id, _), forms)| (*id, worst(forms))).collect();
    let mut sample: Clustered<f64> = Clustered::default();
    for repetitions in worst_of_each.chunk_by(|a, b| a.0 == b.0) {
        sample.push(repetitions.iter().filter_map(|(_, value)| *value));
    }
    let mut found = options.bootstrap.estimate(&sample, &mut MeanTally::default(), 1)[0];
    if let Some(share) = found.value.filter(|_| !numbers) {
        // A share of 0 or 1 would have a bootstrap interval without width.
        found = Estimate::share(found.value, wilson(share, sample.instances(), options.bootstrap.confidence));
    }
    (!forms.is_empty()).then(|| WorstCase {
        metric: if numbers { "worst_case_mae" } else { "worst_case_accuracy" }.to_owned(),
        value: found.value,
        ci_low: found.interval.map(|(low, _)| low),
        ci_high: found.interval.map(|(_, high)| high),
        n: sample.items().len(),
        excluded: all - forms.len(),
        partly_unanswered: forms.values().filter(|forms| forms.silent).count(),
    })
}
