//! Who is in a room, and when that is told.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Live, Room, Speaker};
use crate::model::room::Presence;
use crate::room::{Frame, State};

/// Presence is told to all at most so often.
const TOLD_EVERY: Duration = Duration::from_millis(100);

impl Room {
    pub(in super::super) fn present(
        &self,
        member: u64,
        who: &Speaker,
        states: Vec<State>,
    ) -> Vec<State> {
        let mut live = self.live();
        let heard = live.presences.hear(member, &who.bearer, states, self.now());
        self.tell(&mut live, heard.tell);
        heard.answer
    }

    pub(super) fn note(&self, live: &mut Live, states: Vec<State>) {
        if states.is_empty() {
            return;
        }
        for state in states {
            live.untold.insert(state.client, state);
        }
        self.presence.notify_one();
    }

    /// Tells presence: now, or together with what else comes until it may be told again.
    pub(super) fn tell(&self, live: &mut Live, states: Vec<State>) {
        if states.is_empty() {
            return;
        }
        self.note(live, states);
        if live.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            self.tell_now(live);
        }
    }

    pub(super) fn tell_now(&self, live: &mut Live) {
        // Cutting off the slow makes news of its own.
        while !live.untold.is_empty() {
            let states = std::mem::take(&mut live.untold).into_values().collect();
            self.send(live, Frame::Awareness(states).encode().into(), None);
        }
        live.told = Some(Instant::now());
        if let Some(told) = self.told.get() {
            let everyone = live.presences.everyone();
            told(&self.name, everyone.iter().map(person).collect());
        }
        self.revision.send_modify(|revision| *revision += 1);
    }

    /// When presence is to be told next; `None` when there is none to tell.
    pub(in super::super) fn tells_at(&self) -> Option<Instant> {
        let live = self.live();
        let due = live.told.map_or(self.born, |told| told + TOLD_EVERY);
        (!live.untold.is_empty()).then_some(due)
    }

    /// Tells what has waited long enough.
    pub(in super::super) fn tell_due(&self) {
        let mut live = self.live();
        if !live.untold.is_empty() && live.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            self.tell_now(&mut live);
        }
    }

    /// Ends the presence of those who have been silent for too long.
    pub(in super::super) fn expire(&self) {
        let mut live = self.live();
        let mut gone = live.presences.expire(self.now());
        let now = Instant::now();
        let mut ended = Vec::new();
        live.sessions.retain(|_, session| {
            let stays = session.until > now;
            if !stays {
                ended.push(session.member);
            }
            stays
        });
        for member in ended {
            gone.extend(live.presences.leave(member));
        }
        self.tell(&mut live, gone);
    }

    /// True while somebody is here without a socket.
    pub(in super::super) fn has_sessions(&self) -> bool {
        !self.live().sessions.is_empty()
    }
}

/// A client as those see it who are not in the room.
fn person(state: &State) -> Value {
    let json = state.json.as_deref().unwrap_or_default();
    let seen: Presence = serde_json::from_str(json).unwrap_or_default();
    json!({
        "name": seen.user.name,
        "color": seen.user.color,
        "pane": seen.pane,
        "proposal": seen.proposal,
        "typing": seen.typing,
        "speaking": seen.speaking,
    })
}
