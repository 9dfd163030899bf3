//! Presence as one client keeps it: its own, and what it has heard of the others (the awareness protocol, y-protocols 1.0).

use std::collections::BTreeMap;

use super::frame::State;
use super::presence::{OUT_OF_DATE, RENEW};

#[derive(Debug)]
struct Other {
    clock: u32,
    /// None once it has gone: its clock is still remembered.
    json: Option<String>,
    heard: u64,
}

/// The client itself and those it is with. Times are milliseconds of any clock that does not go back.
#[derive(Debug)]
pub struct Company {
    client: u64,
    clock: u32,
    own: Option<String>,
    told: u64,
    others: BTreeMap<u64, Other>,
}

impl Company {
    /// A client alone, with the number `client` (the document's own, [`RoomDoc::client`](super::RoomDoc::client)).
    pub fn new(client: u64) -> Self {
        Self {
            client,
            clock: 0,
            own: None,
            told: 0,
            others: BTreeMap::new(),
        }
    }

    /// Sets what the others shall see (JSON), or takes leave; returns what to send.
    pub fn set(&mut self, json: Option<String>, now: u64) -> State {
        self.own = json;
        self.say(now)
    }

    /// What to send on a new connection; none when there is nothing to show.
    pub fn hello(&self) -> Option<State> {
        self.own.as_ref().map(|_| self.state())
    }

    /// Says again that the client is there, when it is time to; returns what to send.
    pub fn renew(&mut self, now: u64) -> Option<State> {
        let due = self.own.is_some() && now.saturating_sub(self.told) >= RENEW;
        due.then(|| self.say(now))
    }

    /// Takes what came from the room. Returns true when the others changed, and what to send when the client itself was
    /// thought gone.
    pub fn hear(&mut self, states: Vec<State>, now: u64) -> (bool, Option<State>) {
        let mut changed = false;
        let mut denied = None;
        for state in states {
            if state.client == self.client {
                if self.own.is_some() && state.json.is_none() && state.clock >= self.clock {
                    self.clock = state.clock;
                    denied = Some(self.say(now));
                }
                continue;
            }
            let known = self.others.get(&state.client);
            let news = known.is_none_or(|known| {
                state.clock > known.clock
                    || (state.clock == known.clock && state.json.is_none() && known.json.is_some())
            });
            if news {
                changed |= known.and_then(|known| known.json.as_ref()) != state.json.as_ref();
                self.others.insert(
                    state.client,
                    Other {
                        clock: state.clock,
                        json: state.json,
                        heard: now,
                    },
                );
            }
        }
        (changed, denied)
    }

    /// Takes away those who were not heard for half a minute; true when there were any.
    pub fn expire(&mut self, now: u64) -> bool {
        let mut changed = false;
        for other in self.others.values_mut() {
            if other.json.is_some() && now.saturating_sub(other.heard) >= OUT_OF_DATE {
                other.json = None;
                changed = true;
            }
        }
        changed
    }

    /// The connection is gone, and so nobody is known to be there any more. A new connection begins with the whole list, so
    /// what was heard before is forgotten, clocks and all.
    pub fn alone(&mut self) {
        self.others.clear();
    }

    /// The others who are there: client and JSON, by client.
    pub fn others(&self) -> impl Iterator<Item = (u64, &str)> {
        self.others
            .iter()
            .filter_map(|(client, other)| Some((*client, other.json.as_deref()?)))
    }

    fn say(&mut self, now: u64) -> State {
        self.clock += 1;
        self.told = now;
        self.state()
    }

    fn state(&self) -> State {
        State {
            client: self.client,
            clock: self.clock,
            json: self.own.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::presence::Presences;
    use super::*;

    #[test]
    fn a_client_that_is_thought_gone_denies_it() {
        let mut room = Presences::new();
        let mut ada = Company::new(1);
        let mut bob = Company::new(2);
        let hello = ada.set(Some("{\"a\":1}".into()), 0);
        let heard = room.hear(1, "ada", vec![hello], 0);
        bob.hear(heard.tell, 0);
        let (_, again) = ada.hear(heard.answer, 0);
        let heard = room.hear(1, "ada", vec![again.expect("asked to")], 0);
        bob.hear(heard.tell, 0);
        assert_eq!(bob.others().collect::<Vec<_>>(), [(1, "{\"a\":1}")]);

        // The connection breaks, and comes back: within one round trip it is as before.
        assert!(bob.hear(room.leave(1), 0).0);
        assert_eq!(bob.others().count(), 0);
        let heard = room.hear(3, "ada", vec![ada.hello().expect("present")], 0);
        assert_eq!(heard.tell, []);
        let (_, again) = ada.hear(heard.answer, 0);
        let heard = room.hear(3, "ada", vec![again.expect("asked to")], 0);
        assert!(bob.hear(heard.tell, 0).0);
        assert_eq!(bob.others().count(), 1);
    }

    #[test]
    fn renewal_and_silence() {
        let mut ada = Company::new(1);
        assert_eq!(ada.renew(RENEW), None);
        let first = ada.set(Some("{}".into()), 0);
        assert_eq!(ada.renew(RENEW - 1), None);
        let renewed = ada.renew(RENEW).expect("due");
        assert!(renewed.clock > first.clock);
        let mut bob = Company::new(2);
        bob.hear(vec![first], 0);
        // The same again is no change, but a sign of life.
        assert_eq!(bob.hear(vec![renewed], RENEW), (false, None));
        assert!(!bob.expire(OUT_OF_DATE));
        assert!(bob.expire(RENEW + OUT_OF_DATE));
        assert!(!bob.expire(RENEW + OUT_OF_DATE));
    }
}
