//! The edge of what is shared: the rooms, and what is kept on disk until the server has it. What happens there comes back as a
//! message.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::effects::{spoken_words, words};
use super::message::{Message, Outcome};
use super::model::Tone;
use crate::client::Client;
use crate::client::outbox::{Asked, Folder, Queued};
use crate::client::room::kept::Kept;
use crate::client::room::{self, RoomLink, RoomOptions};
use crate::model::Problem;
use crate::model::api::{Accepted, Reject, Revise};

/// A burst of keys is one write of what is kept.
const BURST: Duration = Duration::from_millis(50);

/// Rooms, and what is kept.
pub(super) struct Shared {
    client: Client,
    results: mpsc::UnboundedSender<Message>,
    rooms: Mutex<HashMap<String, RoomLink>>,
    keeper: Option<Keeper>,
    outbox: Option<Folder>,
}

impl Shared {
    /// With what is kept in `folder`; without one nothing is.
    pub fn new(
        client: Client,
        results: mpsc::UnboundedSender<Message>,
        folder: Option<PathBuf>,
    ) -> Self {
        Self {
            client,
            results,
            rooms: Mutex::default(),
            keeper: folder
                .as_ref()
                .map(|folder| Keeper::new(Kept::new(folder.join("rooms")))),
            outbox: folder.map(|folder| Folder::new(folder.join("outbox"))),
        }
    }

    /// Joins `name`: what an earlier run kept of it comes first.
    pub fn join(&self, name: String) {
        let options = RoomOptions::default();
        let (link, mut items) = room::join(self.client.clone(), name.clone(), options);
        self.rooms().insert(name.clone(), link);
        let results = self.results.clone();
        let kept = self.keeper.as_ref().map(|keeper| keeper.kept.clone());
        tokio::spawn(async move {
            if let Some(kept) = kept {
                let room = name.clone();
                let read = tokio::task::spawn_blocking(move || {
                    kept.tidy(SystemTime::now());
                    kept.read(&room)
                });
                if let Ok(state) = read.await {
                    let _ = results.send(Message::RoomKept(name.clone(), state));
                }
            }
            while let Some(item) = items.recv().await {
                if results.send(Message::Room(name.clone(), item)).is_err() {
                    return;
                }
            }
        });
    }

    /// Leaves `name`.
    pub fn leave(&self, name: &str) {
        self.rooms().remove(name);
    }

    /// Begins a conversation with `name`.
    pub fn greet(&self, name: &str, frames: Vec<Bytes>) {
        if let Some(link) = self.rooms().get(name) {
            link.greet(frames);
        }
    }

    /// Sends frames to `name`.
    pub fn send(&self, name: &str, frames: Vec<Bytes>) {
        if let Some(link) = self.rooms().get(name) {
            link.send(frames);
        }
    }

    /// Keeps what the server may lack of `name`, or nothing of it any more.
    pub fn keep_room(&self, name: String, state: Option<Vec<u8>>) {
        if let Some(keeper) = &self.keeper {
            keeper.keep(name, state);
        }
    }

    /// Reads what an earlier run kept to be sent.
    pub fn read_outbox(&self) -> Vec<Queued> {
        self.outbox.as_ref().map(Folder::read).unwrap_or_default()
    }

    /// The rooms of which an earlier run kept something.
    pub fn kept_rooms(&self) -> Vec<String> {
        let keeper = self.keeper.as_ref();
        keeper.map(|keeper| keeper.kept.rooms()).unwrap_or_default()
    }

    /// Keeps one thing that is to be sent.
    pub fn keep(&self, queued: Queued, tracker: &TaskTracker) {
        let (folder, results) = (self.outbox.clone(), self.results.clone());
        tracker.spawn(async move {
            if let Err(problem) = write(folder, queued).await {
                let words = format!("not kept on disk, and lost when the cockpit ends: {problem}");
                let told = Outcome::Told(Tone::Bad, words);
                let _ = results.send(Message::Done(Box::new(told)));
            }
        });
    }

