//! Whether two runs are one experiment on two machines: every fact that can decide an answer, side by side.

use super::pairing::{Group, Pair};
use crate::spec::AnswerMode;
use crate::strategy;
use puma_core::{ModelIdentity, Origin, RecordedRun};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What two values of a fact say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    Same,
    Differs,
    /// At least one run does not tell.
    Unknown,
}

/// One fact of both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    pub name: String,
    /// The model it is about, as the first run names it; `None` for facts of the run.
    pub model: Option<String>,
    pub left: Option<String>,
    pub right: Option<String>,
    pub agreement: Agreement,
    /// Why this makes the comparison invalid; `None` where it does not.
    pub obstacle: Option<String>,
}

impl Fact {
    fn new(name: &str, model: Option<&str>, left: Option<String>, right: Option<String>) -> Self {
        let agreement = match (&left, &right) {
            (Some(left), Some(right)) if left == right => Agreement::Same,
            (Some(_), Some(_)) => Agreement::Differs,
            _ => Agreement::Unknown,
        };
        Self { name: name.to_owned(), model: model.map(str::to_owned), left, right, agreement, obstacle: None }
    }

    fn invalid_unless(mut self, fine: bool, why: impl FnOnce() -> String) -> Self {
        if !fine {
            self.obstacle = Some(why());
        }
        self
    }
}

