//! `GET /api/events`: the log in pages, and long-polling where an event stream does not get through.

use std::io;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::Serialize;
use serde_json::Value;

use super::auth::Caller;
use super::feed::{self, Query, Start};
use super::filter::Filter;
use super::presence::Watch;
use super::{App, blocking};
use crate::events::EventLog;
use crate::model::api::EventPage;
use crate::model::{Cursor, Event, Problem};

/// A page ends after so many bytes of events, even if more were asked for.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Events read from disk at a time.
const CHUNK: usize = 64;

/// A page, and who is here where that was asked for.
#[derive(Serialize)]
pub(super) struct Answer {
    #[serde(flatten)]
    page: EventPage,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence: Option<Value>,
}

pub(super) async fn page(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<axum::Json<Answer>, Problem> {
    let Query {
        asked,
        filter,
        limit,
        wait,
        beats: _,
    } = Query::read(&uri, &headers)?;
    // Who waits follows the events as a reader of the stream does.
    let _here = (wait > 0).then(|| app.presence.enter(&caller.identity.actor));
    let mut presence = filter.presence().then(|| Watch::new(&app.presence));
    if let Some(watch) = &mut presence {
        // How it is now goes with the answer; only what changes ends the wait.
        watch.next().await;
    }
    let Start { mut after, reset } = feed::start(&app, asked).await?;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(wait);
    let filter = std::sync::Arc::new(filter);
    let _waiting = app.counters.waiting();
    loop {
        let (events, next) = {
            let filter = filter.clone();
            blocking(&app, move |conductor| {
                read(conductor.log(), after, limit, &filter)
            })
            .await?
        };
        after = next;
        // A reader that must load its state anew should hear so at once.
        if !events.is_empty() || reset || !news(&app, &caller, after, &mut presence, deadline).await
        {
            let epoch = app.conductor.log().head().epoch;
            let next = Cursor { epoch, seq: after };
            return Ok(axum::Json(Answer {
                page: EventPage {
                    events,
                    next,
                    reset,
                },
                presence: presence.map(|_| app.presence.all()),
            }));
        }
    }
}

/// Waits for an event after `after`; false when the time is up, the token or the server is about to end, or who is here has
/// changed.
async fn news(
    app: &App,
    caller: &Caller,
    after: u64,
    presence: &mut Option<Watch>,
    deadline: tokio::time::Instant,
) -> bool {
    let mut follower = app.conductor.log().follow(after);
    let changed = async {
        match presence {
            Some(watch) => drop(watch.next().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = app.shutdown.cancelled() => false,
        () = caller.ended.cancelled() => false,
        next = follower.next() => next.is_ok(),
        () = changed => false,
        () = tokio::time::sleep_until(deadline) => false,
    }
}

/// Up to `limit` events after `after` that pass, and the last position looked at.
fn read(
    log: &EventLog,
    mut after: u64,
    limit: usize,
    filter: &Filter,
) -> Result<(Vec<Event>, u64), Problem> {
    let mut events = Vec::new();
    let mut bytes = 0;
    loop {
        let chunk = log.read(after, CHUNK)?;
        let at_end = chunk.len() < CHUNK;
        for event in chunk {
            if filter.passes(&event) {
                bytes += size(&event);
                if !events.is_empty() && (events.len() == limit || bytes > PAGE_BYTES) {
                    return Ok((events, after));
                }
                after = event.seq;
                events.push(event);
            } else {
                after = event.seq;
            }
        }
        if at_end || events.len() == limit {
            return Ok((events, after));
        }
    }
}

/// The length of an event as JSON.
fn size(event: &Event) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting does not fail; an event that does not serialise would count what it wrote.
    let _ = serde_json::to_writer(&mut count, event);
    count.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{EventKind, NewEvent};
    use crate::store::Store;

    #[tokio::test]
    async fn pages_are_bounded_in_number_and_bytes_and_go_on_where_they_ended() {
        let dir = tempfile::tempdir().unwrap();
        let log = EventLog::open(Store::open(&dir.path().join("db")).unwrap(), "site").unwrap();
        let event = |n: usize| {
            let mut event = NewEvent::new(EventKind::Notice, "a", json!("x".repeat(n)));
            event.proposal = Some("pro_1".into()).filter(|_| n > 1000);
            event
        };
        log.append((0..200).map(|_| event(10)).collect(), vec![])
            .await
            .unwrap();
        log.append((0..5).map(|_| event(500_000)).collect(), vec![])
            .await
            .unwrap();
        let open = Filter::default();
        let seqs = |(events, next): (Vec<Event>, u64)| {
            (
                events.first().unwrap().seq,
                events.last().unwrap().seq,
                next,
            )
        };
        assert_eq!(seqs(read(&log, 0, 100, &open).unwrap()), (1, 100, 100));
        assert_eq!(seqs(read(&log, 100, 64, &open).unwrap()), (101, 164, 164));
        assert_eq!(seqs(read(&log, 164, 1000, &open).unwrap()), (165, 204, 204));
        assert_eq!(seqs(read(&log, 204, 1000, &open).unwrap()), (205, 205, 205));
        let mut filter = Filter::default();
        filter.add("proposal:pro_1").unwrap();
        assert_eq!(seqs(read(&log, 0, 2, &filter).unwrap()), (201, 202, 202));
        // Nothing fits, but the reader need not look at the same events again.
        let mut none = Filter::default();
        none.add("proposal:pro_2").unwrap();
        assert_eq!(read(&log, 0, 10, &none).unwrap(), (vec![], 205));
    }
}
