//! Who is in a room, as its server keeps it: the awareness protocol (y-protocols 1.0) with what a server needs beyond it.
//!
//! A client is bound to the connection that first spoke for it, so no one can speak for another or send another away, and it goes when
//! its connection does. What is gone leaves a mark with its last clock: the protocol's clients come back with the clock they left with,
//! which nobody who remembers it would believe. Such a client is told that it is gone; it says a newer word at once, and is back
//! within a round trip instead of at its next renewal, up to fifteen seconds later. A client that this room does not know is
//! told the same: others may remember it from a room before a restart.

use std::collections::{HashMap, VecDeque};

use super::frame::State;

/// Clients that one connection may speak for.
const MAX_CLIENTS: usize = 4;

/// Marks of clients that have gone; the oldest goes first.
const MAX_GONE: usize = 4096;

/// Milliseconds of silence after which a client is gone: the protocol's own.
pub const OUT_OF_DATE: u64 = 30_000;

/// Milliseconds after which a client says again that it is there: the protocol's own.
pub const RENEW: u64 = 15_000;

/// What came of hearing something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What everyone should know, the sender too: a client that hears nothing at all would think its connection dead.
    pub tell: Vec<State>,
    /// What only the sender should know: that it is gone, which it will deny.
    pub answer: Vec<State>,
    /// Clients that the sender may not speak for: another's, or more than it may have.
    pub refused: usize,
}

#[derive(Debug)]
struct Client {
    clock: u32,
    json: Option<String>,
    connection: u64,
    heard: u64,
}

/// The clients of a room.
#[derive(Debug, Default)]
pub struct Presences {
    clients: HashMap<u64, Client>,
    /// Who is behind each connection.
    bearers: HashMap<u64, String>,
    gone: VecDeque<u64>,
}

impl Presences {
    /// Nobody is here.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what `connection` of `bearer` says, at `now` (milliseconds of any clock that does not go back).
    pub fn hear(&mut self, connection: u64, bearer: &str, states: Vec<State>, now: u64) -> Heard {
        self.bearers
            .entry(connection)
            .or_insert_with(|| bearer.to_owned());
        let mut heard = Heard::default();
        for state in states {
            self.hear_one(connection, bearer, state, now, &mut heard);
        }
        heard
    }

    fn hear_one(
        &mut self,
        connection: u64,
        bearer: &str,
        state: State,
        now: u64,
        heard: &mut Heard,
    ) {
        let full = self.speaks_for(connection) >= MAX_CLIENTS;
        let Some(known) = self.clients.get_mut(&state.client) else {
            if state.json.is_none() {
                return;
            }
            if full {
                heard.refused += 1;
                return;
            }
            heard.answer.push(State {
                json: None,
                ..state.clone()
            });
            self.clients.insert(
                state.client,
                Client {
                    clock: state.clock,
                    json: state.json.clone(),
                    connection,
                    heard: now,
                },
            );
            heard.tell.push(state);
            return;
        };
        let gone = known.json.is_none();
        let newer = state.clock > known.clock;
        if gone && !newer {
            if state.json.is_some() {
                heard.answer.push(State {
                    client: state.client,
                    clock: known.clock,
                    json: None,
                });
            }
            return;
        }
        let own = known.connection == connection;
        if !own {
            // An echo of what it heard, which clients send; nothing to say about it.
            if !newer {
                return;
            }
            // The same person on a new connection, while the old one has not been found dead yet.
            let theirs = self.bearers.get(&known.connection);
            let theirs = gone || theirs.is_none_or(|theirs| theirs == bearer);
            if !theirs || full || state.json.is_none() {
                heard.refused += 1;
                return;
            }
        } else if !(newer || state.clock == known.clock && state.json.is_none()) {
            return;
        }
        known.clock = state.clock;
        known.heard = now;
        known.connection = connection;
        known.json.clone_from(&state.json);
        if state.json.is_none() {
            self.mark(state.client);
        }
        heard.tell.push(state);
    }

    /// Ends `connection`; what everyone should know.
    pub fn leave(&mut self, connection: u64) -> Vec<State> {
        self.bearers.remove(&connection);
        self.end(|client| client.connection == connection)
    }

    /// Ends those who have not been heard for [`OUT_OF_DATE`]; what everyone should know.
    pub fn expire(&mut self, now: u64) -> Vec<State> {
        self.end(|client| now.saturating_sub(client.heard) >= OUT_OF_DATE)
    }

    /// Everyone who is here.
    pub fn everyone(&self) -> Vec<State> {
        let here = self.clients.iter().filter(|(_, it)| it.json.is_some());
        here.map(|(client, it)| State {
            client: *client,
            clock: it.clock,
            json: it.json.clone(),
        })
        .collect()
    }

    /// True when nobody is here.
    pub fn is_empty(&self) -> bool {
        self.clients.values().all(|client| client.json.is_none())
    }

    fn speaks_for(&self, connection: u64) -> usize {
        let own = |it: &&Client| it.connection == connection && it.json.is_some();
        self.clients.values().filter(own).count()
    }

