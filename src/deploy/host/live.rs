//! What open pages are told: the live release, and how the running deployment is getting on.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::model::{DeploymentState, Progress, ReleaseId};

/// Pause between two heartbeat comments.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long the end of a deployment is still news to a page that has just been loaded.
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// The script that shows it.
const CLIENT: &str = include_str!("../../../assets/host/client.js");

/// The newest of each: a slow page skips what is out of date instead of queueing it.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    /// What is live.
    pub release: Option<ReleaseId>,
    /// The last progress announced.
    pub progress: Option<Announced>,
}

/// A deployment's progress as it was announced.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    /// Counts up with every announcement.
    pub serial: u64,
    /// How far it is.
    pub progress: Progress,
    /// Where it stands.
    pub state: DeploymentState,
    /// When it ended.
    pub ended: Option<Instant>,
}

impl Announced {
    fn event(&self) -> Event {
        let data = json!({
            "percent": self.progress.percent,
            "stage": self.progress.stage,
            "message": self.progress.message,
            "eta_ms": self.progress.eta_ms,
            "state": self.state,
            "ended_ms": self.ended.map(|at| at.elapsed().as_millis() as u64),
        });
        Event::default().event("progress").data(data.to_string())
    }

    fn is_old(&self) -> bool {
        self.ended.is_some_and(|at| at.elapsed() > LINGER)
    }
}

struct Reader {
    news: watch::Receiver<News>,
    stop: CancellationToken,
    /// `None` until the first event: a page is always told at once what is live.
    release: Option<Option<ReleaseId>>,
    serial: u64,
    waiting: VecDeque<Event>,
}

impl Reader {
    fn collect(&mut self) {
        let news = self.news.borrow_and_update();
        // Progress first: a page that is about to reload has then shown the last of it.
        if let Some(announced) = &news.progress {
            if announced.serial != self.serial && !announced.is_old() {
                self.waiting.push_back(announced.event());
            }
            self.serial = announced.serial;
        }
        if self.release.as_ref() != Some(&news.release) {
            self.release = Some(news.release.clone());
            let data = json!({ "release": news.release });
            self.waiting
                .push_back(Event::default().event("release").data(data.to_string()));
        }
    }
}

/// The event stream of one page; ends when `stop` is cancelled.
pub(super) fn events(news: watch::Receiver<News>, stop: CancellationToken) -> Response {
    let reader = Reader {
        news,
        stop,
        release: None,
        serial: 0,
        waiting: VecDeque::new(),
    };
    let stream = futures::stream::unfold(reader, |mut reader| async move {
        if reader.release.is_none() {
            reader.collect();
        }
        loop {
            if let Some(event) = reader.waiting.pop_front() {
                return Some((Ok::<_, Infallible>(event), reader));
            }
            tokio::select! {
                () = reader.stop.cancelled() => return None,
                changed = reader.news.changed() => {
                    changed.ok()?;
                    reader.collect();
                }
            }
        }
    });
    let mut response = Sse::new(stream)
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response();
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The script.
pub(super) fn client() -> Response {
    let mut response = CLIENT.into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/javascript; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_small_and_asks_for_nothing_else() {
        assert!(CLIENT.len() < 6 * 1024, "{} bytes", CLIENT.len());
        for word in ["import ", "http://", "https://", "eval(", "innerHTML"] {
            assert!(!CLIENT.contains(word), "{word}");
        }
        for word in [
            "role",
            "prefers-reduced-motion",
            "prefers-color-scheme",
            "attachShadow",
        ] {
            assert!(CLIENT.contains(word), "{word}");
        }
    }
}
