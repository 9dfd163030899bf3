//! Where the time of the last deployment went, step by step, and how the ones before it compare with the targets.

use ratatui::text::Span;

use crate::tui::model::Model;
use crate::tui::model::journey::{Journey, Leg, TARGETS, Target, percentile};
use crate::tui::text;
use crate::tui::view::paint::span;

/// Columns of a step's name.
const NAMES: usize = 16;
/// Columns of a step's duration.
const TIMES: usize = 9;
/// Columns from which on figures are said in words.
const WORDY: usize = 64;
/// Levels of the sparkline, lowest first.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Values that the sparkline shows at most.
const SPARKS: usize = 32;

/// The steps of the last deployment, one row each under a heading; no rows without one.
pub fn rows(model: &Model, columns: usize) -> Vec<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let Some(journey) = model.journeys.last() else {
        return Vec::new();
    };
    let laps = journey.laps();
    let end = laps.iter().map(|lap| lap.from + lap.took).max();
    let end = end.unwrap_or(0).max(1);
    let mut rows = vec![heading(model, journey)];
    // The column of bars: what the names and times leave, but no wider than is easy to read.
    let room = columns.saturating_sub(NAMES + TIMES + 3).min(72);
    for lap in laps {
        let place = |ms: u64| usize::try_from(ms * room as u64 / end).unwrap_or(0);
        let from = place(lap.from).min(room.saturating_sub(1));
        let wide = place(lap.from + lap.took).saturating_sub(from).max(1);
        let wide = wide.min(room - from.min(room));
        // Waiting for a person is no work of the machine: it is drawn thinner, not only in another colour.
        let (bar, style) = match lap.leg {
            Leg::Waiting => ("·", theme.dim),
            _ => ("━", theme.bar),
        };
        let name = text::fit(lap.leg.name(), NAMES - 1).into_owned();
        let mut spans = vec![span(format!(" {name:<NAMES$}"), theme.text)];
        if room >= 8 {
            spans.push(span(" ".repeat(from), theme.text));
            spans.push(span(bar.repeat(wide), style));
            let rest = room.saturating_sub(from + wide);
            spans.push(span(" ".repeat(rest), theme.text));
        }
        spans.push(span(
            format!("{:>TIMES$} ", text::duration(lap.took)),
            theme.dim,
        ));
        rows.push(spans);
    }
    rows
}

fn heading(model: &Model, journey: &Journey) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let total = match journey.figures().total {
        Some(ms) => format!("  {} without your waiting", text::duration(ms)),
        None => String::new(),
    };
    vec![
        span(" last live: ", theme.dim),
        span(journey.commit.clone(), theme.strong),
        span(
            format!(" to {}", text::clean_prose(&journey.environment)),
            theme.text,
        ),
        span(total, theme.dim),
    ]
}

/// The sparkline of the times from voice to live, and how they compare with the targets; no rows without figures.
pub fn figures(model: &Model, columns: usize) -> Vec<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let mut rows = Vec::new();
    for target in &TARGETS {
        let times = model.journeys.times(target);
        let (Some(median), Some(slow)) = (percentile(&times, 50), percentile(&times, 95)) else {
            continue;
        };
        let met = slow <= target.most;
        let (mark, style) = if met {
            ("✓", theme.good)
        } else {
            ("!", theme.warn)
        };
        let name = if target.name == "total" {
            "voice to live"
        } else {
            target.name
        };
        let mut spans = vec![
            span(format!(" {name:<14}"), theme.text),
            span(format!("{mark} "), style),
            span(
                if columns >= WORDY {
                    format!(
                        "median {}  p95 {}",
                        text::duration(median),
                        text::duration(slow)
                    )
                } else {
                    format!("{}, p95 {}", text::duration(median), text::duration(slow))
                },
                theme.strong,
            ),
            span(
                if columns >= WORDY {
                    format!("  target {}", target.words)
                } else {
                    format!("  {}", target.words)
                },
                theme.dim,
            ),
        ];
        let used: usize = spans.iter().map(|span| text::width(&span.content)).sum();
        let room = columns.saturating_sub(used + 3).min(SPARKS);
        if room >= 8 && times.len() > 1 {
            spans.push(span(
                format!("  {}", spark(target, &times, room)),
                theme.bar,
            ));
        }
        rows.push(spans);
    }
    rows
}

/// The newest `times` as bars; a full bar is the target, or the longest of them when that is longer.
fn spark(target: &Target, times: &[u64], room: usize) -> String {
    let times = &times[times.len().saturating_sub(room)..];
    let most = times.iter().copied().max().unwrap_or(0).max(target.most);
    let bar = |ms: &u64| {
        let level = ms * (LEVELS.len() as u64 - 1) / most.max(1);
        LEVELS[usize::try_from(level).unwrap_or(0).min(LEVELS.len() - 1)]
    };
    times.iter().map(bar).collect()
}