    fn end(&mut self, which: impl Fn(&Client) -> bool) -> Vec<State> {
        let mut ended = Vec::new();
        for (client, it) in &mut self.clients {
            if it.json.is_some() && which(it) {
                it.json = None;
                ended.push(State {
                    client: *client,
                    clock: it.clock,
                    json: None,
                });
            }
        }
        for state in &ended {
            self.mark(state.client);
        }
        ended
    }

    /// Remembers that a client has gone, and forgets the one that went first when there are too many.
    fn mark(&mut self, client: u64) {
        self.gone.push_back(client);
        while self.gone.len() > MAX_GONE {
            if let Some(oldest) = self.gone.pop_front()
                && self
                    .clients
                    .get(&oldest)
                    .is_some_and(|it| it.json.is_none())
            {
                self.clients.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(client: u64, clock: u32) -> State {
        State {
            client,
            clock,
            json: Some("{}".into()),
        }
    }

    fn gone(client: u64, clock: u32) -> State {
        State {
            client,
            clock,
            json: None,
        }
    }

    #[test]
    fn a_newcomer_is_told_to_all_and_asked_to_say_it_again() {
        let mut room = Presences::new();
        let heard = room.hear(1, "ada", vec![here(7, 3)], 0);
        assert_eq!(heard.tell, [here(7, 3)]);
        assert_eq!(heard.answer, [gone(7, 3)]);
        let heard = room.hear(1, "ada", vec![here(7, 4)], 0);
        assert_eq!((heard.tell, heard.answer), (vec![here(7, 4)], vec![]));
        assert_eq!(room.everyone(), [here(7, 4)]);
    }

    #[test]
    fn back_with_the_old_clock_is_answered_with_the_mark() {
        let mut room = Presences::new();
        room.hear(1, "ada", vec![here(7, 3)], 0);
        assert_eq!(room.leave(1), [gone(7, 3)]);
        assert!(room.is_empty());
        let heard = room.hear(2, "ada", vec![here(7, 3)], 0);
        assert_eq!((heard.tell, heard.answer), (vec![], vec![gone(7, 3)]));
        let heard = room.hear(2, "ada", vec![here(7, 4)], 0);
        assert_eq!((heard.tell, heard.answer), (vec![here(7, 4)], vec![]));
        // The old connection's end comes late and takes nobody along.
        assert_eq!(room.leave(1), []);
        assert_eq!(room.leave(2), [gone(7, 4)]);
    }

    #[test]
    fn no_one_speaks_for_another() {
        let mut room = Presences::new();
        room.hear(1, "ada", vec![here(7, 3)], 0);
        // An echo is nothing; a lie is refused.
        assert_eq!(room.hear(2, "eve", vec![here(7, 3)], 0), Heard::default());
        assert_eq!(room.hear(2, "eve", vec![gone(7, 3)], 0), Heard::default());
        for lie in [here(7, 9), gone(7, 9)] {
            let heard = room.hear(2, "eve", vec![lie], 0);
            assert_eq!((heard.tell.len(), heard.refused), (0, 1));
        }
        // The same person on another connection may, with something newer.
        assert_eq!(room.hear(3, "ada", vec![here(7, 3)], 0), Heard::default());
        assert_eq!(room.hear(3, "ada", vec![here(7, 4)], 0).tell, [here(7, 4)]);
        assert_eq!(room.leave(1), []);
        assert_eq!(room.everyone(), [here(7, 4)]);
    }

    #[test]
    fn a_connection_speaks_for_four_at_most() {
        let mut room = Presences::new();
        let many = (0..10).map(|client| here(client, 1)).collect();
        let heard = room.hear(1, "ada", many, 0);
        assert_eq!((heard.tell.len(), heard.refused), (4, 6));
        room.hear(1, "ada", vec![gone(0, 2)], 0);
        assert_eq!(room.hear(1, "ada", vec![here(9, 1)], 0).tell.len(), 1);
    }

    #[test]
    fn silence_ends_a_presence_and_an_old_word_does_not_renew_it() {
        let mut room = Presences::new();
        room.hear(1, "ada", vec![here(7, 3)], 0);
        room.hear(1, "ada", vec![here(7, 3)], 20_000);
        assert_eq!(room.expire(OUT_OF_DATE - 1), []);
        assert_eq!(room.expire(OUT_OF_DATE), [gone(7, 3)]);
        assert_eq!(room.expire(OUT_OF_DATE), []);
        room.hear(1, "ada", vec![here(7, 4)], 40_000);
        assert_eq!(room.expire(60_000), []);
    }

    #[test]
    fn marks_are_bounded() {
        let mut room = Presences::new();
        for client in 0..MAX_GONE as u64 * 2 {
            room.hear(client, "eve", vec![here(client, 1)], 0);
            room.leave(client);
        }
        assert_eq!(room.clients.len(), MAX_GONE);
        assert!(room.bearers.is_empty());
    }

    #[test]
    fn a_goodbye_with_the_same_clock_counts() {
        let mut room = Presences::new();
        room.hear(1, "ada", vec![here(7, 3)], 0);
        assert_eq!(room.hear(1, "ada", vec![gone(7, 3)], 0).tell, [gone(7, 3)]);
        assert!(room.is_empty());
    }
}
