//! A message in, a new state and effects out. Pure: no I/O, no clock; time comes with the message.

mod command;
mod events;
mod outcome;
mod review;
mod talk;

use super::keymap::{Command, Context};
use super::keys::{Key, Stroke};
use super::message::{Effect, Message, Mouse};
use super::model::{Focus, Model, Moment, Overlay, Pane, Seen, Tone};
use super::view::layout::{self, Plan};
use crate::client::stream::StreamItem;

/// Takes a message into the state and says what is to be done.
pub fn update(model: &mut Model, now: Moment, message: Message) -> Vec<Effect> {
    let drawn = matches!(message, Message::Drawn);
    let mut turn = Turn {
        m: model,
        now,
        out: Vec::new(),
    };
    turn.take(message);
    turn.settle_microphones();
    let effects = turn.out;
    if !drawn {
        relayout(model);
    }
    effects
}

/// One message being taken.
struct Turn<'a> {
    m: &'a mut Model,
    now: Moment,
    out: Vec<Effect>,
}

impl Turn<'_> {
    fn take(&mut self, message: Message) {
        match message {
            Message::Drawn => self.drawn(),
            Message::Wake => self.wake(),
            Message::Key(key, stroke) => self.key(key, stroke),
            Message::Mic(event) => self.mic(event),
            other => {
                self.m.dirty = true;
                self.rest(other);
            }
        }
    }

    fn rest(&mut self, message: Message) {
        match message {
            Message::Paste(text) => self.paste(&text),
            Message::Mouse(mouse) => self.mouse(mouse),
            Message::Resize(width, height) => {
                self.m.width = width;
                self.m.height = height;
                self.out.push(Effect::Repaint);
            }
            Message::Focus(focused) => self.focus(focused),
            Message::Keyboard(reports) => self.m.talk.releases_reported(reports),
            Message::Stream(StreamItem::Connection(connection)) => self.m.connection = connection,
            Message::Stream(StreamItem::Event(event)) => self.event(&event),
            Message::Stream(StreamItem::Reset(_)) => {
                // Another log, or one that begins later: what was shown of the old one may no longer hold.
                self.m.timeline.clear();
                self.m.history_due = true;
                self.m.state_seq = 0;
                self.load(0);
            }
            Message::StreamEnded => self.stream_ended(),
            Message::Done(outcome) => self.done(*outcome),
            Message::Resumed => self.out.push(Effect::Repaint),
            Message::Drawn | Message::Wake | Message::Key(..) | Message::Mic(_) => {}
        }
    }

    /// What a key does: the talk key's release wherever it happens, else what the context says.
    fn key(&mut self, key: Key, stroke: Stroke) {
        let key = key.normal();
        match stroke {
            Stroke::Release => return self.released(key),
            // Only a press starts anything; a held key must not do a thing twice, except to move and to write.
            Stroke::Repeat if !self.repeats(key) => return,
            Stroke::Repeat | Stroke::Press => {}
        }
        self.m.dirty = true;
        let context = self.m.context();
        let command = self.m.settings.keymap.command(context, key);
        if command != Some(Command::Interrupt) {
            self.m.interrupted = None;
        }
        match command {
            Some(command) => self.command(command, key),
            None if context == Context::Input => self.typed(key),
            None => {}
        }
    }

    fn repeats(&self, key: Key) -> bool {
        use Command as C;
        let context = self.m.context();
        match self.m.settings.keymap.command(context, key) {
            Some(C::ScrollUp | C::ScrollDown | C::PageUp | C::PageDown | C::Line(_)) => true,
            Some(C::NextHunk | C::PreviousHunk) => true,
            Some(_) => false,
            None => context == Context::Input,
        }
    }

    fn typed(&mut self, key: Key) {
        if let Some(c) = key.typed()
            && !self.m.line.insert(c.encode_utf8(&mut [0; 4]))
        {
            self.say(Tone::Warn, "the instruction is as long as it can be");
        }
    }

    fn paste(&mut self, text: &str) {
        if self.m.overlay.is_some() || self.m.talk.active() {
            return;
        }
        self.focus_input();
        if !self.m.line.insert(text) {
            self.say(
                Tone::Warn,
                "only the first part of what was pasted is taken",
            );
        }
    }

    fn focus(&mut self, focused: bool) {
        self.m.focused = focused;
        if focused {
            // The repository may have changed while the person was elsewhere.
            if self.m.loaded && self.m.asked_at.is_none_or(|at| self.now >= at + STALE) {
                self.load(0);
            }
        } else if self.m.talk.active() {
            // The release of the key goes to another window.
            self.finish_recording();
            self.say(
                Tone::Warn,
                "the recording ended because the window lost the focus",
            );
        }
    }

    fn mouse(&mut self, mouse: Mouse) {
        let plan = layout::plan(self.m);
        let (x, y) = match mouse {
            Mouse::Click(x, y) | Mouse::Up(x, y) | Mouse::Down(x, y) => (x, y),
        };
        if let Some(Overlay::Help(top)) = &mut self.m.overlay {
            match mouse {
                Mouse::Up(..) => *top = top.saturating_sub(WHEEL),
                Mouse::Down(..) => *top += WHEEL,
                Mouse::Click(..) => {}
            }
            return;
        }
        if self.m.overlay.is_some() {
            return;
        }
        let Some(pane) = plan.pane_at(x, y) else {
            return;
        };
        match mouse {
            Mouse::Click(..) => self.click(pane, &plan, y),
            Mouse::Up(..) => self.scroll(pane, -(WHEEL as i64), &plan),
            Mouse::Down(..) => self.scroll(pane, WHEEL as i64, &plan),
        }
    }

    fn click(&mut self, pane: Pane, plan: &Plan, y: u16) {
        self.m.pane = pane;
        match pane {
            Pane::Say => self.focus_input(),
            Pane::Timeline => self.m.focus = Focus::Cockpit,
            Pane::Proposal => {
                self.m.focus = Focus::Cockpit;
                if self.m.card.is_some() {
                    return;
                }
                let body = plan.proposal_body();
                let Some(review) = self.m.reviews.current_mut() else {
                    return;
                };
                let at = review.top + usize::from(y.saturating_sub(body.y));
                if body.contains((body.x, y).into())
                    && let Some(hunk) = review.hunk_at(at)
                {
                    review.selected = hunk;
                }
            }
        }
    }

    fn scroll(&mut self, pane: Pane, by: i64, plan: &Plan) {
        match pane {
            Pane::Timeline => {
                let height = usize::from(plan.timeline_body().height);
                self.m.timeline.scroll(by, height);
            }
            Pane::Say | Pane::Proposal => {
                let height = usize::from(plan.proposal_body().height);
                if let Some(review) = self.m.reviews.current_mut() {
                    review.scroll(by, height);
                }
            }
        }
    }

    fn focus_input(&mut self) {
        // A question of the cockpit is dropped by turning to something else; one of the server stays open.
        self.m.overlay = None;
        self.m.focus = Focus::Input;
        self.m.pane = Pane::Say;
    }

    /// Asks for the state, unless it was asked for this very moment.
    fn load(&mut self, after_ms: u64) {
        self.m.asked_at = Some(self.now);
        self.out
            .push(Effect::LoadStatus(Moment::from_millis(after_ms)));
    }

    fn say(&mut self, tone: Tone, text: impl AsRef<str>) {
        self.m.say(self.now, tone, text);
    }

    fn wake(&mut self) {
        let now = self.now;
        if self
            .m
            .notice
            .as_ref()
            .is_some_and(|notice| notice.until <= now)
        {
            self.m.notice = None;
        }
        if self.m.interrupted.is_some_and(|until| until <= now) {
            self.m.interrupted = None;
        }
        if self.m.talk.open_until.is_some_and(|until| until <= now) {
            self.m.talk.open_until = None;
            self.m.talk.open = false;
        }
        self.m.dirty = true;
    }

    /// What a frame showed has been seen, and may be approved or answered from now on.
    fn drawn(&mut self) {
        let plan = layout::plan(self.m);
        let confirm = match &self.m.overlay {
            Some(Overlay::Confirm(confirm)) => Some(confirm.clone()),
            Some(Overlay::Help(_) | Overlay::Mics(_)) | None => None,
        };
        let bare = self.m.overlay.is_none();
        let question = self
            .m
            .questions
            .front()
            .filter(|_| bare && plan.area.area() > 0);
        let question = question.map(|open| open.instruction.clone());
        let shows_diff = bare && plan.proposal_body().height >= 1;
        let proposal = self.m.review().filter(|_| shows_diff);
        let proposal = proposal.map(|review| (review.id().clone(), review.version()));
        self.m.seen = Seen {
            proposal,
            question,
            confirm,
        };
    }
}

/// Rows per turn of the mouse wheel.
const WHEEL: usize = 3;
/// A state older than this is loaded again when the person comes back.
const STALE: Moment = Moment::from_secs(2);

/// Wraps the open proposal to the room it has, and keeps every scroll position inside its text.
fn relayout(model: &mut Model) {
    let plan = layout::plan(model);
    let body = plan.proposal_body();
    let columns = layout::diff_columns(body.width);
    if let Some(review) = model.reviews.current_mut() {
        review.flow(columns);
        review.scroll(0, usize::from(body.height));
    }
}
