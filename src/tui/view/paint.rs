//! Small tools for drawing: lines that end in `…`, titles, boxes. Nothing here draws outside its rectangle.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::model::{Model, Pane, Tone};
use crate::tui::text;
use crate::tui::theme::Theme;

/// Writes `line` into row `row` of `area`, if it has one.
pub fn put(buf: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    let area = area.intersection(buf.area);
    if row < area.height && area.width > 0 {
        buf.set_line(area.x, area.y + row, line, area.width);
    }
}

/// A span of owned text.
pub fn span(text: impl Into<String>, style: Style) -> Span<'static> {
    Span::styled(text.into(), style)
}

/// `spans` in at most `columns`, with `…` where something was cut.
pub fn fit(spans: Vec<Span<'static>>, columns: usize) -> Line<'static> {
    let mut left = columns;
    let mut out = Vec::with_capacity(spans.len());
    for span in spans {
        let wide = text::width(&span.content);
        if wide <= left {
            left -= wide;
            out.push(span);
        } else {
            out.push(Span::styled(
                text::fit(&span.content, left).into_owned(),
                span.style,
            ));
            break;
        }
    }
    Line::from(out)
}

/// Writes `spans` into row `row` of `area`, cut to its width.
pub fn row(buf: &mut Buffer, area: Rect, row: u16, spans: Vec<Span<'static>>) {
    put(buf, area, row, &fit(spans, usize::from(area.width)));
}

/// As [`row`], over whatever stands there.
pub fn over(buf: &mut Buffer, area: Rect, at: u16, spans: Vec<Span<'static>>) {
    let line = Rect {
        y: area.y.saturating_add(at),
        height: 1,
        ..area
    };
    for position in line.intersection(area).intersection(buf.area).positions() {
        buf[position].reset();
    }
    row(buf, area, at, spans);
}

/// The line above a pane: its name, marked when it is in front, and a note.
pub fn title(model: &Model, pane: Pane, note: &str, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    let front = model.pane == pane;
    let (mark, style) = if front {
        ("▸", theme.title_active)
    } else {
        ("─", theme.title)
    };
    let name = format!("{mark} {} ", pane.title());
    let room = usize::from(area.width).saturating_sub(text::width(&name));
    let note = match note {
        "" => String::new(),
        note => format!("{} ", text::fit(note, room.saturating_sub(4))),
    };
    let rest = room.saturating_sub(text::width(&note));
    row(
        buf,
        area,
        0,
        vec![
            span(name, style),
            span(note, theme.dim),
            span("─".repeat(rest), theme.rule),
        ],
    );
}

/// The style of a tone.
pub fn tone(theme: &Theme, tone: Tone) -> Style {
    match tone {
        Tone::Plain => theme.text,
        Tone::Good => theme.good,
        Tone::Bad => theme.bad,
        Tone::Warn => theme.warn,
    }
}

/// Empties `area` and draws a frame with a title around it; the room inside.
pub fn boxed(buf: &mut Buffer, area: Rect, title: &str, style: Style) -> Rect {
    let area = area.intersection(buf.area);
    for position in area.positions() {
        buf[position].reset();
    }
    if area.width < 4 || area.height < 3 {
        return area;
    }
    let inner = usize::from(area.width - 2);
    let name = text::fit(title, inner.saturating_sub(3));
    let rest = inner.saturating_sub(text::width(&name) + 3);
    row(
        buf,
        area,
        0,
        vec![span(format!("╭─ {name} {}╮", "─".repeat(rest)), style)],
    );
    for at in 1..area.height - 1 {
        row(buf, area, at, vec![span("│", style)]);
        let right = Rect {
            x: area.right() - 1,
            width: 1,
            ..area
        };
        row(buf, right, at, vec![span("│", style)]);
    }
    row(
        buf,
        area,
        area.height - 1,
        vec![span(format!("╰{}╯", "─".repeat(inner)), style)],
    );
    Rect::new(area.x + 2, area.y + 1, area.width - 4, area.height - 2)
}

/// A rectangle of at most this size at the bottom of `area`, above its last row where there is room.
pub fn low(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height).saturating_sub(1),
        width,
        height,
    }
}

/// A rectangle of at most this size in the middle of `area`.
pub fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}
