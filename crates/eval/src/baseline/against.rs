//! A model beside the best judge that understands nothing: paired, on the same instances.

use super::expected::{DrawTally, MeanTally};
use super::judge::{Golds, Judge, Says, record};
use super::score::judges;
use crate::metric::{Better, MissingAnswers, Options, Scorer, Task, TaskKind, is_correct, number, resolve};
use crate::stats::{Bootstrap, PairedCounts, SplitMix64, Tally, Wilcoxon, quantile};
use puma_core::{InstanceId, JobRecord, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Judges that read the text; the others are trivial.
const READERS: [&str; 1] = ["tfidf_linear"];

/// One model with one strategy, unperturbed, beside one baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgainstBaseline {
    pub model: String,
    pub strategy: String,
    /// The strongest trivial baseline by `metric`, or `tfidf_linear`.
    pub baseline: String,
    pub basis: String,
    /// `f1_macro`, `mae` or `accuracy`.
    pub metric: String,
    /// Of the model, and of the baseline, on the instances that both answered.
    pub value: f64,
    pub baseline_value: f64,
    /// `value − baseline_value`, with its interval from resampling instances for both together.
    pub difference: f64,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// McNemar's exact test for labels and pairs, Wilcoxon's signed-rank test of absolute errors for numbers, in which
    /// an answer that could not be read loses more than any that could. `None` with repetitions, and against draws.
    pub p_value: Option<f64>,
    /// Instances compared.
    pub n: usize,
    /// Instances without a usable answer of the model. Where labels are judged they are compared, as wrong answers.
    pub unanswered: usize,
    pub verdict: AgainstVerdict,
}

/// Whether the model is worth its electricity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgainstVerdict {
    /// The interval of the difference lies on the good side of 0, and where answers are missing the test says so too.
    Better,
    /// The interval lies on the bad side of 0.
    Worse,
    /// The data does not tell.
    Undecided,
}

/// Sets each model and strategy, unperturbed, beside the strongest trivial baseline and beside the judge of text.
/// Records of requests that failed in the backend are left out with their instances.
pub fn against_baselines(task: &Task, records: &[JobRecord], options: &Options) -> Vec<AgainstBaseline> {
    let mut groups: BTreeMap<(&str, &str), BTreeMap<&InstanceId, Vec<&JobRecord>>> = BTreeMap::new();
    for record in records.iter().filter(|r| r.perturbation.is_none() && r.outcome != Outcome::BackendFailed) {
        let group = groups.entry((record.model.as_str(), record.strategy.as_str())).or_default();
        group.entry(&record.instance_id).or_default().push(record);
    }
    let mut rows = Vec::new();
    for ((model, strategy), instances) in groups {
        let golds: Golds<'_> = instances.iter().map(|(id, records)| (*id, records[0].gold.as_str())).collect();
        let judges = judges(task, &golds, options);
        let compared = |judge: &Judge| compare(task, &instances, judge, &options.bootstrap);
        let (readers, trivial): (Vec<&Judge>, Vec<&Judge>) =
            judges.iter().partition(|judge| READERS.contains(&judge.name.as_str()));
        let lower = better(task.kind) == Better::Lower;
        let strongest = trivial.into_iter().filter_map(compared).reduce(|best, other| {
            let stronger = if lower {
                other.baseline_value < best.baseline_value
            } else {
                other.baseline_value > best.baseline_value
            };
            if stronger { other } else { best }
        });
        let of_group =
            |row: AgainstBaseline| AgainstBaseline { model: model.to_owned(), strategy: strategy.to_owned(), ..row };
        rows.extend(strongest.into_iter().chain(readers.into_iter().filter_map(compared)).map(of_group));
    }
    rows
}

fn headline(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Classification => "f1_macro",
        TaskKind::Regression => "mae",
        TaskKind::Pairwise => "accuracy",
    }
}

fn better(kind: TaskKind) -> Better {
    resolve(headline(kind)).expect("headlines stand in the table").0.better
}

