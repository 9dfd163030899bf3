//! Where a reader of the log stands, and the log's events one after the other: from disk, then live.

use std::collections::VecDeque;
use std::str::FromStr as _;

use axum::http::{HeaderMap, Uri};
use url::form_urlencoded;

use super::filter::Filter;
use super::{App, blocking};
use crate::events::Follower;
use crate::model::{Cursor, Event, Problem};

/// Events read from disk at a time: an event can be half a megabyte.
const PAGE: usize = 64;

/// How far a live reader may fall behind before it reads from disk in pages again.
const BEHIND: u64 = 512;

/// How long this server's copy may take to have what a reader has from another server of the project.
const BEHIND_OTHERS: std::time::Duration = std::time::Duration::from_secs(3);

/// The position a reader asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// From the oldest event kept.
    Oldest,
    /// After this position.
    After(Cursor),
    /// After this sequence number of the present log.
    AfterSeq(u64),
    /// An id that is no cursor of ours: as good as one of another log.
    Foreign,
}

/// A checked position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The last event that the reader has.
    pub(super) after: u64,
    /// True when the reader's own position cannot be continued from.
    pub(super) reset: bool,
}

/// The query of the two event calls.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) asked: Asked,
    pub(super) filter: Filter,
    pub(super) limit: usize,
    /// Seconds.
    pub(super) wait: u64,
    /// Heartbeats are events, for readers that are told of no comments.
    pub(super) beats: bool,
}

impl Query {
    /// Reads `after`, `channel`, `limit`, `wait` and `beats`; the header `Last-Event-ID` beats `after`. A name that is not
    /// known is ignored, as everywhere on the web.
    ///
    /// # Errors
    /// 400 for a malformed value.
    pub(super) fn read(uri: &Uri, headers: &HeaderMap) -> Result<Self, Problem> {
        let mut query = Self {
            asked: Asked::Oldest,
            filter: Filter::default(),
            limit: 500,
            wait: 0,
            beats: false,
        };
        let text = uri.query().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match &*name {
                // What a browser that opens its stream anew by hand sends.
                "after" | "last_event_id" | "lastEventId" => query.asked = asked(&value)?,
                "channel" => query.filter.add(&value)?,
                "limit" => query.limit = number(&name, &value, 1, 1000)? as usize,
                "wait" => query.wait = number(&name, &value, 0, 60)?,
                "beats" => query.beats = number(&name, &value, 0, 1)? == 1,
                _ => {}
            }
        }
        if let Some(id) = headers.get("last-event-id").filter(|id| !id.is_empty()) {
            // A stream that began elsewhere: answer with a reset, not with an error that ends a browser's
            // EventSource for good.
            query.asked = id
                .to_str()
                .ok()
                .and_then(|id| Cursor::from_str(id).ok())
                .map_or(Asked::Foreign, Asked::After);
        }
        Ok(query)
    }
}

fn asked(value: &str) -> Result<Asked, Problem> {
    if value.is_empty() {
        return Ok(Asked::Oldest);
    }
    if let Ok(seq) = value.parse() {
        return Ok(Asked::AfterSeq(seq));
    }
    value.parse().map(Asked::After).map_err(|error: String| {
        Problem::bad_request(error)
            .hint("pass the id of the last event you have, or leave it out to begin at the oldest")
    })
}

fn number(name: &str, value: &str, least: u64, most: u64) -> Result<u64, Problem> {
    value
        .parse()
        .ok()
        .filter(|n| (least..=most).contains(n))
        .ok_or_else(|| {
            Problem::bad_request(format!(
                "{name}={value:?} is not a number from {least} to {most}"
            ))
        })
}

