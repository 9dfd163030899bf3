//! One room at work: its document, who is in it, and what is told to whom.
//!
//! Everything happens under one short lock: a frame is taken, what is new goes into the queue of each member, and nobody is ever
//! waited for. A member whose queue is full is cut off; it comes back and asks for what it lacks. The disk is written behind the
//! lock, by a task of the room: what a power failure takes within the first moments, clients still have, and send again.

mod presence;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::rooms::Kind;
use crate::events::RoomRow as Row;
use crate::room::{Decoded, DocError, Frame, Presences, RoomDoc, State, only_deletes};

/// Frames that wait for one member; one more cuts it off.
const QUEUE: usize = 1024;

/// Members of a room.
pub(super) const MAX_MEMBERS: usize = 1000;

/// Bytes that wait for the disk; with more nothing is taken until it has caught up.
const MAX_UNSAVED: usize = 16 * 1024 * 1024;

/// Why nothing is written into the room of a closed proposal.
const CLOSED: &str = "this proposal is closed or being committed; its text stays as it is";

/// Hears who is in a room, by its name, whenever that changes: each an object with at least a `name`.
pub type Told = dyn Fn(&str, Vec<Value>) + Send + Sync;

/// Who speaks.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// The name, as the history tells it.
    pub actor: String,
    /// Whom presence belongs to: no other may speak for it.
    pub bearer: String,
    /// May change the document.
    pub writes: bool,
}

/// A member's place in a room.
#[derive(Debug)]
pub struct Joined {
    /// Its number.
    pub member: u64,
    /// Frames for it.
    pub queue: mpsc::Receiver<Bytes>,
    /// Canceled when it is cut off: it was too slow, or the room is loaded anew.
    pub cut: CancellationToken,
    /// What it is told first.
    pub hello: Vec<Bytes>,
}

/// Why a frame ends a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    /// It is no frame.
    Malformed(String),
    /// Come back and synchronise anew.
    Again(String),
}

/// What a member gets for a frame, itself alone.
#[derive(Debug, Default)]
pub struct Reply {
    /// Frames.
    pub frames: Vec<Bytes>,
    /// Why its update was not taken.
    pub denied: Option<String>,
}

struct Member {
    queue: mpsc::Sender<Bytes>,
    cut: CancellationToken,
}

/// A client without a socket.
pub(super) struct Session {
    pub(super) member: u64,
    pub(super) until: Instant,
}

/// The texts at one moment, all of it on disk.
#[derive(Clone, Debug)]
pub(super) struct Captured {
    pub(super) texts: BTreeMap<String, String>,
    pub(super) state_vector: Vec<u8>,
    /// Who wrote since the last one, the last writer last.
    pub(super) editors: Vec<String>,
}

pub(super) struct Live {
    pub(super) doc: RoomDoc,
    pub(super) presences: Presences,
    members: HashMap<u64, Member>,
    /// By bearer and name.
    pub(super) sessions: HashMap<(String, String), Session>,
    pub(super) next: u64,
    pub(super) last: u64,
    pub(super) unsaved: Vec<Row>,
    unsaved_bytes: usize,
    /// Rows and bytes since the whole was kept.
    pub(super) since: (usize, usize),
    pub(super) editors: Vec<String>,
    /// Presence that is not told yet, and when it was told last.
    untold: BTreeMap<u64, State>,
    told: Option<Instant>,
}

/// A room.
pub struct Room {
    pub(super) name: String,
    pub(super) kind: Kind,
    live: Mutex<Live>,
    born: Instant,
    instance: u64,
    /// Presence waits to be told.
    pub(super) presence: Notify,
    /// Something waits for the disk.
    pub(super) dirty: Notify,
    /// Counts what happens.
    revision: watch::Sender<u64>,
    /// Ends the room's tasks.
    pub(super) end: CancellationToken,
    /// False for the room of a proposal that is closed.
    writable: AtomicBool,
    /// One write at a time.
    pub(super) saving: tokio::sync::Mutex<()>,
    /// Told when somebody writes into the text of a proposal.
    edited: Option<mpsc::UnboundedSender<String>>,
    /// Told who is here.
    told: Arc<OnceLock<Box<Told>>>,
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Room {
    pub(super) fn new(
        name: &str,
        kind: Kind,
        doc: RoomDoc,
        last: u64,
        edited: Option<mpsc::UnboundedSender<String>>,
        told: Arc<OnceLock<Box<Told>>>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            live: Mutex::new(Live {
                doc,
                presences: Presences::new(),
                members: HashMap::new(),
                sessions: HashMap::new(),
                next: 0,
                last,
                unsaved: Vec::new(),
                unsaved_bytes: 0,
                since: (0, 0),
                editors: Vec::new(),
                untold: BTreeMap::new(),
                told: None,
            }),
            born: Instant::now(),
            // Without random numbers the time does.
            instance: getrandom::u64()
                .unwrap_or_else(|_| Timestamp::now().as_microsecond().unsigned_abs()),
            presence: Notify::new(),
            dirty: Notify::new(),
            revision: watch::Sender::new(0),
            end: CancellationToken::new(),
            writable: AtomicBool::new(true),
            saving: tokio::sync::Mutex::new(()),
            edited,
            told,
        }
    }

