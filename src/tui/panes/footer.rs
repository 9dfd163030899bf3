//! The keys of the moment, from the live keymap, as many as there is room for.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::tui::keymap::{Command as C, Context};
use crate::tui::keys::Key;
use crate::tui::model::{Model, TalkBy, complete};
use crate::tui::text;
use crate::tui::view::paint::{self, span};

/// Hints at the end of the cockpit's line that are always shown.
const KEPT: usize = 2;

/// A key, what it does in a word, and the command behind it.
struct Hint {
    key: String,
    what: String,
    command: C,
}

impl Hint {
    /// Columns it takes.
    fn width(&self) -> usize {
        text::width(&self.key) + text::width(&self.what) + 3
    }
}

/// Draws the line.
pub fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    let mut spans: Vec<Span<'static>> = Vec::new();
    for hint in shown(model, area) {
        spans.push(span(format!(" {}", hint.key), theme.key));
        spans.push(span(format!(" {} ", hint.what), theme.dim));
    }
    paint::row(buf, area, 0, spans);
}

/// The command of the hint at column `x`.
pub fn command_at(model: &Model, area: Rect, x: u16) -> Option<C> {
    let mut right = usize::from(area.x);
    let hit = shown(model, area).into_iter().find(|hint| {
        right += hint.width();
        usize::from(x) < right
    })?;
    // A key that is held cannot be clicked.
    let held = hit.command == C::Talk && model.talk.by == TalkBy::Hold;
    (!held).then_some(hit.command)
}

/// The hints for which there is room.
fn shown(model: &Model, area: Rect) -> Vec<Hint> {
    let mut hints = hints(model);
    let columns = usize::from(area.width);
    // The way to all keys and the way out stay, whatever has to go.
    let kept = if in_cockpit(model.context()) { KEPT } else { 0 };
    let last = hints.split_off(hints.len().saturating_sub(kept));
    let mut left = columns.saturating_sub(last.iter().map(Hint::width).sum());
    let fitting = hints.iter().take_while(|hint| {
        let rest = left.checked_sub(hint.width());
        left = rest.unwrap_or(left);
        rest.is_some()
    });
    let count = fitting.count();
    hints.truncate(count);
    hints.extend(last);
    hints
}

/// Key and meaning, most wanted first.
fn hints(model: &Model) -> Vec<Hint> {
    let context = model.context();
    let mut hints = Vec::new();
    let mut add = |command: C, what: &str| {
        if let Some(key) = model.settings.keymap.shown(context, command) {
            hints.push(Hint {
                key: key.to_string(),
                what: what.to_owned(),
                command,
            });
        }
    };
    match context {
        Context::Talk => {
            let what = if model.talk.dictating {
                "insert"
            } else {
                "send"
            };
            add(C::FinishTalk, what);
            add(C::CancelTalk, "throw away");
        }
        Context::Ask => {
            add(C::Yes, "yes");
            add(C::No, "no");
            let open = model.questions.front();
            if open.is_some_and(|open| !open.question.plan.is_empty()) {
                add(C::TogglePlan, "leave out");
            }
        }
        Context::Input => {
            add(C::Submit, "send");
            if complete::suggestion(model).is_some() {
                add(C::Complete, "complete");
            }
            add(C::LeaveInput, "back");
            add(C::Line(crate::tui::keymap::LineCommand::Older), "earlier");
        }
        Context::Mics => {
            add(C::ChooseMicrophone, "record from this one");
            add(C::ScrollDown, "down");
            add(C::ScrollUp, "up");
            add(C::CloseMicrophones, "close");
            add(C::Help, "keys");
        }
        Context::People => {
            add(C::Follow, "follow");
            add(C::ScrollDown, "down");
            add(C::ScrollUp, "up");
            add(C::Back, "close");
            add(C::Help, "keys");
        }
        Context::Outbox => {
            add(C::DropWaiting, "drop it");
            add(C::ScrollDown, "down");
            add(C::ScrollUp, "up");
            add(C::Back, "close");
            add(C::Help, "keys");
        }
        Context::Help => {
            add(C::Run, "run");
            add(C::CloseHelp, "close");
            add(C::ScrollDown, "down");
            add(C::ScrollUp, "up");
        }
        Context::Details => {
            add(C::CloseDetails, "close");
            add(C::CopyDetails, "copy");
            add(C::ScrollDown, "down");
            add(C::ScrollUp, "up");
            add(C::Help, "keys");
        }
        Context::Checkup => {
            add(C::FixHere, "mend");
            add(C::LookAgain, "look again");
            add(C::CloseCheckup, "close");
            add(C::Help, "keys");
        }
        Context::Filter => {
            add(C::TakeFilter, "keep");
            add(C::DropFilter, "drop");
        }
        Context::Timeline => {
            timeline(model, &mut add);
            add(C::Help, "help");
            add(C::Quit, "quit");
        }
        Context::Deploy => {
            deploy(model, &mut add);
            add(C::Help, "help");
            add(C::Quit, "quit");
        }
        Context::Review => {
            add(C::NextHunk, "next hunk");
            add(C::PreviousHunk, "previous");
            add(C::NextFile, "next file");
            add(C::Highlight, "mark");
            add(C::Note, "note");
            add(C::CloseReview, "back");
            add(C::Help, "help");
            if annotated(model) {
                add(C::NextNote, "next note");
                add(C::Unmark, "take away");
            }
            add(C::PreviousFile, "previous file");
            add(C::Pick, "batch");
            add(C::Palette, "everything");
        }
        Context::Summary => {
            add(C::Approve, "do it");
            add(C::CommitOnly, "commit only");
            add(C::Message, "message");
            add(C::Back, "back");
            add(C::Help, "keys");
        }
        Context::Queue => {
            add(C::ShowPicked, "review");
            add(C::Pick, "in or out");
            add(C::ApproveBatch, "commit and deploy the batch");
            add(C::Back, "close");
            add(C::Help, "keys");
        }
        Context::Edit => {
            add(C::SaveEdit, "put it into the proposal");
            add(C::UndoTyping, "undo");
            add(C::CancelEdit, "stop editing");
        }
        Context::Choices => {
            add(C::Choose(1), "take the first");
            add(C::Choose(2), "take the second");
            cockpit(model, &mut add);
        }
        Context::Cockpit | Context::Global => cockpit(model, &mut add),
    }
    if (in_cockpit(context) || matches!(context, Context::Talk | Context::Checkup))
        && let Some(hint) = talk(model)
    {
        hints.insert(0, hint);
    }
    hints
}

