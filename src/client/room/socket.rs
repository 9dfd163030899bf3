//! One WebSocket to a room.

use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, Request};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

use super::way::Ending;
use super::{PROTOCOL, RoomOptions};
use crate::client::Endpoint;
use crate::client::stream::root_cause;
use crate::model::Problem;

/// An open socket.
pub(super) struct Socket {
    inner: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// The longest time that a frame may take to leave: a peer that takes none is as good as gone.
const LEAVES: Duration = Duration::from_secs(10);

impl Socket {
    /// Opens a socket to `room` at `endpoint`.
    pub(super) async fn open(
        endpoint: &Endpoint,
        room: &str,
        options: &RoomOptions,
    ) -> Result<Self, Ending> {
        let request = request(endpoint, room).map_err(Ending::Unreachable)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(options.max_message))
            .max_frame_size(Some(options.max_message));
        // Without waiting for more to send: a key that was pressed is to be seen at once.
        let nodelay = true;
        let opening = connect_async_with_config(request, Some(config), nodelay);
        match timeout(options.open, opening).await {
            Ok(Ok((inner, _))) => Ok(Self { inner }),
            Ok(Err(error)) => Err(ending(error)),
            Err(_) => Err(Ending::Unreachable("no answer in time".to_owned())),
        }
    }

    /// The next frame of the server; pings are answered on the way. Can be called off at any time.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Ending> {
        match self.inner.next().await {
            None => Err(Ending::Cut),
            Some(Err(error)) => Err(ending(error)),
            Some(Ok(Message::Binary(bytes))) => Ok(Some(bytes)),
            Some(Ok(Message::Close(frame))) => Err(match frame {
                Some(frame) => Ending::Closed {
                    code: frame.code.into(),
                    reason: frame.reason.chars().take(200).collect(),
                },
                None => Ending::Cut,
            }),
            // A sign of life, and nothing else.
            Some(Ok(_)) => Ok(None),
        }
    }

    /// Sends frames, a message each.
    pub(super) async fn send(&mut self, frames: Vec<Bytes>) -> Result<(), Ending> {
        let sending = async {
            for frame in frames {
                self.inner.feed(Message::Binary(frame)).await?;
            }
            self.inner.flush().await
        };
        match timeout(LEAVES, sending).await {
            Ok(sent) => sent.map_err(ending),
            Err(_) => Err(Ending::Silent),
        }
    }

    /// Says goodbye, as far as the other side listens.
    pub(super) async fn close(mut self) {
        let _ = timeout(Duration::from_millis(200), self.inner.close(None)).await;
    }
}

/// The address of a room's socket.
fn address(base: &Url, room: &str) -> Result<Url, String> {
    let mut url = base.join("realtime/").map_err(|error| error.to_string())?;
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    let no_base = || format!("{base} is no address of a server");
    url.set_scheme(scheme).map_err(|()| no_base())?;
    url.path_segments_mut()
        .map_err(|()| no_base())?
        .pop_if_empty()
        .push(room);
    Ok(url)
}

/// The upgrade: the token in a header, never in the address.
fn request(endpoint: &Endpoint, room: &str) -> Result<Request<()>, String> {
    let url = address(&endpoint.url, room)?;
    let mut request = url
        .as_str()
        .into_client_request()
        .map_err(|error| error.to_string())?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", endpoint.token))
        .map_err(|_| "the token has characters that no header takes".to_owned())?;
    bearer.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    Ok(request)
}

fn ending(error: Error) -> Ending {
    match error {
        Error::Http(response) => Ending::Refused {
            status: response.status().as_u16(),
            detail: response.body().as_deref().and_then(detail),
        },
        Error::ConnectionClosed | Error::AlreadyClosed => Ending::Cut,
        Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionReset
            | std::io::ErrorKind::ConnectionAborted
            | std::io::ErrorKind::BrokenPipe
            | std::io::ErrorKind::UnexpectedEof => Ending::Cut,
            _ => Ending::Unreachable(root_cause(&error).to_string()),
        },
        Error::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        ) => Ending::Cut,
        Error::Capacity(error) => Ending::Garbled(error.to_string()),
        Error::Protocol(error) => Ending::Garbled(error.to_string()),
        error @ (Error::Tls(_) | Error::Url(_)) => {
            Ending::Unreachable(root_cause(&error).to_string())
        }
        error => Ending::Garbled(error.to_string()),
    }
}

/// What the problem document of a refused upgrade says.
fn detail(body: &[u8]) -> Option<String> {
    let problem: Problem = serde_json::from_slice(body).ok()?;
    Some(problem.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_room_keeps_the_servers_path_and_takes_any_name() {
        for (base, room, want) in [
            (
                "http://127.0.0.1:4000/",
                "proposal:pro_1",
                "ws://127.0.0.1:4000/realtime/proposal:pro_1",
            ),
            (
                "https://example.org/sayso/",
                "project:a b/c",
                "wss://example.org/sayso/realtime/project:a%20b%2Fc",
            ),
        ] {
            assert_eq!(
                address(&base.parse().unwrap(), room).unwrap().as_str(),
                want
            );
        }
    }

    #[test]
    fn the_token_goes_into_a_header_and_the_subprotocol_is_offered() {
        let endpoint = Endpoint {
            url: "http://127.0.0.1:1/".parse().unwrap(),
            token: "s3cret".into(),
        };
        let request = request(&endpoint, "project:x").unwrap();
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer s3cret");
        assert_eq!(request.headers()[SEC_WEBSOCKET_PROTOCOL], PROTOCOL);
        assert!(!request.uri().to_string().contains("s3cret"));
        assert!(!format!("{request:?}").contains("s3cret"));
    }
}
