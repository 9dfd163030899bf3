//! The list of keys, straight from the live keymap.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::keymap::{Context, Keymap};
use crate::tui::model::Model;
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// The name of a context.
    Context(&'static str),
    /// Keys, and what they do.
    Keys(String, &'static str),
    /// An empty row.
    Blank,
}

/// All rows.
pub fn rows(keymap: &Keymap) -> Vec<Row> {
    let mut rows = Vec::new();
    for context in Context::ALL {
        if !rows.is_empty() {
            rows.push(Row::Blank);
        }
        rows.push(Row::Context(context.title()));
        for binding in keymap.rows(context) {
            let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
            rows.push(Row::Keys(keys.join(" "), binding.doc));
        }
    }
    rows
}

/// Draws the list from row `top` on; the rectangle it covers.
pub fn draw(model: &Model, top: usize, area: Rect, buf: &mut Buffer) -> Rect {
    let theme = &model.settings.theme;
    let frame = paint::middle(area, area.width.saturating_sub(4).clamp(1, 90), area.height);
    let inner = paint::boxed(buf, frame, "Keys (Esc closes)", theme.tip);
    let rows = rows(&model.settings.keymap);
    let height = usize::from(inner.height);
    let top = top.min(rows.len().saturating_sub(height));
    let keys = (usize::from(inner.width) / 3).min(24);
    for (at, row) in (0u16..).zip(rows.iter().skip(top).take(height)) {
        let spans = match row {
            Row::Blank => Vec::new(),
            Row::Context(name) => vec![span(*name, theme.title_active)],
            Row::Keys(shown, doc) => {
                let shown = text::fit(shown, keys);
                let pad = keys.saturating_sub(text::width(&shown)) + 1;
                vec![
                    span(format!(" {shown}{}", " ".repeat(pad)), theme.key),
                    span(*doc, theme.text),
                ]
            }
        };
        paint::row(buf, inner, at, spans);
    }
    frame
}