    /// The room's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_writable(&self, writable: bool) {
        let was = self.writable.swap(writable, Ordering::Relaxed);
        if writable && !was {
            // What was refused meanwhile is still with those who wrote it: they are asked for what is lacking here.
            let mut live = self.live();
            let step = Frame::Step1(&live.doc.state_vector()).encode();
            self.send(&mut live, step.into(), None);
        }
    }

    /// Tells this loading of the room from others.
    pub fn instance(&self) -> u64 {
        self.instance
    }

    /// Counts up with everything that happens in the room.
    pub fn revision(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Takes a member in.
    ///
    /// # Errors
    /// [`Ends::Again`] when the room is full.
    pub fn join(&self) -> Result<Joined, Ends> {
        let mut live = self.live();
        if live.members.len() >= MAX_MEMBERS {
            return Err(Ends::Again("the room is full".to_owned()));
        }
        live.next += 1;
        let member = live.next;
        let (sender, queue) = mpsc::channel(QUEUE);
        let cut = CancellationToken::new();
        live.members.insert(
            member,
            Member {
                queue: sender,
                cut: cut.clone(),
            },
        );
        let mut hello = vec![Frame::Step1(&live.doc.state_vector()).encode().into()];
        let everyone = live.presences.everyone();
        if !everyone.is_empty() {
            hello.push(Frame::Awareness(everyone).encode().into());
        }
        Ok(Joined {
            member,
            queue,
            cut,
            hello,
        })
    }

    /// Lets a member go.
    pub fn leave(&self, member: u64) {
        let mut live = self.live();
        live.members.remove(&member);
        self.hush_in(&mut live, member);
    }

    /// A member is not heard any more: what it said of itself is over. When it is heard again it will say it anew.
    pub fn hush(&self, member: u64) {
        self.hush_in(&mut self.live(), member);
    }

    fn hush_in(&self, live: &mut Live, member: u64) {
        let gone = live.presences.leave(member);
        self.tell(live, gone);
    }

    /// Takes a frame of a member; what it alone gets for it.
    ///
    /// # Errors
    /// Why its connection must end.
    pub fn receive(&self, member: u64, who: &Speaker, frame: &[u8]) -> Result<Reply, Ends> {
        let frame = Frame::decode(frame).map_err(|error| Ends::Malformed(error.to_string()))?;
        let mut reply = Reply::default();
        match frame {
            Frame::Step1(vector) => {
                let update = self.live().doc.diff(vector).map_err(ends)?;
                reply.frames.push(Frame::Step2(&update).encode().into());
            }
            // A client tells all it has when it comes, also what everyone knows: that is no attempt to write.
            Frame::Step2(_) if self.refuses(who).is_some() => {}
            Frame::Step2(update) | Frame::Update(update) => {
                if let Some(why) = self.refuses(who) {
                    reply.denied = Some(why);
                } else {
                    reply.denied = self.write(Some(member), &who.actor, update)?;
                }
            }
            Frame::Awareness(states) => {
                let answer = self.present(member, who, states);
                if !answer.is_empty() {
                    reply.frames.push(Frame::Awareness(answer).encode().into());
                }
            }
            Frame::Query => {
                let everyone = self.live().presences.everyone();
                reply
                    .frames
                    .push(Frame::Awareness(everyone).encode().into());
            }
            Frame::Denied(_) => {}
        }
        if let Some(why) = &reply.denied {
            reply
                .frames
                .push(Frame::Denied(why.clone()).encode().into());
        }
        Ok(reply)
    }

    /// Why `who` may not write here now.
    pub(super) fn refuses(&self, who: &Speaker) -> Option<String> {
        if !who.writes {
            return Some("your role may look and be seen here, not write".to_owned());
        }
        let writable = self.writable.load(Ordering::Relaxed);
        (!writable).then(|| CLOSED.to_owned())
    }

    /// Takes an update; why it was not taken, when it was not.
    pub(super) fn write(
        &self,
        from: Option<u64>,
        actor: &str,
        update: &[u8],
    ) -> Result<Option<String>, Ends> {
        // Before the lock: what is decoded comes from anywhere.
        let decoded = Decoded::new(update).map_err(ends)?;
        let mut live = self.live();
        if !self.writable.load(Ordering::Relaxed) {
            // Closed since it was asked.
            return Ok(Some(CLOSED.to_owned()));
        }
        if live.unsaved_bytes > MAX_UNSAVED {
            return Err(Ends::Again("the disk does not keep up".to_owned()));
        }
        // What waited for this is new to its writer, too.
        let from = from.filter(|_| !live.doc.waits());
        let new = match live.doc.integrate(decoded) {
            Ok(Some(new)) => new,
            Ok(None) => return Ok(None),
            Err(error @ DocError::TooLarge) => return Ok(Some(error.to_string())),
            Err(error) => {
                // Should it be broken, whoever saves it finds out and loads it anew.
                self.dirty.notify_one();
                return Err(ends(error));
            }
        };
        let deletes = only_deletes(&new) && matches!(self.kind, Kind::Proposal(_));
        self.spread(&mut live, from, actor, new);
        if deletes && let Ok(Some(counted)) = live.doc.count_deletion() {
            self.spread(&mut live, None, actor, counted);
        }
        if live.editors.last().is_none_or(|last| last != actor) {
            live.editors.retain(|one| one != actor);
            live.editors.push(actor.to_owned());
        }
        drop(live);
        if let (Kind::Proposal(id), Some(edited)) = (&self.kind, &self.edited) {
            // Nobody listens any more only when the program ends.
            let _ = edited.send(id.0.clone());
        }
        Ok(None)
    }

    /// Hands what is new on to everyone but `from`, and to the disk.
    pub(super) fn spread(&self, live: &mut Live, from: Option<u64>, actor: &str, new: Vec<u8>) {
        self.send(live, Frame::Update(&new).encode().into(), from);
        live.last += 1;
        live.unsaved_bytes += new.len();
        live.since.0 += 1;
        live.since.1 += new.len();
        let row = Row {
            seq: live.last,
            at: Timestamp::now().as_millisecond(),
            actor: actor.to_owned(),
            body: new,
        };
        live.unsaved.push(row);
        self.dirty.notify_one();
        self.revision.send_modify(|revision| *revision += 1);
    }

    fn send(&self, live: &mut Live, frame: Bytes, but: Option<u64>) {
        let mut slow = Vec::new();
        for (number, member) in &live.members {
            if Some(*number) != but && member.queue.try_send(frame.clone()).is_err() {
                member.cut.cancel();
                slow.push(*number);
            }
        }
        for number in slow {
            live.members.remove(&number);
            let gone = live.presences.leave(number);
            self.note(live, gone);
        }
    }

    /// Cuts everyone off, so that they come back to a room loaded anew.
    pub(super) fn cut_all(&self) {
        for (_, member) in self.live().members.drain() {
            member.cut.cancel();
        }
    }

    /// What waits for the disk, and with `capture` the texts as they are after it.
    pub(super) fn unsaved(&self, capture: bool) -> (Vec<Row>, Option<Captured>) {
        let mut live = self.live();
        live.unsaved_bytes = 0;
        let rows = std::mem::take(&mut live.unsaved);
        let captured = capture.then(|| Captured {
            texts: live.doc.files(),
            state_vector: live.doc.state_vector(),
            editors: std::mem::take(&mut live.editors),
        });
        (rows, captured)
    }

    /// Rows that the disk did not take.
    pub(super) fn not_saved(&self, rows: Vec<Row>) {
        let mut live = self.live();
        live.unsaved_bytes += rows.iter().map(|row| row.body.len()).sum::<usize>();
        let newer = std::mem::replace(&mut live.unsaved, rows);
        live.unsaved.extend(newer);
    }
}

/// How an error of the document ends a connection.
pub(super) fn ends(error: DocError) -> Ends {
    match error {
        DocError::Malformed(_) | DocError::Refused(_) => Ends::Malformed(error.to_string()),
        other => Ends::Again(other.to_string()),
    }
}
