//! The others: what rooms tell, who is here, whose view is followed, and what is told to them.

use crate::client::room::replica::Taken;
use crate::client::room::{RoomItem, Standing};
use crate::model::ProposalId;
use crate::room::DocError;
use crate::tui::keymap::Command;
use crate::tui::message::Effect;
use crate::tui::model::notes::{self, Annotations, Pin};
use crate::tui::model::team::{self, Room, THROTTLE, TYPING, millis};
use crate::tui::model::{Model, Moment, Overlay, Pane, Tone};
use crate::tui::panes::diff;
use crate::tui::view::layout;

use super::Turn;

impl Turn<'_> {
    /// Takes what a room brings. The screen changes only where something of it is shown.
    pub(super) fn room(&mut self, name: &str, item: RoomItem) {
        let now = millis(self.now);
        let Some(room) = self.m.team.rooms.get_mut(name) else {
            return;
        };
        match item {
            RoomItem::Standing(standing) => {
                if standing == room.standing {
                    return;
                }
                self.m.dirty = true;
                let left = !standing.is_live() && room.replica.alone();
                if let Standing::Closed { reason } = &standing {
                    let words = format!("others are not shown: {reason}");
                    room.standing = standing;
                    self.say(Tone::Warn, words);
                } else {
                    room.standing = standing;
                }
                if left {
                    self.company();
                }
            }
            RoomItem::Open => {
                let frames = room.replica.greeting();
                self.out.push(Effect::GreetRoom(name.to_owned(), frames));
            }
            RoomItem::Renew => {
                let (frame, gone) = room.replica.renew(now);
                let frames: Vec<_> = frame.into_iter().collect();
                if !frames.is_empty() {
                    self.out.push(Effect::ToRoom(name.to_owned(), frames));
                }
                if room.kept && room.replica.kept().is_none() {
                    room.kept = false;
                    self.out.push(Effect::KeepRoom(name.to_owned(), None));
                }
                if gone {
                    self.company();
                }
            }
            RoomItem::Frame(_) | RoomItem::Everyone(_) => {
                let taken = match &item {
                    RoomItem::Everyone(frame) => room.replica.take_everyone(frame, now),
                    RoomItem::Frame(frame) => room.replica.take(frame, now),
                    _ => return,
                };
                self.took(name, taken);
            }
        }
    }

    /// What came of a frame.
    fn took(&mut self, name: &str, taken: Result<Taken, DocError>) {
        let Some(room) = self.m.team.rooms.get_mut(name) else {
            return;
        };
        match taken {
            Ok(taken) => {
                room.synced |= taken.synced;
                if !taken.answers.is_empty() {
                    self.out
                        .push(Effect::ToRoom(name.to_owned(), taken.answers));
                }
                if taken.document {
                    self.text_changed(name);
                }
                if taken.people || taken.document {
                    self.company();
                }
                if let Some(reason) = taken.denied {
                    self.m.dirty = true;
                    let words = format!("what you write in it is not taken: {reason}");
                    self.say(Tone::Warn, words);
                }
            }
            Err(error) => {
                tracing::warn!(%error, room = name, "a frame of a room is not taken");
            }
        }
    }

    /// What an earlier run kept of a room.
    pub(super) fn room_kept(&mut self, name: &str, state: Option<&[u8]>) {
        let Some(room) = self.m.team.rooms.get_mut(name) else {
            return;
        };
        self.m.team.unsent.remove(name);
        let Some(state) = state else { return };
        match room.replica.take_kept(state) {
            Ok(()) => {
                room.kept = true;
                self.text_changed(name);
            }
            Err(error) => tracing::warn!(%error, room = name, "what was kept is not taken"),
        }
    }

    /// Who is here may be others than before.
    fn company(&mut self) {
        if !self.m.team.meet() {
            return;
        }
        self.m.dirty = true;
        self.m.team.stale = true;
        // Somebody who lost the connection for a moment is followed again when they are back.
        if self.m.team.following.is_some() && self.m.team.followed().is_some() {
            self.follow_now();
        }
        if let Some(Overlay::People(at)) = &mut self.m.overlay {
            *at = (*at).min(self.m.team.people.len().saturating_sub(1));
        }
    }

    /// The document of a room is another one.
    pub(super) fn text_changed(&mut self, name: &str) {
        self.m.team.stale = true;
        let Some(edit) = self.m.editing.as_mut().filter(|edit| edit.shared) else {
            return;
        };
        if team::room_name(&edit.proposal) != name {
            return;
        }
        let room = self.m.team.rooms.get(name);
        if let Some(text) = room.and_then(|room| room.replica.text(&edit.path)) {
            self.m.dirty |= edit.take(&text);
        }
    }

    /// Something was written into the room of a proposal: it is sent, and kept until the server has it.
    pub(super) fn wrote(&mut self, proposal: &ProposalId, frame: Option<bytes::Bytes>) {
        let Some((name, room)) = self.m.team.room_of_mut(proposal) else {
            return;
        };
        let Some(frame) = frame else { return };
        if let Some(state) = room.replica.kept() {
            room.kept = true;
            self.out.push(Effect::KeepRoom(name.clone(), Some(state)));
        }
        self.out.push(Effect::ToRoom(name, vec![frame]));
        self.m.team.stale = true;
    }

    /// Opens the list of who else is here, or closes it.
    pub(super) fn people(&mut self) {
        if matches!(self.m.overlay, Some(Overlay::People(_))) {
            self.m.overlay = None;
            return;
        }
        if self.m.talk.active() || self.m.overlay.is_some() {
            return;
        }
        let followed = self.m.team.followed().map(|person| person.key.clone());
        let people = self.m.team.people.iter();
        let at = followed.and_then(|key| people.into_iter().position(|one| one.key == key));
        self.m.overlay = Some(Overlay::People(at.unwrap_or(0)));
    }

    /// Follows the view of the selected person, or stops.
    pub(super) fn follow(&mut self) {
        let Some(Overlay::People(at)) = self.m.overlay else {
            return;
        };
        let Some(person) = self.m.team.people.get(at) else {
            return;
        };
        let (key, name) = (person.key.clone(), person.name.clone());
        self.m.overlay = None;
        if self.m.team.following.as_ref() == Some(&key) {
            self.stop_following();
            return;
        }
        self.m.team.following = Some(key);
        self.say(
            Tone::Plain,
            format!("following {name}; Esc or a move of your own ends it"),
        );
        self.follow_now();
    }

    /// The view is the person's own again; false when it was so already.
    pub(super) fn stop_following(&mut self) -> bool {
        if self.m.team.following.take().is_none() {
            return false;
        }
        self.say(Tone::Plain, "the view is your own again");
        true
    }

    /// Ends following where a command moves the view; true when it was to do nothing else.
    pub(super) fn moved_oneself(&mut self, command: Option<Command>) -> bool {
        use Command as C;
        if self.m.team.following.is_none() || self.m.overlay.is_some() {
            return false;
        }
        match command {
            Some(C::Back | C::CloseReview) => self.stop_following(),
            Some(
                C::ScrollUp
                | C::ScrollDown
                | C::PageUp
                | C::PageDown
                | C::Top
                | C::Bottom
                | C::NextHunk
                | C::PreviousHunk
                | C::NextFile
                | C::PreviousFile
                | C::NextNote
                | C::PreviousNote
                | C::NextProposal
                | C::PreviousProposal
                | C::PaneSay
                | C::PaneProposal
                | C::PaneTimeline
                | C::PaneDeploy
                | C::OpenReview
                | C::SelectUp
                | C::SelectDown
                | C::SelectLines
                | C::FocusInput
                | C::EditHere
                | C::Edit,
            ) => {
                self.stop_following();
                false
            }
            _ => false,
        }
    }

    /// Shows what the followed person looks at, as far as it is here.
    fn follow_now(&mut self) {
        let Some(person) = self.m.team.followed().cloned() else {
            return;
        };
        let presence = &person.presence;
        if let Some(id) = presence.proposal.as_deref().map(ProposalId::from)
            && self.m.reviews.get(&id).is_some()
            && self.m.editing.is_none()
        {
            self.m.reviews.show(&id);
            self.m.card = None;
        }
        let pane = match presence.pane.as_deref() {
            Some("say") => Pane::Say,
            Some("timeline") => Pane::Timeline,
            Some("deploy") => Pane::Deploy,
            _ => Pane::Proposal,
        };
        self.m.pane = pane;
        self.m.reading = presence.pane.as_deref() == Some("diff");
        let plan = layout::plan(self.m);
        let height = usize::from(if self.m.full_view() {
            diff::plan(self.m, &plan).body.height
        } else {
            plan.proposal_body().height
        });
        if let (Some(place), Some(line)) = (&presence.cursor, person.lines.0)
            && let Some(review) = self.m.reviews.current_mut()
            && let Some(row) = review.row_of(&place.file, line)
        {
            review.go_to(row, height);
        }
    }
}

