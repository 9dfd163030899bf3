//! Where the time of the last deployment went, step by step, and how the ones before it compare with the targets.

use ratatui::text::Span;

use crate::tui::model::Model;
use crate::tui::model::journey::{Journey, Lap, Leg, TARGETS, Target, percentile};
use crate::tui::text;
use crate::tui::view::paint::span;

/// Columns of a step's name.
const NAMES: usize = 16;
/// Columns of a step's duration.
const TIMES: usize = 9;
/// Columns from which on figures are said in words.
const WORDY: usize = 64;
/// Rows that a heading, a step and the others counted take: with fewer there are none.
const FEWEST: usize = 2;
/// Columns in front of a sparkline in a row of its own.
const LATELY: usize = 17;
/// Levels of the sparkline, lowest first.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Values that the sparkline shows at most.
const SPARKS: usize = 32;

/// The steps of the last deployment, one row each under a heading; no rows without one. In fewer rows than it has steps
/// the shortest are left out, and counted.
pub fn rows(model: &Model, columns: usize, height: usize) -> Vec<Vec<Span<'static>>> {
    let theme = &model.settings.theme;
    let Some(journey) = model.journeys.last().filter(|_| height > FEWEST) else {
        return Vec::new();
    };
    let laps = journey.laps();
    let drawn = scale(&laps);
    let end = drawn.iter().map(|bar| bar.from + bar.took).max();
    let end = end.unwrap_or(0).max(1);
    let mut rows = vec![heading(model, journey)];
    // The column of bars: what the names and times leave, but no wider than is easy to read.
    let room = columns.saturating_sub(NAMES + TIMES + 3).min(72);
    let shown = longest(&laps, height - 1);
    for (lap, bar) in laps
        .iter()
        .zip(&drawn)
        .filter(|(lap, _)| shown.contains(&lap.leg))
    {
        let place = |ms: u64| usize::try_from(ms * room as u64 / end).unwrap_or(0);
        let from = place(bar.from).min(room.saturating_sub(1));
        let wide = place(bar.from + bar.took).saturating_sub(from).max(1);
        let wide = wide.min(room - from.min(room));
        // Waiting for a person is no work of the machine: it is drawn thinner, not only in another colour.
        let (line, style) = match lap.leg {
            Leg::Waiting => ("·", theme.dim),
            _ => ("━", theme.bar),
        };
        let mut line = line.repeat(wide);
        if bar.cut && wide > 2 {
            let half = "·".repeat((wide - 1) / 2);
            line = format!("{half}…{}", "·".repeat(wide - 1 - (wide - 1) / 2));
        }
        let name = text::fit(lap.leg.name(), NAMES - 1).into_owned();
        let mut spans = vec![span(format!(" {name:<NAMES$}"), theme.text)];
        if room >= 8 {
            spans.push(span(" ".repeat(from), theme.text));
            spans.push(span(line, style));
            let rest = room.saturating_sub(from + wide);
            spans.push(span(" ".repeat(rest), theme.text));
        }
        spans.push(span(
            format!("{:>TIMES$} ", text::duration(lap.took)),
            theme.dim,
        ));
        rows.push(spans);
    }
    let left_out: Vec<u64> = laps
        .iter()
        .filter(|lap| !shown.contains(&lap.leg))
        .map(|lap| lap.took)
        .collect();
    if !left_out.is_empty() {
        let (count, took) = (left_out.len(), left_out.iter().sum());
        let words = format!(" {count} shorter steps, {}", text::duration(took));
        rows.push(vec![span(words, theme.dim)]);
    }
    rows
}

/// The bar of a step, in milliseconds as they are drawn.
struct Bar {
    from: u64,
    took: u64,
    /// It took longer than it is drawn.
    cut: bool,
}

/// The bars of the steps. A person may think for minutes: waiting for them is drawn at most half as long as the work of the
/// machine, so that the work can still be read.
fn scale(laps: &[Lap]) -> Vec<Bar> {
    let work: u64 = laps
        .iter()
        .filter(|lap| lap.leg != Leg::Waiting)
        .map(|lap| lap.took)
        .sum();
    let most = (work / 2).max(1);
    let beyond = |lap: &Lap| match lap.leg {
        Leg::Waiting => lap.took.saturating_sub(most),
        _ => 0,
    };
    let bars = laps.iter().map(|lap| {
        let before = laps
            .iter()
            .filter(|other| other.from + other.took <= lap.from);
        let skipped: u64 = before.map(beyond).sum();
        Bar {
            from: lap.from.saturating_sub(skipped),
            took: lap.took - beyond(lap),
            cut: beyond(lap) > 0,
        }
    });
    bars.collect()
}

/// The steps to show in so many rows: all of them, or the longest beside a row that counts the others.
fn longest(laps: &[Lap], height: usize) -> Vec<Leg> {
    let mut sorted: Vec<&Lap> = laps.iter().collect();
    if laps.len() > height {
        sorted.sort_by_key(|lap| std::cmp::Reverse(lap.took));
        sorted.truncate(height.saturating_sub(1));
    }
    sorted.into_iter().map(|lap| lap.leg).collect()
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
    let (mut rows, mut lately) = (Vec::new(), None);
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
        // The way as a whole is worth a row of its own.
        if room < 8 && target.name == "total" && times.len() > 1 {
            let room = columns.saturating_sub(LATELY + 2).min(SPARKS);
            let line = spark(target, &times, room);
            lately = Some(vec![
                span(format!(" {:<14}  ", "lately"), theme.dim),
                span(line, theme.bar),
            ]);
        }
    }
    rows.extend(lately);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stage;

    fn laps(took: &[(Leg, u64)]) -> Vec<Lap> {
        let mut from = 0;
        let lap = |&(leg, took): &(Leg, u64)| {
            let lap = Lap { leg, from, took };
            from += took;
            lap
        };
        took.iter().map(lap).collect()
    }

    #[test]
    fn a_long_wait_leaves_room_for_the_work() {
        let laps = laps(&[
            (Leg::Speech, 100),
            (Leg::Waiting, 60_000),
            (Leg::Deploy(Stage::Build), 300),
        ]);
        let bars = scale(&laps);
        let drawn: Vec<(u64, u64, bool)> = bars
            .iter()
            .map(|bar| (bar.from, bar.took, bar.cut))
            .collect();
        assert_eq!(
            drawn,
            [(0, 100, false), (100, 200, true), (300, 300, false)]
        );
    }

    #[test]
    fn a_short_wait_is_drawn_as_long_as_it_was() {
        let laps = laps(&[
            (Leg::Speech, 100),
            (Leg::Waiting, 40),
            (Leg::Deploy(Stage::Build), 300),
        ]);
        let bars = scale(&laps);
        assert!(
            bars.iter()
                .zip(&laps)
                .all(|(bar, lap)| bar.from == lap.from && bar.took == lap.took && !bar.cut)
        );
    }

    #[test]
    fn the_longest_steps_are_shown_where_not_all_can_be() {
        let laps = laps(&[
            (Leg::Speech, 5),
            (Leg::Waiting, 9),
            (Leg::Deploy(Stage::Build), 7),
            (Leg::Commit, 1),
        ]);
        assert_eq!(longest(&laps, 4).len(), 4);
        assert_eq!(longest(&laps, 3), [Leg::Waiting, Leg::Deploy(Stage::Build)]);
    }
}
