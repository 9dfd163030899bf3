//! `GET /realtime/{room}`: a room as a WebSocket, for any client of the Yjs sync and awareness protocols (`y-websocket` among them).
//!
//! A refused upgrade reaches a browser as nothing but "failed", and its client tries for ever. So the socket is opened in any case, and
//! what is wrong is told by its close code: 4400 malformed, 4401 who are you, 4403 not allowed, 4404 no such room; clients give up
//! after these. 4500 means: come back.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::PathRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::OwnedSemaphorePermit;

use super::auth::Caller;
use super::realtime_socket::{self, Connection};
use super::{App, auth, limits, tunnel};
use crate::events::Place;
use crate::model::{Identity, Problem, Role};
use crate::pipeline::room_live::Speaker;
use crate::pipeline::rooms::{Kind, OpenRoom};
use crate::room::MAX_FRAME;

/// The subprotocol that is chosen when a client offers it, beside the token as `bearer.<token>`.
pub(super) const PROTOCOL: &str = "sayso.v1";

/// The default sets 128 KiB aside for each connection, however idle.
const READ_BUFFER: usize = 8 * 1024;

/// How a connection ends: the close code and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Ending {
    pub(super) fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        // A close frame holds 123 bytes of it.
        let mut end = reason.len().min(123);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        Self { code, reason }
    }

    /// The close code of a problem.
    fn of(problem: &Problem) -> Self {
        let code = match problem.status {
            401 => 4401,
            403 => 4403,
            400 | 404 | 413 | 422 => 4404,
            _ => 4500,
        };
        Self::new(code, problem.detail.clone())
    }
}

pub(super) async fn join(
    State(app): State<App>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            return Problem::new(426, "upgrade-required", rejection.body_text())
                .hint("open a WebSocket here, or use POST /api/rooms/{room}/sync")
                .into_response();
        }
    };
    let caller = identified(&app, &headers, &extensions);
    let name = name.map_or_else(|_| String::new(), |Path(name)| name);
    upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .on_upgrade(move |socket| serve(app, socket, caller, name))
}

