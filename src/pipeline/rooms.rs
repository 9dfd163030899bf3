//! The rooms of a project: loaded when the first one comes, saved as they are written, dropped when the last one has gone.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{OnceCell, mpsc, watch};

use super::room_live::{Captured, Room, Told};
use super::room_store;
use crate::events::{EventLog, Put};
use crate::model::{Problem, ProposalId};
use crate::room::RoomDoc;

/// The whole of a document is kept at most so often …
const COMPACT_EVERY: Duration = Duration::from_secs(5);

/// … once there are so many rows after the last one …
const COMPACT_ROWS: usize = 500;

/// … or so many bytes.
const COMPACT_BYTES: usize = 256 * 1024;

/// After the disk refused, it is asked again.
const SAVE_AGAIN: Duration = Duration::from_secs(1);

/// How often it is looked whether somebody has been silent for too long.
const TICK: Duration = Duration::from_secs(1);

/// The longest name of a room.
const MAX_NAME: usize = 128;

/// The document under which it is stored what a proposal and its document last agreed on.
pub(super) const SYNCED: &str = "room-synced";

/// What a proposal and its document last agreed on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Synced {
    /// The proposal's version.
    pub(super) version: u32,
    /// The first version of those up to it that differ in nothing but what was written in the room.
    pub(super) follows: u32,
    /// Its texts by path.
    pub(super) texts: BTreeMap<String, String>,
}

/// What a new document begins with.
pub(super) struct Seed {
    /// The proposal as it is.
    pub(super) synced: Synced,
    /// Who wrote it.
    pub(super) author: String,
}

/// What a room is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `project:{name}`: the project as a whole.
    Project(String),
    /// `proposal:{id}`: the text of a proposal.
    Proposal(ProposalId),
    /// `build:{id}`, `deployment:{id}`, `preview:{id}`: what they are and the id.
    Of(&'static str, String),
    /// `presence`: who is here at all.
    Presence,
    /// Any other name.
    Free,
}

impl Kind {
    /// What the room `name` is for; `None` for what is no name: 1 to 128 letters, digits and ` _-.:`.
    pub fn of(name: &str) -> Option<Self> {
        let plain = |c: char| c.is_alphanumeric() || "_-.: ".contains(c);
        if name.trim().is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
            return None;
        }
        let Some((kind, id)) = name.split_once(':') else {
            return Some(match name {
                "presence" => Self::Presence,
                _ => Self::Free,
            });
        };
        let id = id.to_owned();
        Some(match kind {
            "project" => Self::Project(id),
            "proposal" => Self::Proposal(ProposalId(id)),
            "build" => Self::Of("build", id),
            "deployment" => Self::Of("deployment", id),
            "preview" => Self::Of("preview", id),
            _ => Self::Free,
        })
    }
}

#[derive(Default)]
struct Slot {
    cell: OnceCell<Arc<Room>>,
    holders: AtomicUsize,
}

struct Hub {
    log: EventLog,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    edited: mpsc::UnboundedSender<String>,
    told: Arc<OnceLock<Box<Told>>>,
    /// Somebody has come into the room of the project.
    company: watch::Sender<bool>,
}

/// The rooms.
pub(super) struct Rooms {
    hub: Arc<Hub>,
    /// Ids of proposals whose text was written; taken once by who keeps them up.
    pub(super) edits: Mutex<Option<mpsc::UnboundedReceiver<String>>>,
}

/// A room that stays loaded while this is held.
pub struct OpenRoom {
    room: Arc<Room>,
    _hold: Hold,
}

impl std::ops::Deref for OpenRoom {
    type Target = Room;

    fn deref(&self) -> &Room {
        &self.room
    }
}

/// Counts one who needs a slot.
struct Hold {
    hub: Weak<Hub>,
    name: String,
    slot: Arc<Slot>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.slot.holders.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let (Some(hub), Ok(runtime)) = (self.hub.upgrade(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let (name, slot) = (std::mem::take(&mut self.name), Arc::clone(&self.slot));
        runtime.spawn(async move { hub.close(&name, &slot).await });
    }
}

impl Rooms {
    pub(super) fn new(log: EventLog) -> Self {
        let (edited, edits) = mpsc::unbounded_channel();
        Self {
            hub: Arc::new(Hub {
                log,
                slots: Mutex::default(),
                edited,
                told: Arc::default(),
                company: watch::Sender::new(false),
            }),
            edits: Mutex::new(Some(edits)),
        }
    }

    /// Tells `told` from now on who is in which room.
    pub(super) fn tell(&self, told: Box<Told>) {
        // The first one who asks: there is one server.
        let _ = self.hub.told.set(told);
    }

    /// Turns true when somebody comes into the room of the project, and stays so.
    pub(super) fn company(&self) -> watch::Receiver<bool> {
        self.hub.company.subscribe()
    }

    /// True when the room is loaded, or something is kept of it.
    pub(super) fn known(&self, name: &str) -> Result<bool, Problem> {
        if self.hub.slots().contains_key(name) {
            return Ok(true);
        }
        room_store::exists(self.hub.log.store(), name)
    }

