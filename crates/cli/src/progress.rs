//! Progress bars: readers of events and of downloads. Shown only where someone would see them.

use crate::ui::Ui;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use puma_backends::sources::{Phase, Progress, PullProgress, SourceError};
use puma_core::{EventSink, Outcome, RunEvent, SinkError};
use std::time::Duration;

/// Redraws a second.
const REDRAWS: u8 = 10;

/// A bar over the jobs of a run: done, parse rate, tokens a second, time left.
pub(crate) struct RunBar {
    bar: ProgressBar,
    answered: u64,
    finished: u64,
    failed: u64,
    tokens: u64,
}

impl RunBar {
    /// A bar for `jobs` jobs, of which `finished_before` were done by an earlier run.
    pub(crate) fn new(ui: &Ui, jobs: usize, finished_before: usize) -> Self {
        let bar = bar(ui, jobs as u64);
        bar.set_style(style("{bar:32} {pos}/{len} {msg} · {elapsed} · {eta} left"));
        bar.set_position(finished_before as u64);
        bar.reset_eta();
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, answered: 0, finished: 0, failed: 0, tokens: 0 }
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl EventSink for RunBar {
    fn emit(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        match event {
            RunEvent::RunStarted { .. } => {}
            RunEvent::JobFinished { record, .. } => {
                self.finished += 1;
                self.answered += u64::from(record.outcome == Outcome::Answered);
                self.failed += u64::from(record.outcome == Outcome::BackendFailed);
                self.tokens += record.prompt_tokens().unwrap_or(0) + record.generated_tokens().unwrap_or(0);
                let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
                let mut message = format!(
                    "· {:.0} % parsed · {:.0} tokens/s",
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

/// A bar over the bytes of a download.
pub(crate) struct PullBar<'a> {
    ui: &'a Ui,
    bar: ProgressBar,
}

impl<'a> PullBar<'a> {
    pub(crate) fn new(ui: &'a Ui) -> Self {
        let bar = bar(ui, 0);
        bar.set_style(style("{msg} {bar:32} {bytes}/{total_bytes} · {bytes_per_sec} · {eta} left"));
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { ui, bar }
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for PullBar<'_> {
    fn report(&mut self, progress: &PullProgress<'_>) {
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
        self.bar.set_message(format!("{verb} {}", progress.what));
        self.bar.set_length(progress.total_bytes.unwrap_or(0));
        self.bar.set_position(progress.done_bytes);
    }

    fn source_failed(&mut self, source: &str, error: &SourceError) {
        self.bar.suspend(|| self.ui.note(&format!("source {source} did not deliver: {error}")));
    }
}

fn bar(ui: &Ui, length: u64) -> ProgressBar {
    let target =
        if ui.shows_progress() { ProgressDrawTarget::stderr_with_hz(REDRAWS) } else { ProgressDrawTarget::hidden() };
    ProgressBar::with_draw_target(Some(length), target)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates in this file are valid").progress_chars("━━─")
}
