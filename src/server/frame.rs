//! Events as bytes of a `text/event-stream`, made once for all readers.
//!
//! Nothing here can inject a field: the id is an epoch of letters and digits with a number, the event name one of
//! the contract's, and JSON has no raw line ends.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde_json::json;

use crate::model::{Cursor, Event};

/// A comment, so that a quiet connection is known to live. One line without a blank one: some parsers take a blank
/// line after a comment for an event without data.
pub(super) const BEAT: Bytes = Bytes::from_static(b":\n");

/// The same as an event without an id, for readers that are told of no comments: a browser's page sees by it that nothing on
/// the way holds the stream back.
pub(super) const LOUD_BEAT: Bytes = Bytes::from_static(b"event: beat\ndata: {}\n\n");

/// How soon a browser should come back, in front of the first event of a connection (alone, some parsers choke on it).
pub(super) const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n");

/// Frames kept for readers that are a little behind the first one.
const KEPT: usize = 64;

/// Frames larger than this are made anew for each reader: they are rare, and the cache stays small.
const MAX_KEPT_BYTES: usize = 64 * 1024;

/// `event` as a frame. `prev`, on filtered streams, is the last position this reader was told before.
pub(super) fn event(epoch: &str, event: &Event, prev: Option<u64>) -> Bytes {
    let mut frame = Vec::with_capacity(512);
    frame.extend_from_slice(
        format!("id: {epoch}-{}\nevent: {}\ndata: ", event.seq, event.kind).as_bytes(),
    );
    // An event came out of JSON and goes into it; writing to memory does not fail.
    let written = serde_json::to_writer(&mut frame, event);
    debug_assert!(written.is_ok());
    if let Some(prev) = prev
        && frame.pop().is_some()
    {
        frame.extend_from_slice(format!(",\"prev\":{prev}}}").as_bytes());
    }
    frame.extend_from_slice(b"\n\n");
    frame.into()
}

/// The notice that the reader's position cannot be continued from; what follows continues from `cursor`.
pub(super) fn reset(cursor: &Cursor) -> Bytes {
    format!(
        "id: {cursor}\nevent: reset\ndata: {}\n\n",
        json!({ "cursor": cursor })
    )
    .into()
}

/// The newest frames: a thousand readers of one event share its bytes.
#[derive(Default)]
pub(super) struct FrameCache(Mutex<VecDeque<(u64, Bytes)>>);

impl FrameCache {
    /// The frame of `event`, without `prev`.
    pub(super) fn frame(&self, epoch: &str, event: &Event) -> Bytes {
        let find = |frames: &VecDeque<(u64, Bytes)>| {
            frames
                .iter()
                .rev()
                .find(|(seq, _)| *seq == event.seq)
                .map(|(_, frame)| frame.clone())
        };
        if let Some(frame) = find(&self.lock()) {
            return frame;
        }
        let frame = self::event(epoch, event, None);
        let mut frames = self.lock();
        // Only the newest are worth keeping: a reader of old events would push out what all others are about to need.
        if frame.len() <= MAX_KEPT_BYTES && frames.back().is_none_or(|(seq, _)| *seq < event.seq) {
            if frames.len() >= KEPT {
                frames.pop_front();
            }
            frames.push_back((event.seq, frame.clone()));
        }
        frame
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(u64, Bytes)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;
    use crate::model::EventKind;

    fn notice(seq: u64, message: &str) -> Event {
        Event {
            seq,
            at: Timestamp::UNIX_EPOCH,
            kind: EventKind::Notice,
            project: "site".into(),
            instruction: None,
            proposal: None,
            deployment: None,
            environment: None,
            actor: "a\r\nb".into(),
            data: json!({ "message": message }),
        }
    }

    #[test]
    fn a_frame_is_three_fields_and_a_blank_line_whatever_the_text() {
        for prev in [None, Some(4)] {
            let bytes = event("k3f9", &notice(7, "x\n\ndata: y\r\nid: 1\u{2028}\0"), prev);
            let text = std::str::from_utf8(&bytes).unwrap();
            assert!(!text.contains('\r'));
            let lines: Vec<&str> = text.split('\n').collect();
            assert_eq!(lines[..2], ["id: k3f9-7", "event: notice"]);
            assert_eq!(lines[3..], ["", ""]);
            let data: Value =
                serde_json::from_str(lines[2].strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(data.get("prev").and_then(Value::as_u64), prev);
            assert_eq!(data["actor"], "a\r\nb");
            let back: Event = serde_json::from_value(data).unwrap();
            assert_eq!(back.seq, 7);
        }
    }

    #[test]
    fn the_cache_gives_the_same_bytes_and_stays_small() {
        let cache = FrameCache::default();
        for seq in 1..=200 {
            let first = cache.frame("e", &notice(seq, "x"));
            let second = cache.frame("e", &notice(seq, "x"));
            assert_eq!(first.as_ptr(), second.as_ptr());
            assert_eq!(first, event("e", &notice(seq, "x"), None));
        }
        // An old one and a huge one are right, and leave the cache as it was.
        assert_eq!(
            cache.frame("e", &notice(1, "x")),
            event("e", &notice(1, "x"), None)
        );
        let huge = notice(201, &"x".repeat(MAX_KEPT_BYTES));
        assert_eq!(cache.frame("e", &huge), event("e", &huge, None));
        let frames = cache.lock();
        assert_eq!(frames.len(), KEPT);
        assert_eq!(frames.front().unwrap().0, 200 - KEPT as u64 + 1);
    }
}