    /// True when the room is loaded.
    pub(super) fn is_live(&self, name: &str) -> bool {
        self.hub.slots().contains_key(name)
    }

    /// The room, when it is loaded.
    pub(super) fn loaded(&self, name: &str) -> Option<Arc<Room>> {
        self.hub.slots().get(name)?.cell.get().map(Arc::clone)
    }

    /// The room `name`, loaded if it is not. When nothing is kept of it, it begins with what `seed` says.
    ///
    /// # Errors
    /// `store` when it cannot be read, or what is kept is damaged; `too-large`; the error of `seed`.
    pub(super) async fn open(
        &self,
        name: &str,
        kind: Kind,
        seed: impl FnOnce() -> Result<Option<Seed>, Problem> + Send,
    ) -> Result<OpenRoom, Problem> {
        if matches!(kind, Kind::Project(_)) {
            self.hub.company.send_replace(true);
        }
        let slot = {
            let mut slots = self.hub.slots();
            let slot = Arc::clone(slots.entry(name.to_owned()).or_default());
            slot.holders.fetch_add(1, Ordering::AcqRel);
            slot
        };
        let hold = Hold {
            hub: Arc::downgrade(&self.hub),
            name: name.to_owned(),
            slot,
        };
        let load = || self.hub.load(name, kind, seed);
        let room = Arc::clone(hold.slot.cell.get_or_try_init(load).await?);
        Ok(OpenRoom { room, _hold: hold })
    }

    /// Writes everything down; for the end of the program.
    pub(super) async fn save_all(&self) {
        let rooms: Vec<Arc<Room>> = {
            let slots = self.hub.slots();
            let loaded = slots.values().filter_map(|slot| slot.cell.get());
            loaded.map(Arc::clone).collect()
        };
        for room in rooms {
            if let Err(problem) = self.hub.save(&room, false).await {
                tracing::error!(%problem, room = room.name, "a room was not saved");
            }
        }
    }

    /// Writes the room down; its texts at that moment. With `closing`, nothing is written into it from that moment on.
    ///
    /// # Errors
    /// `store` when the disk refuses.
    pub(super) async fn capture(&self, room: &Room, closing: bool) -> Result<Captured, Problem> {
        if closing {
            room.set_writable(false);
        }
        let captured = self.hub.save(room, true).await?;
        captured.ok_or_else(|| Problem::internal("nothing was captured"))
    }
}

impl Hub {
    fn slots(&self) -> MutexGuard<'_, HashMap<String, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn load(
        self: &Arc<Self>,
        name: &str,
        kind: Kind,
        seed: impl FnOnce() -> Result<Option<Seed>, Problem> + Send,
    ) -> Result<Arc<Room>, Problem> {
        let (store, of) = (self.log.store().clone(), name.to_owned());
        let read = move || -> Result<(RoomDoc, u64), Problem> {
            let kept = room_store::load(&store, &of)?;
            let doc = RoomDoc::load(kept.updates.iter().map(|update| &**update));
            let doc = doc.map_err(|error| {
                Problem::new(
                    500,
                    "store",
                    format!("the document of {of} is damaged: {error}"),
                )
                .hint("restore the database from a copy")
            })?;
            Ok((doc, kept.last))
        };
        let (doc, last) = tokio::task::spawn_blocking(read)
            .await
            .map_err(Problem::internal)??;
        let room = Arc::new(Room::new(
            name,
            kind,
            doc,
            last,
            Some(self.edited.clone()),
            Arc::clone(&self.told),
        ));
        if last == 0
            && let Some(seed) = seed()?
            && let Kind::Proposal(id) = &room.kind
        {
            // Kept first: without it, what people write next could not be told from what was there.
            let put = Put::new(SYNCED, id.as_str(), &seed.synced)?;
            self.log.append(Vec::new(), vec![put]).await?;
            room.take_up(&BTreeMap::new(), &seed.synced.texts, &seed.author)
                .map_err(|error| {
                    Problem::new(413, "too-large", error.to_string())
                        .hint("edit it with `e` in the cockpit instead, or over POST /api/proposals/{id}/edit")
                })?;
        }
        tokio::spawn(keep_presence(Arc::clone(&room)));
        tokio::spawn(keep_saved(Arc::downgrade(self), Arc::clone(&room)));
        Ok(room)
    }

    /// Writes what waits; with `capture`, the texts of that moment.
    async fn save(&self, room: &Room, capture: bool) -> Result<Option<Captured>, Problem> {
        let _one_at_a_time = room.saving.lock().await;
        let (rows, captured) = room.unsaved(capture);
        if rows.is_empty() {
            return Ok(captured);
        }
        let written = self.log.append_rows(&room.name, rows.clone()).await;
        if let Err(problem) = written {
            room.not_saved(rows);
            return Err(problem);
        }
        Ok(captured)
    }

