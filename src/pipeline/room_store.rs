//! Rooms on disk: each update of a document as a row, and now and then the whole document, so that a start need not read them all.
//!
//! Of a proposal's room the rows stay, put together to one for each person's burst of writing: its history can be
//! stepped through. Of other rooms only the newest whole is kept.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::events::RoomRow as Row;
use crate::model::Problem;
use crate::room::{MAX_DOCUMENT, merged};
use crate::store::Store;

/// Rows of one person closer in time than this, in milliseconds, are one step of a history.
const BURST: i64 = 5_000;

/// A step of a history grows to this many bytes.
const MAX_STEP: usize = 64 * 1024;

/// Steps kept of a document; when there are more, the older half becomes one.
const MAX_STEPS: usize = 2_000;

/// Bytes kept of a history; when there are more, the older half becomes one step.
const MAX_HISTORY: usize = 2 * MAX_DOCUMENT;

/// What is kept of a document.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The updates that make it, in order.
    pub(super) updates: Vec<Vec<u8>>,
    /// The last row's place; 0 when there is nothing.
    pub(super) last: u64,
}

/// True when something is kept of `room`.
pub(super) fn exists(store: &Store, room: &str) -> Result<bool, Problem> {
    store.read(|c| {
        c.prepare_cached(
            "SELECT 1 FROM room_updates WHERE room = ?1 UNION ALL SELECT 1 FROM room_snapshots WHERE room = ?1 LIMIT 1",
        )?
        .exists([room])
    })
}

/// What is kept of `room`.
pub(super) fn load(store: &Store, room: &str) -> Result<Kept, Problem> {
    store.read(|c| {
        // In one transaction: between two reads everything may be put together anew.
        c.execute_batch("BEGIN")?;
        let kept = load_in(c, room);
        c.execute_batch("COMMIT")?;
        kept
    })
}

