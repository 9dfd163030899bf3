//! The microphones to choose from, with their levels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::model::{Mics, Model};
use crate::tui::text;
use crate::tui::view::paint::{self, span};
use crate::tui::voice_port::Device;

/// Columns of the level.
const METER: usize = 12;

/// The rectangle that the list covers.
pub fn frame(mics: &Mics, area: Rect) -> Rect {
    let rows = u16::try_from(mics.devices.len().max(1)).unwrap_or(u16::MAX);
    let height = rows.saturating_add(4).min(area.height);
    let width = area.width.saturating_sub(4).clamp(1, 76);
    paint::low(area, width, height)
}

/// The first device in sight where `shown` are: the selected one stays.
fn top(mics: &Mics, shown: usize) -> usize {
    (mics.selected + 1).saturating_sub(shown)
}

/// The device at row `y` of the screen.
pub fn row_at(mics: &Mics, area: Rect, y: u16) -> Option<usize> {
    let frame = frame(mics, area);
    // Inside of the border, without the line of the keys.
    let rows = frame.height.saturating_sub(3);
    let row = usize::from(y.checked_sub(frame.y + 1).filter(|row| *row < rows)?);
    let at = top(mics, usize::from(rows)) + row;
    (at < mics.devices.len()).then_some(at)
}

/// Draws the list; the rectangle it covers.
pub fn draw(model: &Model, mics: &Mics, area: Rect, buf: &mut Buffer) -> Rect {
    let theme = &model.settings.theme;
    let frame = frame(mics, area);
    let inner = paint::boxed(buf, frame, "Microphones", theme.tip);
    let hint = inner.height.saturating_sub(1);
    if mics.devices.is_empty() {
        paint::row(buf, inner, 0, vec![span(" looking…", theme.dim)]);
    }
    let shown = usize::from(hint);
    let devices = mics.devices.iter().enumerate().skip(top(mics, shown));
    for (at, (place, device)) in (0..hint).zip(devices) {
        let selected = place == mics.selected;
        let mark = if selected { "▸" } else { " " };
        let chosen = if device.chosen { "●" } else { "○" };
        let style = if selected { theme.strong } else { theme.text };
        let (level, tone) = level(model, device);
        let room = usize::from(inner.width).saturating_sub(METER + 6);
        let name = text::clean_prose(&device.name);
        let name = text::fit(&name, room);
        let pad = " ".repeat(room.saturating_sub(text::width(&name)));
        let spans = vec![
            span(format!(" {mark}{chosen} {name}{pad} "), style),
            span(level, tone),
        ];
        paint::row(buf, inner, at, spans);
    }
    let words = match mics
        .devices
        .get(mics.selected)
        .map(|device| &device.trouble)
    {
        Some(Some(trouble)) => span(format!(" {}", text::clean_prose(trouble)), theme.warn),
        _ => span(
            " speak: the one that moves is yours; Enter records from it",
            theme.dim,
        ),
    };
    paint::row(buf, inner, hint, vec![words]);
    frame
}

/// How loud it is, as a bar, or in a word where nothing may move.
fn level(model: &Model, device: &Device) -> (String, ratatui::style::Style) {
    let theme = &model.settings.theme;
    match (&device.trouble, device.level) {
        (Some(_), _) => ("unavailable".to_owned(), theme.warn),
        (None, None) => ("…".to_owned(), theme.dim),
        (None, Some(level)) if level <= -110 => ("silent".to_owned(), theme.dim),
        (None, Some(level)) if !model.settings.motion => {
            let word = if level > -45 { "sound" } else { "quiet" };
            (word.to_owned(), theme.text)
        }
        (None, Some(level)) => {
            let part = (f32::from(level + 60) / 60.0).clamp(0.0, 1.0);
            let full = (part * METER as f32).round() as usize;
            let bar = format!("{}{}", "█".repeat(full), "·".repeat(METER - full));
            (bar, theme.bar)
        }
    }
}