    /// Keeps the whole of the document.
    async fn compact(&self, room: &Room) -> Result<(), Problem> {
        self.save(room, false).await?;
        let _one_at_a_time = room.saving.lock().await;
        let (last, whole) = {
            let mut live = room.live();
            if !live.unsaved.is_empty() {
                // Written in between: the next time.
                return Ok(());
            }
            live.since = (0, 0);
            (live.last, live.doc.state())
        };
        let history = matches!(room.kind, Kind::Proposal(_));
        room_store::compact(self.log.store(), &room.name, last, whole, history).await
    }

    /// The last one has gone: the room is written down and dropped, unless somebody comes meanwhile.
    async fn close(self: Arc<Self>, name: &str, slot: &Arc<Slot>) {
        loop {
            if let Some(room) = slot.cell.get() {
                // Those without a socket hold nothing between two calls.
                while room.has_sessions() && slot.holders.load(Ordering::Acquire) == 0 {
                    tokio::time::sleep(TICK).await;
                }
                let many = room.live().since.0 > 0;
                let written = match many {
                    true => self.compact(room).await,
                    false => self.save(room, false).await.map(|_| ()),
                };
                if let Err(problem) = written {
                    tracing::error!(%problem, room = name, "a room was not saved");
                    tokio::time::sleep(SAVE_AGAIN).await;
                }
            }
            let mut slots = self.slots();
            let here = slots.get(name).is_some_and(|now| Arc::ptr_eq(now, slot));
            if !here || slot.holders.load(Ordering::Acquire) > 0 {
                return;
            }
            let clean = slot
                .cell
                .get()
                .is_none_or(|room| room.live().unsaved.is_empty() && !room.has_sessions());
            if clean {
                slots.remove(name);
                if let Some(room) = slot.cell.get() {
                    room.end.cancel();
                }
                return;
            }
        }
    }

    /// Takes a room that cannot be trusted any more out of the list: the next one who comes loads it anew.
    fn drop_broken(&self, room: &Arc<Room>) {
        let mut slots = self.slots();
        let same = |slot: &Arc<Slot>| slot.cell.get().is_some_and(|one| Arc::ptr_eq(one, room));
        if slots.get(&room.name).is_some_and(same) {
            slots.remove(&room.name);
        }
        drop(slots);
        room.cut_all();
        room.end.cancel();
    }
}

/// Tells presence in time, and ends what is out of date.
async fn keep_presence(room: Arc<Room>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let due = room.tells_at();
        tokio::select! {
            () = room.end.cancelled() => return,
            () = room.presence.notified() => {}
            () = sleep_until(due), if due.is_some() => room.tell_due(),
            _ = tick.tick() => room.expire(),
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    if let Some(due) = due {
        tokio::time::sleep_until(due.into()).await;
    }
}

/// Writes what is new as it comes, and the whole now and then.
async fn keep_saved(hub: Weak<Hub>, room: Arc<Room>) {
    let mut compacted = Instant::now();
    loop {
        tokio::select! {
            () = room.end.cancelled() => return,
            () = room.dirty.notified() => {}
        }
        let Some(hub) = hub.upgrade() else { return };
        if room.live().doc.is_broken() {
            tracing::error!(
                room = room.name,
                "a document broke; the room is loaded anew"
            );
            if let Err(problem) = hub.save(&room, false).await {
                tracing::error!(%problem, room = room.name, "a room was not saved");
            }
            hub.drop_broken(&room);
            return;
        }
        let (rows, bytes) = room.live().since;
        let full = rows >= COMPACT_ROWS || bytes >= COMPACT_BYTES;
        let written = if full && compacted.elapsed() >= COMPACT_EVERY {
            compacted = Instant::now();
            hub.compact(&room).await
        } else {
            hub.save(&room, false).await.map(|_| ())
        };
        if let Err(problem) = written {
            tracing::error!(%problem, room = room.name, "a room was not saved; trying again");
            room.dirty.notify_one();
            tokio::select! {
                () = room.end.cancelled() => return,
                () = tokio::time::sleep(SAVE_AGAIN) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rooms() {
        assert_eq!(
            Kind::of("proposal:p1"),
            Some(Kind::Proposal(ProposalId("p1".into())))
        );
        assert_eq!(
            Kind::of("project:my site"),
            Some(Kind::Project("my site".into()))
        );
        assert_eq!(
            Kind::of("deployment:d"),
            Some(Kind::Of("deployment", "d".into()))
        );
        assert_eq!(Kind::of("presence"), Some(Kind::Presence));
        assert_eq!(Kind::of("notes"), Some(Kind::Free));
        assert_eq!(Kind::of("notes:a:b"), Some(Kind::Free));
        assert_eq!(Kind::of(&"x".repeat(128)), Some(Kind::Free));
        let long = "x".repeat(129);
        for bad in ["", " ", "a/b", "a\nb", "a?b", "<a>", "\u{1b}[0m", &long] {
            assert_eq!(Kind::of(bad), None, "{bad:?}");
        }
    }
}
