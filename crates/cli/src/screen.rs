//! What `puma monitor` shows: lines, the most telling first, so that a small terminal shows the beginning.

use crate::command::models::bytes;
use crate::live::{Cpu, Memory, View};
use puma_core::measure::{Quality, Severity};
use ratatui::Frame;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Cells of a bar.
const BAR: usize = 24;
/// Processors in a line.
const IN_A_LINE: usize = 8;

/// Colours by meaning; without them nothing is lost, because every number stands in words.
#[derive(Clone, Copy)]
pub(crate) struct Theme {
    colors: bool,
}

impl Theme {
    pub(crate) fn new(colors: bool) -> Self {
        Self { colors }
    }

    fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Calm below 60 percent, alarming from 90 on.
    fn load(self, percent: f64) -> Style {
        let color = match percent {
            _ if !self.colors => return Style::new(),
            percent if percent >= 90.0 => Color::Red,
            percent if percent >= 60.0 => Color::Yellow,
            _ => Color::Green,
        };
        Style::new().fg(color)
    }

    fn alarm(self, severity: Severity) -> Style {
        match severity {
            _ if !self.colors => self.heading(),
            Severity::Major => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
            Severity::Minor => Style::new().fg(Color::Yellow),
        }
    }
}

/// Draws one look. What does not fit is cut off at the end.
pub(crate) fn draw(frame: &mut Frame<'_>, view: &View, theme: Theme) {
    frame.render_widget(Paragraph::new(lines(view, theme)), frame.area());
}

/// The same lines without a terminal.
pub(crate) fn text(view: &View) -> String {
    let lines = lines(view, Theme::new(false));
    let mut text: Vec<String> = lines.iter().map(|line| line.to_string().trim_end().to_owned()).collect();
    text.push(String::new());
    text.join("\n")
}

fn lines(view: &View, theme: Theme) -> Vec<Line<'static>> {
    let View { time, machine, profile, recorded, cpu, memory, gpus, power, run, disturbances, unavailable, .. } = view;
    let still = if *recorded { "  (recorded: nothing moves)" } else { "" };
    let mut lines = vec![
        Line::styled(format!("{machine}  ·  {profile}{still}"), theme.heading()),
        Line::raw(format!("{time}  ·  q quits")),
    ];
    if let Some(run) = run {
        let share = if run.jobs == 0 { 0.0 } else { run.jobs_finished as f64 * 100.0 / run.jobs as f64 };
        let speed = run.jobs_per_s.map(|speed| format!("  {speed:.2} jobs/s")).unwrap_or_default();
        let progress = format!("{}/{} jobs{speed}  {}", run.jobs_finished, run.jobs, run.models.join(", "));
        lines.push(Line::raw(format!("{:<10}{} {progress}", "run", filled(share))));
        lines.push(Line::raw(format!("{:<10}{}", "", run.run_id)));
    }
    for found in disturbances.iter().rev().take(4) {
        let severity = if found.severity == Severity::Major { "major" } else { "minor" };
        let text = format!("{severity} {}: {}", found.kind.as_str(), found.detail);
        lines.push(Line::styled(text, theme.alarm(found.severity)));
    }
    processors(cpu, theme, &mut lines);
    of_memory(memory, theme, &mut lines);
    for (place, gpu) in gpus.iter().enumerate() {
        let mut line = bar(&format!("gpu {place}"), gpu.utilization_percent, theme);
        let used = gpu.memory_used_bytes.map(|used| format!("  {}", bytes(used)));
        let total = gpu.memory_total_bytes.map(|total| format!(" of {}", bytes(total)));
        let clock = gpu.clock_mhz.map(|mhz| format!("  {mhz:.0} MHz"));
        let heat = gpu.temperature_c.map(|degrees| format!("  {degrees:.0} °C"));
        line.extend([used, total, clock, heat].into_iter().flatten().map(Span::raw));
        lines.push(Line::from(line));
    }
    for one in power {
        let watts = one.power_w.map_or("unknown".to_owned(), |watts| format!("{watts:.1} W"));
        let inside = if one.counted { "" } else { ", not part of a total" };
        let quality = if one.quality == Quality::Unknown { "unknown" } else { one.quality.as_str() };
        let (channel, device) = (one.channel.as_str(), &one.device);
        lines.push(Line::raw(format!("{channel:<10}{watts:>9}  {device}  ({}, {quality}{inside})", one.source)));
    }
    lines.extend(unavailable.iter().map(|line| Line::raw(format!("not seen: {line}"))));
    lines
}

fn processors(cpu: &Cpu, theme: Theme, lines: &mut Vec<Line<'static>>) {
    let mut line = bar("cpu", cpu.busy_percent, theme);
    let parts = [
        cpu.others_percent.map(|others| format!("  others {others:.0} %")),
        cpu.stolen_percent.filter(|stolen| *stolen >= 0.5).map(|stolen| format!("  stolen {stolen:.0} %")),
        cpu.frequency_mhz.map(|mhz| format!("  {mhz:.0} MHz")),
        cpu.temperature_c.map(|degrees| format!("  {degrees:.0} °C")),
    ];
    line.extend(parts.into_iter().flatten().map(Span::raw));
    lines.push(Line::from(line));
    for (first, row) in cpu.each_busy_percent.chunks(IN_A_LINE).enumerate().map(|(row, each)| (row * IN_A_LINE, each)) {
        let mut spans = vec![Span::raw(format!("{:<10}", format!("  {first}–{}", first + row.len() - 1)))];
        for one in row {
            spans.push(match one {
                Some(percent) => Span::styled(format!("{percent:>4.0} %"), theme.load(*percent)),
                None => Span::raw("   ? %"),
            });
        }
        lines.push(Line::from(spans));
    }
}

