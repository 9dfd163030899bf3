//! A change that a model is still writing: its end is in sight, as new lines come there.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::model::{Draft, Model};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Draws it over the proposal's pane.
pub fn draw(model: &Model, draft: &Draft, area: Rect, buf: &mut Buffer) {
    let theme = &model.settings.theme;
    let columns = usize::from(area.width);
    let title = format!(" {}: {}", draft.engine, draft.title);
    let title = text::fit(&title, columns).into_owned();
    paint::row(buf, area, 0, vec![span(title, theme.strong)]);
    let last = area.height.saturating_sub(1);
    let room = usize::from(last.saturating_sub(1));
    let from = draft.lines.len().saturating_sub(room);
    for (at, line) in (1..last).zip(&draft.lines[from..]) {
        let style = match line.as_bytes().first() {
            Some(b'+') => theme.added,
            Some(b'-') => theme.removed,
            Some(b' ') => theme.text,
            _ => theme.strong,
        };
        let line = text::clean(line);
        let line = text::fit(&line, columns.saturating_sub(1)).into_owned();
        paint::row(
            buf,
            area,
            at,
            vec![span(" ", theme.text), span(line, style)],
        );
    }
    let words = " it is not a proposal yet; Esc stops it";
    paint::row(buf, area, last, vec![span(words, theme.dim)]);
}
