//! A room on a server that does not conduct its project: frames go on to the one that does, and back.
//!
//! A room has one place where its document is put together, approved and written down: an approval names the state of the
//! text, and would race with whatever other places had taken meanwhile. What is written is in the stream before
//! the next approval, so the server that takes over has it; people come back there by themselves.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::App;
use super::auth::Caller;
use super::realtime::Ending;
use crate::model::Problem;
use crate::model::token::project_path;
use crate::room::MAX_FRAME;

/// How long the other server may take to open.
const OPEN: Duration = Duration::from_secs(5);

/// After the other server asked for a sign of life, the client has so long to give one.
const ALIVE: Duration = Duration::from_millis(4_500);

/// How long a frame may take to leave.
const LEAVES: Duration = Duration::from_secs(20);

/// Carries frames between `socket` and the room `name` at the server `base` until either side ends it; how to end it here.
pub(super) async fn carry(
    app: &App,
    socket: &mut WebSocket,
    caller: Caller,
    base: &Url,
    name: &str,
) -> Option<Ending> {
    let away = || Ending::new(4500, "the server of this room is not reached; come back");
    let request = match request(app, &caller, base, name) {
        Ok(request) => request,
        Err(problem) => return Some(Ending::new(4500, problem.detail)),
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    let opening = connect_async_with_config(request, Some(config), true);
    let Ok(Ok((mut there, _))) = timeout(OPEN, opening).await else {
        return Some(away());
    };
    let mut alive_until: Option<Instant> = None;
    loop {
        let due = alive_until;
        tokio::select! {
            () = caller.ended.cancelled() => return Some(Ending::new(4401, "the token has ended")),
            () = shut(&app.shutdown) => return Some(Ending::new(4500, "the server ends; come back")),
            () = until(due), if due.is_some() => return Some(Ending::new(4500, "no sign of life")),
            frame = there.next() => {
                let message = match frame {
                    Some(Ok(tungstenite::Message::Binary(bytes))) => Message::Binary(bytes),
                    // Its question is handed on: that this server is alive says nothing about the client.
                    Some(Ok(tungstenite::Message::Ping(_))) => {
                        alive_until = alive_until.or(Some(Instant::now() + ALIVE));
                        Message::Ping(bytes::Bytes::new())
                    }
                    Some(Ok(tungstenite::Message::Close(Some(frame)))) => {
                        let code: u16 = frame.code.into();
                        return Some(Ending::new(code, frame.reason.as_str()));
                    }
                    Some(Ok(tungstenite::Message::Close(None)) | Err(_)) | None => return Some(away()),
                    Some(Ok(_)) => continue,
                };
                match timeout(LEAVES, socket.send(message)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return None,
                    Err(_) => return Some(Ending::new(4500, "too slow; come back")),
                }
            }
            frame = socket.recv() => {
                alive_until = None;
                let message = match frame {
                    Some(Ok(Message::Binary(bytes))) => tungstenite::Message::Binary(bytes),
                    Some(Ok(Message::Text(text))) => tungstenite::Message::Text(text.as_str().into()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.map_or(1000, |CloseFrame { code, .. }| code);
                        let frame = tungstenite::protocol::CloseFrame {
                            code: code.into(),
                            reason: "".into(),
                        };
                        let _ = timeout(OPEN, there.close(Some(frame))).await;
                        return None;
                    }
                    Some(Err(_)) | None => {
                        let _ = timeout(OPEN, there.close(None)).await;
                        return None;
                    }
                };
                match timeout(LEAVES, there.send(message)).await {
                    Ok(Ok(())) => {}
                    _ => return Some(away()),
                }
            }
        }
    }
}

async fn until(due: Option<Instant>) {
    if let Some(due) = due {
        sleep_until(due).await;
    }
}

async fn shut(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
}

fn request(
    app: &App,
    caller: &Caller,
    base: &Url,
    name: &str,
) -> Result<http::Request<()>, Problem> {
    let others = app
        .others
        .as_ref()
        .ok_or_else(|| Problem::internal("there are no other servers"))?;
    let path = project_path(app.auth.tokens().project());
    let mut url = base
        .join(path.trim_start_matches('/'))
        .and_then(|url| url.join("realtime/"))
        .map_err(Problem::internal)?;
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    let no_address = || Problem::internal(format!("{base} is no address of a server"));
    url.set_scheme(scheme).map_err(|()| no_address())?;
    url.path_segments_mut()
        .map_err(|()| no_address())?
        .pop_if_empty()
        .push(name);
    let mut request = url
        .as_str()
        .into_client_request()
        .map_err(Problem::internal)?;
    request
        .headers_mut()
        .extend(others.speaking_for(&caller.identity)?);
    Ok(request)
}
