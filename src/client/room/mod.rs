//! A room of a team, as a client sees it: `WS /realtime/{room}` with the Yjs sync and awareness protocols.
//!
//! What the document holds and which frame answers which is [`replica`]; when to come back and how is [`way`]; both
//! are pure. `link` only moves frames: it opens sockets, waits, and long-polls over HTTP where sockets do not get
//! through. Whoever joins owns the document, takes what the link brings, and gives it frames to send; so a document
//! goes on working without any connection, and what was written meanwhile is in the answer to the server's first
//! question on return.

mod http;
pub mod kept;
mod link;
pub mod replica;
mod socket;
pub mod way;

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

pub use link::join;

use super::reconnect::StreamOptions;

/// The WebSocket subprotocol; the server selects it.
pub const PROTOCOL: &str = "sayso.v1";

/// How a room is reached now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Not connected yet.
    #[default]
    Connecting,
    /// On a WebSocket.
    Live,
    /// By HTTP, because WebSockets are cut on the way.
    ByHttp,
    /// Not connected; tries again.
    Waiting {
        /// What went wrong.
        reason: String,
        /// Milliseconds to the next attempt.
        retry_ms: u64,
    },
    /// Will not come back by itself.
    Closed {
        /// Why, and what a person can do.
        reason: String,
    },
}

impl Standing {
    /// True when what is written now reaches the others.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live | Self::ByHttp)
    }
}

/// What a link brings.
#[derive(Clone, Debug, PartialEq)]
pub enum RoomItem {
    /// The connection changed.
    Standing(Standing),
    /// A conversation with the server begins: it is to be greeted with the first frames, by [`RoomLink::greet`].
    Open,
    /// A frame of the server.
    Frame(Bytes),
    /// A frame with the presence of all: whoever is not in it is not here.
    Everyone(Bytes),
    /// Others forget who is silent: it is time to be announced again.
    Renew,
}

/// What a link is told.
#[derive(Debug)]
enum Told {
    /// The first frames of a conversation.
    Greeting(Vec<Bytes>),
    /// Frames to send; without a connection they are dropped, since the next greeting makes up for them.
    Frames(Vec<Bytes>),
}

/// The way to a link's server. Dropping the last clone leaves the room.
#[derive(Clone, Debug)]
pub struct RoomLink {
    told: mpsc::UnboundedSender<Told>,
}

impl RoomLink {
    /// Answers [`RoomItem::Open`].
    pub fn greet(&self, frames: Vec<Bytes>) {
        // A link that has ended needs no greeting.
        let _ = self.told.send(Told::Greeting(frames));
    }

    /// Sends frames.
    pub fn send(&self, frames: Vec<Bytes>) {
        if !frames.is_empty() {
            let _ = self.told.send(Told::Frames(frames));
        }
    }
}

/// Times and bounds of a room's client.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomOptions {
    /// Those that it shares with the event stream.
    pub stream: StreamOptions,
    /// A person is announced anew so often: others forget who was silent for 30 s.
    pub renew: Duration,
    /// How long to wait for the answer to an upgrade.
    pub open: Duration,
    /// By HTTP: the time between two rounds while nothing is written.
    pub round: Duration,
    /// The longest message of the server, in bytes.
    pub max_message: usize,
}

impl Default for RoomOptions {
    fn default() -> Self {
        Self {
            stream: StreamOptions::default(),
            renew: Duration::from_secs(15),
            open: Duration::from_secs(10),
            round: Duration::from_secs(1),
            max_message: 16 * 1024 * 1024,
        }
    }
}
