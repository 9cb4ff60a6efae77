//! Every answer of a recording, and every question, through the nets.

use super::names::Names;
use super::placeholder::Placeholders;
use super::{places, shapes};
use crate::source::{Kept, KeptNames, Recording, Unanswered};
use std::collections::BTreeMap;

/// `recording` without what identifies the machine or its user. `names` are taken out besides what the shape betrays.
pub fn neutralise(recording: Recording, names: &Names) -> Recording {
    let mut net = Net { names, places: Placeholders::default() };
    let Recording {
        format,
        description,
        os,
        arch,
        available_parallelism,
        variables,
        files,
        folders,
        links,
        commands,
        native,
    } = recording;
    Recording {
        format,
        description: net.text(&description),
        os,
        arch,
        available_parallelism,
        variables: variables.into_iter().map(|(name, value)| (name.clone(), net.variable(&name, &value))).collect(),
        files: net.answers(files),
        folders: folders.into_iter().map(|(folder, listed)| (net.place(&folder), net.listed(listed))).collect(),
        links: net.answers(links),
        commands: net.answers(commands),
        native: net.answers(native),
    }
}

/// `text` without `names` and without what its shape betrays, for what is no recording: messages, notes, descriptions.
pub fn neutralise_text(text: &str, names: &Names) -> String {
    Net { names, places: Placeholders::default() }.text(text)
}

struct Net<'a> {
    names: &'a Names,
    places: Placeholders,
}

impl Net<'_> {
    fn text(&mut self, text: &str) -> String {
        shapes::replace(&self.names.replace(text), &mut self.places)
    }

    /// A question: it is asked again with the names that the neutral answers give.
    fn place(&mut self, place: &str) -> String {
        let place = self.text(place);
        places::group_path(&place, &mut self.places).unwrap_or(place)
    }

    fn variable(&mut self, name: &str, value: &str) -> String {
        if places::only_set(name) { "set".to_owned() } else { self.text(value) }
    }

    fn answers(&mut self, answers: BTreeMap<String, Kept>) -> BTreeMap<String, Kept> {
        answers.into_iter().map(|(place, kept)| (self.place(&place), self.kept(&place, kept))).collect()
    }

    fn kept(&mut self, place: &str, kept: Kept) -> Kept {
        let answer = kept.answer().map(|text| {
            let text = self.text(&text);
            places::special(place, &text, &mut self.places).unwrap_or(text)
        });
        Kept::from(answer.map_err(|unanswered| self.unanswered(unanswered)))
    }

    fn listed(&mut self, listed: KeptNames) -> KeptNames {
        match listed {
            KeptNames::Names(names) => KeptNames::Names(names.iter().map(|name| self.text(name)).collect()),
            KeptNames::None { unanswered } => KeptNames::None { unanswered: self.unanswered(unanswered) },
        }
    }

    fn unanswered(&mut self, unanswered: Unanswered) -> Unanswered {
        match unanswered {
            Unanswered::Failed(message) => Unanswered::Failed(self.text(&message)),
            other => other,
        }
    }
}