/// True where the cockpit's own keys hold.
fn in_cockpit(context: Context) -> bool {
    matches!(
        context,
        Context::Cockpit | Context::Timeline | Context::Deploy
    )
}

/// True when there are marks or notes in the proposal.
fn annotated(model: &Model) -> bool {
    let found = model.review().map(|review| &review.annotations);
    found.is_some_and(|it| !it.notes.is_empty() || !it.shades.is_empty())
}

fn timeline(model: &Model, add: &mut impl FnMut(C, &str)) {
    if !model.timeline.follows() {
        add(C::Back, "follow");
    }
    add(C::Details, "details");
    add(C::Filter, "filter");
    add(C::FilterKind, "kind");
    add(C::FilterEnvironment, "environment");
    if model.timeline.selected().is_some() {
        add(C::CopyRow, "copy");
    }
    add(C::FoldAll, "fold");
    add(C::Zoom, "zoom");
    add(C::FocusInput, "type");
}

fn deploy(model: &Model, add: &mut impl FnMut(C, &str)) {
    add(C::Details, "log");
    if let Some(selected) = model.deploys.selected() {
        if model.deploys.not_back_to(selected).is_none() {
            add(C::RollbackHere, "roll back to it");
        }
        add(C::RedeployHere, "deploy it again");
        add(C::Compare, "compare");
        add(C::Mark, "mark");
        if selected.url.is_some() {
            add(C::OpenHere, "open");
            add(C::CopyHere, "copy address");
        }
    }
    if model.deploying().is_some() {
        add(C::StopDeployment, "stop");
    } else {
        add(C::Deploy, "deploy");
    }
    add(C::Zoom, "zoom");
}

fn cockpit(model: &Model, add: &mut impl FnMut(C, &str)) {
    add(C::FocusInput, "type");
    if model.review().is_some() {
        add(C::Approve, "approve");
        add(C::Reject, "reject");
        add(C::OpenReview, "full view");
        add(C::ToggleHunk, "take/leave");
        add(C::NextHunk, "next hunk");
        add(C::Edit, "edit");
        add(C::Revise, "try again");
    } else if model.card.is_some() {
        add(C::Back, "put away");
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
    if !model.team.people.is_empty() {
        add(C::People, "who is here");
    }
    if !model.team.outbox.is_empty() {
        add(C::Outbox, "what waits");
    }
    add(C::Help, "help");
    add(C::Quit, "quit");
}

/// How to talk, with the way the recording ends.
fn talk(model: &Model) -> Option<Hint> {
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
        (TalkBy::Hold, true) => {
            let held = model.talk.held.map(|code| Key::plain(code).to_string());
            (format!("release {}", held.unwrap_or(keys)), "send")
        }
        (TalkBy::Toggle, false) => (keys, "start/stop"),
        (TalkBy::Toggle, true) => (keys, "stop"),
    };
    Some(Hint {
        key: keys,
        what: what.to_owned(),
        command: C::Talk,
    })
}