/// What follows from any message: which rooms to be in, what to tell the others, what a diff shows of them.
pub(super) fn settle(model: &mut Model, now: Moment, out: &mut Vec<Effect>) {
    if model.full_view() {
        model.team.wanted = true;
    }
    join_and_leave(model, now, out);
    announce(model, now, out);
    annotate(model);
}

fn join_and_leave(model: &mut Model, now: Moment, out: &mut Vec<Effect>) {
    let wanted = team::wanted(model);
    if wanted.len() == model.team.rooms.len()
        && wanted
            .iter()
            .all(|name| model.team.rooms.contains_key(name))
    {
        return;
    }
    let gone: Vec<String> = model
        .team
        .rooms
        .keys()
        .filter(|name| !wanted.contains(name))
        .cloned()
        .collect();
    for name in gone {
        model.team.rooms.remove(&name);
        out.push(Effect::LeaveRoom(name));
    }
    for name in wanted {
        if model.team.rooms.contains_key(&name) {
            continue;
        }
        let mut room = Room::default();
        let presence = team::presence(model, now);
        // The greeting tells it; the frame has nowhere to go yet.
        drop(room.replica.show(Some(&presence), millis(now)));
        model.team.rooms.insert(name.clone(), room);
        out.push(Effect::JoinRoom(name));
    }
    model.team.meet();
    model.team.stale = true;
}

