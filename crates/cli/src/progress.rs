//! Progress bars: readers of events and of downloads. Shown only where someone would see them.

use crate::ui::Ui;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use puma_backends::sources::{Phase, Progress, PullProgress, SourceError};
use puma_core::measure::{Disturbance, SessionMeasurement, Severity};
use puma_core::{EventSink, Outcome, RunEvent, SinkError};
use std::fmt;
use std::time::Duration;

/// Redraws a second.
const REDRAWS: u8 = 10;

/// A bar over the jobs of a run: done, parse rate, tokens a second, time left.
pub(crate) struct RunBar<'a> {
    ui: &'a Ui,
    bar: ProgressBar,
    /// Whether the user knows that the run is not worth its time.
    warned: bool,
    answered: u64,
    finished: u64,
    failed: u64,
    tokens: u64,
}

impl<'a> RunBar<'a> {
    /// A bar for `jobs` jobs, of which `finished_before` were done by an earlier run.
    pub(crate) fn new(ui: &'a Ui, jobs: usize, finished_before: usize) -> Self {
        let bar = bar(ui, jobs as u64);
        bar.set_style(style("{bar:20} {pos}/{len} · {elapsed}{left}{wide_msg}"));
        bar.set_position(finished_before as u64);
        bar.reset_eta();
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { ui, bar, warned: false, answered: 0, finished: 0, failed: 0, tokens: 0 }
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Says once, while there is still time to stop, that the run pages.
    fn warn_of_paging(&mut self, measurement: &SessionMeasurement) {
        let found = measurement.health.iter().flat_map(|health| &health.contaminations);
        let mut paging = found.filter(|found| (found.kind, found.severity) == (Disturbance::Paging, Severity::Major));
        if let Some(paging) = paging.next().filter(|_| !self.warned) {
            self.warned = true;
            let message = format!("the machine runs out of memory, so speed and energy are void: {}", paging.detail);
            self.bar.suspend(|| {
                self.ui.advise(
                    &message,
                    "stop it with Ctrl-C and take a smaller model; `--stop-on-paging` stops such runs by itself",
                );
            });
        }
    }
}

impl EventSink for RunBar<'_> {
    fn emit(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::RunStarted { .. } => {}
            RunEvent::RunMeasured { measurement, .. } => self.warn_of_paging(measurement),
            RunEvent::JobFinished { record, .. } => {
                self.finished += 1;
                self.answered += u64::from(record.outcome == Outcome::Answered);
                self.failed += u64::from(record.outcome == Outcome::BackendFailed);
                self.tokens += record.prompt_tokens().unwrap_or(0) + record.generated_tokens().unwrap_or(0);
                let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
                let mut message = format!(
                    " · {:.0} % parsed · {:.0} tokens/s",
                    100.0 * self.answered as f64 / self.finished as f64,
                    self.tokens as f64 / seconds
                );
                if self.failed > 0 {
                    message.push_str(&format!(" · {} failed", self.failed));
                }
                self.bar.set_message(message);
                self.bar.inc(1);
            }
            RunEvent::RunFinished { .. } => self.clear(),
        }
        Ok(())
    }
}

/// A bar over the bytes of a download; a turning mark where their number is unknown.
pub(crate) struct PullBar<'a> {
    ui: &'a Ui,
    bar: ProgressBar,
    size_known: bool,
    /// What the last source said when it failed; told once another source is tried, since the error tells it otherwise.
    failed: Option<String>,
}

/// What a download shows while its size is unknown.
const WORKING: &str = "{spinner} {wide_msg}";
/// What a download of known size shows.
const FETCHING: &str = "{bar:20} {decimal_bytes}/{decimal_total_bytes} · {decimal_bytes_per_sec}{left} · {wide_msg}";

impl<'a> PullBar<'a> {
    pub(crate) fn new(ui: &'a Ui) -> Self {
        let bar = bar(ui, 0);
        bar.set_style(style(WORKING));
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { ui, bar, size_known: false, failed: None }
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for PullBar<'_> {
    fn report(&mut self, progress: &PullProgress<'_>) {
        if let Some(note) = self.failed.take() {
            self.bar.suspend(|| self.ui.note(&note));
        }
        let verb = match progress.phase {
            Phase::Waiting => "waiting for another pull of",
            Phase::Resolving => "asking",
            Phase::Checking => "checking",
            Phase::Downloading => "fetching",
            Phase::Retrying => "trying again",
            Phase::RunningPip => "pip fetches",
            Phase::Extracting => "unpacking",
            Phase::Finishing => "finishing",
        };
        self.bar.set_length(progress.total_bytes.unwrap_or(0));
        self.bar.set_position(progress.done_bytes);
        let size_known = progress.total_bytes.is_some() && progress.done_bytes > 0;
        if size_known != self.size_known {
            self.bar.set_style(style(if size_known { FETCHING } else { WORKING }));
            self.size_known = size_known;
        }
        self.bar.set_message(format!("{verb} {}", progress.what));
    }

    fn source_failed(&mut self, source: &str, error: &SourceError) {
        self.failed = Some(format!("source {source} did not deliver: {error}"));
    }
}

fn bar(ui: &Ui, length: u64) -> ProgressBar {
    let target =
        if ui.shows_progress() { ProgressDrawTarget::stderr_with_hz(REDRAWS) } else { ProgressDrawTarget::hidden() };
    ProgressBar::with_draw_target(Some(length), target)
}

/// Every template ends with `wide_msg`, which is cut where the terminal ends: a line that wraps cannot be redrawn.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates in this file are valid")
        .progress_chars("━━─")
        .with_key("left", |state: &ProgressState, out: &mut dyn fmt::Write| {
            // Before the first step nothing is known; "0s left" would be a lie.
            if state.pos() > 0 && !state.eta().is_zero() {
                let _ = write!(out, " · {:#} left", HumanDuration(state.eta()));
            }
        })
}