type Instances<'a> = BTreeMap<&'a InstanceId, Vec<&'a JobRecord>>;

fn compare(task: &Task, instances: &Instances<'_>, judge: &Judge, bootstrap: &Bootstrap) -> Option<AgainstBaseline> {
    let metric = headline(task.kind);
    if !judge.metrics.contains(&metric) {
        return None;
    }
    let usable = |record: &&&JobRecord| record.outcome == Outcome::Answered;
    let unanswered = instances.values().filter(|records| !records.iter().any(|r| usable(&r))).count();
    // An error needs an answer; right and wrong do not.
    let paired: Instances<'_> = instances
        .iter()
        .filter(|(_, records)| task.kind != TaskKind::Regression || records.iter().any(|r| usable(&r)))
        .map(|(id, records)| (*id, records.clone()))
        .collect();
    let mut model = of_records(task, metric, &paired.values().cloned().collect::<Vec<_>>())?;
    let own = baseline_records(&paired, judge);
    let mut baseline = of_judge(task, metric, &paired, judge, &own)?;
    let everyone: Vec<u32> = (0..u32::try_from(paired.len()).ok()?).collect();
    let (value, baseline_value) = (model(&everyone), baseline(&everyone));
    if value.is_nan() || baseline_value.is_nan() {
        return None;
    }
    let interval = resampled(bootstrap, everyone.len(), |draw| model(draw) - baseline(draw));
    let test = paired_test(task, instances, judge);
    // Where answers are missing, the interval knows only half of it.
    let silence = test.filter(|_| unanswered > 0);
    let agrees = silence.is_none_or(|test| test.model_ahead && test.p_value < 1.0 - bootstrap.confidence);
    let verdict = verdict(task.kind, interval, agrees);
    Some(AgainstBaseline {
        model: String::new(),
        strategy: String::new(),
        baseline: judge.name.clone(),
        basis: judge.basis.clone(),
        metric: metric.to_owned(),
        value,
        baseline_value,
        difference: value - baseline_value,
        ci_low: interval.map(|(low, _)| low),
        ci_high: interval.map(|(_, high)| high),
        p_value: test.map(|test| test.p_value),
        n: paired.len(),
        unanswered,
        verdict,
    })
}

fn verdict(kind: TaskKind, interval: Option<(f64, f64)>, agrees: bool) -> AgainstVerdict {
    let Some((low, high)) = interval else { return AgainstVerdict::Undecided };
    let (good, bad) = match better(kind) {
        Better::Lower => (high < 0.0, low > 0.0),
        Better::Higher | Better::Neither => (low > 0.0, high < 0.0),
    };
    match (good && agrees, bad) {
        (true, _) => AgainstVerdict::Better,
        (false, true) => AgainstVerdict::Worse,
        (false, false) => AgainstVerdict::Undecided,
    }
}

type Read<'a> = Box<dyn FnMut(&[u32]) -> f64 + 'a>;

/// Reads `metric` of any draw of instances.
fn of_records<'a>(task: &Task, metric: &str, instances: &[Vec<&JobRecord>]) -> Option<Read<'a>> {
    let mut scorer = Scorer::new(task, instances, MissingAnswers::Wrong);
    let place = scorer.names().iter().position(|name| name == metric)?;
    let mut values = vec![f64::NAN; scorer.names().len()];
    Some(Box::new(move |draw| {
        scorer.read(draw, &mut values);
        values[place]
    }))
}

fn baseline_records(instances: &Instances<'_>, judge: &Judge) -> Vec<JobRecord> {
    let Says::Answers(answers) = &judge.says else { return Vec::new() };
    instances.iter().map(|(id, records)| record(id, &records[0].gold, answers.get(*id))).collect()
}

