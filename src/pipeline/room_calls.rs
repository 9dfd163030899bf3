//! What is done in a room without a socket: calls over plain HTTP, and what the pipeline itself brings into the text.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::room_live::{Ends, MAX_MEMBERS, Room, Session, Speaker, ends};
use crate::model::merge;
use crate::room::{DocError, State, WireError, decode_states, encode_states, only_deletes};

/// A client without a socket is gone this long after its last call.
const SESSION: Duration = Duration::from_secs(5);

/// What a call is answered: the document's state vector, what the caller lacks, and everyone who is here.
pub struct Pulled {
    /// What the document has.
    pub state_vector: Vec<u8>,
    /// What the caller lacks, when it told what it has.
    pub update: Option<Vec<u8>>,
    /// Everyone, as the awareness protocol encodes them.
    pub awareness: Vec<u8>,
}

impl Room {
    /// The session of a client without a socket: its number, which lives on for some seconds after each call.
    ///
    /// # Errors
    /// [`Ends::Again`] when the room is full.
    pub fn session(&self, bearer: &str, name: &str, wait: Duration) -> Result<u64, Ends> {
        let mut live = self.live();
        let key = (bearer.to_owned(), name.to_owned());
        let until = Instant::now() + wait + SESSION;
        if let Some(session) = live.sessions.get_mut(&key) {
            session.until = until;
            return Ok(session.member);
        }
        if live.sessions.len() >= MAX_MEMBERS {
            return Err(Ends::Again("the room is full".to_owned()));
        }
        live.next += 1;
        let member = live.next;
        live.sessions.insert(key, Session { member, until });
        Ok(member)
    }

    /// Takes what a client without a socket says of itself.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn say(
        &self,
        member: u64,
        who: &Speaker,
        awareness: &[u8],
    ) -> Result<Vec<State>, WireError> {
        Ok(self.present(member, who, decode_states(awareness)?))
    }

    /// Takes an update of a client without a socket; why it was not taken, when it was not.
    ///
    /// # Errors
    /// When it is malformed, or must be sent again.
    pub fn push(&self, who: &Speaker, update: &[u8]) -> Result<Option<String>, Ends> {
        match self.refuses(who) {
            Some(why) => Ok(Some(why)),
            None => self.write(None, &who.actor, update),
        }
    }

    /// What a caller who has `theirs` is told; with `answer` in the place of the clients it is about.
    ///
    /// # Errors
    /// When the state vector is malformed.
    pub fn pull(&self, theirs: Option<&[u8]>, answer: Vec<State>) -> Result<Pulled, Ends> {
        let live = self.live();
        let update = theirs
            .map(|vector| live.doc.diff(vector).map_err(ends))
            .transpose()?;
        let mut states = live.presences.everyone();
        for state in answer {
            states.retain(|one| one.client != state.client);
            states.push(state);
        }
        Ok(Pulled {
            state_vector: live.doc.state_vector(),
            update,
            awareness: encode_states(&states),
        })
    }

    /// Brings what changed from `base` to `theirs` into the texts, as the edits of `actor`. Where both changed the same lines,
    /// `theirs` counts: it was done on purpose and whole.
    pub(super) fn take_up(
        &self,
        base: &BTreeMap<String, String>,
        theirs: &BTreeMap<String, String>,
        actor: &str,
    ) -> Result<(), DocError> {
        let mut live = self.live();
        for (path, text) in theirs {
            let ours = live.doc.text(path);
            let wanted = match (&ours, base.get(path)) {
                (Some(ours), Some(base)) if ours != base => {
                    merge::merge(base, ours, text).unwrap_or_else(|_| text.clone())
                }
                _ => text.clone(),
            };
            if ours.as_ref() == Some(&wanted) {
                continue;
            }
            if let Some(new) = live.doc.set_text(path, &wanted)? {
                let deletes = only_deletes(&new);
                self.spread(&mut live, None, actor, new);
                if deletes && let Some(counted) = live.doc.count_deletion()? {
                    self.spread(&mut live, None, actor, counted);
                }
            }
        }
        let gone: Vec<&String> = base
            .keys()
            .filter(|path| !theirs.contains_key(*path))
            .collect();
        for path in gone {
            if let Some(new) = live.doc.remove_file(path)? {
                self.spread(&mut live, None, actor, new);
            }
        }
        Ok(())
    }
}
