//! What runs that exist say about a study that is planned: how often two judges disagree, and how much.

use crate::comparison::Side;
use crate::metric::{Task, TaskKind, is_correct, number};
use puma_core::{InstanceId, JobRecord};
use serde::Serialize;
use std::collections::BTreeMap;

/// What two judges did with the same instances. The first completed answer to each instance counts, because a study is
/// planned with one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pilot {
    /// Instances that both judged.
    pub pairs: usize,
    /// Share of them that exactly one got right; `None` for numbers, and without pairs.
    pub discordance: Option<f64>,
    /// Standard deviation (n − 1 below) of the difference of their absolute errors where both gave a number; `None` for
    /// labels, and for fewer than two such instances.
    pub error_difference_sd: Option<f64>,
}

impl Pilot {
    /// Pairs the first answers of two sides by instance.
    pub fn of(task: &Task, first: &Side<'_>, second: &Side<'_>) -> Self {
        let (firsts, seconds) = (first_answers(task, first), first_answers(task, second));
        let pairs: Vec<(&JobRecord, &JobRecord)> =
            firsts.into_iter().filter_map(|(id, record)| Some((record, *seconds.get(id)?))).collect();
        let mut pilot = Self { pairs: pairs.len(), discordance: None, error_difference_sd: None };
        match task.kind {
            TaskKind::Classification | TaskKind::Pairwise => {
                let apart = pairs.iter().filter(|(a, b)| is_correct(task, a) != is_correct(task, b)).count();
                pilot.discordance = (!pairs.is_empty()).then(|| apart as f64 / pairs.len() as f64);
            }
            TaskKind::Regression => {
                let error =
                    |record: &JobRecord| Some((number(record.answer.as_deref()?)? - number(&record.gold)?).abs());
                let both: Vec<f64> = pairs.iter().filter_map(|(a, b)| Some(error(b)? - error(a)?)).collect();
                pilot.error_difference_sd = deviation(&both);
            }
        }
        pilot
    }
}

/// By instance, the first answer that its backend completed.
fn first_answers<'a>(task: &Task, side: &Side<'a>) -> BTreeMap<&'a InstanceId, &'a JobRecord> {
    let mut first = BTreeMap::new();
    for record in side.records.iter().copied().filter(|record| is_correct(task, record).is_some()) {
        first.entry(&record.instance_id).or_insert(record);
    }
    first
}

fn deviation(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::deviation;

    #[test]
    fn one_value_has_no_deviation_and_equal_ones_have_none_to_speak_of() {
        assert_eq!((deviation(&[]), deviation(&[3.0]), deviation(&[3.0, 3.0])), (None, None, Some(0.0)));
        assert_eq!(deviation(&[1.0, 3.0, 5.0]), Some(2.0));
    }
}
