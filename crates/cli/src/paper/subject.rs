//! A run that a paper speaks of.

use super::asked::Asked;
use crate::execute;
use crate::failure::Failure;
use crate::report::RunReport;
use puma_core::RecordedRun;
use puma_eval::metric::TaskKind;
use puma_host::machine::Machine;

/// A run, its report, and what of it can be read as this program's types.
#[derive(Debug)]
pub(crate) struct Subject {
    /// `A`, `B`, …: how tables name the run.
    pub(super) letter: String,
    pub(super) run: RecordedRun,
    pub(super) report: RunReport,
    pub(super) kind: TaskKind,
    pub(super) asked: Asked,
    /// `None` where nothing about the machine was kept.
    pub(super) machine: Option<Machine>,
}

impl Subject {
    /// The run at place `index` of those that are spoken of.
    ///
    /// # Errors
    /// Its scenario is unknown, or its right answers do not fit it.
    pub(crate) fn new(index: usize, run: RecordedRun) -> Result<Self, Failure> {
        let report = execute::report(&run)?;
        let kind = execute::find_scenario(&run.header.scenario)?.kind();
        let asked = Asked::of(&run.header.spec);
        let machine = run.header.machine.as_object().filter(|facts| !facts.is_empty());
        let machine = machine.and_then(|facts| serde_json::from_value(facts.clone().into()).ok());
        Ok(Self { letter: letter(index), run, report, kind, asked, machine })
    }

    /// Whether something disturbed the run so much that its times and joules say nothing.
    pub(super) fn is_void(&self) -> bool {
        self.report.health.as_ref().is_some_and(|health| health.void)
    }
}

/// `A` to `Z`, then `A2`, ….
fn letter(index: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(index % 26).expect("below 26"));
    match index / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{}", round + 1),
    }
}
