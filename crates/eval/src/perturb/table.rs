//! The table of perturbations: one row a name, from which help, checks and documents are made.

use super::{confusables, shorten, upstream, whitespace};
use crate::metric::TaskKind;
use crate::scenario::Scenario;
use crate::spec::nearest::nearest;
use thiserror::Error;

/// One way to change what is asked, so that a sound judge would not change its answer.
#[derive(Clone, Copy, Debug)]
pub struct Perturbation {
    /// The name in specs and records.
    pub name: &'static str,
    pub change: Change,
    /// What it does, in one sentence.
    pub what: &'static str,
    /// What stays the same, and what becomes of the right answer.
    pub keeps: &'static str,
    pub source: &'static str,
}

/// What a perturbation changes, and how.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Every text of the instance: (seed of the run, text) to text.
    Text(fn(u64, &str) -> String),
    /// The two issues of a pair change places, and so does the right answer.
    PairSwap,
    /// The prompt lists its options, and shows its examples, in another order.
    LabelOrder,
    /// The prompt calls its options by other names.
    OptionRename,
}

/// The kinds of change, as documents name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Pair,
    Prompt,
}

impl Kind {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Pair => "pair",
            Self::Prompt => "prompt",
        }
    }
}

impl Perturbation {
    pub fn kind(&self) -> Kind {
        match self.change {
            Change::Text(_) => Kind::Text,
            Change::PairSwap => Kind::Pair,
            Change::LabelOrder | Change::OptionRename => Kind::Prompt,
        }
    }

    /// `text` under this perturbation with the run's `seed`; `None` for kinds that change no text.
    /// Equal inputs give equal outputs on every machine.
    pub fn on_text(&self, seed: u64, text: &str) -> Option<String> {
        match self.change {
            Change::Text(change) => Some(change(seed, text)),
            Change::PairSwap | Change::LabelOrder | Change::OptionRename => None,
        }
    }

    /// Why instances of `scenario` cannot be perturbed in this way; `None` if they can.
    pub fn refusal(&self, scenario: &dyn Scenario) -> Option<&'static str> {
        match self.change {
            Change::PairSwap if scenario.kind() != TaskKind::Pairwise => {
                Some("it swaps the two issues of a pair, and this scenario shows one issue at a time")
            }
            Change::OptionRename if scenario.other_names().is_empty() => {
                Some("its answers are numbers, and another name for 5 would be another number")
            }
            Change::Text(_) | Change::PairSwap | Change::LabelOrder | Change::OptionRename => None,
        }
    }
}

const UPSTREAM: &str = "upstream PUMA v4.0, byte for byte";
const KEEPS_GOLD: &str = "the right answer";

