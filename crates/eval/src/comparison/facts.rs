//! Finds what differs between the data and the jobs of two sides: instances, prompts, completeness, disturbances.

use super::difference::{Bearing, Differences, Subject};
use super::pairing::Pairing;
use super::side::Side;
use crate::measured;
use puma_core::{InstanceRow, Outcome};
use std::collections::BTreeMap;

/// Whether each side has every job its plan holds.
pub(super) fn completeness(found: &mut Differences, sides: [&Side<'_>; 2]) {
    let lacks = |side: &Side<'_>| {
        let failed = side.records.iter().filter(|record| record.outcome == Outcome::BackendFailed).count();
        let missing = side.planned().map_or(0, |planned| planned.saturating_sub(side.records.len()));
        match (failed, missing) {
            (0, 0) => None,
            (failed, 0) => Some(format!("{failed} jobs failed in the backend")),
            (0, missing) => Some(format!("{missing} jobs are missing ({})", side.run.status.as_str())),
            (failed, missing) => Some(format!("{failed} jobs failed in the backend, {missing} are missing")),
        }
    };
    let values = sides.map(lacks);
    if values.iter().any(Option::is_some) {
        let names: Vec<&str> = sides.iter().zip(&values).filter(|(_, v)| v.is_some()).map(run_id).collect();
        let meaning = format!("not comparable until resumed: puma run --resume {}", names.join(" and "));
        let values = values.map(|value| Some(value.unwrap_or_else(|| "complete".to_owned())));
        found.note("completeness", Bearing::Incomparable, values, meaning);
    }
}

fn run_id<'a>((side, _): (&&'a Side<'_>, &Option<String>)) -> &'a str {
    side.run.header.run_id.as_str()
}