fn load_in(c: &Connection, room: &str) -> rusqlite::Result<Kept> {
    let snapshot: Option<(u64, Vec<u8>)> = c
        .prepare_cached("SELECT seq, body FROM room_snapshots WHERE room = ?1")?
        .query_row([room], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let mut kept = Kept::default();
    if let Some((seq, body)) = snapshot {
        kept.last = seq;
        kept.updates.push(body);
    }
    for row in rows(c, room, kept.last, u64::MAX >> 1)? {
        kept.last = row.seq;
        kept.updates.push(row.body);
    }
    Ok(kept)
}

/// The rows of `room` after `after` up to `last`.
fn rows(c: &Connection, room: &str, after: u64, last: u64) -> rusqlite::Result<Vec<Row>> {
    c.prepare_cached(
        "SELECT seq, at, actor, body FROM room_updates WHERE room = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq",
    )?
    .query_map(params![room, after, last], |row| {
        Ok(Row {
            seq: row.get(0)?,
            at: row.get(1)?,
            actor: row.get(2)?,
            body: row.get(3)?,
        })
    })?
    .collect()
}

/// Keeps `whole`, the document as it is after row `last`, and puts the rows up to there together: to steps with `history`, else
/// away.
pub(super) async fn compact(
    store: &Store,
    room: &str,
    last: u64,
    whole: Vec<u8>,
    history: bool,
) -> Result<(), Problem> {
    let mut instead = Vec::new();
    let mut after = 0;
    if history {
        let (store, name) = (store.clone(), room.to_owned());
        let put_together = move || -> Result<_, Problem> {
            let (after, fresh) = store.read(|c| {
                let before: Option<u64> = c
                    .prepare_cached("SELECT seq FROM room_snapshots WHERE room = ?1")?
                    .query_row([&name], |row| row.get(0))
                    .optional()?;
                let before = before.unwrap_or(0);
                Ok((before, rows(c, &name, before, last)?))
            })?;
            let (count, bytes) = store.read(|c| size(c, &name))?;
            if count + fresh.len() > MAX_STEPS || bytes > MAX_HISTORY {
                let all = store.read(|c| rows(c, &name, 0, last))?;
                return Ok((0, fewer(steps(all))));
            }
            Ok((after, steps(fresh)))
        };
        (after, instead) = tokio::task::spawn_blocking(put_together)
            .await
            .map_err(Problem::internal)??;
    }
    let room = room.to_owned();
    store
        .write(move |c| {
            c.prepare_cached(
                "DELETE FROM room_updates WHERE room = ?1 AND seq > ?2 AND seq <= ?3",
            )?
            .execute(params![room, after, last])?;
            let mut insert = c.prepare_cached(
                "INSERT INTO room_updates(room, seq, at, actor, body) VALUES(?1, ?2, ?3, ?4, ?5)",
            )?;
            for row in &instead {
                insert.execute(params![room, row.seq, row.at, row.actor, row.body])?;
            }
            c.prepare_cached(
                "INSERT INTO room_snapshots(room, seq, body) VALUES(?1, ?2, ?3)
                 ON CONFLICT(room) DO UPDATE SET seq = excluded.seq, body = excluded.body",
            )?
            .execute(params![room, last, whole])?;
            Ok(())
        })
        .await
}

/// Rows and bytes of a history.
fn size(c: &Connection, room: &str) -> rusqlite::Result<(usize, usize)> {
    c.prepare_cached(
        "SELECT COUNT(*), COALESCE(SUM(LENGTH(body)), 0) FROM room_updates WHERE room = ?1",
    )?
    .query_row([room], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Rows put together to steps: those of one person in one burst. Each has the place and the time of its last row.
fn steps(rows: Vec<Row>) -> Vec<Row> {
    let mut out: Vec<Row> = Vec::new();
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut length = 0;
    for row in rows {
        let joins = out.last().is_some_and(|last| {
            last.actor == row.actor
                && row.at - last.at <= BURST
                && length + row.body.len() <= MAX_STEP
        });
        if joins && let Some(last) = out.last_mut() {
            length += row.body.len();
            parts.push(row.body);
            last.seq = row.seq;
            last.at = row.at;
            continue;
        }
        close(&mut out, &mut parts);
        length = row.body.len();
        parts.push(row.body);
        out.push(Row {
            body: Vec::new(),
            ..row
        });
    }
    close(&mut out, &mut parts);
    out
}

/// Gives the last step its body; without one it would be lost, so what cannot be put together stays as it is, one by one.
fn close(out: &mut Vec<Row>, parts: &mut Vec<Vec<u8>>) {
    let Some(mut last) = out.pop() else { return };
    if parts.len() == 1 {
        last.body = parts.pop().unwrap_or_default();
        out.push(last);
        return;
    }
    match merged(parts) {
        Ok(body) => {
            last.body = body;
            out.push(last);
        }
        Err(error) => {
            tracing::warn!(%error, "updates of a room stay apart");
            let first = last.seq.saturating_sub(parts.len() as u64 - 1);
            out.extend(parts.iter().zip(first..).map(|(body, seq)| Row {
                seq,
                at: last.at,
                actor: last.actor.clone(),
                body: body.clone(),
            }));
        }
    }
    parts.clear();
}

/// The older half as one step.
fn fewer(mut steps: Vec<Row>) -> Vec<Row> {
    let half = steps.len() / 2;
    if half < 2 {
        return steps;
    }
    let newer = steps.split_off(half);
    let bodies: Vec<Vec<u8>> = steps.iter().map(|row| row.body.clone()).collect();
    match (merged(&bodies), steps.pop()) {
        (Ok(body), Some(last)) => {
            let mut out = vec![Row { body, ..last }];
            out.extend(newer);
            out
        }
        (_, last) => {
            steps.extend(last);
            steps.extend(newer);
            steps
        }
    }
}

/// The steps of a history without their bodies, the oldest first.
pub(super) fn history(store: &Store, room: &str) -> Result<Vec<Row>, Problem> {
    let rows: Vec<Row> = store.read(|c| {
        c.prepare_cached("SELECT seq, at, actor FROM room_updates WHERE room = ?1 ORDER BY seq")?
            .query_map([room], |row| {
                Ok(Row {
                    seq: row.get(0)?,
                    at: row.get(1)?,
                    actor: row.get(2)?,
                    body: Vec::new(),
                })
            })?
            .collect()
    })?;
    // What is not yet put together on disk looks as if it were.
    let mut out: Vec<Row> = Vec::new();
    for row in rows {
        match out.last_mut() {
            Some(last) if last.actor == row.actor && row.at - last.at <= BURST => *last = row,
            _ => out.push(row),
        }
    }
    Ok(out)
}

/// The rows that lead to the state after row `number`.
pub(super) fn until(store: &Store, room: &str, number: u64) -> Result<Vec<Row>, Problem> {
    store.read(|c| rows(c, room, 0, number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::EventLog;
    use crate::room::RoomDoc;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("sayso.db")).unwrap();
        (dir, store)
    }

    /// A document and the rows of how it was written: `(actor, at, text)` after each other.
    fn written(steps: &[(&str, i64, &str)]) -> (RoomDoc, Vec<Row>) {
        let mut doc = RoomDoc::with_client(1);
        let rows = steps.iter().zip(1..).map(|((actor, at, text), seq)| Row {
            seq,
            at: *at,
            actor: (*actor).to_owned(),
            body: doc.set_text("a", text).unwrap().unwrap(),
        });
        let rows = rows.collect();
        (doc, rows)
    }

    fn text(updates: &[Vec<u8>]) -> Option<String> {
        let doc = RoomDoc::load(updates.iter().map(|update| &**update)).unwrap();
        doc.text("a")
    }

    #[tokio::test]
    async fn what_is_put_together_is_the_same_and_its_history_stays() {
        let (_dir, store) = store();
        let (doc, rows) = written(&[
            ("ada", 0, "one"),
            ("ada", 4_000, "one two"),
            ("bob", 5_000, "one 2"),
            ("bob", 60_000, "2"),
            ("bob", 61_000, "two"),
        ]);
        let log = EventLog::open(store.clone(), "site").unwrap();
        log.append_rows("r", rows.clone()).await.unwrap();
        log.append_rows("other", rows[..1].to_vec()).await.unwrap();
        let before = history(&store, "r").unwrap();
        compact(&store, "r", 5, doc.state(), true).await.unwrap();
        let after = history(&store, "r").unwrap();
        assert_eq!(before, after);
        let seqs: Vec<u64> = after.iter().map(|row| row.seq).collect();
        assert_eq!(seqs, [2, 3, 5]);
        for (seq, wanted) in [(2, "one two"), (3, "one 2"), (5, "two")] {
            let rows = until(&store, "r", seq).unwrap();
            let bodies: Vec<Vec<u8>> = rows.into_iter().map(|row| row.body).collect();
            assert_eq!(text(&bodies).as_deref(), Some(wanted), "{seq}");
        }
        let kept = load(&store, "r").unwrap();
        assert_eq!((kept.updates.len(), kept.last), (1, 5));
        assert_eq!(text(&kept.updates).as_deref(), Some("two"));
        // Once more, with something new: what was put together before is not looked at again.
        let (mut doc, mut next) = (doc, rows[0].clone());
        next.seq = 6;
        next.at = 90_000;
        next.body = doc.set_text("a", "three").unwrap().unwrap();
        log.append_rows("r", vec![next]).await.unwrap();
        assert_eq!(load(&store, "r").unwrap().updates.len(), 2);
        compact(&store, "r", 6, doc.state(), true).await.unwrap();
        assert_eq!(history(&store, "r").unwrap().len(), 4);
        // Without a history only the whole stays.
        compact(&store, "r", 6, doc.state(), false).await.unwrap();
        assert_eq!(history(&store, "r").unwrap(), []);
        let kept = load(&store, "r").unwrap();
        assert_eq!(text(&kept.updates).as_deref(), Some("three"));
        assert!(exists(&store, "r").unwrap() && exists(&store, "other").unwrap());
        assert!(!exists(&store, "none").unwrap());
        assert_eq!(load(&store, "none").unwrap().last, 0);
    }

    #[test]
    fn a_long_history_loses_its_oldest_steps_and_nothing_of_the_text() {
        let texts: Vec<String> = (0..40).map(|n| format!("text {n}")).collect();
        let steps_of: Vec<(&str, i64, &str)> = texts
            .iter()
            .enumerate()
            .map(|(n, text)| ("ada", n as i64 * 10_000, text.as_str()))
            .collect();
        let (_, rows) = written(&steps_of);
        let all = steps(rows);
        assert_eq!(all.len(), 40);
        let less = fewer(all);
        assert_eq!(less.len(), 21);
        assert_eq!(less[0].seq, 20);
        let bodies: Vec<Vec<u8>> = less.into_iter().map(|row| row.body).collect();
        assert_eq!(text(&bodies).as_deref(), Some("text 39"));
        assert_eq!(text(&bodies[..1]).as_deref(), Some("text 19"));
    }
}
