//! The tables, and how an older file becomes a current one.

use rusqlite::Connection;

/// Steps from one schema to the next; `user_version` counts those done.
const STEPS: [&str; 3] = [
    r"
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- AUTOINCREMENT: a sequence number is never given twice, even if the tail is deleted.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    type TEXT NOT NULL,
    project TEXT NOT NULL,
    instruction TEXT,
    proposal TEXT,
    deployment TEXT,
    environment TEXT,
    actor TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX events_instruction ON events(instruction) WHERE instruction IS NOT NULL;
CREATE INDEX events_deployment ON events(deployment) WHERE deployment IS NOT NULL;
-- Instructions, proposals, deployments: the state that the events led to, written in the same transaction.
CREATE TABLE documents (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
",
    r"
-- Who did what: the requests that changed something, or tried to. AUTOINCREMENT, so that what is kept can be counted.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor TEXT,
    token TEXT,
    role TEXT,
    address TEXT NOT NULL,
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL
);
",
    r"
-- What was written into a room's document, in order: updates of Yjs. Times are milliseconds since 1970.
CREATE TABLE room_updates (
    room TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (room, seq)
);
-- The whole document as it was after an update, so that not all of them need be read.
CREATE TABLE room_snapshots (
    room TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL
);
",
];

/// Why a file could not be brought up to date.
pub enum MigrateError {
    /// It is from a later version of the program.
    Newer(i64),
    /// SQLite says no.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Brings the file to the current schema and returns its epoch.
pub fn migrate(connection: &mut Connection) -> Result<String, MigrateError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done > STEPS.len() {
        return Err(MigrateError::Newer(version));
    }
    if done < STEPS.len() {
        let transaction = connection.transaction()?;
        for step in &STEPS[done..] {
            transaction.execute_batch(step)?;
        }
        let epoch = format!("{:013x}", getrandom::u64().unwrap_or_default() >> 12);
        transaction.execute(
            "INSERT OR IGNORE INTO meta(key, value) VALUES('epoch', ?1)",
            [epoch],
        )?;
        transaction.pragma_update(None, "user_version", STEPS.len() as i64)?;
        transaction.commit()?;
    }
    Ok(
        connection.query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |row| {
            row.get(0)
        })?,
    )
}
