//! How bytes reach eventsource-client: through this crate's own HTTP client, and never more than one event's worth.
//!
//! By itself that library takes an event of any size into memory (64 MiB cost 300 MB in a trial). So the bytes are
//! counted on their way in, from blank line to blank line, and the stream ends when an event grows too large.

use bytes::Bytes;
use futures::StreamExt as _;
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, ResponseFuture, TransportError};

/// A transport that ends a stream at an event of more than `max_event` bytes.
#[derive(Clone)]
pub(super) struct Capped {
    pub(super) http: reqwest::Client,
    pub(super) max_event: usize,
}

/// The reason given for an event that is too large.
#[derive(Debug)]
pub(super) struct TooLarge(usize);

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an event of more than {} bytes", self.0)
    }
}

impl std::error::Error for TooLarge {}

impl HttpTransport for Capped {
    fn request(&self, request: http::Request<Option<Bytes>>) -> ResponseFuture {
        let http = self.http.clone();
        let mut gauge = Gauge::new(self.max_event);
        Box::pin(async move {
            let request = request.map(Option::unwrap_or_default);
            let request = reqwest::Request::try_from(request).map_err(TransportError::new)?;
            let answer = http.execute(request).await.map_err(TransportError::new)?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let bytes = answer.bytes_stream().map(move |piece| {
                let piece = piece.map_err(TransportError::new)?;
                if gauge.admits(&piece) {
                    Ok(piece)
                } else {
                    Err(TransportError::new(TooLarge(gauge.max)))
                }
            });
            let bytes: ByteStream = Box::pin(bytes);
            let mut response = http::Response::new(bytes);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok(response)
        })
    }
}

/// Counts the bytes of the event at hand.
struct Gauge {
    max: usize,
    /// Bytes of its finished lines.
    event: usize,
    /// Bytes of the unfinished line.
    line: usize,
    /// The unfinished line is a comment: nobody keeps it, so it does not add to the event.
    comment: bool,
    /// A line feed that follows a carriage return ends no line of its own.
    after_cr: bool,
}

impl Gauge {
    fn new(max: usize) -> Self {
        Self {
            max,
            event: 0,
            line: 0,
            comment: false,
            after_cr: false,
        }
    }

    /// Takes the next bytes; false when the event at hand has become too large.
    fn admits(&mut self, bytes: &[u8]) -> bool {
        for part in bytes.split_inclusive(|b| matches!(b, b'\n' | b'\r')) {
            let cr_before = std::mem::take(&mut self.after_cr);
            if cr_before && part == b"\n" {
                continue;
            }
            let (text, ends) = match part {
                [text @ .., end @ (b'\n' | b'\r')] => {
                    self.after_cr = *end == b'\r';
                    (text, true)
                }
                text => (text, false),
            };
            if self.line == 0 {
                self.comment = text.first() == Some(&b':');
            }
            self.line += text.len();
            if self.event + self.line > self.max {
                return false;
            }
            if ends {
                self.event = match (self.line, self.comment) {
                    (0, _) => 0,
                    (_, true) => self.event,
                    (line, false) => self.event + line,
                };
                self.line = 0;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gauge_counts_events_however_they_are_cut() {
        let small = "data: 12345678\n\n";
        let rows = [
            (small.repeat(50), true),
            (small.replace('\n', "\r\n").repeat(50), true),
            (small.replace('\n', "\r").repeat(50), true),
            (":\n".repeat(100), true),
            (": a comment\n".repeat(100), true),
            ("data: 1\n".repeat(6), false),
            ("data: 1\r\n".repeat(6), false),
            (":\ndata: 1\n".repeat(6), false),
            (format!("data: {}", "x".repeat(40)), false),
            (format!(":{}", "x".repeat(40)), false),
            (format!("{small}{}", "x".repeat(33)), false),
        ];
        for (text, fine) in &rows {
            for size in [1, 2, 3, 7, 1000] {
                let mut gauge = Gauge::new(32);
                let admitted = text
                    .as_bytes()
                    .chunks(size)
                    .all(|piece| gauge.admits(piece));
                assert_eq!(admitted, *fine, "{text:?} in pieces of {size}");
            }
        }
    }
}
