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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::rooms::Kind;
    use super::*;
    use crate::model::ProposalId;
    use crate::room::{Frame, RoomDoc};

    fn room() -> Room {
        let kind = Kind::Proposal(ProposalId("p1".into()));
        Room::new("proposal:p1", kind, RoomDoc::new(), 0, None, Arc::default())
    }

    fn speaker(writes: bool) -> Speaker {
        Speaker {
            actor: "ada".into(),
            bearer: "t1".into(),
            writes,
        }
    }

    fn texts(text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("a".to_owned(), text.to_owned())])
    }

    fn text(room: &Room) -> String {
        room.live().doc.text("a").unwrap_or_default()
    }

    #[tokio::test]
    async fn who_may_not_write_is_told_so_and_is_seen() {
        let room = room();
        let (mut joined, mut other) = (room.join().unwrap(), room.join().unwrap());
        let mut doc = RoomDoc::new();
        let update = doc.set_text("a", "text").unwrap().unwrap();
        let viewer = speaker(false);
        // What a client tells when it comes is no attempt to write.
        let step = Frame::Step2(&update).encode();
        let reply = room.receive(joined.member, &viewer, &step).unwrap();
        assert!(reply.frames.is_empty() && reply.denied.is_none());
        let write = Frame::Update(&update).encode();
        let reply = room.receive(joined.member, &viewer, &write).unwrap();
        let denied = Frame::decode(&reply.frames[0]).unwrap();
        assert!(matches!(denied, Frame::Denied(why) if why.contains("role")));
        assert_eq!(text(&room), "");
        let here = State {
            client: 7,
            clock: 1,
            json: Some("{}".into()),
        };
        let present = Frame::Awareness(vec![here]).encode();
        room.receive(joined.member, &viewer, &present).unwrap();
        for queue in [&mut joined.queue, &mut other.queue] {
            let told = queue.recv().await.unwrap();
            assert!(matches!(Frame::decode(&told), Ok(Frame::Awareness(_))));
        }
        let reply = room.receive(other.member, &speaker(true), &write).unwrap();
        assert!(reply.denied.is_none());
        assert_eq!(text(&room), "text");
        // Its writer has it already.
        let told = joined.queue.recv().await.unwrap();
        assert!(matches!(Frame::decode(&told), Ok(Frame::Update(_))));
        assert!(other.queue.try_recv().is_err());
    }

    #[tokio::test]
    async fn what_was_refused_while_it_was_closed_is_asked_for_afterwards() {
        let room = room();
        let mut joined = room.join().unwrap();
        let mut doc = RoomDoc::new();
        let update = doc.set_text("a", "late").unwrap().unwrap();
        let write = Frame::Update(&update).encode();
        room.set_writable(false);
        let reply = room.receive(joined.member, &speaker(true), &write).unwrap();
        assert!(reply.denied.is_some());
        room.set_writable(true);
        let asked = joined.queue.recv().await.unwrap();
        let Ok(Frame::Step1(vector)) = Frame::decode(&asked) else {
            panic!("it is not asked for")
        };
        let lacking = doc.diff(vector).unwrap();
        let step = Frame::Step2(&lacking).encode();
        room.receive(joined.member, &speaker(true), &step).unwrap();
        assert_eq!(text(&room), "late");
        // Open as it was: nobody is asked anything.
        room.set_writable(true);
        assert!(joined.queue.try_recv().is_err());
    }

    #[test]
    fn what_comes_by_other_ways_meets_what_is_written() {
        let room = room();
        let none = BTreeMap::new();
        room.take_up(&none, &texts("one\ntwo\nthree\n"), "sayso")
            .unwrap();
        // Written meanwhile, in another line.
        let written = room.live().doc.edit("a", 0, 3, "ONE").unwrap();
        assert!(written.is_some());
        let (base, theirs) = (texts("one\ntwo\nthree\n"), texts("one\ntwo\n3\n"));
        room.take_up(&base, &theirs, "eve").unwrap();
        assert_eq!(text(&room), "ONE\ntwo\n3\n");
        // Twice is once.
        let rows = room.live().unsaved.len();
        room.take_up(&base, &theirs, "eve").unwrap();
        assert_eq!(text(&room), "ONE\ntwo\n3\n");
        assert_eq!(room.live().unsaved.len(), rows);
        // In the same line: what was done whole counts.
        room.take_up(&theirs, &texts("1\ntwo\n3\n"), "eve").unwrap();
        assert_eq!(text(&room), "1\ntwo\n3\n");
        // A file that is no longer proposed.
        room.take_up(&theirs, &none, "eve").unwrap();
        assert_eq!(room.live().doc.text("a"), None);
        let rows = &room.live().unsaved;
        assert!(rows.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
        assert_eq!(rows[0].actor, "sayso");
    }

    #[test]
    fn a_deletion_is_counted_and_the_writers_are_known() {
        let room = room();
        let mut doc = RoomDoc::new();
        let update = doc.set_text("a", "text").unwrap().unwrap();
        room.push(&speaker(true), &update).unwrap();
        let seen = room.live().doc.state_vector();
        let update = doc.edit("a", 0, 2, "").unwrap().unwrap();
        let mut bob = speaker(true);
        bob.actor = "bob".into();
        room.push(&bob, &update).unwrap();
        assert_ne!(room.live().doc.state_vector(), seen);
        let (rows, captured) = room.unsaved(true);
        assert_eq!(rows.len(), 3);
        let captured = captured.unwrap();
        assert_eq!(captured.editors, ["ada", "bob"]);
        assert_eq!(captured.texts, texts("xt"));
        assert!(room.unsaved(true).1.unwrap().editors.is_empty());
        // What the disk did not take comes first the next time.
        room.push(&bob, &doc.set_text("a", "xt!").unwrap().unwrap())
            .unwrap();
        room.not_saved(rows.clone());
        let (again, _) = room.unsaved(false);
        assert_eq!(again[..3], rows);
        assert_eq!(again.len(), 4);
    }

    #[tokio::test]
    async fn what_waited_for_an_update_is_told_to_its_writer_too() {
        let room = room();
        let (mut ada, bob) = (room.join().unwrap(), room.join().unwrap());
        let (mut hers, mut his) = (RoomDoc::new(), RoomDoc::new());
        let first = hers.set_text("a", "one").unwrap().unwrap();
        his.apply(&first).unwrap();
        let second = his.edit("a", 3, 0, " two").unwrap().unwrap();
        let speaker = speaker(true);
        // The second is here before the first, on which it builds.
        let frame = Frame::Update(&second).encode();
        room.receive(bob.member, &speaker, &frame).unwrap();
        assert!(ada.queue.try_recv().is_err());
        let frame = Frame::Update(&first).encode();
        room.receive(ada.member, &speaker, &frame).unwrap();
        let told = ada.queue.recv().await.unwrap();
        let Ok(Frame::Update(update)) = Frame::decode(&told) else {
            panic!("it is told something else")
        };
        hers.apply(update).unwrap();
        assert_eq!(hers.text("a").as_deref(), Some("one two"));
        assert_eq!(text(&room), "one two");
    }

    #[test]
    fn a_session_is_the_same_client_from_call_to_call() {
        let room = room();
        let wait = Duration::ZERO;
        let one = room.session("t1", "s", wait).unwrap();
        assert_eq!(room.session("t1", "s", wait).unwrap(), one);
        assert_ne!(room.session("t2", "s", wait).unwrap(), one);
        assert_ne!(room.session("t1", "s2", wait).unwrap(), one);
        assert!(room.has_sessions());
        for session in room.live().sessions.values_mut() {
            session.until = Instant::now();
        }
        room.expire();
        assert!(!room.has_sessions());
    }
}