/// Tells the others what changed, at most once in a tenth of a second.
fn announce(model: &mut Model, now: Moment, out: &mut Vec<Effect>) {
    model.team.due = None;
    if model.team.rooms.is_empty() {
        model.team.told = None;
        return;
    }
    let presence = team::presence(model, now);
    if presence.typing {
        // Nothing happens when somebody stops: that has to be waited for.
        model.team.due = model.team.typed.map(|at| at + TYPING);
    }
    if let Some((at, told)) = &model.team.told {
        if *told == presence {
            return;
        }
        if now < *at + THROTTLE {
            model.team.due = Some(*at + THROTTLE);
            return;
        }
    }
    for (name, room) in &mut model.team.rooms {
        let frame = room.replica.show(Some(&presence), millis(now));
        if room.standing.is_live() {
            out.push(Effect::ToRoom(name.clone(), vec![frame]));
        }
    }
    model.team.told = Some((now, presence));
}

/// Puts marks, notes and cursors of others into the diff on the screen.
fn annotate(model: &mut Model) {
    let Some(review) = model.reviews.current() else {
        return;
    };
    let (id, version) = (review.id().clone(), review.version());
    let same = model.team.annotated.as_ref() == Some(&(id.clone(), version));
    if same && !model.team.stale {
        return;
    }
    let (shades, notes) = match model.team.room_of(&id) {
        Some(room) => notes::of_room(review, room),
        None => (Vec::new(), Vec::new()),
    };
    let annotations = Annotations {
        shades,
        notes,
        pins: pins(model, &id),
    };
    model.team.stale = false;
    model.team.annotated = Some((id, version));
    if let Some(review) = model.reviews.current_mut()
        && review.annotations != annotations
    {
        review.annotate(annotations);
        model.dirty = true;
    }
}

/// The cursors of others in a proposal, and the lines that they have selected.
fn pins(model: &Model, proposal: &ProposalId) -> Vec<Pin> {
    let mut pins = Vec::new();
    let Some(review) = model.reviews.get(proposal) else {
        return pins;
    };
    let files = &review.view.proposal.files;
    for person in &model.team.people {
        let presence = &person.presence;
        if presence.proposal.as_deref() != Some(proposal.as_str()) {
            continue;
        }
        let (Some(place), Some(line)) = (&presence.cursor, person.lines.0) else {
            continue;
        };
        let Some(file) = files.iter().position(|file| file.path == place.file) else {
            continue;
        };
        let other = person.lines.1.filter(|_| {
            let end = presence.selection.as_ref();
            end.is_some_and(|end| end.file == place.file)
        });
        let other = other.unwrap_or(line);
        for at in (line.min(other)..=line.max(other)).take(SELECTED) {
            pins.push(Pin {
                file,
                line: at,
                letter: person.letter(),
                colour: person.colour,
                cursor: at == line,
            });
        }
    }
    pins
}

/// Lines of somebody's selection that are shown.
const SELECTED: usize = 1_000;
