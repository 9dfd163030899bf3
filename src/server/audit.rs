//! Who did what: every request that changes something, or tries to, with who sent it and what came of it.
//!
//! It is on disk before the answer leaves. The last ones are kept; what was refused for coming too often is not written down, so
//! that nobody can push the others out by asking.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{App, limits};
use crate::model::token::{AuditEntry, AuditPage};
use crate::model::{Identity, Problem};
use crate::store::Store;

/// Entries kept.
const KEPT: u64 = 20_000;

/// Characters of a path that are kept.
const LONGEST_PATH: usize = 256;

/// Who sent a request, and by which route, once that is known: told from the layers that find it out to the one that writes it
/// down.
#[derive(Clone, Default)]
pub(super) struct Who(Arc<Found>);

#[derive(Default)]
struct Found {
    identity: OnceLock<Identity>,
    route: OnceLock<&'static str>,
}

impl Who {
    /// It was `identity`.
    pub(super) fn is(&self, identity: &Identity) {
        let _ = self.0.identity.set(identity.clone());
    }

    /// It came by the route with this path.
    pub(super) fn came_by(&self, route: &'static str) {
        let _ = self.0.route.set(route);
    }
}

/// Writes down what a request that may change something came to.
pub(super) async fn record(State(app): State<App>, mut request: Request, next: Next) -> Response {
    // Who writes into a room is in the history of its document; its calls come every second and would push all else out.
    let sync = request.uri().path().starts_with("/api/rooms/");
    if request.method().is_safe() || sync {
        return next.run(request).await;
    }
    let who = Who::default();
    request.extensions_mut().insert(who.clone());
    let extensions = request.extensions();
    let mut entry = AuditEntry {
        id: 0,
        at: Timestamp::now(),
        actor: None,
        token: None,
        role: None,
        address: limits::address_of(extensions).to_string(),
        method: request.method().as_str().chars().take(16).collect(),
        route: String::new(),
        path: request.uri().path().chars().take(LONGEST_PATH).collect(),
        status: 0,
    };
    let response = next.run(request).await;
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        return response;
    }
    entry.at = Timestamp::now();
    entry.status = response.status().as_u16();
    if let Some(route) = who.0.route.get() {
        entry.route = (*route).to_owned();
    }
    if let Some(identity) = who.0.identity.get() {
        entry.actor = Some(identity.actor.clone());
        entry.token.clone_from(&identity.token);
        entry.role = Some(identity.role);
    }
    let store = app.conductor.log().store();
    if let Err(problem) = add(store, entry).await {
        // What was done is done: that it is not written down must not look like a failure of it.
        tracing::error!(%problem, "who did what could not be stored");
    }
    response
}

async fn add(store: &Store, entry: AuditEntry) -> Result<(), Problem> {
    store
        .write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO audit(at, actor, token, role, address, method, route, path, status)
                     VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    entry.at.to_string(),
                    entry.actor,
                    entry.token,
                    entry.role.map(|role| role.as_str()),
                    entry.address,
                    entry.method,
                    entry.route,
                    entry.path,
                    entry.status,
                ])?;
            let oldest = u64::try_from(connection.last_insert_rowid())
                .unwrap_or_default()
                .saturating_sub(KEPT);
            connection
                .prepare_cached("DELETE FROM audit WHERE id <= ?1")?
                .execute([oldest])?;
            Ok(())
        })
        .await
}

/// Up to `limit` entries before the one with the number `before`, the newest first.
///
/// # Errors
/// `store` when they cannot be read.
pub(super) fn page(store: &Store, before: Option<u64>, limit: usize) -> Result<AuditPage, Problem> {
    let before = before.unwrap_or(i64::MAX as u64).min(i64::MAX as u64);
    let entries = store.read(|connection: &Connection| {
        let mut statement = connection.prepare_cached(
            "SELECT id, at, actor, token, role, address, method, route, path, status
             FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![before, limit], entry_of)?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    })?;
    let next = match entries.len() == limit {
        true => entries.last().map(|entry| entry.id),
        false => None,
    };
    Ok(AuditPage { entries, next })
}

fn entry_of(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let at: String = row.get(1)?;
    let role: Option<String> = row.get(4)?;
    Ok(AuditEntry {
        id: row.get(0)?,
        at: at.parse().unwrap_or(Timestamp::UNIX_EPOCH),
        actor: row.get(2)?,
        token: row.get(3)?,
        role: role.and_then(|role| role.parse().ok()),
        address: row.get(5)?,
        method: row.get(6)?,
        route: row.get(7)?,
        path: row.get(8)?,
        status: row.get(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Role;

    fn entry(n: u16) -> AuditEntry {
        AuditEntry {
            id: 0,
            at: Timestamp::UNIX_EPOCH,
            actor: Some("ada".into()).filter(|_| n.is_multiple_of(2)),
            token: None,
            role: Some(Role::Author),
            address: "127.0.0.1".into(),
            method: "POST".into(),
            route: "/api/x/{id}".into(),
            path: format!("/api/x/{n}"),
            status: n,
        }
    }

    #[tokio::test]
    async fn the_last_entries_are_kept_and_read_page_by_page() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("db")).unwrap();
        for n in 1..=5 {
            add(&store, entry(n)).await.unwrap();
        }
        let first = page(&store, None, 2).unwrap();
        let of = |page: &AuditPage| {
            page.entries
                .iter()
                .map(|one| one.status)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&first), [5, 4]);
        assert_eq!(first.entries[1], AuditEntry { id: 4, ..entry(4) });
        let second = page(&store, first.next, 2).unwrap();
        assert_eq!(of(&second), [3, 2]);
        let last = page(&store, second.next, 2).unwrap();
        assert_eq!((of(&last), last.next), (vec![1], None));
        // As if there had been many.
        store
            .write(|connection| {
                connection.execute(
                    "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'audit'",
                    [KEPT + 2],
                )
            })
            .await
            .unwrap();
        add(&store, entry(6)).await.unwrap();
        assert_eq!(of(&page(&store, None, 10).unwrap()), [6, 5, 4]);
    }
}
