//! The log's rows: events, documents and the updates of rooms as they stand in the database.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{Put, RoomRow, Transaction};
use crate::model::{Event, NewEvent};

/// The key under which it is noted how much of a stream the database has.
const STREAM: &str = "stream-sequence";

/// Appends `events`, numbered by the database, and stores `puts`.
pub(super) fn append(
    connection: &Connection,
    project: &str,
    events: Vec<NewEvent>,
    puts: &[Put],
) -> rusqlite::Result<Vec<Event>> {
    store(connection, puts)?;
    let mut written = Vec::with_capacity(events.len());
    for event in events {
        let mut event = stand(event, project, 0);
        insert(connection, &event, None)?;
        event.seq = u64::try_from(connection.last_insert_rowid()).unwrap_or_default();
        written.push(event);
    }
    Ok(written)
}

/// The event as it stands in the log from now on, at `seq`.
pub(super) fn stand(event: NewEvent, project: &str, seq: u64) -> Event {
    // Milliseconds are what people read; more digits would only widen every line.
    let now = Timestamp::now();
    let at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    Event {
        seq,
        at,
        kind: event.kind,
        project: project.to_owned(),
        instruction: event.instruction,
        proposal: event.proposal,
        deployment: event.deployment,
        environment: event.environment,
        actor: event.actor,
        data: event.data,
    }
}

fn insert(connection: &Connection, event: &Event, seq: Option<u64>) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO events(seq, at, type, project, instruction, proposal, deployment, environment, actor, data)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    insert.execute(params![
        seq,
        event.at.to_string(),
        event.kind.as_str(),
        event.project,
        event.instruction.as_ref().map(|id| id.as_str()),
        event.proposal.as_ref().map(|id| id.as_str()),
        event.deployment.as_ref().map(|id| id.as_str()),
        event.environment,
        event.actor,
        event.data.to_string(),
    ])?;
    Ok(())
}

fn store(connection: &Connection, puts: &[Put]) -> rusqlite::Result<()> {
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
    Ok(())
}

/// Appends updates of a room's document.
pub(super) fn append_rows(
    connection: &Connection,
    room: &str,
    rows: &[RoomRow],
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO room_updates(room, seq, at, actor, body) VALUES(?1, ?2, ?3, ?4, ?5)",
    )?;
    for row in rows {
        insert.execute(params![room, row.seq, row.at, row.actor, row.body])?;
    }
    Ok(())
}

/// How much of its stream the database has; `None` for one that never was a copy of a stream.
pub(super) fn position(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    use rusqlite::OptionalExtension as _;
    let text: Option<String> = connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [STREAM], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Stores what the stream has up to `position`: the transactions after each other, as they are numbered.
pub(super) fn follow(
    connection: &Connection,
    position: u64,
    transactions: &[Transaction],
) -> rusqlite::Result<()> {
    for transaction in transactions {
        store(connection, &transaction.puts)?;
        for event in &transaction.events {
            insert(connection, event, Some(event.seq))?;
        }
        for (room, rows) in &transaction.rooms {
            append_rows(connection, room, rows)?;
        }
    }
    connection
        .prepare_cached(
            "INSERT INTO meta(key, value) VALUES(?1, ?2)
             ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![STREAM, position.to_string()])?;
    Ok(())
}

/// An event from a row of the ten columns in their order.
pub(super) fn event_of(row: &Row<'_>) -> rusqlite::Result<Event> {
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
