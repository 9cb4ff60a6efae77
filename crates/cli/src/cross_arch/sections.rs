//! The sections in the order of the seeds' protocol: identity, answers that could not be read, hypotheses, verdict,
//! evidence.

use super::document::{Block, Document, Section};
use super::evidence;
use crate::table::Align;
use puma_eval::cross_arch::{Agreement, CrossArch, EngineFacts, Fact, GroupVerdict, Level, MachineFacts, Side};
use puma_eval::selfcheck::Floor;
use std::borrow::Cow;

/// Widest cell of a fact; digests are longer, and JSON has them whole.
const CELL: usize = 34;

/// The page for people.
pub(crate) fn document(verdict: &CrossArch, noise: Option<&Floor>) -> Document {
    let mut lead = Vec::new();
    if !verdict.valid {
        let forced = if verdict.forced { ", judged all the same" } else { "" };
        lead.push(format!("INVALID{forced}: these runs are not one experiment on two machines."));
        lead.extend(verdict.obstacles.iter().map(|why| format!("  {why}")));
    }
    lead.push(format!("Verdict: {}", level_words(verdict.level)));
    lead.push(format!("first   {} ({})", verdict.left.run_id, place(&verdict.left)));
    lead.push(format!("second  {} ({})", verdict.right.run_id, place(&verdict.right)));
    let mut sections = vec![identity(verdict), machines(verdict), unread(verdict), hypotheses(verdict), level(verdict)];
    sections.extend(verdict.groups.iter().flat_map(|group| evidence::of_group(group, verdict.groups.len() > 1)));
    sections.extend(noise.map(|floor| evidence::beside_noise(verdict, floor)));
    sections.push(evidence::cost(verdict));
    Document { title: "Two machines, one experiment".to_owned(), lead, sections }
}

fn level_words(level: Option<Level>) -> &'static str {
    level.map_or("none, nothing is judged", Level::words)
}

fn place(side: &Side) -> String {
    let machine = &side.machine;
    let known = [&machine.processor, &machine.architecture, &machine.system];
    let known: Vec<&str> = known.into_iter().filter_map(Option::as_deref).collect();
    if known.is_empty() { "machine unknown".to_owned() } else { known.join(", ") }
}

/// The group's name: of its model only the last part, since a path says nothing.
pub(super) fn group_name(group: &GroupVerdict) -> String {
    let model = group.model.rsplit(['/', '\\']).next().unwrap_or(&group.model);
    let perturbation = group.perturbation.as_deref().unwrap_or("unperturbed");
    format!("{model}, {}, {perturbation}", group.strategy)
}

/// `text` in at most [`CELL`] characters.
fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(CELL - 1) {
        Some((end, _)) if text.chars().count() > CELL => Cow::Owned(format!("{}…", &text[..end])),
        _ => Cow::Borrowed(text),
    }
}

fn identity(verdict: &CrossArch) -> Section {
    let shown = |value: &Option<String>| value.as_deref().map_or("unknown".into(), shortened).into_owned();
    let row = |fact: &Fact| {
        let agreement = match (fact.agreement, &fact.obstacle) {
            (_, Some(_)) => "INVALID",
            (Agreement::Same, None) => "same",
            (Agreement::Differs, None) => "differs",
            (Agreement::Unknown, None) => "unknown",
        };
        vec![fact.name.clone(), shown(&fact.left), shown(&fact.right), agreement.to_owned()]
    };
    let header = vec![("fact", Align::Left), ("first", Align::Left), ("second", Align::Left), ("", Align::Left)];
    let table = Block::Table { header, rows: verdict.facts.iter().map(row).collect() };
    let unknown: Vec<&str> = verdict
        .facts
        .iter()
        .filter(|fact| fact.agreement == Agreement::Unknown)
        .map(|fact| fact.name.as_str())
        .collect();
    let mut blocks = vec![table];
    if !unknown.is_empty() {
        blocks.push(Block::line(format!("Not known on both sides: {}.", unknown.join(", "))));
    }
    Section { title: "1. Identity".to_owned(), blocks }
}

