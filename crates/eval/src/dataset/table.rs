//! A dataset after reading: rows with canonical field names.

use puma_core::event::DatasetIdentity;
use std::collections::BTreeMap;

/// A dataset in memory, in file order.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    pub identity: DatasetIdentity,
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The row's own key (`MESOS-313`), if the file has one.
    pub key: Option<String>,
    /// Canonical name (`title`, `description`, `priority`, `story_points`, `project`, …) → text as in the file.
    pub fields: BTreeMap<String, String>,
    /// The `split_mark` of Deep-SE files.
    pub split: Option<Split>,
    /// First line of the row in the file, 1-based, for messages.
    pub line: u64,
}

/// Which part of a dataset a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    Train,
    Validation,
    Test,
}
