//! Times and bounds of the event stream's client.

use std::time::Duration;

/// Times and bounds of the event stream's client.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamOptions {
    /// The longest silence of the server (its heartbeat); after three times as much the connection is taken for dead.
    pub heartbeat: Duration,
    /// A connected stream that gives nothing at all for so long is held back by something on the way.
    pub patience: Duration,
    /// The same while long-polling, when the stream is only tried.
    pub trial: Duration,
    /// The first attempt after a good connection comes after this, up to two and a half times of it.
    pub quick: Duration,
    /// The second attempt comes after this; each later one after twice the one before.
    pub delay: Duration,
    /// The longest of these delays.
    pub max_delay: Duration,
    /// A connection without events that lasted so long was a good one.
    pub good: Duration,
    /// Streams that may break in a row before long-polling takes over.
    pub broken_streams: u32,
    /// While long-polling, the stream is tried again so often.
    pub retry_stream: Duration,
    /// Events in a long-poll's page.
    pub poll_limit: usize,
    /// How long the server may wait with an answer to a long-poll.
    pub poll_wait: Duration,
    /// The largest event, in bytes as sent.
    pub max_event: usize,
    /// Items that may wait for the reader.
    pub buffer: usize,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(10),
            patience: Duration::from_secs(20),
            trial: Duration::from_secs(3),
            quick: Duration::from_millis(100),
            delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(16),
            good: Duration::from_secs(5),
            broken_streams: 3,
            retry_stream: Duration::from_secs(60),
            poll_limit: 500,
            poll_wait: Duration::from_secs(25),
            max_event: 1024 * 1024,
            buffer: 256,
        }
    }
}

impl StreamOptions {
    /// The silence after which a connection is taken for dead.
    pub fn read_timeout(&self) -> Duration {
        self.heartbeat * 3
    }
}
