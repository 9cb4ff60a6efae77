//! What is judged: one issue, one story or one pair, with its right answer.

use puma_core::InstanceId;
use std::collections::BTreeMap;

/// One thing to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Stable: from the data (`MESOS-313`) or from a hash of the content.
    pub id: InstanceId,
    /// What prompts may use, by canonical field name (`title`, `description`, `title_a`, …).
    pub fields: BTreeMap<String, String>,
    /// The right answer, spelled as the scenario's parser spells answers.
    pub gold: String,
    /// Project, for breakdowns.
    pub group: Option<String>,
}
