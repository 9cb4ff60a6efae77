//! A dataset after reading: rows with canonical field names.

use puma_core::InstanceId;
use puma_core::event::DatasetIdentity;
use std::collections::BTreeMap;

/// A dataset in memory, in file order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    pub identity: DatasetIdentity,
    pub rows: Vec<Row>,
    /// Rows of the file that are not in `rows`, and why.
    pub skipped: Vec<Skip>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Stable name: the row's own key, else `h` and 16 hex digits of a hash of title and description.
    /// No two rows of a dataset share it.
    pub id: InstanceId,
    /// The row's own key (`MESOS-313`), if the file has one.
    pub key: Option<String>,
    /// Canonical name (`title`, `description`, `priority`, `story_points`, `project`, …) → text. `title` and
    /// `description` are always there and as in the file; `priority` is one of the four labels (`priority_original`
    /// keeps another spelling), `story_points` the shortest decimal.
    pub fields: BTreeMap<String, String>,
    /// The `split_mark` of Deep-SE files.
    pub split: Option<Split>,
    /// First line of the row in the file, 1-based, for messages.
    pub line: u64,
}

/// A row that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// First line of the row in the file, 1-based.
    pub line: u64,
    pub reason: SkipReason,
}

/// Why a row cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    NoTitle,
    NoPriority,
    NoStoryPoints,
    StoryPointsNotPositive,
    /// GitHub lists pull requests among its issues.
    PullRequest,
}

impl SkipReason {
    /// For reports: "12 rows without a priority".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoTitle => "without a title",
            Self::NoPriority => "without a priority",
            Self::NoStoryPoints => "without story points",
            Self::StoryPointsNotPositive => "with story points of zero or less",
            Self::PullRequest => "that are pull requests",
        }
    }
}

/// Which column holds the right answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gold {
    /// For triage and prioritization.
    Priority,
    /// For estimation.
    StoryPoints,
}

impl Gold {
    /// The canonical field that holds the right answer.
    pub fn field(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::StoryPoints => "story_points",
        }
    }

    /// What the scenario (or alias) `name` is judged by.
    pub fn of_scenario(name: &str) -> Option<Self> {
        match crate::spec::canonical_scenario(name)? {
            "estimation_tawos" => Some(Self::StoryPoints),
            _ => Some(Self::Priority),
        }
    }
}

/// Which part of a dataset a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    Train,
    Validation,
    Test,
}

impl Dataset {
    /// How many rows were left out for each reason that occurs.
    pub fn skip_counts(&self) -> BTreeMap<SkipReason, usize> {
        self.skipped.iter().fold(BTreeMap::new(), |mut counts, skip| {
            *counts.entry(skip.reason).or_default() += 1;
            counts
        })
    }
}
