//! The event log: append-only, durable before it is announced, replayed from any point, followed live.
//!
//! It stands in the database of this machine. With several servers for one project it is also a stream of NATS
//! ([`nats`]): what is appended is in the stream first, and every server has a whole copy in its own database, from which it is read.

mod follow;
pub mod nats;
mod sql;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{OptionalExtension, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

pub use follow::{Followed, Follower};

use crate::model::{Cursor, Event, NewEvent, Problem};
use crate::store::Store;
use nats::Remote;
use sql::event_of;

/// Events that a slow reader may fall behind before it reads from disk again.
const TAIL: usize = 1024;

/// The largest event, as JSON: larger ones are refused before they are written.
pub const MAX_EVENT_BYTES: usize = 512 * 1024;

/// A document to store together with events, in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    kind: Cow<'static, str>,
    id: String,
    /// `None` deletes the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Put {
    /// `document` as JSON under `kind` and `id`.
    ///
    /// # Errors
    /// When it cannot be serialised.
    pub fn new<T: Serialize>(kind: &'static str, id: &str, document: &T) -> Result<Self, Problem> {
        let body = serde_json::to_string(document).map_err(Problem::internal)?;
        Ok(Self {
            kind: kind.into(),
            id: id.to_owned(),
            body: Some(body),
        })
    }

    /// Removes the document of `kind` under `id`, if there is one.
    pub fn delete(kind: &'static str, id: &str) -> Self {
        Self {
            kind: kind.into(),
            id: id.to_owned(),
            body: None,
        }
    }
}

/// An update of a room's document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRow {
    /// Its place in the document's history.
    pub seq: u64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Who wrote it.
    pub actor: String,
    /// The update, as Yjs encodes it.
    #[serde(with = "nats::base64")]
    pub body: Vec<u8>,
}

/// What is stored together, as it stands in the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<Event>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    puts: Vec<Put>,
    /// Updates of rooms by the room's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rooms: Vec<(String, Vec<RoomRow>)>,
}

/// Who takes what changes a project, as this server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// This one.
    Here,
    /// The server at this address.
    There(url::Url),
    /// Nobody at the moment, and why.
    Nowhere(&'static str),
}

/// The log of one project. Cheap to clone.
#[derive(Clone)]
pub struct EventLog {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    project: String,
    live: Arc<Live>,
    remote: Option<Remote>,
}

/// What those who follow the log live off.
struct Live {
    tail: broadcast::Sender<Arc<Event>>,
    /// The last announced sequence number, so that a cursor in an answer never names what is not yet visible.
    head: Mutex<u64>,
}