/// Where a reader that asked for `asked` begins.
///
/// # Errors
/// When the log cannot be read.
pub(super) async fn start(app: &App, asked: Asked) -> Result<Start, Problem> {
    if let Asked::After(cursor) = &asked
        && app.others.is_some()
    {
        // The reader comes from another server of the project, which was a moment ahead.
        let wait = app.conductor.log().reached(cursor);
        let _ = tokio::time::timeout(BEHIND_OTHERS, wait).await;
    }
    blocking(app, move |conductor| {
        let log = conductor.log();
        let head = log.head();
        let foreign = asked == Asked::Foreign;
        let cursor = match asked {
            Asked::Oldest | Asked::Foreign => None,
            Asked::After(cursor) => Some(cursor),
            Asked::AfterSeq(seq) => Some(Cursor { seq, ..head }),
        };
        if let Some(cursor) = &cursor
            && log.reaches(cursor)?
        {
            return Ok(Start {
                after: cursor.seq,
                reset: false,
            });
        }
        Ok(Start {
            after: log.oldest()?.saturating_sub(1),
            reset: cursor.is_some() || foreign,
        })
    })
    .await
}

/// The events after a position, waiting at the end.
pub(super) struct Feed {
    app: App,
    /// The last event given.
    last: u64,
    page: VecDeque<Event>,
    live: Option<Follower>,
}

/// The next event of a [`Feed`]. It is written out at once and never kept, so its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(super) enum Next {
    /// From a page.
    Stored(Event),
    /// From the live tail, shared with the other readers.
    Live(std::sync::Arc<Event>),
}

impl Next {
    pub(super) fn event(&self) -> &Event {
        match self {
            Self::Stored(event) => event,
            Self::Live(event) => event,
        }
    }
}

impl Feed {
    pub(super) fn new(app: App, after: u64) -> Self {
        Self {
            app,
            last: after,
            page: VecDeque::new(),
            live: None,
        }
    }

    /// The next event; waits for it. Safe to drop half-way.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) async fn next(&mut self) -> Result<Next, Problem> {
        loop {
            if let Some(event) = self.page.pop_front() {
                self.last = event.seq;
                return Ok(Next::Stored(event));
            }
            let behind = self
                .app
                .conductor
                .log()
                .head()
                .seq
                .saturating_sub(self.last);
            match &mut self.live {
                // The follower reads from disk on the runtime's own thread; only let it where that is short.
                Some(live) if behind <= BEHIND => {
                    let event = live.next().await?;
                    self.last = event.seq;
                    return Ok(Next::Live(event));
                }
                None if behind <= PAGE as u64 / 4 => {
                    self.live = Some(self.app.conductor.log().follow(self.last));
                }
                _ => {
                    self.live = None;
                    let last = self.last;
                    let page =
                        blocking(&self.app, move |conductor| conductor.log().read(last, PAGE))
                            .await?;
                    self.page = page.into();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(query: &str, header: Option<&str>) -> Result<Query, Problem> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(
                "last-event-id",
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        Query::read(&format!("/x?{query}").parse().unwrap(), &headers)
    }

    #[test]
    fn positions() {
        let at = |seq| {
            Asked::After(Cursor {
                epoch: "k3".into(),
                seq,
            })
        };
        for (query, header, expected) in [
            ("", None, Asked::Oldest),
            ("after=", None, Asked::Oldest),
            ("after=k3-4", None, at(4)),
            ("last_event_id=k3-4", None, at(4)),
            ("after=17", None, Asked::AfterSeq(17)),
            ("after=k3-4", Some("k3-9"), at(9)),
            ("after=k3-4", Some(""), at(4)),
            ("", Some("nonsense"), Asked::Foreign),
            ("", Some("\u{e9}-1"), Asked::Foreign),
        ] {
            assert_eq!(
                read(query, header).unwrap().asked,
                expected,
                "{query:?} {header:?}"
            );
        }
        for bad in [
            "after=x",
            "after=k3-",
            "limit=0",
            "limit=1001",
            "limit=x",
            "wait=61",
            "wait=-1",
            "beats=yes",
            "channel=x",
        ] {
            assert_eq!(read(bad, None).unwrap_err().status, 400, "{bad}");
        }
        let query = read("limit=7&wait=25&other=1", None).unwrap();
        assert_eq!((query.limit, query.wait, query.beats), (7, 25, false));
        assert!(read("beats=1", None).unwrap().beats);
    }
}
