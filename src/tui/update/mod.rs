//! A message in, a new state and effects out. Pure: no I/O, no clock; time comes with the message.

mod board;
mod checkup;
mod command;
mod drafting;
mod edit;
mod events;
mod gates;
mod heard;
mod lists;
mod mouse;
mod notes;
mod outbox;
mod outcome;
mod planning;
mod preview;
mod reading;
mod review;
mod speak;
mod talk;
mod team;
mod wording;

use super::keymap::{Command, Context};
use super::keys::{Key, Stroke};
use super::message::{Effect, Message, Outcome};
use super::model::{Focus, Model, Moment, Overlay, Pane, Review, Seen, Tone};
use super::motion;
use super::panes::diff;
use super::theme::Theme;
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
    let mut effects = turn.out;
    if !drawn {
        team::settle(model, now, &mut effects);
        relayout(model, &mut effects);
        board::wanted(model, &mut effects);
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
            Message::Mic(event) if self.m.overlay == Some(Overlay::Checkup) => self.trial(event),
            Message::Mic(event) => self.mic(event),
            // What others do without being seen here changes nothing here.
            Message::Room(name, item) => self.room(&name, item),
            Message::RoomKept(name, state) => self.room_kept(&name, state.as_deref()),
            // Colours that came too late change nothing.
            Message::Done(outcome) if matches!(*outcome, Outcome::Painted(_)) => {
                self.done(*outcome)
            }
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
            Message::Stream(StreamItem::Connection(connection)) => self.connected(connection),
            Message::Stream(StreamItem::Event(event)) => self.event(&event),
            Message::Stream(StreamItem::Reset(_)) => {
                // Another log, or one that begins later: what was shown of the old one may no longer hold.
                self.m.timeline.clear();
                self.m.journeys.clear();
                self.m.deploys.fresh = false;
                self.m.history_due = true;
                self.m.state_seq = 0;
                self.load(0);
            }
            Message::Ground(ground) if self.m.settings.follows_ground => {
                self.m.settings.theme = Theme::following(ground);
            }
            Message::Ground(_) => {}
            Message::StreamEnded => self.stream_ended(),
            Message::Done(outcome) => self.done(*outcome),
            Message::Resumed => self.out.push(Effect::Repaint),
            Message::OutboxKept(kept) => self.restore_outbox(kept),
            Message::Company => self.m.settings.taking.remote = true,
            Message::RoomsKept(rooms) => self.m.team.unsent.extend(rooms),
            Message::Drawn | Message::Wake | Message::Key(..) | Message::Mic(_) => {}
            Message::Room(..) | Message::RoomKept(..) => {}
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
        if self.stop_spoken(key) {
            return;
        }
        let context = self.m.context();
        let command = self.m.settings.keymap.command(context, key);
        if command != Some(Command::Interrupt) {
            self.m.interrupted = None;
        }
        if self.moved_oneself(command) {
            return;
        }
        match command {
            Some(command) => self.command(command, key),
            None => self.typed(context, key),
        }
    }

    fn repeats(&self, key: Key) -> bool {
        use Command as C;
        let context = self.m.context();
        match self.m.settings.keymap.command(context, key) {
            Some(C::ScrollUp | C::ScrollDown | C::PageUp | C::PageDown | C::Line(_)) => true,
            Some(C::NextHunk | C::PreviousHunk | C::NextFile | C::PreviousFile) => true,
            Some(C::NextNote | C::PreviousNote) => true,
            Some(C::SelectUp | C::SelectDown | C::Larger | C::Smaller) => true,
            Some(_) => false,
            None => matches!(
                context,
                Context::Input | Context::Edit | Context::Help | Context::Filter
            ),
        }
    }

    fn typed(&mut self, context: Context, key: Key) {
        match context {
            Context::Input => self.m.team.typed = Some(self.now),
            Context::Edit => {
                if let Some(edit) = &mut self.m.editing {
                    edit.key(key);
                }
                self.m.team.typed = Some(self.now);
                return self.share_edit();
            }
            Context::Help => return self.typed_in_menu(key),
            Context::Filter => return self.typed_filter(key),
            _ => return,
        }
        if let Some(c) = key.typed()
            && !self.m.line.insert(c.encode_utf8(&mut [0; 4]))
        {
            self.say(Tone::Warn, "the instruction is as long as it can be");
        }
    }

    fn paste(&mut self, text: &str) {
        match (self.m.context(), &mut self.m.editing) {
            (Context::Edit, Some(edit)) => {
                edit.paste(text);
                return self.share_edit();
            }
            (Context::Help, _) => return self.pasted_in_menu(text),
            _ => {}
        }
        if self.m.overlay.is_some() || self.m.talk.active() {
            return;
        }
        if let Some(line) = &mut self.m.board.filter {
            line.insert(text);
            self.filter_changed();
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

    fn scroll(&mut self, pane: Pane, by: i64, plan: &Plan) {
        match pane {
            Pane::Timeline => {
                let height = usize::from(plan.timeline_body().height);
                self.m.timeline.scroll(by, height);
            }
            Pane::Deploy => self.m.deploys.select(by),
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
        self.m.board.filter = None;
        self.m.reading = false;
        self.m.focus = Focus::Input;
        self.m.pane = Pane::Say;
        // Names change with the commits of the site.
        let head = &self.m.site.repository.head;
        if self.m.words_at.as_ref() != Some(head) {
            self.m.words_at = Some(head.clone());
            self.out.push(Effect::LoadWords);
        }
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
        let shows = motion::shows(self.m, now);
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
        // What only others are told changes nothing here.
        self.m.dirty |= shows;
        self.spoken_due();
    }

    /// What a frame showed has been seen, and may be approved or answered from now on.
    fn drawn(&mut self) {
        if matches!(self.m.overlay, Some(Overlay::Menu(_))) || self.m.editing.is_some() {
            // What is beneath was seen before, and nothing else has been.
            return;
        }
        let plan = layout::plan(self.m);
        let confirm = match &self.m.overlay {
            Some(Overlay::Confirm(confirm)) => Some(confirm.clone()),
            _ => None,
        };
        let bare = self.m.overlay.is_none();
        let question = self
            .m
            .questions
            .front()
            .filter(|_| bare && plan.area.area() > 0);
        let asked = question.map(|open| open.question.clone());
        let question = question.map(|open| open.instruction.clone());
        let body = if self.m.full_view() {
            diff::plan(self.m, &plan).body
        } else {
            plan.proposal_body()
        };
        let summed = |review: &&Review| match &self.m.overlay {
            Some(Overlay::Summary(of)) => {
                of.proposal == *review.id() && of.version == review.version()
            }
            _ => bare,
        };
        let review = self.m.review().filter(|_| body.height >= 1);
        let review = review.filter(summed);
        let proposal = review.map(|review| (review.id().clone(), review.version()));
        if let Some((id, version)) = &proposal
            && bare
        {
            self.m.batch.look(id, *version);
        }
        self.m.seen = Seen {
            proposal,
            question,
            asked,
            confirm,
        };
    }
}

/// Rows per turn of the mouse wheel.
const WHEEL: usize = 3;
/// A state older than this is loaded again when the person comes back.
const STALE: Moment = Moment::from_secs(2);

/// Lays out what is in sight of the open proposal, and asks for its colours.
fn relayout(model: &mut Model, out: &mut Vec<Effect>) {
    let plan = layout::plan(model);
    let (shape, height) = diff::shape(model, &plan);
    let colours = model.settings.theme.paints();
    if let Some(review) = model.reviews.current_mut() {
        review.lay_out(shape, height);
        if colours {
            out.extend(review.wanted().into_iter().map(Effect::Paint));
        }
    }
}