/// Every fact, weights first: with other weights nothing else means anything.
pub(super) fn facts(
    left: &RecordedRun,
    right: &RecordedRun,
    models: &BTreeMap<&str, &str>,
    groups: &[Group<'_>],
) -> Vec<Fact> {
    let mut facts = weights(left, right, models);
    facts.extend(question(left, right, groups));
    facts.extend(decoding(left, right));
    facts.extend(engine(left, right));
    facts
}

fn weights(left: &RecordedRun, right: &RecordedRun, models: &BTreeMap<&str, &str>) -> Vec<Fact> {
    let find = |run: &RecordedRun, name: &str| run.header.models.iter().find(|model| model.name == name).cloned();
    let mut facts = Vec::new();
    for model in &left.header.models {
        let Some(other) = models.get(model.name.as_str()).and_then(|name| find(right, name)) else { continue };
        let name = Some(model.name.as_str());
        let fact = |what: &str, of: fn(&ModelIdentity) -> Option<String>| Fact::new(what, name, of(model), of(&other));
        let digest = fact("model digest", |model| model.digest.clone());
        let fine = digest.agreement == Agreement::Same;
        let why = match digest.agreement {
            Agreement::Differs => format!("{} is not the same model: its digests differ", model.name),
            _ => format!("nobody can say whether {} is the same model: a digest is unknown", model.name),
        };
        facts.push(digest.invalid_unless(fine, || why));
        facts.push(fact("quantisation", |model| model.quantization.clone()));
        let template = fact("chat template", |model| model.template_hash.clone());
        let fine = template.agreement != Agreement::Differs;
        facts.push(
            template.invalid_unless(fine, || "the chat templates differ, so other text reached the model".into()),
        );
        facts.push(fact("context window", |model| model.context_length.map(|tokens| tokens.to_string())));
        facts.push(fact("share on a GPU", |model| model.gpu_share.map(|share| share.to_string())));
    }
    facts
}

/// What was asked: data, prompts, right answers, how much of it was done.
fn question(left: &RecordedRun, right: &RecordedRun, groups: &[Group<'_>]) -> Vec<Fact> {
    let pairs = || groups.iter().flat_map(|group| &group.pairs);
    let total = pairs().count();
    let unlike = pairs().filter(|pair| prompt_hash(pair.left) != prompt_hash(pair.right)).count();
    let untold = pairs().filter(|pair| prompt_hash(pair.left).is_none() || prompt_hash(pair.right).is_none()).count();
    let other_gold = pairs().filter(|pair| pair.left.gold != pair.right.gold).count();
    let same_question = total > 0 && unlike == 0 && untold == 0 && other_gold == 0;

    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let both = |name: &str, of: &dyn Fn(&RecordedRun) -> Option<String>| Fact::new(name, None, of(left), of(right));
    let scenario = both("scenario", &|run| known(&run.header.scenario));
    let fine = scenario.agreement == Agreement::Same;
    let mut facts = vec![scenario.invalid_unless(fine, || "the runs judged different scenarios".into())];
    let dataset = both("dataset", &|run| known(&run.header.dataset.sha256));
    let fine = dataset.agreement == Agreement::Same || same_question;
    facts.push(
        dataset.invalid_unless(fine, || "the data are not the same, and the prompts do not prove otherwise".into()),
    );

    let share = |bad: usize| Some(format!("{} of {total} alike", total - bad));
    let mut prompts = Fact::new("prompts", None, share(unlike), share(unlike));
    prompts.agreement = match (unlike - untold.min(unlike), untold) {
        (0, 0) => Agreement::Same,
        (0, _) => Agreement::Unknown,
        _ => Agreement::Differs,
    };
    let fine = prompts.agreement != Agreement::Differs && total > 0;
    facts.push(prompts.invalid_unless(fine, || match total {
        0 => "the runs have no job in common".to_owned(),
        _ => format!("{unlike} of {total} jobs were asked with another prompt"),
    }));
    let mut gold = Fact::new("right answers", None, share(other_gold), share(other_gold));
    gold.agreement = if other_gold == 0 { Agreement::Same } else { Agreement::Differs };
    facts.push(
        gold.invalid_unless(other_gold == 0, || format!("{other_gold} of {total} jobs have another right answer")),
    );
    let texts = both("texts", &texts);
    let fine = texts.agreement != Agreement::Differs;
    facts.push(texts.invalid_unless(fine, || {
        "one run's bundle was written with `--without-texts` and the other's was not, so no token can be compared"
            .into()
    }));
    facts.push(templates(left, right, groups, same_question));
    facts.push(jobs(left, right, groups));
    facts
}

/// Whether prompts and answers are there, or fingerprints in their place, as bundles without texts have them. Upstream kept
/// no prompts at all.
fn texts(run: &RecordedRun) -> Option<String> {
    let has_none = run.records.iter().all(|record| record.prompt.is_empty());
    let told = if has_none { "fingerprints" } else { "texts" };
    (run.origin == Origin::Puma && !run.records.is_empty()).then(|| told.to_owned())
}

fn prompt_hash(record: &puma_core::JobRecord) -> Option<&str> {
    Some(record.prompt_hash.as_str()).filter(|hash| !hash.is_empty())
}

/// Prompt templates. Where every job is one question, equal prompts prove more than equal templates do.
fn templates(left: &RecordedRun, right: &RecordedRun, groups: &[Group<'_>], same_question: bool) -> Fact {
    let shown = |run: &RecordedRun| {
        let all: Vec<String> =
            run.header.templates.iter().map(|(name, hash)| format!("{name} {}", short(hash))).collect();
        (!all.is_empty()).then(|| all.join(", "))
    };
    let mut fact = Fact::new("prompt templates", None, shown(left), shown(right));
    if left.header.templates.is_empty() || right.header.templates.is_empty() {
        fact.agreement = Agreement::Unknown;
    } else if left.header.templates != right.header.templates {
        fact.agreement = Agreement::Differs;
    }
    let follows_up = |pair: &Pair<'_>| strategy::find(&pair.left.strategy).is_none_or(|strategy| strategy.turns > 1);
    let one_question = groups.iter().flat_map(|group| &group.pairs).all(|pair| !follows_up(pair));
    let fine = fact.agreement != Agreement::Differs || same_question && one_question;
    fact.invalid_unless(fine, || "the prompt templates differ".into())
}

fn jobs(left: &RecordedRun, right: &RecordedRun, groups: &[Group<'_>]) -> Fact {
    let done =
        |run: &RecordedRun| Some(format!("{} of {} ({})", run.records.len(), run.header.jobs, run.status.as_str()));
    let sum = |count: fn(&Group<'_>) -> usize| groups.iter().map(count).sum::<usize>();
    let failed = sum(|group| group.counts.backend_failed);
    let unpaired = sum(|group| group.counts.only_left + group.counts.only_right);
    let ambiguous = sum(|group| group.counts.ambiguous);
    let mut fact = Fact::new("jobs", None, done(left), done(right));
    let mut why = Vec::new();
    if failed > 0 {
        why.push(format!("{failed} failed in a backend (`puma run --resume` asks again)"));
    }
    if unpaired > 0 {
        why.push(format!("{unpaired} are in one run only"));
    }
    if ambiguous > 0 {
        why.push(format!("{ambiguous} occur more than once under one name"));
    }
    let unfinished = [left, right].into_iter().filter(|run| run.records.len() < run.header.jobs).count();
    if unfinished > 0 && unpaired == 0 {
        why.push("the runs are not finished".to_owned());
    }
    fact.obstacle = (!why.is_empty()).then(|| format!("not every job can be compared: {}", why.join(", ")));
    fact
}

/// How the answers were drawn and read. Other numbers of alternatives do not change an answer.
fn decoding(left: &RecordedRun, right: &RecordedRun) -> Vec<Fact> {
    const DECIDING: [(&str, &str); 6] = [
        ("temperature", "/inference/temperature"),
        ("seed", "/inference/seed"),
        ("most tokens", "/inference/max_tokens"),
        ("output format", "/inference/format"),
        ("answer parser", "/parser"),
        ("compatibility", "/compat"),
    ];
    const HARMLESS: [(&str, &str); 2] =
        [("logprobs", "/inference/logprobs"), ("alternatives a token", "/inference/top_logprobs")];
    let both = |name: &str, pointer: &str| {
        let of = |run: &RecordedRun| run.header.spec.pointer(pointer).map(Value::to_string);
        Fact::new(name, None, of(left), of(right))
    };
    let mut facts = Vec::new();
    let answer = |run: &RecordedRun| {
        let named = run.header.spec.pointer("/inference/answer").and_then(Value::as_str);
        Some(named.unwrap_or(AnswerMode::default().as_str()).to_owned())
    };
    if [left, right].iter().any(|run| answer(run).as_deref() != Some(AnswerMode::default().as_str())) {
        let fact = Fact::new("way of answering", None, answer(left), answer(right));
        let fine = fact.agreement == Agreement::Same;
        facts.push(fact.invalid_unless(fine, || "one run scored given answers, the other generated them".into()));
    }
    for (name, pointer) in DECIDING {
        let fact = both(name, pointer);
        let fine = fact.agreement != Agreement::Differs;
        facts.push(fact.invalid_unless(fine, || format!("the runs were asked with another {name}")));
    }
    facts.extend(HARMLESS.map(|(name, pointer)| both(name, pointer)));
    let setting = |run: &RecordedRun, name: &str| run.header.backend.settings.get(name).cloned();
    let names: BTreeSet<&String> =
        [left, right].into_iter().flat_map(|run| run.header.backend.settings.keys()).collect();
    for name in names {
        let fact = Fact::new(&format!("setting {name}"), None, setting(left, name), setting(right, name));
        // Both decide which text reaches the model.
        let deciding =
            matches!(name.as_str(), "think" | "api") && left.header.backend.kind == right.header.backend.kind;
        let fine = !deciding || fact.agreement != Agreement::Differs;
        facts.push(fact.invalid_unless(fine, || format!("the server was asked with another setting `{name}`")));
    }
    facts
}

/// What computed the answers: the very thing whose effect is measured, so a difference is named and nothing more.
fn engine(left: &RecordedRun, right: &RecordedRun) -> Vec<Fact> {
    let both = |name: &str, of: &dyn Fn(&RecordedRun) -> Option<String>| Fact::new(name, None, of(left), of(right));
    let cached = |run: &RecordedRun| {
        let all = || run.records.iter().flat_map(|record| &record.completions);
        Some(format!("{} of {}", all().filter(|completion| completion.from_cache).count(), all().count()))
    };
    let mut facts = vec![
        both("engine", &|run| Some(run.header.backend.kind.clone())),
        both("engine version", &|run| run.header.backend.version.clone()),
    ];
    if [left, right].iter().any(|run| run.header.backend.numerics.is_some()) {
        facts.push(both("numerics contract", &|run| run.header.backend.numerics.clone()));
    }
    facts.push(both("answers from PUMA's cache", &cached));
    facts.push(both("PUMA version", &|run| Some(run.header.puma_version.clone()).filter(|text| !text.is_empty())));
    facts.push(both("spec hash", &|run| Some(run.header.spec_hash.to_string()).filter(|text| !text.is_empty())));
    facts
}

/// The beginning of a digest, for people.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
