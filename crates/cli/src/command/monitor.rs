//! `puma monitor`: what this machine does now.

use crate::context::Context;
use crate::failure::Failure;
use crate::live::Live;
use crate::screen::{self, Theme};
use crate::{environment, watch};
use clap::Args;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

/// How soon a key or Ctrl-C is noticed.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long a late sample is waited for.
const SLOWEST: Duration = Duration::from_secs(5);

/// Arguments of `puma monitor`.
#[derive(Debug, Args)]
pub(crate) struct MonitorArgs {
    /// Seconds between two looks, 0.2 to 3600.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    interval: f64,
    /// Look for one interval, print what was seen, and end.
    #[arg(long)]
    once: bool,
    /// Print one line of JSON for every look, as also happens where standard output is no terminal; with --once, one object.
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "give seconds".to_owned())?;
    if (0.2..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("give 0.2 to 3600 seconds".to_owned()) }
}

pub(crate) fn run(args: MonitorArgs, context: &Context) -> Result<(), Failure> {
    let MonitorArgs { interval, once, json } = args;
    let interval = Duration::from_secs_f64(interval);
    let mut live = Live::start(context, interval, watch::ALL_SERVERS);
    // Rates are of two looks.
    live.look();
    if once {
        return look_once(&mut live, interval, json, context);
    }
    if json || !io::stdout().is_terminal() {
        return lines(&mut live, interval, context);
    }
    on_screen(&mut live, interval, context)
}

fn look_once(live: &mut Live<'_>, interval: Duration, json: bool, context: &Context) -> Result<(), Failure> {
    wait(interval, context);
    let deadline = Instant::now() + SLOWEST;
    let mut seen = live.sampled();
    let mut view = live.look();
    // On a machine under load the second sample may be late.
    while !(seen && (view.recorded || view.interval_s.is_some())) && Instant::now() < deadline {
        wait(PATIENCE, context);
        seen = live.sampled();
        view = live.look();
    }
    if json { context.ui.json(&view) } else { context.ui.data(&screen::text(&view)) }
}

/// One object a line, until somebody has enough.
fn lines(live: &mut Live<'_>, interval: Duration, context: &Context) -> Result<(), Failure> {
    loop {
        wait(interval, context);
        if context.cancel.is_cancelled() {
            return Ok(());
        }
        let line = serde_json::to_string(&live.look())
            .map_err(|error| Failure::operation(format!("the machine cannot be written as JSON: {error}")))?;
        context.ui.data(&line)?;
    }
}

fn wait(interval: Duration, context: &Context) {
    let end = Instant::now() + interval;
    while !context.cancel.is_cancelled() && Instant::now() < end {
        std::thread::sleep(PATIENCE.min(end.saturating_duration_since(Instant::now())));
    }
}

/// The terminal as it was is given back also where drawing fails or panics (`try_init` sees to the latter).
fn on_screen(live: &mut Live<'_>, interval: Duration, context: &Context) -> Result<(), Failure> {
    let no_terminal = |error: io::Error| {
        Failure::operation(format!("the terminal cannot be drawn on: {error}"))
            .hint("`puma monitor --json` prints lines instead")
    };
    let mut terminal = ratatui::try_init().map_err(no_terminal)?;
    let theme = Theme::new(environment::get("NO_COLOR").is_none());
    let mut view = live.look();
    let mut due = Instant::now() + Duration::from_millis(250).min(interval);
    let ended = loop {
        if let Err(error) = terminal.draw(|frame| screen::draw(frame, &view, theme)) {
            break Err(error);
        }
        match quits(due) {
            Ok(true) => break Ok(()),
            Ok(false) if context.cancel.is_cancelled() => break Ok(()),
            Ok(false) => {}
            Err(error) => break Err(error),
        }
        if Instant::now() >= due {
            view = live.look();
            due = Instant::now() + interval;
        }
    };
    ratatui::restore();
    ended.map_err(no_terminal)
}

/// Waits a little for a key; whether it is one that ends.
fn quits(due: Instant) -> io::Result<bool> {
    if !event::poll(due.saturating_duration_since(Instant::now()).min(PATIENCE))? {
        return Ok(false);
    }
    let Event::Key(key) = event::read()? else { return Ok(false) };
    let interrupts = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    let quits = matches!(key.code, KeyCode::Char('q' | 'Q') | KeyCode::Esc);
    Ok(key.kind == KeyEventKind::Press && (interrupts || quits))
}