/// Who opens the socket. Wrong guesses count as with every other request.
fn identified(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Result<Caller, Problem> {
    let address = limits::address_of(extensions);
    let offered = auth::offered(headers);
    if app.limits.blocked(address).is_some() {
        let known = match offered {
            Some(token) => app.auth.was_good(token),
            None => app.auth.cheap(headers),
        };
        if !known {
            return Err(Problem::new(
                429,
                "too-many-requests",
                "too many wrong tokens from this address",
            ));
        }
    }
    let caller = app.auth.identify_socket(headers, Instant::now());
    let guessed = offered.is_some() || app.auth.shows_any(headers);
    if guessed && caller.as_ref().is_err_and(|problem| problem.status == 401) {
        app.limits.failed(address);
    }
    caller
}

async fn serve(app: App, mut socket: WebSocket, caller: Result<Caller, Problem>, name: String) {
    let place = app.conductor.log().place();
    if let (Ok(caller), Place::There(url)) = (&caller, &place) {
        let permit = app.streams.clone().try_acquire_owned();
        let ending = match permit {
            Ok(_permit) => tunnel::carry(&app, &mut socket, caller.clone(), url, &name).await,
            Err(_) => Some(Ending::new(
                4500,
                "too many connections are open; come back",
            )),
        };
        if let Some(ending) = ending {
            close(&mut socket, ending).await;
        }
        return;
    }
    if let (Ok(_), Place::Nowhere(why)) = (&caller, place) {
        close(&mut socket, Ending::new(4500, why)).await;
        return;
    }
    let ending = match entered(&app, caller, &name).await {
        Ok(Entered {
            caller,
            room,
            speaker,
            _permit,
        }) => {
            let connection = Connection {
                room: &room,
                speaker,
                ended: caller.ended,
                shutdown: app.shutdown.clone(),
                limits: Arc::clone(&app.limits),
                identity: caller.identity,
            };
            connection.run(&mut socket).await
        }
        Err(problem) => Some(Ending::of(&problem)),
    };
    if let Some(ending) = ending {
        close(&mut socket, ending).await;
    }
}

/// One who may be in a room.
struct Entered {
    caller: Caller,
    room: OpenRoom,
    speaker: Speaker,
    _permit: OwnedSemaphorePermit,
}

async fn entered(
    app: &App,
    caller: Result<Caller, Problem>,
    name: &str,
) -> Result<Entered, Problem> {
    let caller = caller?;
    let speaker = speaker(&caller.identity, name)?;
    let permit = app.streams.clone().try_acquire_owned();
    let permit = permit.map_err(|_| {
        Problem::new(
            503,
            "too-many-streams",
            "too many connections are open; come back",
        )
    })?;
    let room = app.conductor.open_room(name).await?;
    Ok(Entered {
        caller,
        room,
        speaker,
        _permit: permit,
    })
}

/// Who speaks in the room `name`, and whether it may write there.
///
/// # Errors
/// `forbidden` for a name of their own choice that the token does not name.
pub(super) fn speaker(identity: &Identity, name: &str) -> Result<Speaker, Problem> {
    // Rooms of free names cost disk for ever: they are for those whom a token lets in by that name, and for who runs the server.
    if Kind::of(name) == Some(Kind::Free) && identity.role < Role::Admin && !named(identity, name) {
        return Err(Problem::new(
            403,
            "forbidden",
            format!("your token does not open the room {name:?}"),
        )
        .hint("ask for a token that names it"));
    }
    Ok(Speaker {
        actor: identity.actor.clone(),
        bearer: identity
            .token
            .clone()
            .unwrap_or_else(|| format!("owner {}", identity.actor)),
        writes: identity.role_in(name) >= Role::Author,
    })
}

/// True when a token names the room itself.
fn named(identity: &Identity, name: &str) -> bool {
    let fits = |one: &String| match one.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => one == name,
    };
    identity.rooms.keys().any(fits)
}

/// Says goodbye, and waits for the other side to do so.
async fn close(socket: &mut WebSocket, ending: Ending) {
    let frame = CloseFrame {
        code: ending.code,
        reason: ending.reason.into(),
    };
    let goodbye = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            realtime_socket::drain(socket).await;
        }
    };
    // One that reads no more is not waited for.
    let _ = tokio::time::timeout(realtime_socket::GOODBYE, goodbye).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit_into_a_close_frame() {
        let ending = Ending::new(4400, "é".repeat(100));
        assert_eq!(ending.reason.len(), 122);
        assert_eq!(Ending::of(&Problem::not_found("x")).code, 4404);
        assert_eq!(Ending::of(&Problem::internal("x")).code, 4500);
        assert_eq!(Ending::of(&Problem::new(401, "x", "y")).code, 4401);
    }

    #[test]
    fn who_may_write_and_who_may_choose_a_name() {
        let mut ada = Identity::owner("ada");
        assert!(speaker(&ada, "notes").unwrap().writes);
        ada.role = Role::Viewer;
        ada.token = Some("t1".into());
        assert!(!speaker(&ada, "proposal:p1").unwrap().writes);
        assert_eq!(speaker(&ada, "presence").unwrap().bearer, "t1");
        assert_eq!(speaker(&ada, "notes").unwrap_err().status, 403);
        ada.rooms.insert("notes*".into(), Role::Author);
        assert!(speaker(&ada, "notes-2").unwrap().writes);
        ada.role = Role::Author;
        assert!(speaker(&ada, "proposal:p1").unwrap().writes);
        ada.rooms.insert("proposal:p1".into(), Role::Viewer);
        assert!(!speaker(&ada, "proposal:p1").unwrap().writes);
        assert!(speaker(&ada, "proposal:p2").unwrap().writes);
    }
}
