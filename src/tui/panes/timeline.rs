//! What happened, newest at the bottom. Only the rows in sight are built.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::model::Model;
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Columns of the durations at the right.
const TIMES: usize = 9;

/// Draws the pane.
pub fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    if model.timeline.is_empty() {
        paint::row(
            buf,
            area,
            0,
            vec![span(" nothing has happened yet", theme.dim)],
        );
        return;
    }
    let columns = usize::from(area.width);
    let (rows, below) = model.timeline.visible(usize::from(area.height));
    for (at, row) in (0u16..).zip(rows) {
        let took = match (row.took, row.after) {
            (Some(ms), _) => text::duration(ms),
            (None, Some(ms)) => format!("+{}", text::duration(ms)),
            (None, None) => String::new(),
        };
        let times = if columns >= 40 { TIMES } else { 0 };
        let head = if columns >= 40 { 12 } else { 3 };
        let room = columns.saturating_sub(head + times);
        let said = text::fit(&row.text, room).into_owned();
        let pad = room.saturating_sub(text::width(&said));
        let style = paint::tone(theme, row.tone);
        let mut spans = Vec::with_capacity(4);
        if columns >= 40 {
            spans.push(span(format!(" {} ", row.clock), theme.dim));
        } else {
            spans.push(span(" ", theme.dim));
        }
        spans.push(span(format!("{} ", row.tone.mark()), style));
        spans.push(span(said, style));
        if times > 0 {
            spans.push(span(
                format!("{}{took:>TIMES$}", " ".repeat(pad)),
                theme.dim,
            ));
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
