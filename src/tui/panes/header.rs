//! The line at the top: whose site, which branch, what is live, and how the cockpit hears of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::people;
use crate::client::room::Standing;
use crate::client::stream::Connection;
use crate::tui::model::{Model, Moment, Pane, Phase};
use crate::tui::motion;
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Draws the header.
pub fn draw(model: &Model, now: Moment, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let right = right(model, now, usize::from(area.width));
    let wide: usize = right.iter().map(|span| text::width(&span.content)).sum();
    let room = usize::from(area.width).saturating_sub(wide + 1);
    let left = left(model, room);
    paint::put(buf, area, 0, &paint::fit(left, room));
    let x = usize::from(area.width).saturating_sub(wide);
    let corner = Rect {
        x: area.x + u16::try_from(x).unwrap_or(area.width),
        width: area.width - u16::try_from(x).unwrap_or(area.width),
        ..area
    };
    paint::row(buf, corner, 0, right);
}

/// Repository, branch and live release, in as many words as there is room for.
fn left(model: &Model, room: usize) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let site = &model.site;
    if !model.loaded {
        return vec![span("sayso", theme.strong), span("  loading…", theme.dim)];
    }
    let name = match site.repository.name.as_str() {
        "" => &site.project,
        name => name,
    };
    let mut spans = vec![
        span(text::clean_prose(name), theme.strong),
        span("  ", theme.text),
        span(text::clean_prose(site.branch()), theme.tip),
    ];
    let used = |spans: &[Span<'static>]| {
        spans
            .iter()
            .map(|span| text::width(&span.content))
            .sum::<usize>()
    };
    let add = |spans: &mut Vec<Span<'static>>, more: Vec<Span<'static>>| {
        if used(spans) + used(&more) <= room {
            spans.extend(more);
        }
    };
    if site.repository.head.is_empty() {
        add(&mut spans, vec![span(" no commit yet", theme.dim)]);
    } else {
        let head = text::clean(text::short(&site.repository.head)).into_owned();
        add(&mut spans, vec![span(format!(" {head}"), theme.dim)]);
    }
    match site.repository.changes {
        0 => {}
        1 => add(&mut spans, vec![span(" 1 change", theme.warn)]),
        many => add(
            &mut spans,
            vec![span(format!(" {many} changes"), theme.warn)],
        ),
    }
    match site.live() {
        Some(live) => {
            let commit = text::clean(text::short(&live.commit)).into_owned();
            add(
                &mut spans,
                vec![span("  live ", theme.dim), span(commit, theme.good)],
            );
            add(
                &mut spans,
                vec![span(
                    format!(" {}", text::clean_prose(&live.url)),
                    theme.text,
                )],
            );
        }
        None => add(&mut spans, vec![span("  nothing live yet", theme.dim)]),
    }
    spans
}

/// The others, the microphone, what waits to be sent, and the connection.
fn right(model: &Model, now: Moment, columns: usize) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let mut spans = people::brief(model, columns);
    if model.talk.phase != Phase::Idle {
        spans.push(span("● mic ", theme.recording));
    } else if model.talk.listening {
        let phrase = text::clean_prose(&model.settings.voice.wake);
        spans.push(span(format!("◉ listening for “{phrase}” "), theme.warn));
    } else if model.talk.open {
        spans.push(span("○ mic open ", theme.warn));
    }
    if let Some(watch) = model.site.watch.as_ref().filter(|watch| watch.on) {
        spans.push(span(
            format!("watching → {} ", text::clean_prose(&watch.branch)),
            theme.good,
        ));
    }
    let waits = model.team.outbox.len();
    if waits > 0 {
        spans.push(span(format!("{waits} waiting "), theme.warn));
    }
    let (word, style) = match &model.connection {
        Connection::Connecting => ("connecting".to_owned(), theme.dim),
        // The events come, and what people share does not.
        Connection::Streaming if lost(model) => ("online, alone".to_owned(), theme.warn),
        Connection::Streaming => ("online".to_owned(), theme.good),
        Connection::Polling => ("online (polling)".to_owned(), theme.good),
        Connection::Waiting { .. } => match motion::seconds_left(model, now) {
            Some(0) | None => ("reconnecting".to_owned(), theme.bad),
            Some(left) => (format!("reconnecting in {left} s"), theme.bad),
        },
        Connection::Closed { .. } => ("offline".to_owned(), theme.bad),
    };
    spans.push(span(word, style));
    spans
}

/// True when the rooms are not reached, although the server is.
fn lost(model: &Model) -> bool {
    matches!(
        model.team.trouble(),
        Some(Standing::Waiting { .. } | Standing::Closed { .. })
    )
}

/// The names of the panes with their keys, as wide as there is room for.
fn tab_names(model: &Model, columns: usize) -> Vec<(Pane, String)> {
    let names = |long: bool| -> Vec<(Pane, String)> {
        let panes = Pane::ALL.into_iter().enumerate();
        let name = |(at, pane): (usize, Pane)| {
            let mark = if pane == model.pane { "▸" } else { " " };
            let title = match (long, pane) {
                (true, pane) => pane.title(),
                (false, Pane::Proposal) => "Prop.",
                (false, Pane::Timeline) => "Time",
                (false, pane) => pane.title(),
            };
            let waits = match pane {
                Pane::Proposal if !model.reviews.is_empty() => {
                    format!(" ({})", model.reviews.len())
                }
                _ => String::new(),
            };
            (pane, format!("{mark}{} {title}{waits} ", at + 1))
        };
        panes.map(name).collect()
    };
    let long = names(true);
    let wide: usize = long.iter().map(|(_, name)| text::width(name)).sum();
    if wide <= columns { long } else { names(false) }
}

/// Draws the names of the panes, for a screen that shows one at a time.
pub fn tabs(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.settings.theme;
    let mut spans = Vec::new();
    for (pane, name) in tab_names(model, usize::from(area.width)) {
        let style = if pane == model.pane {
            theme.title_active
        } else {
            theme.title
        };
        spans.push(span(name, style));
    }
    if model.board.zoom && area.width >= 100 {
        spans.push(span("  zoomed: z gives the others back", theme.dim));
    }
    paint::row(buf, area, 0, spans);
}

/// The pane whose name stands at column `x`.
pub fn tab_at(model: &Model, area: Rect, x: u16) -> Option<Pane> {
    let mut right = usize::from(area.x);
    for (pane, name) in tab_names(model, usize::from(area.width)) {
        right += text::width(&name);
        if usize::from(x) < right {
            return Some(pane);
        }
    }
    None
}
