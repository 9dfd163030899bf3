//! The event log: append-only, durable before it is announced, replayed from any point, followed live.

mod follow;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::broadcast;

pub use follow::{Followed, Follower};

use crate::model::{Cursor, Event, NewEvent, Problem};
use crate::store::Store;

/// Events that a slow reader may fall behind before it reads from disk again.
const TAIL: usize = 1024;

/// The largest event, as JSON: larger ones are refused before they are written.
pub const MAX_EVENT_BYTES: usize = 512 * 1024;

/// A document to store together with events, in the same transaction.
#[derive(Clone, Debug)]
pub struct Put {
    kind: &'static str,
    id: String,
    /// `None` deletes the document.
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
            kind,
            id: id.to_owned(),
            body: Some(body),
        })
    }

    /// Removes the document of `kind` under `id`, if there is one.
    pub fn delete(kind: &'static str, id: &str) -> Self {
        Self {
            kind,
            id: id.to_owned(),
            body: None,
        }
    }
}

/// The log of one project. Cheap to clone.
#[derive(Clone)]
pub struct EventLog {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    project: String,
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
            inner: Arc::new(Inner {
                store,
                project: project.to_owned(),
                tail,
                head: Mutex::new(head.unwrap_or(0)),
            }),
        })
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
        let project = self.inner.project.clone();
        let inner = Arc::clone(&self.inner);
        self.inner
            .store
            .write_then(
                move |connection| write(connection, &project, events, &puts),
                move |written| inner.announce(written),
            )
            .await
    }

    /// Where the log ends now.
    pub fn head(&self) -> Cursor {
        let seq = *self
            .inner
            .head
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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

fn read_all<T: DeserializeOwned>(kind: &str, rows: &[(String, String)]) -> Result<Vec<T>, Problem> {
    rows.iter()
        .map(|(id, body)| serde_json::from_str(body).map_err(|e| damaged(kind, id, &e)))
        .collect()
}

impl Inner {
    fn announce(&self, written: &[Event]) {
        let Some(last) = written.last() else { return };
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = last.seq;
        for event in written {
            // No receiver is no error: the log is the truth, the channel only a shortcut.
            let _ = self.tail.send(Arc::new(event.clone()));
        }
    }
}

fn write(
    connection: &Connection,
    project: &str,
    events: Vec<NewEvent>,
    puts: &[Put],
) -> rusqlite::Result<Vec<Event>> {
    let mut put = connection.prepare_cached(
        "INSERT INTO documents(kind, id, body) VALUES(?1, ?2, ?3)
         ON CONFLICT(kind, id) DO UPDATE SET body = excluded.body",
    )?;
    let mut delete =
        connection.prepare_cached("DELETE FROM documents WHERE kind = ?1 AND id = ?2")?;
    for document in puts {
        match &document.body {
            Some(body) => put.execute(params![document.kind, document.id, body])?,
            None => delete.execute(params![document.kind, document.id])?,
        };
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO events(at, type, project, instruction, proposal, deployment, environment, actor, data)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut written = Vec::with_capacity(events.len());
    for event in events {
        // Milliseconds are what people read; more digits would only widen every line.
        let now = Timestamp::now();
        let at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        insert.execute(params![
            at.to_string(),
            event.kind.as_str(),
            project,
            event.instruction.as_ref().map(|id| id.as_str()),
            event.proposal.as_ref().map(|id| id.as_str()),
            event.deployment.as_ref().map(|id| id.as_str()),
            event.environment,
            event.actor,
            event.data.to_string(),
        ])?;
        written.push(Event {
            seq: u64::try_from(connection.last_insert_rowid()).unwrap_or_default(),
            at,
            kind: event.kind,
            project: project.to_owned(),
            instruction: event.instruction,
            proposal: event.proposal,
            deployment: event.deployment,
            environment: event.environment,
            actor: event.actor,
            data: event.data,
        });
    }
    Ok(written)
}

fn event_of(row: &Row<'_>) -> rusqlite::Result<Event> {
    fn bad(column: usize, error: impl std::fmt::Display) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            error.to_string().into(),
        )
    }
    let at: String = row.get(1)?;
    let kind: String = row.get(2)?;
    let data: String = row.get(9)?;
    let id = |column| row.get::<_, Option<String>>(column);
    Ok(Event {
        seq: row.get(0)?,
        at: at.parse().map_err(|e| bad(1, e))?,
        kind: kind.parse().map_err(|e| bad(2, e))?,
        project: row.get(3)?,
        instruction: id(4)?.map(crate::model::InstructionId),
        proposal: id(5)?.map(crate::model::ProposalId),
        deployment: id(6)?.map(crate::model::DeploymentId),
        environment: row.get(7)?,
        actor: row.get(8)?,
        data: serde_json::from_str(&data).map_err(|e| bad(9, e))?,
    })
}

fn damaged(kind: &str, id: &str, error: &serde_json::Error) -> Problem {
    Problem::new(
        500,
        "store",
        format!("the stored {kind} {id} cannot be read: {error}"),
    )
    .hint("it may have been written by another version of Sayso")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::EventKind;

    fn log(dir: &std::path::Path) -> EventLog {
        EventLog::open(Store::open(&dir.join("sayso.db")).unwrap(), "site").unwrap()
    }

    fn notice(n: usize) -> NewEvent {
        NewEvent::new(EventKind::Notice, "ada", json!({ "message": n }))
    }

    #[tokio::test]
    async fn events_are_numbered_stored_and_read_back_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let first = log(dir.path());
        let written = first
            .append(vec![notice(1), notice(2)], vec![])
            .await
            .unwrap();
        assert_eq!(written.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2]);
        let epoch = first.head().epoch;
        drop(first);
        let again = log(dir.path());
        assert_eq!(again.head(), Cursor { epoch, seq: 2 });
        assert_eq!(again.read(0, 10).unwrap(), written);
        assert_eq!(again.read(1, 10).unwrap(), written[1..]);
        assert_eq!(again.last(1).unwrap(), written[1..]);
    }

    #[tokio::test]
    async fn documents_are_stored_with_their_events_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(dir.path());
        let put = Put::new("note", "n1", &json!({ "a": 1 })).unwrap();
        let big = NewEvent::new(EventKind::Notice, "ada", json!("x".repeat(MAX_EVENT_BYTES)));
        assert!(
            log.append(vec![big], vec![put.clone()])
                .await
                .unwrap_err()
                .is("event-too-large")
        );
        assert_eq!(log.get::<serde_json::Value>("note", "n1").unwrap(), None);
        log.append(vec![notice(1)], vec![put]).await.unwrap();
        assert_eq!(
            log.get::<serde_json::Value>("note", "n1").unwrap(),
            Some(json!({ "a": 1 }))
        );
    }

    #[tokio::test]
    async fn a_cursor_of_another_log_does_not_reach() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(dir.path());
        log.append(vec![notice(1)], vec![]).await.unwrap();
        let head = log.head();
        assert!(log.reaches(&head).unwrap());
        assert!(
            !log.reaches(&Cursor {
                epoch: "other".into(),
                seq: 1
            })
            .unwrap()
        );
        assert!(!log.reaches(&Cursor { seq: 2, ..head }).unwrap());
    }
}