fn machines(verdict: &CrossArch) -> Section {
    let known = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned());
    type Of = fn(&MachineFacts, &EngineFacts) -> Option<String>;
    let rows: [(&str, Of); 12] = [
        ("processor", |machine, _| machine.processor.clone()),
        ("architecture", |machine, _| machine.architecture.clone()),
        ("system", |machine, _| machine.system.clone()),
        ("features", |machine, _| Some(machine.processor_features.join(" "))),
        ("emulated", |machine, _| machine.translated.map(|yes| if yes { "yes" } else { "no" }.to_owned())),
        ("memory", |machine, _| machine.memory_bytes.map(|bytes| format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0))),
        ("GPUs", |machine, _| {
            Some(if machine.gpus.is_empty() { "none told".to_owned() } else { machine.gpus.join(", ") })
        }),
        ("mode", |machine, _| machine.mode.clone()),
        ("engine", |_, engine| Some(format!("{} {}", engine.kind, engine.version.as_deref().unwrap_or("")))),
        ("instructions used", |_, engine| engine.simd.clone()),
        ("threads", |_, engine| engine.threads.map(|threads| threads.to_string())),
        ("numerics contract", |_, engine| engine.numerics.clone()),
    ];
    let row = |(name, of): (&str, Of)| {
        let value = |side: &Side| shortened(&known(of(&side.machine, &side.engine))).into_owned();
        vec![name.to_owned(), value(&verdict.left), value(&verdict.right)]
    };
    let header = vec![("machine", Align::Left), ("first", Align::Left), ("second", Align::Left)];
    let rows = rows.into_iter().map(row).collect();
    Section { title: "Machines".to_owned(), blocks: vec![Block::Table { header, rows }] }
}

fn unread(verdict: &CrossArch) -> Section {
    let row = |group: &GroupVerdict| {
        vec![
            group_name(group),
            group.pairs.judged.to_string(),
            group.left_unread.to_string(),
            group.right_unread.to_string(),
            group.read_differently.to_string(),
        ]
    };
    let header = vec![
        ("group", Align::Left),
        ("jobs", Align::Right),
        ("unread first", Align::Right),
        ("unread second", Align::Right),
        ("same text, read differently", Align::Right),
    ];
    let mut blocks = vec![Block::Table { header, rows: verdict.groups.iter().map(row).collect() }];
    if verdict.groups.iter().any(|group| group.left_unread + group.right_unread > 0) {
        blocks.push(Block::line(
            "The protocol expects no unread answer. They count as wrong here, on both sides alike; their texts are \
             compared like all others.",
        ));
    }
    Section { title: "2. Answers that could not be read".to_owned(), blocks }
}

fn hypotheses(verdict: &CrossArch) -> Section {
    let mut rows = Vec::new();
    for group in &verdict.groups {
        for found in &group.hypotheses {
            let mut row = vec![
                found.name.to_owned(),
                found.judgement.words().to_owned(),
                found.detail.clone(),
                found.n.to_string(),
            ];
            if verdict.groups.len() > 1 {
                row.insert(0, group_name(group));
            }
            rows.push(row);
        }
    }
    let mut header = vec![
        ("", Align::Left),
        ("judgement", Align::Left),
        ("measured [95 % interval]", Align::Left),
        ("n", Align::Right),
    ];
    if verdict.groups.len() > 1 {
        header.insert(0, ("group", Align::Left));
    }
    let mut blocks = vec![Block::Table { header, rows }];
    if let Some(group) = verdict.groups.first() {
        blocks.push(Block::Lines(
            group.hypotheses.iter().map(|found| format!("{}: {}", found.name, found.statement)).collect(),
        ));
    }
    Section { title: "3. Hypotheses".to_owned(), blocks }
}

fn level(verdict: &CrossArch) -> Section {
    let mut lines = vec![format!("{}.", level_words(verdict.level))];
    if verdict.groups.len() > 1 {
        let of_group = |group: &GroupVerdict| format!("{}: {}", group_name(group), level_words(group.level));
        lines.extend(verdict.groups.iter().map(of_group));
    }
    match verdict.level {
        Some(Level::BitEqual) => lines.push(
            "What was compared are logprobs as reported, of generated tokens and alternatives; with the embedded engine \
             `puma engine digest` shows the same for every logit."
                .to_owned(),
        ),
        Some(Level::SameTokens) if verdict.groups.iter().any(|group| group.tokens.pairs_by_text > 0) => {
            lines.push("Where no tokens are known, the texts are the same.".to_owned());
        }
        Some(Level::SameMetric) => lines.push(
            "For every headline metric the paired interval of the difference holds 0 and lies within the half width of the \
             metric's own interval."
                .to_owned(),
        ),
        _ => {}
    }
    Section { title: "4. Verdict".to_owned(), blocks: vec![Block::Lines(lines)] }
}