impl EventLog {
    /// The log in `store`, for events of `project`.
    ///
    /// # Errors
    /// `store` when it cannot be read.
    pub fn open(store: Store, project: &str) -> Result<Self, Problem> {
        let live = Arc::new(Live::open(&store)?);
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                project: project.to_owned(),
                live,
                remote: None,
            }),
        })
    }

    /// The log of `project` in NATS, with its copy in the database at `path`; returns once the copy has all that there was.
    ///
    /// # Errors
    /// `nats` when no server is reached, or it is too old; `store`; `conflict` when the database has a history of its own.
    pub async fn join(
        path: &std::path::Path,
        project: &str,
        settings: &nats::Settings,
    ) -> Result<Self, Problem> {
        let (store, live, remote) = Remote::join(path, project, settings).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                project: project.to_owned(),
                live,
                remote: Some(remote),
            }),
        })
    }

    /// Who takes what changes this project.
    pub fn place(&self) -> Place {
        self.inner
            .remote
            .as_ref()
            .map_or(Place::Here, Remote::place)
    }

    /// The stream's side of the log, where there is one.
    pub fn remote(&self) -> Option<&Remote> {
        self.inner.remote.as_ref()
    }

    /// True when this process may append: always, unless another server does.
    pub fn conducts(&self) -> bool {
        self.inner.remote.as_ref().is_none_or(Remote::conducts)
    }

    /// The store under the log.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The project's name.
    pub fn project(&self) -> &str {
        &self.inner.project
    }

    /// Appends `events` and stores `puts`, all or nothing; returns the events as they stand in the log,
    /// after they are on disk and announced.
    ///
    /// # Errors
    /// `event-too-large`, or `store` when the disk refuses.
    pub async fn append(
        &self,
        events: Vec<NewEvent>,
        puts: Vec<Put>,
    ) -> Result<Vec<Event>, Problem> {
        for event in &events {
            let size = event.data.to_string().len();
            if size > MAX_EVENT_BYTES {
                return Err(Problem::new(
                    413,
                    "event-too-large",
                    format!(
                        "a {} event of {size} bytes exceeds {MAX_EVENT_BYTES}",
                        event.kind
                    ),
                ));
            }
        }
        if let Some(remote) = &self.inner.remote {
            return remote.append(events, puts).await;
        }
        let project = self.inner.project.clone();
        let live = Arc::clone(&self.inner.live);
        self.inner
            .store
            .write_then(
                move |connection| sql::append(connection, &project, events, &puts),
                move |written| live.announce(written),
            )
            .await
    }

    /// Appends updates of a room's document; returns once they are on disk.
    ///
    /// # Errors
    /// `store` when the disk refuses.
    pub async fn append_rows(&self, room: &str, rows: Vec<RoomRow>) -> Result<(), Problem> {
        let room = room.to_owned();
        if let Some(remote) = &self.inner.remote {
            return remote.append_rows(room, rows).await;
        }
        self.inner
            .store
            .write(move |connection| sql::append_rows(connection, &room, &rows))
            .await
    }

    /// Where the log ends now.
    pub fn head(&self) -> Cursor {
        let seq = self.inner.live.head();
        Cursor {
            epoch: self.inner.store.epoch().to_owned(),
            seq,
        }
    }

    /// The oldest sequence number kept; 1 more than the head's when the log is empty.
    ///
    /// # Errors
    /// `store` when it cannot be read.
    pub fn oldest(&self) -> Result<u64, Problem> {
        let first: Option<u64> = self
            .inner
            .store
            .read(|c| c.query_row("SELECT MIN(seq) FROM events", [], |row| row.get(0)))?;
        Ok(first.unwrap_or_else(|| self.head().seq + 1))
    }

    /// Up to `limit` events after `seq`, in order.
    ///
    /// # Errors
    /// `store` when it cannot be read.
    pub fn read(&self, after: u64, limit: usize) -> Result<Vec<Event>, Problem> {
        // Only what has been announced: an answer must not run ahead of its cursor.
        let head = self.head().seq;
        self.inner.store.read(|c| {
            let mut statement = c.prepare_cached(
                "SELECT seq, at, type, project, instruction, proposal, deployment, environment, actor, data
                 FROM events WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3",
            )?;
            let rows = statement.query_map(params![after, head, limit], event_of)?;
            rows.collect()
        })
    }

    /// The last `limit` events, in order.
    ///
    /// # Errors
    /// `store` when it cannot be read.
    pub fn last(&self, limit: usize) -> Result<Vec<Event>, Problem> {
        let head = self.head().seq;
        self.read(head.saturating_sub(limit as u64), limit)
    }

    /// True when events after `cursor` can be had without a hole.
    ///
    /// # Errors
    /// `store` when it cannot be read.
    pub fn reaches(&self, cursor: &Cursor) -> Result<bool, Problem> {
        Ok(cursor.epoch == self.inner.store.epoch()
            && cursor.seq <= self.head().seq
            && cursor.seq + 1 >= self.oldest()?)
    }

    /// Returns once the log has `cursor`, at once for one of another epoch.
    pub async fn reached(&self, cursor: &Cursor) {
        let mut tail = self.inner.live.tail.subscribe();
        while cursor.epoch == self.inner.store.epoch() && cursor.seq > self.inner.live.head() {
            use broadcast::error::RecvError;
            if let Err(RecvError::Closed) = tail.recv().await {
                return;
            }
        }
    }

    /// Follows the log from `after` (a sequence number of this epoch): first what is stored, then what comes.
    pub fn follow(&self, after: u64) -> Follower {
        Follower::new(self.clone(), after)
    }

    /// The document of `kind` under `id`.
    ///
    /// # Errors
    /// `store` when it cannot be read or is not what it should be.
    pub fn get<T: DeserializeOwned>(&self, kind: &str, id: &str) -> Result<Option<T>, Problem> {
        let body: Option<String> = self.inner.store.read(|c| {
            c.prepare_cached("SELECT body FROM documents WHERE kind = ?1 AND id = ?2")?
                .query_row(params![kind, id], |row| row.get(0))
                .optional()
        })?;
        body.map(|body| serde_json::from_str(&body).map_err(|e| damaged(kind, id, &e)))
            .transpose()
    }

    /// The document of `kind` under `id` together with the one that kind `beside` has under the same id, both as they
    /// were at one moment.
    ///
    /// # Errors
    /// `store` when it cannot be read or is not what it should be.
    pub fn get_with<T: DeserializeOwned, U: DeserializeOwned>(
        &self,
        kind: &str,
        beside: &str,
        id: &str,
    ) -> Result<Option<(T, Option<U>)>, Problem> {
        let found: Option<(String, Option<String>)> = self.inner.store.read(|c| {
            c.prepare_cached(
                "SELECT d.body, b.body FROM documents d LEFT JOIN documents b ON b.kind = ?2 AND b.id = d.id \
                 WHERE d.kind = ?1 AND d.id = ?3",
            )?
            .query_row(params![kind, beside, id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
        })?;
        found
            .map(|(body, other)| read_two(kind, id, &body, other.as_deref()))
            .transpose()
    }

    /// As [`EventLog::list`], each with the document that kind `beside` has under the same id.
    ///
    /// # Errors
    /// As [`EventLog::list`].
    pub fn list_with<T: DeserializeOwned, U: DeserializeOwned>(
        &self,
        kind: &str,
        beside: &str,
        limit: usize,
    ) -> Result<Vec<(T, Option<U>)>, Problem> {
        let rows: Vec<(String, String, Option<String>)> = self.inner.store.read(|c| {
            c.prepare_cached(
                "SELECT d.id, d.body, b.body FROM documents d LEFT JOIN documents b ON b.kind = ?2 AND b.id = d.id \
                 WHERE d.kind = ?1 ORDER BY d.id DESC LIMIT ?3",
            )?
            .query_map(params![kind, beside, limit], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect()
        })?;
        rows.iter()
            .map(|(id, body, other)| read_two(kind, id, body, other.as_deref()))
            .collect()
    }

    /// The newest `limit` documents of `kind` by id (ids sort by time), newest first.
    ///
    /// # Errors
    /// `store` when it cannot be read or is not what it should be.
    pub fn list<T: DeserializeOwned>(&self, kind: &str, limit: usize) -> Result<Vec<T>, Problem> {
        let rows: Vec<(String, String)> = self.inner.store.read(|c| {
            c.prepare_cached(
                "SELECT id, body FROM documents WHERE kind = ?1 ORDER BY id DESC LIMIT ?2",
            )?
            .query_map(params![kind, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
        })?;
        read_all(kind, &rows)
    }

    /// The newest `limit` documents of `kind` with an id below `before`, newest first: the page after the one that ended
    /// with `before`.
    ///
    /// # Errors
    /// `store` when it cannot be read or is not what it should be.
    pub fn list_before<T: DeserializeOwned>(
        &self,
        kind: &str,
        before: &str,
        limit: usize,
    ) -> Result<Vec<T>, Problem> {
        let rows: Vec<(String, String)> = self.inner.store.read(|c| {
            c.prepare_cached(
                "SELECT id, body FROM documents WHERE kind = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
            )?
            .query_map(params![kind, before, limit], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect()
        })?;
        read_all(kind, &rows)
    }
}

fn read_two<T: DeserializeOwned, U: DeserializeOwned>(
    kind: &str,
    id: &str,
    body: &str,
    other: Option<&str>,
) -> Result<(T, Option<U>), Problem> {
    let first = serde_json::from_str(body).map_err(|e| damaged(kind, id, &e))?;
    let second = other.map(serde_json::from_str).transpose();
    Ok((first, second.map_err(|e| damaged(kind, id, &e))?))
}

fn read_all<T: DeserializeOwned>(kind: &str, rows: &[(String, String)]) -> Result<Vec<T>, Problem> {
    rows.iter()
        .map(|(id, body)| serde_json::from_str(body).map_err(|e| damaged(kind, id, &e)))
        .collect()
}

impl Live {
    fn open(store: &Store) -> Result<Self, Problem> {
        let head: Option<u64> = store.read(|c| {
            c.query_row(
                "SELECT seq FROM sqlite_sequence WHERE name = 'events'",
                [],
                |row| row.get(0),
            )
            .optional()
        })?;
        let (tail, _) = broadcast::channel(TAIL);
        Ok(Self {
            tail,
            head: Mutex::new(head.unwrap_or(0)),
        })
    }

    fn head(&self) -> u64 {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, written: &[Event]) {
        let Some(last) = written.last() else { return };
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = last.seq;
        for event in written {
            // No receiver is no error: the log is the truth, the channel only a shortcut.
            let _ = self.tail.send(Arc::new(event.clone()));
        }
    }
}

fn damaged(kind: &str, id: &str, error: &serde_json::Error) -> Problem {
    Problem::new(
        500,
        "store",
        format!("the stored {kind} {id} cannot be read: {error}"),
    )
    .hint("it may have been written by another version of Sayso")
}
