//! Lists to look something up in: the keys of the context, or everything. Straight from the live keymap.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::tui::model::entries::{self, Entry};
use crate::tui::model::{Menu, MenuKind, Model};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Widest list.
const WIDEST: u16 = 110;

/// The rectangle of a list.
pub fn frame(area: Rect) -> Rect {
    paint::middle(
        area,
        area.width.saturating_sub(4).clamp(1, WIDEST),
        area.height,
    )
}

/// Entries that are shown at once.
pub fn height(area: Rect) -> u16 {
    let whole = frame(area);
    let inside = if whole.width < 4 || whole.height < 3 {
        whole.height
    } else {
        whole.height - 2
    };
    inside.saturating_sub(1).max(1)
}

/// The first entry in sight, where `height` are shown.
fn first(menu: &Menu, height: usize) -> usize {
    menu.top
        .clamp((menu.at + 1).saturating_sub(height.max(1)), menu.at)
}

/// The entry at row `y` of the screen.
pub fn entry_at(model: &Model, menu: &Menu, area: Rect, y: u16) -> Option<usize> {
    let rows = height(area);
    // Below the border and the line that is written in.
    let above = frame(area).bottom().saturating_sub(rows + 1);
    let row = usize::from(y.checked_sub(above).filter(|row| *row < rows)?);
    let at = first(menu, usize::from(rows)) + row;
    (at < entries::found(model, menu).len()).then_some(at)
}

/// Draws a list; the rectangle it covers, and where the cursor stands.
pub fn draw(model: &Model, menu: &Menu, area: Rect, buf: &mut Buffer) -> (Rect, Option<Position>) {
    let theme = &model.settings.theme;
    let frame = frame(area);
    let title = match menu.kind {
        MenuKind::Keys => "Keys: type to find, Enter runs, Esc closes",
        MenuKind::Everything => "Everything: type to find, Enter runs, Esc closes",
    };
    let inner = paint::boxed(buf, frame, title, theme.tip);
    let found = entries::found(model, menu);
    let count = match menu.filter.text() {
        "" => String::new(),
        _ => format!(" {} found", found.len()),
    };
    let room = usize::from(inner.width).saturating_sub(text::width(&count) + 2);
    let typed = text::fit(menu.filter.text(), room).into_owned();
    let before = text::width(menu.filter.before());
    let pad = room.saturating_sub(text::width(&typed));
    paint::row(
        buf,
        inner,
        0,
        vec![
            span("› ", theme.key),
            span(typed, theme.strong),
            span(" ".repeat(pad), theme.text),
            span(count, theme.dim),
        ],
    );
    let rows = Rect {
        y: inner.y.saturating_add(1),
        height: inner.height.saturating_sub(1),
        ..inner
    }
    .intersection(inner);
    let height = usize::from(rows.height);
    let top = first(menu, height);
    for (at, (index, entry)) in (0u16..).zip(found.iter().enumerate().skip(top).take(height)) {
        row(model, entry, index == menu.at, rows, at, buf);
    }
    if found.is_empty() {
        paint::row(
            buf,
            rows,
            0,
            vec![span("  nothing has that name", theme.dim)],
        );
    }
    let x = inner
        .x
        .saturating_add(u16::try_from(2 + before).unwrap_or(u16::MAX));
    let cursor = Position { x, y: inner.y };
    (frame, inner.contains(cursor).then_some(cursor))
}

fn row(model: &Model, entry: &Entry, selected: bool, area: Rect, at: u16, buf: &mut Buffer) {
    let theme = &model.settings.theme;
    let wide = usize::from(area.width);
    let keys = (wide / 4).clamp(1, 22);
    let shown = text::fit(&text::clean(&entry.keys), keys).into_owned();
    let pad = keys.saturating_sub(text::width(&shown)) + 1;
    let (style, dim) = match (&entry.why_not, selected) {
        (None, true) => (theme.selected, theme.dim),
        (None, false) => (theme.text, theme.dim),
        (Some(_), _) => (theme.dim, theme.dim),
    };
    let note = match &entry.why_not {
        Some(why) => format!("  ({why})"),
        None => String::new(),
    };
    // What it belongs to stands at the right, where there is room for it.
    let group = if wide > 70 {
        format!(" {}", entry.group)
    } else {
        String::new()
    };
    let room = wide.saturating_sub(2 + keys + 1 + text::width(&group));
    let title = text::clean_prose(&entry.title);
    let title = text::fit(&title, room).into_owned();
    let note_room = room.saturating_sub(text::width(&title));
    let note = text::fit(&note, note_room).into_owned();
    let rest = note_room.saturating_sub(text::width(&note));
    paint::row(
        buf,
        area,
        at,
        vec![
            span(if selected { "▌ " } else { "  " }, theme.key),
            span(
                shown,
                if entry.why_not.is_some() {
                    dim
                } else {
                    theme.key
                },
            ),
            span(" ".repeat(pad), theme.text),
            span(title, style),
            span(note, theme.warn),
            span(" ".repeat(rest), theme.text),
            span(group, dim),
        ],
    );
}