/// Whether both sides judged the same things.
pub(super) fn data(found: &mut Differences, sides: [&Side<'_>; 2], pairing: &Pairing<'_>) {
    let headers = sides.map(|side| &side.run.header);
    let scenario = (Bearing::Incomparable, None);
    let values = headers.map(|header| header.scenario.clone());
    let [first, second] = values.map(Some);
    found.check("scenario", scenario, first, second, "different tasks have different right answers");
    instances(found, sides, pairing);
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let content = Content::compare(sides);
    let [first, second] = headers.map(|header| known(&header.dataset.sha256));
    if first != second {
        let (bearing, meaning) = match content {
            Content::Equal => (Bearing::Harmless, "the shared instances are equal, word for word"),
            Content::Unknown => (Bearing::Incomparable, "whether the instances are the same cannot be checked"),
            Content::Differs(_) => (Bearing::Incomparable, "other data under the same names"),
        };
        found.check("dataset", (bearing, None), first, second, meaning);
    } else if let Content::Differs(count) = content {
        let meaning = format!("{count} instances have other texts under the same id");
        found.note("content of instances", Bearing::Incomparable, [None, None], meaning);
    }
    if headers.iter().all(|header| header.dataset.sha256.is_empty()) && matches!(content, Content::Unknown) {
        let meaning = "neither run tells which data it judged; instances are paired by their ids".to_owned();
        found.note("dataset", Bearing::Unknown, [None, None], meaning);
    }
    let [first, second] = headers.map(|header| known(&header.dataset.name));
    found.check("dataset name", (Bearing::Harmless, None), first, second, "a name; the content is compared by hash");
    if pairing.counts.gold_differs > 0 {
        let meaning = format!("{} jobs have another right answer and are left out", pairing.counts.gold_differs);
        found.note("right answers", Bearing::Incomparable, [None, None], meaning);
    }
}

fn instances(found: &mut Differences, sides: [&Side<'_>; 2], pairing: &Pairing<'_>) {
    let counts = &pairing.counts;
    let jobs = sides.map(|side| Some(format!("{} jobs", side.records.len())));
    if counts.pairs == 0 {
        let meaning = "no instance was judged on both sides".to_owned();
        found.note("instances", Bearing::Incomparable, jobs, meaning);
    } else if counts.only_first + counts.only_second > 0 {
        let meaning = format!(
            "compared on the {} jobs both have; {} are only in the first, {} only in the second",
            counts.pairs, counts.only_first, counts.only_second
        );
        found.note("instances", Bearing::Restricts, jobs, meaning);
    }
    if counts.duplicates > 0 {
        let meaning = format!("{} jobs repeat an instance under the same number and are left out", counts.duplicates);
        found.note("duplicates", Bearing::Restricts, [None, None], meaning);
    }
}

/// Whether instances of one id are one text.
enum Content {
    Equal,
    Differs(usize),
    /// A run keeps no texts, or no instance is shared.
    Unknown,
}

impl Content {
    fn compare(sides: [&Side<'_>; 2]) -> Self {
        let [first, second] = sides;
        let by_id: BTreeMap<_, &InstanceRow> = first.run.instances.iter().map(|row| (&row.instance_id, row)).collect();
        let mut shared = 0;
        let mut different = 0;
        for right in &second.run.instances {
            let Some(left) = by_id.get(&right.instance_id) else { continue };
            if left.fields.is_null() || right.fields.is_null() {
                return Self::Unknown;
            }
            shared += 1;
            different += usize::from(left.fields != right.fields);
        }
        match (shared, different) {
            (0, _) => Self::Unknown,
            (_, 0) => Self::Equal,
            (_, different) => Self::Differs(different),
        }
    }
}

/// Whether both sides were asked the same: strategy, perturbation, and the prompts themselves.
pub(super) fn questions(found: &mut Differences, sides: [&Side<'_>; 2], pairing: &Pairing<'_>) {
    let [first, second] = sides.map(|side| Some(side.strategy.to_owned()));
    let same_strategy = first == second;
    found.compared("strategy", Subject::Strategy, first, second);
    let [first, second] = sides.map(|side| Some(side.perturbation.unwrap_or(super::UNPERTURBED).to_owned()));
    let same_perturbation = first == second;
    found.compared("perturbation", Subject::Perturbation, first, second);
    let other = pairing.counts.pairs - pairing.counts.prompts_equal;
    if other > 0 && same_strategy && same_perturbation {
        let (first, second) =
            (Some("as asked".to_owned()), Some(format!("{other} of {} differ", pairing.counts.pairs)));
        let subject = (Bearing::Compared, Some(Subject::Prompt));
        found.check("prompts", subject, first, second, "the same strategy put other words to the model");
    }
    if same_strategy && (other > 0 || crate::strategy::find(sides[0].strategy).is_some_and(|s| s.turns > 1)) {
        let [left, right] = sides.map(|side| &side.run.header.templates);
        for name in left.keys().filter(|name| right.contains_key(*name)) {
            let [first, second] = [left, right].map(|templates| templates.get(name).cloned());
            found.compared(&format!("template {name}"), Subject::Prompt, first, second);
        }
    }
    if same_strategy {
        let [first, second] = sides.map(|side| side.run.header.dataset.examples.clone());
        if first.is_some() && second.is_some() {
            found.compared("source of examples", Subject::Prompt, first, second);
        }
    }
}

/// Why the speed and energy of these sides must not be compared; empty when they may.
pub(super) fn disturbances(sides: [&Side<'_>; 2]) -> Vec<String> {
    let mut reasons = Vec::new();
    for side in sides {
        let run_id = &side.run.header.run_id;
        let health = measured::health(&side.run.sessions, &side.run.records);
        if let Some(health) = health.filter(|health| health.void) {
            let kinds: Vec<&str> = health.disturbances.iter().map(|found| found.kind.as_str()).collect();
            reasons.push(format!("{run_id} was disturbed ({})", distinct(kinds).join(", ")));
        }
        let cached =
            |record: &&&puma_core::JobRecord| record.completions.iter().any(|completion| completion.from_cache);
        let cached = side.records.iter().filter(cached).count();
        if cached > 0 {
            reasons.push(format!("{cached} answers of {run_id} came from the cache"));
        }
    }
    distinct(reasons)
}

fn distinct<T: PartialEq>(values: Vec<T>) -> Vec<T> {
    values.into_iter().fold(Vec::new(), |mut kept, value| {
        if !kept.contains(&value) {
            kept.push(value);
        }
        kept
    })
}
