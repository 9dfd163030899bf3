//! `GET /api/realtime-sync`: the event stream.
//!
//! First what is stored, then what comes. The body is pulled by the connection, so a slow reader costs one event of
//! memory here and whatever its socket holds; it catches up from disk.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::auth::Caller;
use super::feed::{self, Feed, Query};
use super::filter::Filter;
use super::presence::{Here, Watch};
use super::{App, frame};
use crate::model::{Cursor, Problem};

/// Tells nginx and its like to pass each piece on at once.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What every event stream is sent with.
pub(super) const HEADERS: [(HeaderName, &str); 3] = [
    (CONTENT_TYPE, "text/event-stream"),
    (CACHE_CONTROL, "no-store, no-transform"),
    (UNBUFFERED, "no"),
];

pub(super) async fn stream(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let query = Query::read(&uri, &headers).map_err(Problem::into_response)?;
    let permit = app
        .streams
        .clone()
        .try_acquire_owned()
        .map_err(|_| full(&app))?;
    let start = feed::start(&app, query.asked)
        .await
        .map_err(Problem::into_response)?;
    let epoch = app.conductor.log().head().epoch;
    let first = if start.reset {
        Step::Reset
    } else {
        Step::Greet
    };
    let reader = Reader {
        beat: Instant::now() + app.heartbeat,
        sign: if query.beats {
            frame::LOUD_BEAT
        } else {
            frame::BEAT
        },
        feed: Feed::new(app.clone(), start.after),
        // First in, then looked around: who asks is among those who are here.
        _here: app.presence.enter(&caller.identity.actor),
        presence: query.filter.presence().then(|| Watch::new(&app.presence)),
        app,
        epoch,
        filter: query.filter,
        told: start.after,
        seen: start.after,
        step: first,
        ended: caller.ended,
        _permit: permit,
    };
    let body = Body::from_stream(stream::unfold(reader, |mut reader| async {
        let bytes = reader.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), reader))
    }));
    Ok((HEADERS, body).into_response())
}

/// The answer to one stream too many.
pub(super) fn full(app: &App) -> Response {
    let problem = Problem::new(
        503,
        "too-many-streams",
        format!(
            "{} event streams are open, which is the limit",
            app.max_streams
        ),
    )
    .hint("close one, or read GET /api/events instead");
    ([(RETRY_AFTER, "5")], problem).into_response()
}

/// What the reader gets next.
enum Step {
    /// A comment at once: it shows the reader that nothing on the way holds the stream back.
    Greet,
    /// A reset in its place.
    Reset,
    /// The first event, with the advice when to come back.
    First,
    /// An event whose preface is already sent.
    Held(Bytes),
    /// Events and heartbeats.
    Flow,
}

/// One connection.
struct Reader {
    app: App,
    feed: Feed,
    /// Who is here, where that is wanted.
    presence: Option<Watch>,
    /// This reader is here, too.
    _here: Here,
    /// What a heartbeat looks like.
    sign: Bytes,
    epoch: String,
    filter: Filter,
    /// The last position the reader was told.
    told: u64,
    /// The last position looked at.
    seen: u64,
    step: Step,
    beat: Instant,
    /// The token's end is the stream's.
    ended: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    /// The next piece of the body; `None` ends it.
    async fn next(&mut self) -> Option<Bytes> {
        match std::mem::replace(&mut self.step, Step::Flow) {
            Step::Greet => {
                self.step = Step::First;
                return Some(self.sign.clone());
            }
            Step::Reset => {
                self.step = Step::First;
                return Some(frame::reset(&self.cursor()));
            }
            Step::Held(bytes) => return Some(bytes),
            step @ (Step::First | Step::Flow) => self.step = step,
        }
        let bytes = self.wait().await?;
        self.beat = Instant::now() + self.app.heartbeat;
        if matches!(self.step, Step::First) && bytes != self.sign {
            self.step = Step::Held(bytes);
            return Some(frame::RETRY);
        }
        Some(bytes)
    }

    /// Waits for an event that passes the filter, or for the time of a heartbeat.
    async fn wait(&mut self) -> Option<Bytes> {
        loop {
            let next = tokio::select! {
                biased;
                () = self.app.shutdown.cancelled() => return None,
                () = self.ended.cancelled() => return None,
                next = self.feed.next() => next,
                news = news(&mut self.presence) => return Some(news),
                () = sleep_until(self.beat) => return Some(self.sign.clone()),
            };
            let next = match next {
                Ok(next) => next,
                Err(problem) => {
                    // The headers are long gone: end the stream, and the reader comes back with its cursor.
                    tracing::error!(%problem, "an event stream ended");
                    return None;
                }
            };
            let event = next.event();
            let hole = event.seq != self.seen + 1;
            self.seen = event.seq;
            if hole {
                // Events were removed under the reader; whatever passes the filter, it must know.
                self.told = event.seq - 1;
            } else if !self.filter.passes(event) {
                continue;
            }
            let bytes = match &next {
                _ if !self.filter.is_open() => frame::event(&self.epoch, event, Some(self.told)),
                feed::Next::Live(event) => self.app.frames.frame(&self.epoch, event),
                feed::Next::Stored(event) => frame::event(&self.epoch, event, None),
            };
            if hole {
                let reset = frame::reset(&self.cursor());
                self.told = event.seq;
                if self.filter.passes(event) {
                    self.step = Step::Held(bytes);
                }
                return Some(reset);
            }
            self.told = event.seq;
            return Some(bytes);
        }
    }

    fn cursor(&self) -> Cursor {
        Cursor {
            epoch: self.epoch.clone(),
            seq: self.told,
        }
    }
}

/// The next frame about who is here; never one where that is not wanted.
async fn news(presence: &mut Option<Watch>) -> Bytes {
    match presence {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}