/// Every perturbation: upstream's eight in upstream's order, then PUMA's own.
pub static TABLE: [Perturbation; 14] = [
    Perturbation {
        name: "typos_5pct",
        change: Change::Text(upstream::typos),
        what: "Replaces 5 % of the letters that have a look-alike digit (a → 4, e → 3, o → 0, …), one at least",
        keeps: "length, every other character, the right answer",
        source: UPSTREAM,
    },
    Perturbation {
        name: "case_upper",
        change: Change::Text(|_, text| text.to_uppercase()),
        what: "Writes everything in capitals",
        keeps: "the words but for case, the right answer",
        source: UPSTREAM,
    },
    Perturbation {
        name: "case_lower",
        change: Change::Text(|_, text| text.to_lowercase()),
        what: "Writes everything in small letters",
        keeps: "the words but for case, the right answer",
        source: UPSTREAM,
    },
    Perturbation {
        name: "truncate_50pct",
        change: Change::Text(|_, text| upstream::first_half(text)),
        what: "Cuts every text after half of its characters, inside a word if need be",
        keeps: "the first half; the right answer by assumption, since what decided it may be cut off",
        source: UPSTREAM,
    },
    Perturbation {
        name: "tech_noise",
        change: Change::Text(upstream::tech_noise),
        what: "Inserts three of TODO, FIXME and deprecated at seeded places; white space becomes single spaces",
        keeps: "every word in its order, the right answer",
        source: UPSTREAM,
    },
    Perturbation {
        name: "gender_swap_prefix_male",
        change: Change::Text(|seed, text| upstream::reported_by(&upstream::MALE_NAMES, seed, text)),
        what: "Puts \"… Smith reported: \" in front, with one of five men's first names",
        keeps: "the text after the prefix, the right answer",
        source: UPSTREAM,
    },
    Perturbation {
        name: "gender_swap_prefix_female",
        change: Change::Text(|seed, text| upstream::reported_by(&upstream::FEMALE_NAMES, seed, text)),
        what: "Puts \"… Smith reported: \" in front, with one of five women's first names",
        keeps: "the text after the prefix, the right answer",
        source: UPSTREAM,
    },
    Perturbation {
        name: "register_shift_informal",
        change: Change::Text(|_, text| upstream::informal(text)),
        what: "Replaces 19 formal phrases by casual ones (\"is unable to\" → \"can't\"), inside words too",
        keeps: "everything else, the right answer; a text without these phrases stays as it is",
        source: UPSTREAM,
    },
    Perturbation {
        name: "pair_swap",
        change: Change::PairSwap,
        what: "Issue A and issue B of a pair change places; the right answer changes with them. Prioritisation only",
        keeps: "both texts, and which issue is right; twice is the original",
        source: "position bias: Wang et al. 2023, arXiv:2305.17926",
    },
    Perturbation {
        name: "whitespace",
        change: Change::Text(whitespace::whitespace),
        what: "Turns spaces into tabs or doubles them, adds trailing spaces and blank lines, at seeded places",
        keeps: "every word in its order, the right answer",
        source: "PUMA; formatting that should not matter: Sclar et al. 2023, arXiv:2310.11324",
    },
    Perturbation {
        name: "unicode_confusables",
        change: Change::Text(confusables::confusables),
        what: "Replaces 10 % of the letters that have one by a Cyrillic or Greek look-alike, one at least",
        keeps: "length and how it looks (the UTS #39 skeleton), the right answer",
        source: "Unicode Technical Standard #39, confusables.txt",
    },
    Perturbation {
        name: "shorten_sentences",
        change: Change::Text(|_, text| shorten::sentences(text)),
        what: "Keeps whole sentences from the beginning, as many as fit into half of the characters, one at least",
        keeps: "the beginning, word for word; the right answer by assumption. A single sentence stays as it is",
        source: "PUMA; the counterpart of truncate_50pct without broken words",
    },
    Perturbation {
        name: "label_order",
        change: Change::LabelOrder,
        what: "The prompt lists its options, with their definitions, and its solved examples in another order, seeded by run \
               and instance",
        keeps: KEEPS_GOLD,
        source: "order sensitivity: Pezeshkpour and Hruschka 2023, arXiv:2308.11483; Lu et al. 2022, arXiv:2104.08786",
    },
    Perturbation {
        name: "option_rename",
        change: Change::OptionRename,
        what: "The prompt and its examples call the options by other names (P1 to P4, X and Y). Not for estimation",
        keeps: "the right answer; the model's is read under the new names and stored under the usual ones",
        source: "selection bias by option name: Zheng et al. 2024, arXiv:2309.03882",
    },
];

/// Names of the perturbations, as specs spell them, in the order of [`TABLE`].
pub const PERTURBATIONS: [&str; TABLE.len()] = {
    let mut names = [""; TABLE.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = TABLE[index].name;
        index += 1;
    }
    names
};

/// No perturbation has this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no perturbation `{name}`; {}known: {}", suggestion(.nearest), PERTURBATIONS.join(", "))]
pub struct UnknownPerturbation {
    pub name: String,
    pub nearest: Option<&'static str>,
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!("did you mean `{name}`? "))
}

/// The perturbation of that name.
///
/// Errors: [`UnknownPerturbation`], where upstream silently leaves the text as it is.
pub fn find(name: &str) -> Result<&'static Perturbation, UnknownPerturbation> {
    TABLE
        .iter()
        .find(|perturbation| perturbation.name == name)
        .ok_or_else(|| UnknownPerturbation { name: name.to_owned(), nearest: nearest(name, PERTURBATIONS) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;

    #[test]
    fn an_unknown_name_is_an_error_that_suggests_the_right_one() {
        let error = find("typos_5_pct").unwrap_err();
        assert_eq!(error.nearest, Some("typos_5pct"));
        assert!(error.to_string().contains("did you mean `typos_5pct`?"));
    }

    #[test]
    fn only_what_cannot_be_done_is_refused() {
        let refused: Vec<(&str, &str)> = SCENARIOS
            .into_iter()
            .flat_map(|scenario| {
                let refused = TABLE.iter().filter(move |perturbation| perturbation.refusal(scenario).is_some());
                refused.map(move |perturbation| (scenario.name(), perturbation.name))
            })
            .collect();
        let expected =
            [("triage_jira", "pair_swap"), ("estimation_tawos", "pair_swap"), ("estimation_tawos", "option_rename")];
        assert_eq!(refused, expected);
    }
}