fn of_memory(memory: &Memory, theme: Theme, lines: &mut Vec<Line<'static>>) {
    let share = |used: Option<u64>, total: Option<u64>| {
        used.zip(total.filter(|total| *total > 0)).map(|(used, total)| used as f64 * 100.0 / total as f64)
    };
    let amounts = |used: Option<u64>, total: Option<u64>| match (used, total) {
        (Some(used), Some(total)) => format!("  {} of {}", bytes(used), bytes(total)),
        _ => String::new(),
    };
    let used = memory.total_bytes.zip(memory.available_bytes).map(|(total, free)| total.saturating_sub(free));
    let mut rows = vec![("memory", used, memory.total_bytes)];
    if memory.limit_bytes.is_some() {
        rows.push(("limit", memory.limit_used_bytes, memory.limit_bytes));
    }
    if memory.swap_total_bytes.is_some_and(|total| total > 0) {
        rows.push(("swap", memory.swap_used_bytes, memory.swap_total_bytes));
    }
    for (name, used, total) in rows {
        let mut line = bar(name, share(used, total), theme);
        line.push(Span::raw(amounts(used, total)));
        lines.push(Line::from(line));
    }
    let rate = |rate: Option<f64>| rate.map_or("unknown".to_owned(), |rate| format!("{:.1} MB/s", rate / 1e6));
    let stalled = |percent: Option<f64>| percent.map_or("unknown".to_owned(), |percent| format!("{percent:.1} %"));
    let faults = memory.major_faults_per_s.map_or("unknown".to_owned(), |faults| format!("{faults:.0}/s"));
    lines.push(Line::raw(format!(
        "{:<10}faults {faults}  read again {}  swapped in {}  stalled {} (all {})",
        "paging",
        rate(memory.read_again_bytes_per_s),
        rate(memory.swapped_in_bytes_per_s),
        stalled(memory.some_stalled_percent),
        stalled(memory.all_stalled_percent)
    )));
}

/// A name, a bar and a number; without a number no bar, for an empty one would say zero.
fn bar(name: &str, percent: Option<f64>, theme: Theme) -> Vec<Span<'static>> {
    let name = Span::raw(format!("{name:<10}"));
    match percent {
        Some(percent) => {
            vec![name, Span::styled(filled(percent), theme.load(percent)), Span::raw(format!(" {percent:>3.0} %"))]
        }
        None => vec![name, Span::raw(format!("{:BAR$} unknown", ""))],
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the width of a bar")]
fn filled(percent: f64) -> String {
    let full = (percent.clamp(0.0, 100.0) / 100.0 * BAR as f64).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(BAR - full))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::{Power, RunProgress};
    use puma_core::Timestamp;
    use puma_core::measure::{Channel, Contamination, Disturbance};
    use puma_host::machine::GpuCounters;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn busy() -> View {
        View {
            time: "2026-11-20T07:15:06.123Z".to_owned(),
            interval_s: Some(1.0),
            machine: "Some processor".to_owned(),
            profile: "cpu-entry".to_owned(),
            cpu: Cpu {
                busy_percent: Some(75.0),
                each_busy_percent: vec![Some(50.0), None, Some(100.0)],
                ..Cpu::default()
            },
            memory: Memory { total_bytes: Some(8 << 30), available_bytes: Some(2 << 30), ..Memory::default() },
            gpus: vec![GpuCounters { utilization_percent: Some(30.0), ..GpuCounters::default() }],
            power: vec![Power {
                channel: Channel::Package,
                device: "package-0".to_owned(),
                power_w: None,
                source: "RAPL powercap".to_owned(),
                quality: Quality::Measured,
                counted: true,
            }],
            run: Some(RunProgress {
                run_id: "triage__abc".to_owned(),
                models: vec!["smollm2:135m".to_owned()],
                jobs: 40,
                jobs_finished: 10,
                jobs_per_s: Some(2.5),
            }),
            disturbances: vec![Contamination {
                kind: Disturbance::Paging,
                severity: Severity::Major,
                from: Timestamp(0),
                until: Timestamp(1000),
                detail: "for 3 s it was read again".to_owned(),
            }],
            ..View::default()
        }
    }

    #[test]
    fn a_terminal_of_any_size_is_drawn_on() {
        for (width, height) in [(1, 1), (1, 50), (200, 1), (2, 2), (20, 5), (80, 24), (300, 100)] {
            for view in [View::default(), busy()] {
                let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
                terminal.draw(|frame| draw(frame, &view, Theme::new(true))).expect("it is drawn");
                assert_eq!(terminal.backend().buffer().area.as_size(), (width, height).into());
            }
        }
    }

    #[test]
    fn what_is_known_is_shown_and_what_is_not_is_no_zero() {
        let seen = text(&busy());
        let expected = [
            "run       ██████░░░░░░░░░░░░░░░░░░ 10/40 jobs  2.50 jobs/s  smollm2:135m",
            "major paging: for 3 s it was read again",
            "cpu       ██████████████████░░░░░░  75 %",
            "  0–2       50 %   ? % 100 %",
            "gpu 0     ███████░░░░░░░░░░░░░░░░░  30 %",
            "package     unknown  package-0  (RAPL powercap, measured)",
            "paging    faults unknown  read again unknown  swapped in unknown  stalled unknown (all unknown)",
        ];
        for line in expected {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
    }

    #[test]
    fn without_colours_no_cell_has_one() {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).expect("a terminal");
        terminal.draw(|frame| draw(frame, &busy(), Theme::new(false))).expect("it is drawn");
        assert!(
            terminal.backend().buffer().content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
        );
        terminal.draw(|frame| draw(frame, &busy(), Theme::new(true))).expect("it is drawn");
        assert!(terminal.backend().buffer().content.iter().any(|cell| cell.fg != Color::Reset));
    }
}
