//! Rooms over plain HTTP: for where a proxy breaks WebSockets, and the history of a proposal.

use std::time::Duration;

use axum::extract::{Path, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::auth::Caller;
use super::extract::{Json, Name};
use super::realtime::speaker;
use super::{App, blocking};
use crate::model::room::{HistoryStep, HistoryTexts, RoomSync, RoomSynced};
use crate::model::{Problem, ProposalId};
use crate::pipeline::room_live::{Ends, Room};

/// The longest wait for news, in seconds.
const MAX_WAIT: u64 = 25;

/// The longest name of a session.
const MAX_SESSION: usize = 64;

/// How much an update may be in base64 with the rest of its call.
pub(super) const MAX_SYNC: usize = crate::room::MAX_FRAME / 3 * 4 + 64 * 1024;

pub(super) async fn sync(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Json(sync): Json<RoomSync>,
) -> Result<axum::Json<RoomSynced>, Problem> {
    let speaker = speaker(&caller.identity, &name)?;
    let wait = Duration::from_secs(sync.wait.unwrap_or(0).min(MAX_WAIT));
    let vector = bytes("state_vector", sync.state_vector.as_deref())?;
    let update = bytes("update", sync.update.as_deref())?;
    let awareness = bytes("awareness", sync.awareness.as_deref())?;
    let session = session(sync.session.as_deref(), awareness.is_some())?;
    let room = app.conductor.open_room(&name).await?;
    let denied = match &update {
        Some(update) => room.push(&speaker, update).map_err(problem)?,
        None => None,
    };
    let mut answer = Vec::new();
    if let Some(session) = session {
        let member = room
            .session(&speaker.bearer, session, wait)
            .map_err(problem)?;
        if let Some(awareness) = awareness {
            let said = room.say(member, &speaker, &awareness);
            answer = said.map_err(|error| malformed("awareness", &error.to_string()))?;
        }
    }
    let quiet = answer.is_empty() && denied.is_none();
    if quiet && let Some(seen) = &sync.seen {
        tokio::select! {
            () = news(&room, seen) => {}
            () = tokio::time::sleep(wait) => {}
            () = app.shutdown.cancelled() => {}
            () = caller.ended.cancelled() => {}
        }
    }
    let revision = revision(&room, *room.revision().borrow());
    let pulled = room.pull(vector.as_deref(), answer).map_err(problem)?;
    Ok(axum::Json(RoomSynced {
        update: pulled.update.map(|update| STANDARD.encode(update)),
        state_vector: STANDARD.encode(pulled.state_vector),
        awareness: STANDARD.encode(pulled.awareness),
        revision,
        denied,
    }))
}

/// Returns when the room is at another revision than `seen`.
async fn news(room: &Room, seen: &str) {
    let mut revisions = room.revision();
    loop {
        let now = *revisions.borrow_and_update();
        if revision(room, now) != seen || revisions.changed().await.is_err() {
            return;
        }
    }
}

/// A revision as clients see it: a room that was loaded anew counts anew.
fn revision(room: &Room, count: u64) -> String {
    format!("{:x}-{count}", room.instance())
}

pub(super) async fn history(
    State(app): State<App>,
    Name(id): Name<ProposalId>,
) -> Result<axum::Json<Vec<HistoryStep>>, Problem> {
    let steps = blocking(&app, move |conductor| conductor.history_of(&id)).await?;
    Ok(axum::Json(steps))
}

pub(super) async fn history_at(
    State(app): State<App>,
    Path((id, number)): Path<(String, String)>,
) -> Result<axum::Json<HistoryTexts>, Problem> {
    let none = || Problem::not_found(format!("there is no step {number:?}"));
    let number: u64 = number.parse().map_err(|_| none())?;
    let id = ProposalId(id);
    let texts = blocking(&app, move |conductor| conductor.history_at(&id, number)).await?;
    Ok(axum::Json(texts))
}

fn session(name: Option<&str>, needed: bool) -> Result<Option<&str>, Problem> {
    match name {
        None if needed => Err(Problem::bad_request("awareness needs a session")
            .hint("name the client in `session`, with the same name in each call")),
        None => Ok(None),
        Some(name) => {
            let good = (1..=MAX_SESSION).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_graphic());
            if !good {
                return Err(Problem::bad_request(
                    "the session is not 1 to 64 visible ASCII characters",
                ));
            }
            Ok(Some(name))
        }
    }
}

fn bytes(field: &str, text: Option<&str>) -> Result<Option<Vec<u8>>, Problem> {
    let decoded = text.map(|text| STANDARD.decode(text)).transpose();
    decoded.map_err(|error| malformed(field, &error.to_string()))
}

fn malformed(field: &str, why: &str) -> Problem {
    Problem::bad_request(format!("{field}: {why}"))
        .hint("send base64 with padding of what Yjs encodes")
}

fn problem(ends: Ends) -> Problem {
    match ends {
        Ends::Malformed(why) => malformed("the call", &why),
        Ends::Again(why) => Problem::new(503, "busy", why)
            .hint("try again in a moment, with the state vector of all you have"),
    }
}
