//! The keys of the moment, from the live keymap, as many as there is room for.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::tui::keymap::{Command as C, Context};
use crate::tui::model::{Model, Pane, TalkBy};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Draws the line.
pub fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    let mut left = usize::from(area.width);
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (key, what) in hints(model) {
        let wide = text::width(&key) + text::width(&what) + 3;
        if wide > left {
            break;
        }
        left -= wide;
        spans.push(span(format!(" {key}"), theme.key));
        spans.push(span(format!(" {what} "), theme.dim));
    }
    paint::row(buf, area, 0, spans);
}

/// Key and meaning, most wanted first.
fn hints(model: &Model) -> Vec<(String, String)> {
    let context = model.context();
    let mut hints = Vec::new();
    let mut add = |command: C, what: &str| {
        if let Some(key) = model.settings.keymap.shown(context, command) {
            hints.push((key.to_string(), what.to_owned()));
        }
    };
    match context {
        Context::Talk => {
            add(C::FinishTalk, "send");
            add(C::CancelTalk, "throw away");
        }
        Context::Ask => {
            add(C::Yes, "yes");
            add(C::No, "no");
        }
        Context::Input => {
            add(C::Submit, "send");
            add(C::LeaveInput, "back");
            add(C::Line(crate::tui::keymap::LineCommand::Older), "earlier");
        }
        Context::Help => {
            add(C::CloseHelp, "close");
            add(C::ScrollDown, "down");
            add(C::ScrollUp, "up");
        }
        Context::Cockpit | Context::Global => cockpit(model, &mut add),
    }
    if matches!(context, Context::Cockpit | Context::Talk)
        && let Some(hint) = talk(model)
    {
        hints.insert(0, hint);
    }
    hints
}

fn cockpit(model: &Model, add: &mut impl FnMut(C, &str)) {
    add(C::FocusInput, "type");
    if model.review().is_some() {
        add(C::Approve, "approve");
        add(C::Reject, "reject");
        add(C::ToggleHunk, "take/leave");
        add(C::NextHunk, "next hunk");
        add(C::Edit, "edit");
        add(C::Revise, "try again");
    } else if model.card.is_some() {
        add(C::Back, "put away");
    }
    if model.pane == Pane::Timeline && !model.timeline.follows() {
        add(C::Back, "follow");
    }
    if model.deploying().is_some() {
        add(C::StopDeployment, "stop");
    } else {
        add(C::Deploy, "deploy");
        add(C::Redeploy, "redeploy");
    }
    if model.site.live().is_some() {
        add(C::OpenPage, "open");
        add(C::Rollback, "roll back");
    }
    add(C::Help, "help");
    add(C::Quit, "quit");
}

/// How to talk, with the way the recording ends.
fn talk(model: &Model) -> Option<(String, String)> {
    if !model.settings.microphone {
        return None;
    }
    let keys: Vec<String> = model
        .settings
        .keymap
        .talk_keys()
        .iter()
        .map(ToString::to_string)
        .collect();
    let keys = keys.join("/");
    let (keys, what) = match (model.talk.by, model.talk.active()) {
        (TalkBy::Hold, false) => (format!("hold {keys}"), "talk"),
        (TalkBy::Hold, true) => (format!("release {keys}"), "send"),
        (TalkBy::Toggle, false) => (keys, "start/stop"),
        (TalkBy::Toggle, true) => (keys, "stop"),
    };
    Some((keys, what.to_owned()))
}
