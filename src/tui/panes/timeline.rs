//! What happened, newest at the bottom, folded per instruction. Only the rows in sight are built.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use crate::tui::model::Model;
use crate::tui::model::timeline::{Entry, Group, Row};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Columns of the durations at the right.
const TIMES: usize = 9;
/// Columns from which on times are shown.
const ROOMY: usize = 40;

/// What the title says: the filter, and that more is on its way.
pub fn note(model: &Model) -> String {
    let timeline = &model.timeline;
    let mut note = String::new();
    if timeline.filter().is_set() && model.board.filter.is_none() {
        note = format!("only {}", text::clean_prose(timeline.filter().written()));
    }
    if timeline.loading() {
        note.push_str(if note.is_empty() {
            "loading…"
        } else {
            " · loading…"
        });
    }
    note
}

/// Draws the pane; where the cursor stands, while the filter is written.
pub fn draw(model: &Model, area: Rect, buf: &mut Buffer) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let mut body = area;
    let mut cursor = None;
    if let Some(line) = &model.board.filter {
        body.height -= 1;
        let prompt = Rect {
            y: body.bottom(),
            height: 1,
            ..area
        };
        cursor = filter(model, line, prompt, buf);
    }
    rows(model, body, buf);
    cursor
}

fn rows(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    let (rows, below) = model.timeline.visible(usize::from(area.height));
    if rows.is_empty() {
        let words = if model.timeline.is_empty() {
            " nothing has happened yet"
        } else {
            " nothing of what is loaded passes the filter"
        };
        paint::row(buf, area, 0, vec![span(words, theme.dim)]);
        return;
    }
    let columns = usize::from(area.width);
    for (at, (entry, selected)) in (0u16..).zip(rows) {
        let mut spans = match entry {
            Entry::Head(group, open) => head(model, group, open, columns),
            Entry::Row(row, inside) => line(model, row, inside, columns),
        };
        if selected {
            let wide: usize = spans.iter().map(|span| text::width(&span.content)).sum();
            let pad = " ".repeat(columns.saturating_sub(wide));
            spans.push(span(pad, theme.text));
            // The mark says it where no colour does.
            let first = format!("›{}", spans[0].content.get(1..).unwrap_or_default());
            spans[0] = span(first, spans[0].style);
            for span in &mut spans {
                span.style = span.style.patch(theme.cursor);
            }
        }
        paint::row(buf, area, at, spans);
    }
    if below > 0 {
        let last = area.height - 1;
        let word = if below == 1 { "row" } else { "rows" };
        let note = format!(" ↓ {below} newer {word}; Esc follows again");
        paint::over(buf, area, last, vec![span(note, theme.warn)]);
    }
}

/// A row: when, what, how long.
fn line(model: &Model, row: &Row, inside: bool, columns: usize) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let took = match (row.took, row.after) {
        (Some(ms), _) => text::duration(ms),
        (None, Some(ms)) => format!("+{}", text::duration(ms)),
        (None, None) => String::new(),
    };
    let roomy = columns >= ROOMY;
    let indent = if inside && roomy { "  " } else { "" };
    let begin = if roomy {
        format!(" {indent}{} ", row.clock)
    } else {
        " ".to_owned()
    };
    let times = if roomy { TIMES } else { 0 };
    let room = columns.saturating_sub(text::width(&begin) + 2 + times);
    let said = match row.times {
        1 => text::fit(&row.text, room).into_owned(),
        times => text::fit(&format!("{} ({times} times)", row.text), room).into_owned(),
    };
    let pad = room.saturating_sub(text::width(&said));
    let style = paint::tone(theme, row.tone);
    let mut spans = vec![
        span(begin, theme.dim),
        span(format!("{} ", row.tone.mark()), style),
        span(said, style),
    ];
    if roomy {
        spans.push(span(
            format!("{}{took:>TIMES$}", " ".repeat(pad)),
            theme.dim,
        ));
    }
    spans
}

/// The heading of a group: what was asked for, where it stands, how long all of it took.
fn head(model: &Model, group: &Group, open: bool, columns: usize) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let fold = if open { "▾" } else { "▸" };
    let tone = group.tone();
    let style = paint::tone(theme, tone);
    let roomy = columns >= ROOMY;
    let when = if roomy {
        when(model, group)
    } else {
        String::new()
    };
    let begin = format!(" {fold} {when}");
    let times = if roomy { TIMES } else { 0 };
    let standing = group.standing();
    let mark = format!("{} ", tone.mark());
    let end = if standing.is_empty() {
        String::new()
    } else {
        format!(" {standing}")
    };
    let used = text::width(&begin) + text::width(&mark) + text::width(&end) + times;
    let room = columns.saturating_sub(used);
    let title = text::fit(group.title(), room).into_owned();
    let pad = room.saturating_sub(text::width(&title));
    let took = group.took().map(text::duration).unwrap_or_default();
    let mut spans = vec![
        span(begin, theme.dim),
        span(mark, style),
        span(title, theme.strong),
        span(" ".repeat(pad), theme.text),
        span(end, style),
    ];
    if roomy {
        spans.push(span(format!("{took:>TIMES$}"), theme.dim));
    }
    spans
}

/// The time of a group's begin; its date, when that is another day than the newest one.
fn when(model: &Model, group: &Group) -> String {
    let Some(begun) = group.begun() else {
        return String::new();
    };
    let local = model.timeline.local(begun);
    let (date, time) = (local.date(), local.time());
    if Some(date) == model.timeline.newest_day() {
        format!(
            "{:02}:{:02}:{:02} ",
            time.hour(),
            time.minute(),
            time.second()
        )
    } else {
        format!(
            "{:02}-{:02} {:02}:{:02} ",
            date.month(),
            date.day(),
            time.hour(),
            time.minute()
        )
    }
}

/// The line in which the filter is written.
fn filter(
    model: &Model,
    line: &crate::tui::model::Line,
    area: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = &model.settings.theme;
    let prompt = " only ";
    paint::row(
        buf,
        area,
        0,
        vec![
            span(prompt, theme.key),
            span(line.text().to_owned(), theme.text),
        ],
    );
    let column = text::width(prompt) + text::width(line.before());
    let column = column.min(usize::from(area.width).saturating_sub(1));
    Some(Position::new(
        area.x + u16::try_from(column).unwrap_or(0),
        area.y,
    ))
}
