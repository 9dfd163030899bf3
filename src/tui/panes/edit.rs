//! The text of a hunk while it is edited here.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use crate::tui::model::{HunkEdit, Model};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Columns before the text.
const GUTTER: usize = 7;

/// What is in sight: the first line, and the columns that are cut off at the left.
fn offset(edit: &HunkEdit, area: Rect) -> (usize, usize) {
    let (row, column) = place(edit);
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let width = usize::from(area.width).saturating_sub(GUTTER + 1).max(1);
    let top = (row + 1 + height / 3).saturating_sub(height);
    (top.min(row), column.saturating_sub(width))
}

/// The line of the cursor, and its column on the screen before anything is cut off.
fn place(edit: &HunkEdit) -> (usize, usize) {
    let cursor = edit.area.cursor();
    let line = edit.area.lines().get(cursor.0).map_or("", String::as_str);
    let before: String = line.chars().take(cursor.1).collect();
    (cursor.0, text::width(&text::clean(&before)))
}

/// Draws the text.
pub fn draw(model: &Model, edit: &HunkEdit, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    let shared = if edit.shared {
        "· shared as you type "
    } else {
        ""
    };
    let title = format!(" editing {} {shared}", text::clean(&edit.path));
    paint::row(buf, area, 0, vec![span(title, theme.file)]);
    let (top, left) = offset(edit, area);
    let height = usize::from(area.height.saturating_sub(1));
    let lines = edit.area.lines().iter().enumerate().skip(top).take(height);
    for (at, (line, raw)) in (1u16..).zip(lines) {
        let shown = text::clean(raw);
        let mut cut = 0;
        let from = shown
            .char_indices()
            .find(|(_, c)| {
                let fits = cut >= left;
                cut += text::char_width(*c);
                fits
            })
            .map_or(shown.len(), |(at, _)| at);
        paint::row(
            buf,
            area,
            at,
            vec![
                span(format!("{:>5}", edit.first + line), theme.dim),
                pin(model, edit, edit.first + line),
                span(
                    shown[if left == 0 { 0 } else { from }..].to_owned(),
                    theme.text,
                ),
            ],
        );
    }
}

/// Whoever else is on a line.
fn pin(model: &Model, edit: &HunkEdit, line: usize) -> Span<'static> {
    let theme = &model.settings.theme;
    let found = model.reviews.get(&edit.proposal).and_then(|review| {
        let files = &review.view.proposal.files;
        let file = files.iter().position(|file| file.path == edit.path)?;
        review.annotations.pin_of(file, u32::try_from(line).ok()?)
    });
    match found {
        Some(pin) => span(pin.letter.to_string(), theme.caret(pin.colour)),
        None => span(" ", theme.dim),
    }
}

/// Where the cursor stands on the screen.
pub fn cursor(edit: &HunkEdit, area: Rect) -> Option<Position> {
    let (row, column) = place(edit);
    let (top, left) = offset(edit, area);
    let y = u16::try_from(row - top).ok()?.checked_add(area.y + 1)?;
    let x = u16::try_from(column.saturating_sub(left) + GUTTER - 1).ok()?;
    let x = area.x.checked_add(x)?;
    (x < area.right() && y < area.bottom()).then_some(Position { x, y })
}
