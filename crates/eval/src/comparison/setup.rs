//! Finds what differs between what answered on two sides: weights, engine, options, machine.

use super::difference::{Bearing, Differences, Subject};
use super::side::Side;
use crate::spec::AnswerMode;
use puma_core::{ModelIdentity, Outcome};
use serde_json::Value;
use std::collections::BTreeSet;

/// Runs of the embedded engine under one numerics contract: everything the contract leaves free changes no bit.
fn same_bits(sides: [&Side<'_>; 2]) -> bool {
    let [first, second] = sides.map(|side| &side.run.header.backend);
    first.kind == "embedded"
        && second.kind == "embedded"
        && first.numerics.is_some()
        && first.numerics == second.numerics
}

fn identity<'a>(side: &Side<'a>) -> Option<&'a ModelIdentity> {
    side.run.header.models.iter().find(|model| model.name == side.model)
}

/// Whether the same weights answered.
pub(super) fn models(found: &mut Differences, sides: [&Side<'_>; 2]) {
    let identities = sides.map(identity);
    let field = |value: fn(&ModelIdentity) -> Option<String>| identities.map(|model| model.and_then(value));
    let [first, second] = field(|model| model.digest.clone());
    let same_weights = first.is_some() && first == second;
    let same_name = sides[0].model == sides[1].model;
    let other_model = if first.is_some() && second.is_some() { !same_weights } else { !same_name };
    if !same_name {
        let (bearing, meaning) = match same_weights {
            true => (Bearing::Harmless, "the same weights under another name"),
            false => (Bearing::Compared, ""),
        };
        let subject = (bearing == Bearing::Compared).then_some(Subject::Model);
        let [left, right] = sides.map(|side| Some(side.model.to_owned()));
        found.check("model", (bearing, subject), left, right, meaning);
    }
    match (&first, &second) {
        (None, None) => found.note(
            "model digest",
            Bearing::Unknown,
            [None, None],
            "neither run tells which bytes answered".to_owned(),
        ),
        _ => found.compared("model digest", Subject::Model, first, second),
    }
    let [first, second] = field(|model| model.quantization.clone());
    found.compared("quantization", Subject::Model, first, second);
    let [first, second] = field(|model| model.template_hash.clone());
    let subject = if other_model { Subject::Model } else { Subject::ChatTemplate };
    found.compared("chat template", subject, first, second);
    let [first, second] = field(|model| model.context_length.map(|tokens| format!("{tokens} tokens")));
    let cut = sides.iter().flat_map(|side| &side.records).any(|record| record.outcome == Outcome::Truncated);
    let bearing = match (other_model, same_bits(sides) && !cut) {
        (true, _) => (Bearing::Compared, Some(Subject::Model)),
        (false, true) => (Bearing::Harmless, None),
        (false, false) => (Bearing::Compared, Some(Subject::ContextWindow)),
    };
    let meaning = if bearing.0 == Bearing::Harmless { "no answer was cut off" } else { "" };
    found.check("context window", bearing, first, second, meaning);
    let [first, second] = field(|model| model.gpu_share.map(|share| format!("{:.0} % on the GPU", share * 100.0)));
    found.compared("placement", Subject::Engine, first, second);
}

/// Whether the same engine answered, asked in the same way.
pub(super) fn engines(found: &mut Differences, sides: [&Side<'_>; 2]) {
    let backends = sides.map(|side| &side.run.header.backend);
    let free = same_bits(sides);
    let [first, second] = backends.map(|backend| Some(backend.kind.clone()));
    let same_kind = first == second;
    found.compared("engine", Subject::Engine, first, second);
    let [first, second] = backends.map(|backend| backend.numerics.clone());
    if same_kind {
        found.compared("numerics contract", Subject::Engine, first, second);
        let [first, second] = backends.map(|backend| backend.version.clone());
        if free {
            let meaning = "the numerics contract promises the same bits";
            found.check("engine version", (Bearing::Harmless, None), first, second, meaning);
        } else {
            found.compared("engine version", Subject::Engine, first, second);
        }
    }
    let [left, right] = backends.map(|backend| &backend.settings);
    for name in left.keys().chain(right.keys()).collect::<BTreeSet<_>>() {
        let [first, second] = [left, right].map(|settings| settings.get(name).cloned());
        if same_kind {
            let stated = |value: Option<String>| Some(value.unwrap_or_else(|| "not set".to_owned()));
            found.compared(&format!("setting {name}"), Subject::Engine, stated(first), stated(second));
        }
    }
    let speed = (Bearing::Speed, None);
    let [first, second] = backends.map(|backend| backend.simd.clone());
    found.check("instruction set", speed, first, second, "");
    let [first, second] = backends.map(|backend| backend.threads.map(|count| count.to_string()));
    found.check("threads", speed, first, second, "");
    let [first, second] = backends.map(|backend| backend.endpoint.clone());
    if first.is_some() && second.is_some() {
        found.check("endpoint", speed, first, second, "");
    }
    machines(found, sides, free);
}

/// A server's bits depend on the machine; those of the embedded engine do not.
fn machines(found: &mut Differences, sides: [&Side<'_>; 2], free: bool) {
    let bearing = if free { (Bearing::Speed, None) } else { (Bearing::Compared, Some(Subject::Machine)) };
    let machine = |side: &Side<'_>| {
        let text = |pointer: &str| side.run.header.machine.pointer(pointer).and_then(Value::as_str);
        Some([text("/cpu")?, text("/arch").unwrap_or_default(), text("/os").unwrap_or_default()].join(" "))
    };
    let [first, second] = sides.map(|side| machine(side).map(|text| text.trim_end().to_owned()));
    found.check("machine", bearing, first, second, if free { "the engine computes the same bits on both" } else { "" });
    let [first, second] = sides.map(|side| side.run.header.profile.clone());
    found.check("profile", (Bearing::Speed, None), first, second, "");
}

/// An option of the spec by its place, how reports call it, and what it can explain.
const DECODING: [(&str, &str, Subject); 5] = [
    ("/inference/temperature", "temperature", Subject::Decoding),
    ("/inference/max_tokens", "max tokens", Subject::Decoding),
    ("/inference/format", "answer format", Subject::Decoding),
    ("/parser", "parser", Subject::AnswerReading),
    ("/compat", "compat", Subject::AnswerReading),
];

/// Whether both sides were asked under the same options.
pub(super) fn options(found: &mut Differences, sides: [&Side<'_>; 2]) {
    let specs = sides.map(|side| &side.run.header.spec);
    let option = |pointer: &str| specs.map(|spec| spec.pointer(pointer).map(shown));
    for (pointer, what, subject) in DECODING {
        // A spec of a version without the option has its default: nothing.
        let [first, second] = match subject {
            Subject::AnswerReading => option(pointer).map(|value| Some(value.unwrap_or_else(|| default_of(pointer)))),
            _ => option(pointer),
        };
        found.compared(what, subject, first, second);
    }
    // A spec of a version, or a program, without the option generates.
    let [first, second] =
        option("/inference/answer").map(|mode| Some(mode.unwrap_or_else(|| AnswerMode::default().as_str().to_owned())));
    found.compared("way of answering", Subject::Answering, first, second);
    let greedy = option("/inference/temperature").iter().all(|value| value.as_deref() == Some("0.0"))
        && sides.iter().all(|side| crate::strategy::find(side.strategy).is_some_and(|strategy| strategy.votes == 1));
    let [first, second] = option("/inference/seed");
    if greedy {
        let meaning = "nothing is drawn at temperature 0; instances and prompts are compared themselves";
        found.check("seed", (Bearing::Harmless, None), first, second, meaning);
    } else {
        found.compared("seed", Subject::Decoding, first, second);
    }
    let recorded = (Bearing::Harmless, None);
    for (pointer, what) in [("/inference/logprobs", "logprobs"), ("/inference/top_logprobs", "top logprobs")] {
        let [first, second] = option(pointer);
        found.check(what, recorded, first, second, "what is recorded, not what is answered");
    }
    let [first, second] = option("/repeat");
    found.check("repetitions", (Bearing::Harmless, None), first, second, "paired by number");
    let [first, second] = sides.map(|side| Some(side.run.header.puma_version.clone()).filter(|text| !text.is_empty()));
    if first != second {
        let meaning = "whether both versions read answers alike is not checked".to_owned();
        found.note("PUMA version", Bearing::Unknown, [first, second], meaning);
    }
    let [first, second] = sides.map(|side| Some(side.run.header.spec_hash.to_string()));
    found.check("spec", recorded, first, second, "some option differs; those that matter are named");
}

fn default_of(pointer: &str) -> String {
    if pointer == "/parser" { "final-answer".to_owned() } else { "none".to_owned() }
}

/// A value of a spec as people write it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => puma_core::canon::python_json(other),
    }
}