fn of_judge<'a>(
    task: &Task,
    metric: &str,
    instances: &Instances<'_>,
    judge: &'a Judge,
    own: &[JobRecord],
) -> Option<Read<'a>> {
    match &judge.says {
        Says::Answers(_) => of_records(task, metric, &own.iter().map(|record| vec![record]).collect::<Vec<_>>()),
        Says::Draws(draws) => {
            let place = DrawTally::METRICS.iter().position(|name| *name == metric)?;
            let class = |records: &Vec<&JobRecord>| task.labels.iter().position(|label| *label == records[0].gold);
            let classes: Vec<usize> = instances.values().map(class).collect::<Option<_>>()?;
            Some(read(DrawTally::new(draws), classes, DrawTally::METRICS.len(), place))
        }
        Says::Errors(errors) => {
            let errors: Vec<f64> = instances.keys().map(|id| errors.get(*id).copied()).collect::<Option<_>>()?;
            Some(read(MeanTally::default(), errors, 1, 0))
        }
    }
}

fn read<'a, T: Tally + 'a>(mut tally: T, items: Vec<T::Item>, width: usize, place: usize) -> Read<'a>
where
    T::Item: 'a,
{
    let mut values = vec![f64::NAN; width];
    Box::new(move |draw| {
        tally.clear();
        draw.iter().for_each(|at| tally.add(&items[*at as usize]));
        tally.read(&mut values);
        values[place]
    })
}

/// The percentile interval of `statistic` over draws of `n` instances.
fn resampled(bootstrap: &Bootstrap, n: usize, mut statistic: impl FnMut(&[u32]) -> f64) -> Option<(f64, f64)> {
    if n < 2 || bootstrap.resamples == 0 {
        return None;
    }
    let mut generator = SplitMix64::new(bootstrap.seed);
    let mut draw = vec![0; n];
    let mut values = Vec::with_capacity(bootstrap.resamples as usize);
    for _ in 0..bootstrap.resamples {
        draw.iter_mut().for_each(|at| *at = generator.below(n as u32));
        values.extend(Some(statistic(&draw)).filter(|value| !value.is_nan()));
    }
    values.sort_unstable_by(f64::total_cmp);
    let outside = (1.0 - bootstrap.confidence) / 2.0;
    Some((quantile(&values, outside)?, quantile(&values, 1.0 - outside)?))
}

/// What the paired test says.
#[derive(Clone, Copy)]
struct Tested {
    p_value: f64,
    model_ahead: bool,
}

/// The paired test over all instances; `None` with repetitions, which are not independent, or without answers to pair.
fn paired_test(task: &Task, instances: &Instances<'_>, judge: &Judge) -> Option<Tested> {
    let Says::Answers(_) = &judge.says else { return None };
    if instances.values().any(|records| records.len() > 1) {
        return None;
    }
    let own = baseline_records(instances, judge);
    let pairs = || instances.values().map(|records| records[0]).zip(&own);
    match task.kind {
        TaskKind::Classification | TaskKind::Pairwise => {
            let right = pairs().filter_map(|(model, other)| Some((is_correct(task, model)?, is_correct(task, other)?)));
            let counts = PairedCounts::count(right);
            let model_ahead = counts.only_first_right > counts.only_second_right;
            Some(Tested { p_value: counts.p_value(), model_ahead })
        }
        TaskKind::Regression => {
            let error = |record: &JobRecord| Some((number(record.answer.as_deref()?)? - number(&record.gold)?).abs());
            // Positive where the model is worse.
            let known: Vec<Option<f64>> = pairs().map(|(model, other)| Some(error(model)? - error(other)?)).collect();
            let beyond = 1.0 + known.iter().flatten().fold(0.0, |most: f64, difference| most.max(difference.abs()));
            let differences: Vec<f64> = known.into_iter().map(|difference| difference.unwrap_or(beyond)).collect();
            let result = Wilcoxon::default().test(&differences)?;
            let model_ahead = result.rank_sum_negative > result.rank_sum_positive;
            Some(Tested { p_value: result.p_value, model_ahead })
        }
    }
}
