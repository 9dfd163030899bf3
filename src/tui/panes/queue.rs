//! The proposals that wait, and which of them go out together.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::keymap::{Command, Context};
use crate::tui::model::tally::signed;
use crate::tui::model::{Model, Review};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// The rectangle of the list.
pub fn frame(model: &Model, area: Rect) -> Rect {
    let width = area.width.saturating_sub(4).clamp(1, 100).min(area.width);
    let height = u16::try_from(model.reviews.len() + 4)
        .unwrap_or(u16::MAX)
        .min(area.height);
    paint::middle(area, width, height)
}

/// The proposal at row `y` of the screen, where `selected` is selected.
pub fn row_at(model: &Model, selected: usize, area: Rect, y: u16) -> Option<usize> {
    let frame = frame(model, area);
    // Inside of the border, without the line of the keys.
    let rows = frame.height.saturating_sub(3);
    let row = usize::from(y.checked_sub(frame.y + 1).filter(|row| *row < rows)?);
    let at = (selected + 1).saturating_sub(usize::from(rows).max(1)) + row;
    (at < model.reviews.len()).then_some(at)
}

/// Draws the list; the rectangle it covers.
pub fn draw(model: &Model, at: usize, area: Rect, buf: &mut Buffer) -> Rect {
    let theme = &model.settings.theme;
    let count = model.reviews.len();
    let frame = frame(model, area);
    let picked = model.batch.picked().len();
    let title = format!("Waiting: {count}, in the batch: {picked}");
    let inner = paint::boxed(buf, frame, &title, theme.tip);
    let keys = inner.height.saturating_sub(1);
    let rows = usize::from(keys);
    let top = (at + 1).saturating_sub(rows.max(1));
    for (y, (index, review)) in (0..keys).zip(model.reviews.iter().enumerate().skip(top)) {
        row(model, review, index == at, inner, y, buf);
    }
    let branch = text::clean_prose(model.site.branch());
    let environment = text::clean_prose(&model.site.environment);
    let mut left = usize::from(inner.width);
    let mut spans = Vec::new();
    let wanted = [
        (
            Command::ApproveBatch,
            format!("one commit to {branch}, deploy to {environment}"),
        ),
        (Command::CommitBatch, "commit only".to_owned()),
        (Command::Pick, "in or out".to_owned()),
        (Command::ShowPicked, "review".to_owned()),
    ];
    for (command, what) in wanted {
        if picked == 0 && matches!(command, Command::ApproveBatch | Command::CommitBatch) {
            continue;
        }
        let Some(key) = model.settings.keymap.shown(Context::Queue, command) else {
            continue;
        };
        let (key, what) = (key.to_string(), format!(": {what}  "));
        let wide = text::width(&key) + text::width(&what);
        if wide > left {
            continue;
        }
        left -= wide;
        spans.push(span(key, theme.key));
        spans.push(span(what, theme.text));
    }
    paint::row(buf, inner, keys, spans);
    frame
}

fn row(model: &Model, review: &Review, selected: bool, area: Rect, at: u16, buf: &mut Buffer) {
    let theme = &model.settings.theme;
    let version = model.batch.version(review.id());
    let check = match version {
        None => "[ ] ",
        Some(_) => "[x] ",
    };
    let tally = &review.tally;
    let mut right = format!(
        "  {} of {} hunks {}",
        tally.taken,
        tally.hunks,
        signed(tally.added, tally.removed)
    );
    if version.is_some_and(|version| version != review.version()) {
        right.push_str("  changed since");
    } else if !model.batch.has_seen(review.id(), review.version()) {
        right.push_str("  not looked at");
    }
    let room = usize::from(area.width).saturating_sub(6 + text::width(&right));
    let title = text::clean_prose(&review.view.proposal.title);
    let title = text::fit(&title, room).into_owned();
    let pad = room.saturating_sub(text::width(&title));
    let style = if selected { theme.selected } else { theme.text };
    paint::row(
        buf,
        area,
        at,
        vec![
            span(if selected { "▌ " } else { "  " }, theme.key),
            span(check, theme.key),
            span(title, style),
            span(" ".repeat(pad), theme.text),
            span(right, theme.dim),
        ],
    );
}
