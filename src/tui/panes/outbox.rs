//! What waits to be sent while the server is away.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::keymap::{Command, Context};
use crate::tui::model::Model;
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// The rectangle of the list.
pub fn frame(model: &Model, area: Rect) -> Rect {
    let width = area.width.saturating_sub(4).clamp(1, 100).min(area.width);
    let height = u16::try_from(model.team.outbox.len() + 4).unwrap_or(u16::MAX);
    paint::middle(area, width, height.min(area.height))
}

/// The thing at row `y` of the screen.
pub fn row_at(model: &Model, area: Rect, y: u16) -> Option<usize> {
    let frame = frame(model, area);
    let at = usize::from(y.checked_sub(frame.y + 1)?);
    (at < model.team.outbox.len() && y + 2 < frame.bottom()).then_some(at)
}

/// Draws the list; the rectangle it covers.
pub fn draw(model: &Model, at: usize, area: Rect, buf: &mut Buffer) -> Rect {
    let theme = &model.settings.theme;
    let frame = frame(model, area);
    let title = format!("Waiting to be sent: {}", model.team.outbox.len());
    let inner = paint::boxed(buf, frame, &title, theme.warn);
    let rows = inner.height.saturating_sub(1);
    let top = (at + 1).saturating_sub(usize::from(rows).max(1));
    for (y, (index, queued)) in (0..rows).zip(model.team.outbox.iter().enumerate().skip(top)) {
        let style = if index == at {
            theme.selected
        } else {
            theme.text
        };
        let words = text::clean_prose(&queued.asked.words());
        let number = span(format!("{:>3} ", index + 1), theme.dim);
        paint::row(buf, inner, y, vec![number, span(words, style)]);
    }
    let key = |command| {
        let shown = model.settings.keymap.shown(Context::Outbox, command);
        shown.map(|key| key.to_string()).unwrap_or_default()
    };
    let keys = vec![
        span(key(Command::DropWaiting), theme.key),
        span(": drop it  ", theme.text),
        span(key(Command::Back), theme.key),
        span(": close", theme.text),
    ];
    paint::row(buf, inner, rows, keys);
    frame
}