    /// Sends one thing, which is on the disk before: what is sent again after a crash has the same key.
    pub fn deliver(&self, queued: Queued) -> impl Future<Output = Outcome> + Send + 'static {
        let (folder, client) = (self.outbox.clone(), self.client.clone());
        async move {
            let key = queued.key.clone();
            let queued = match write(folder, queued.clone()).await {
                Ok(written) => written,
                Err(problem) => {
                    // It is sent all the same: the person sees whether it arrived.
                    tracing::warn!(%problem, "what is sent is not kept on disk");
                    queued
                }
            };
            let result = sent(&client, queued).await;
            Outcome::Sent(key, result)
        }
    }

    /// Forgets what had `key`.
    pub fn forget(&self, key: String, tracker: &TaskTracker) {
        if let Some(folder) = self.outbox.clone() {
            tracker.spawn_blocking(move || {
                if let Err(error) = folder.remove(&key) {
                    tracing::warn!(%error, "what was sent is still kept");
                }
            });
        }
    }

    /// Leaves the rooms, and waits until what is kept is on the disk.
    pub async fn finish(&self) {
        self.rooms().clear();
        if let Some(keeper) = &self.keeper {
            keeper.finish().await;
        }
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, HashMap<String, RoomLink>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(folder: Option<Folder>, queued: Queued) -> Result<Queued, Problem> {
    let Some(folder) = folder else {
        return Ok(queued);
    };
    let written = tokio::task::spawn_blocking(move || folder.write(&queued)).await;
    written
        .map_err(Problem::internal)?
        .map_err(Problem::internal)
}

/// Sends one thing; the instruction that came of it.
async fn sent(client: &Client, queued: Queued) -> Result<Option<Accepted>, Problem> {
    let key = queued.key;
    match queued.asked {
        Asked::Instruction { words: text } => client.submit(&words(&text), &key).await.map(Some),
        Asked::Recording { file } => {
            let wav = tokio::fs::read(&file).await;
            let wav = wav.map_err(|error| {
                Problem::internal(format!("the recording cannot be read: {error}"))
            })?;
            let sent = client.submit_audio(wav, &spoken_words(), &key).await;
            sent.map(Some)
        }
        Asked::Revision { proposal, words } => {
            let revise = Revise { prompt: words };
            client.revise(&proposal, &revise).await.map(Some)
        }
        Asked::Approval {
            proposal, approval, ..
        } => client.approve(&proposal, &approval).await.map(|_| None),
        Asked::Rejection { proposal, .. } => {
            let rejected = client.reject(&proposal, &Reject::default()).await;
            rejected.map(|_| None)
        }
    }
}

/// Writes what is kept of rooms behind the person's back: the newest of each, one after the other.
struct Keeper {
    kept: Kept,
    /// What is to be written; nothing: the file goes.
    due: Arc<Due>,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Due {
    rooms: Mutex<BTreeMap<String, Option<Vec<u8>>>>,
    /// Held while files are written: an older state never comes after a newer one, and who adds one never waits.
    writing: Mutex<()>,
}

impl Keeper {
    fn new(kept: Kept) -> Self {
        Self {
            kept,
            due: Arc::default(),
            tasks: TaskTracker::new(),
        }
    }

    fn keep(&self, room: String, state: Option<Vec<u8>>) {
        let idle = {
            let due = self.due.rooms.lock();
            let mut due = due.unwrap_or_else(PoisonError::into_inner);
            let idle = due.is_empty();
            due.insert(room, state);
            idle
        };
        if !idle {
            // The task that waits takes this along.
            return;
        }
        let (kept, due) = (self.kept.clone(), Arc::clone(&self.due));
        self.tasks.spawn(async move {
            tokio::time::sleep(BURST).await;
            let written = tokio::task::spawn_blocking(move || store(&kept, &due));
            let _ = written.await;
        });
    }

    async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        let (kept, due) = (self.kept.clone(), Arc::clone(&self.due));
        let _ = tokio::task::spawn_blocking(move || store(&kept, &due)).await;
    }
}

fn store(kept: &Kept, due: &Due) {
    let _one = due.writing.lock().unwrap_or_else(PoisonError::into_inner);
    let rooms = due.rooms.lock();
    let rooms = std::mem::take(&mut *rooms.unwrap_or_else(PoisonError::into_inner));
    for (room, state) in rooms {
        let done = match state {
            Some(state) => kept.write(&room, &state),
            None => kept.remove(&room),
        };
        if let Err(error) = done {
            tracing::warn!(%error, room, "what was written in a room is not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_of_a_burst_is_kept_and_the_end_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().to_owned());
        let keeper = Keeper::new(kept.clone());
        for n in 0..20u8 {
            keeper.keep("a".into(), Some(vec![n]));
        }
        keeper.keep("b".into(), Some(vec![1]));
        keeper.keep("b".into(), None);
        keeper.finish().await;
        assert_eq!(kept.read("a"), Some(vec![19]));
        assert_eq!(kept.read("b"), None);
    }
}
