//! Who else is here: in two letters each in the header, with all they show of themselves in a list.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::client::room::Standing;
use crate::tui::keymap::{Command, Context};
use crate::tui::model::Model;
use crate::tui::model::team::Person;
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Columns of a name in the list.
const NAMES: usize = 20;

/// The others in two letters each, as many as there is room for in the header, and how many more there are.
pub fn brief(model: &Model, columns: usize) -> Vec<Span<'static>> {
    let theme = &model.settings.theme;
    let people = &model.team.people;
    let mut spans = Vec::new();
    if let Some(followed) = model.team.followed() {
        let name = text::fit(&followed.name, 16).into_owned();
        spans.push(span(format!("following {name} "), theme.warn));
    }
    let most = match columns {
        0..60 => 1,
        60..100 => 3,
        100..160 => 6,
        _ => 10,
    };
    let shown = if people.len() > most {
        most
    } else {
        people.len()
    };
    for person in &people[..shown] {
        spans.push(span(person.initials(), theme.caret(person.colour)));
        let sign = sign(person);
        spans.push(span(if sign.is_empty() { " " } else { sign }, theme.text));
        if !sign.is_empty() {
            spans.push(span(" ", theme.text));
        }
    }
    if people.len() > shown {
        spans.push(span(format!("+{} ", people.len() - shown), theme.text));
    }
    spans
}

/// What somebody does just now, as a sign.
fn sign(person: &Person) -> &'static str {
    match (person.presence.speaking, person.presence.typing) {
        (true, _) => "●",
        (_, true) => "…",
        _ => "",
    }
}

/// Where somebody is and what they do, in words.
pub fn doing(model: &Model, person: &Person) -> String {
    let presence = &person.presence;
    let mut words = match presence.pane.as_deref() {
        Some("diff") => "reads the proposal",
        Some("proposal") => "at the proposal",
        Some("timeline") => "at the timeline",
        Some("deploy") => "at the deployments",
        Some("say") => "at the words",
        Some(_) | None => "here",
    }
    .to_owned();
    let title = presence.proposal.as_deref().and_then(|id| {
        let mut all = model.reviews.iter();
        all.find(|review| review.id().as_str() == id)
    });
    if let Some(review) = title {
        words.push_str(&format!(" “{}”", review.view.proposal.title));
    }
    if let Some(place) = &presence.cursor {
        words.push_str(&format!(" · {}", place.file));
        if let Some(line) = person.lines.0 {
            words.push_str(&format!(":{line}"));
        }
    }
    if presence.speaking {
        words.push_str(" · speaking");
    } else if presence.typing {
        words.push_str(" · typing");
    }
    text::clean_prose(&words)
}

/// How the rooms are reached, where that is worth a word.
pub fn trouble(model: &Model) -> Option<String> {
    Some(match model.team.trouble()? {
        Standing::ByHttp => "shared by HTTP".to_owned(),
        Standing::Waiting { reason, .. } => format!("others are not shown now: {reason}"),
        Standing::Closed { reason } => format!("others are not shown: {reason}"),
        Standing::Connecting | Standing::Live => return None,
    })
}

/// The rectangle of the list.
pub fn frame(model: &Model, area: Rect) -> Rect {
    let width = area.width.saturating_sub(4).clamp(1, 100).min(area.width);
    let height = u16::try_from(model.team.people.len().max(1) + 6).unwrap_or(u16::MAX);
    paint::middle(area, width, height.min(area.height))
}

/// The person at row `y` of the screen.
pub fn row_at(model: &Model, area: Rect, y: u16) -> Option<usize> {
    let frame = frame(model, area);
    let at = usize::from(y.checked_sub(frame.y + 1)?);
    (at < model.team.people.len() && y + 2 < frame.bottom()).then_some(at)
}

/// Draws the list; the rectangle it covers.
pub fn draw(model: &Model, at: usize, area: Rect, buf: &mut Buffer) -> Rect {
    let theme = &model.settings.theme;
    let frame = frame(model, area);
    let people = &model.team.people;
    let title = match people.len() {
        0 => "Nobody else is here".to_owned(),
        1 => "One other is here".to_owned(),
        many => format!("{many} others are here"),
    };
    let inner = paint::boxed(buf, frame, &title, theme.tip);
    let rows = inner.height.saturating_sub(3);
    let top = (at + 1).saturating_sub(usize::from(rows).max(1));
    if people.is_empty() {
        let words = if model.settings.taking.remote {
            "When others work on this project, they are listed here."
        } else {
            "Others come in by `sayso --server URL`, to a `sayso serve` that all can reach."
        };
        let columns = usize::from(inner.width);
        for (y, range) in (0..rows).zip(text::wrap(words, columns, true)) {
            paint::row(buf, inner, y, vec![span(&words[range], theme.text)]);
        }
    }
    for (y, (index, person)) in (0..rows).zip(people.iter().enumerate().skip(top)) {
        let followed = model.team.following.as_ref() == Some(&person.key);
        let mark = if followed { "▶ " } else { "  " };
        let name = text::fit(&person.name, NAMES - 1).into_owned();
        let pad = NAMES.saturating_sub(text::width(&name));
        let style = if index == at {
            theme.selected
        } else {
            theme.strong
        };
        let mut spans = vec![
            span(mark, theme.key),
            span(person.initials(), theme.caret(person.colour)),
            span(" ", theme.text),
            span(name, style),
            span(" ".repeat(pad), theme.text),
        ];
        spans.push(span(doing(model, person), theme.text));
        paint::row(buf, inner, y, spans);
    }
    if let Some(words) = trouble(model) {
        let words = text::clean_prose(&words);
        let ranges = text::wrap(&words, usize::from(inner.width), true);
        for (y, range) in (rows..rows + 2).zip(ranges) {
            paint::row(buf, inner, y, vec![span(&words[range], theme.warn)]);
        }
    }
    let key = |command| {
        let shown = model.settings.keymap.shown(Context::People, command);
        shown.map(|key| key.to_string()).unwrap_or_default()
    };
    let mut keys = Vec::new();
    if let Some(person) = people.get(at) {
        let what = if model.team.following.as_ref() == Some(&person.key) {
            "stop following"
        } else {
            "follow their view"
        };
        keys.push(span(key(Command::Follow), theme.key));
        keys.push(span(format!(": {what}  "), theme.text));
    }
    keys.push(span(key(Command::Back), theme.key));
    keys.push(span(": close", theme.text));
    paint::row(buf, inner, rows + 2, keys);
    frame
}
