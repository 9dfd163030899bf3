//! What an event log promises, whatever keeps it.

use std::path::Path;
use std::time::Duration;

use sayso::events::{EventLog, MAX_EVENT_BYTES, Put, RoomRow};
use sayso::model::{Cursor, EventKind, NewEvent, Problem};
use sayso::store::Store;
use serde_json::{Value, json};

use crate::nats::Nats;

/// How long what must happen may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// What keeps the log.
enum Keeps {
    Sqlite,
    Nats(Nats),
}

impl Keeps {
    /// All that are there.
    fn all() -> impl Iterator<Item = Self> {
        [Some(Self::Sqlite), Nats::start().map(Self::Nats)]
            .into_iter()
            .flatten()
    }

    /// The log in the folder `dir`, for writing.
    async fn open(&self, dir: &Path) -> EventLog {
        let path = dir.join("sayso.db");
        match self {
            Self::Sqlite => EventLog::open(Store::open(&path).unwrap(), "site").unwrap(),
            Self::Nats(nats) => {
                let log = EventLog::join(&path, "site", &nats.settings())
                    .await
                    .unwrap();
                log.remote().unwrap().lead().await.unwrap();
                log
            }
        }
    }
}

pub fn notice(n: impl Into<Value>) -> NewEvent {
    NewEvent::new(EventKind::Notice, "ada", json!({ "message": n.into() }))
}

fn seqs(events: &[sayso::model::Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_numbered_stored_and_read_back_after_a_restart() {
    for keeps in Keeps::all() {
        let dir = tempfile::tempdir().unwrap();
        let first = keeps.open(dir.path()).await;
        let mut written = first
            .append(vec![notice(1), notice(2)], vec![])
            .await
            .unwrap();
        assert_eq!(seqs(&written), [1, 2]);
        let head = first.head();
        assert_eq!(first.oldest().unwrap(), 1);
        drop(first);
        let again = keeps.open(dir.path()).await;
        assert_eq!(again.head(), head);
        assert_eq!(again.read(0, 10).unwrap(), written);
        assert_eq!(again.read(1, 10).unwrap(), written[1..]);
        assert_eq!(again.last(1).unwrap(), written[1..]);
        written.extend(again.append(vec![notice(3)], vec![]).await.unwrap());
        assert_eq!(seqs(&written), [1, 2, 3]);
        assert_eq!(again.read(0, 10).unwrap(), written);
        assert_eq!(again.head(), Cursor { seq: 3, ..head });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_get_one_order_without_gaps_and_each_its_own_events() {
    for keeps in Keeps::all() {
        let dir = tempfile::tempdir().unwrap();
        let log = keeps.open(dir.path()).await;
        let mut follower = log.follow(0);
        let writers: Vec<_> = (0..40)
            .map(|writer| {
                let log = log.clone();
                tokio::spawn(async move {
                    for n in 0..5 {
                        let two = vec![
                            notice(format!("{writer}.{n}.a")),
                            notice(format!("{writer}.{n}.b")),
                        ];
                        let written = log.append(two, vec![]).await.unwrap();
                        let messages: Vec<&Value> =
                            written.iter().map(|event| &event.data["message"]).collect();
                        assert_eq!(
                            messages,
                            [
                                &json!(format!("{writer}.{n}.a")),
                                &json!(format!("{writer}.{n}.b"))
                            ]
                        );
                        assert_eq!(written[0].seq + 1, written[1].seq);
                    }
                })
            })
            .collect();
        for seq in 1..=400 {
            let event = tokio::time::timeout(DEADLINE, follower.next())
                .await
                .unwrap();
            assert_eq!(event.unwrap().seq, seq);
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(
            seqs(&log.read(0, 1000).unwrap()),
            (1..=400).collect::<Vec<_>>()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_stored_with_their_events_or_not_at_all() {
    for keeps in Keeps::all() {
        let dir = tempfile::tempdir().unwrap();
        let log = keeps.open(dir.path()).await;
        let get = |log: &EventLog| log.get::<Value>("note", "n1").unwrap();
        let put = Put::new("note", "n1", &json!({ "a": 1 })).unwrap();
        let big = NewEvent::new(EventKind::Notice, "ada", json!("x".repeat(MAX_EVENT_BYTES)));
        let refused: Problem = log
            .append(vec![notice(0), big], vec![put.clone()])
            .await
            .unwrap_err();
        assert!(refused.is("event-too-large"), "{refused}");
        assert_eq!((get(&log), log.head().seq), (None, 0));
        log.append(vec![notice(1)], vec![put]).await.unwrap();
        assert_eq!(get(&log), Some(json!({ "a": 1 })));
        // Larger than any message.
        let large = json!("y".repeat(3 * 1024 * 1024));
        let put = Put::new("note", "n1", &large).unwrap();
        log.append(vec![notice(2)], vec![put]).await.unwrap();
        drop(log);
        let log = keeps.open(dir.path()).await;
        assert_eq!(get(&log), Some(large));
        log.append(vec![], vec![Put::delete("note", "n1")])
            .await
            .unwrap();
        assert_eq!((get(&log), log.head().seq), (None, 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_log_or_of_the_future_does_not_reach() {
    for keeps in Keeps::all() {
        let dir = tempfile::tempdir().unwrap();
        let log = keeps.open(dir.path()).await;
        log.append(vec![notice(1)], vec![]).await.unwrap();
        let head = log.head();
        assert!(log.reaches(&head).unwrap());
        let other = Cursor {
            epoch: "other".into(),
            seq: 1,
        };
        assert!(!log.reaches(&other).unwrap());
        assert!(
            !log.reaches(&Cursor {
                seq: 2,
                ..head.clone()
            })
            .unwrap()
        );
        // Waiting for what is there, or belongs to another log, ends at once.
        for cursor in [head, other] {
            tokio::time::timeout(DEADLINE, log.reached(&cursor))
                .await
                .unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_rooms_are_kept_as_they_were() {
    for keeps in Keeps::all() {
        let dir = tempfile::tempdir().unwrap();
        let log = keeps.open(dir.path()).await;
        let row = |seq: u64| RoomRow {
            seq,
            at: 1_000 + seq as i64,
            actor: "ada".into(),
            body: vec![0, 255, seq as u8],
        };
        log.append_rows("notes", vec![row(1), row(2)])
            .await
            .unwrap();
        log.append_rows("notes", vec![row(3)]).await.unwrap();
        drop(log);
        let log = keeps.open(dir.path()).await;
        let kept: Vec<RoomRow> = log
            .store()
            .read(|c| {
                c.prepare("SELECT seq, at, actor, body FROM room_updates WHERE room = 'notes' ORDER BY seq")?
                    .query_map([], |r| {
                        Ok(RoomRow {
                            seq: r.get(0)?,
                            at: r.get(1)?,
                            actor: r.get(2)?,
                            body: r.get(3)?,
                        })
                    })?
                    .collect()
            })
            .unwrap();
        assert_eq!(kept, [row(1), row(2), row(3)]);
    }
}
