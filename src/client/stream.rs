//! The event stream with resume and fallback.
//!
//! The parser and the connection are eventsource-client's, pinned to one version; its own way to reconnect is off.
//! With it on, a refused connection is retried in silence, an event without an id makes it forget where it was, a
//! redirect gets the token, and `retry: 0` makes it hammer the server. What to do after a failure is decided in
//! [`reconnect`](super::reconnect), what is the next event in [`sequence`](super::sequence); this file only does
//! what they say.

use std::sync::Arc;
use std::time::Duration;

use eventsource_client::{BoxStream, Client as _, ClientBuilder, Error, ReconnectOptions, SSE};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::Client;
use super::poll::{self, Page};
use super::reconnect::{Failure, Reconnect, Step, StreamOptions};
use super::sequence::{Sequence, Verdict};
use super::transport::{Capped, TooLarge};
use crate::model::{Cursor, Event, Problem};

/// How the client hears of events now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Not connected yet.
    Connecting,
    /// On the event stream.
    Streaming,
    /// By long-polling, because the stream is cut or buffered on the way.
    Polling,
    /// Not connected; tries again.
    Waiting {
        /// What went wrong.
        reason: String,
        /// Milliseconds to the next attempt.
        retry_ms: u64,
    },
    /// Will not come back by itself (the token is not accepted, the server has no stream).
    Closed {
        /// Why.
        reason: String,
    },
}

/// What the stream gives.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamItem {
    /// The connection changed.
    Connection(Connection),
    /// The next event: in order, none missing, none twice.
    Event(Arc<Event>),
    /// The log is another one or begins later than asked: load the state anew and go on from here.
    Reset(Cursor),
}

/// Follows the log from `after`, `None` being its beginning; dropping the receiver ends it.
pub fn follow(client: Client, after: Option<Cursor>) -> mpsc::Receiver<StreamItem> {
    follow_with(client, after, StreamOptions::default())
}

/// As [`follow`], with other times and bounds. Must be called in a Tokio runtime.
pub fn follow_with(
    client: Client,
    after: Option<Cursor>,
    options: StreamOptions,
) -> mpsc::Receiver<StreamItem> {
    let (sender, receiver) = mpsc::channel(options.buffer.max(1));
    tokio::spawn(async move {
        let mut link = Link {
            client,
            sequence: Sequence::new(after),
            machine: Reconnect::new(options.clone()),
            options,
            sender: sender.clone(),
            told: None,
            born: Instant::now(),
        };
        // Dropping the attempt at hand closes its connection.
        tokio::select! {
            () = sender.closed() => {}
            _ = link.run() => {}
        }
    });
    receiver
}

/// The receiver is gone.
struct Gone;

/// What ends an attempt.
enum End {
    Failed(Failure),
    Gone,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

struct Link {
    client: Client,
    options: StreamOptions,
    sequence: Sequence,
    machine: Reconnect,
    sender: mpsc::Sender<StreamItem>,
    told: Option<Connection>,
    born: Instant,
}

impl Link {
    async fn run(&mut self) -> Result<(), Gone> {
        let mut step = self.machine.first();
        loop {
            let end = match step {
                Step::Stream { pause, patience } => {
                    sleep(pause).await;
                    if self.told != Some(Connection::Polling) {
                        self.tell(Connection::Connecting).await?;
                    }
                    self.stream(patience).await
                }
                Step::Poll { pause, wait } => {
                    sleep(pause).await;
                    match self.poll(wait).await {
                        Ok(idle) => {
                            self.tell(Connection::Polling).await?;
                            step = self.machine.polled(self.born.elapsed(), idle);
                            continue;
                        }
                        Err(end) => end,
                    }
                }
                Step::Stop { reason } => return self.tell(Connection::Closed { reason }).await,
            };
            let End::Failed(failure) = end else {
                return Err(Gone);
            };
            tracing::debug!(%failure, "the event stream");
            if self.client.look_for_server() {
                step = self.machine.first();
                continue;
            }
            step = self.machine.failed(self.born.elapsed(), &failure, chance());
            if let Step::Stream { pause, .. } | Step::Poll { pause, .. } = &step
                && !pause.is_zero()
            {
                self.tell(Connection::Waiting {
                    reason: failure.to_string(),
                    retry_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                })
                .await?;
            }
        }
    }

    /// One connection to the event stream, until it ends.
    async fn stream(&mut self, patience: Duration) -> End {
        match self.try_stream(patience).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn try_stream(&mut self, patience: Duration) -> Result<std::convert::Infallible, End> {
        let mut stream = self.open()?;
        let (mut connected, mut heard) = (false, false);
        loop {
            let limit = if connected && !heard {
                patience
            } else {
                self.options.read_timeout()
            };
            let item = match timeout(limit, stream.next()).await {
                Err(_) if !connected => {
                    return Err(Failure::Unreachable("no answer in time".to_owned()).into());
                }
                Err(_) if !heard => return Err(Failure::HeldBack.into()),
                Err(_) => return Err(Failure::Stalled.into()),
                Ok(None) => return Err(Failure::Ended.into()),
                Ok(Some(Err(error))) => return Err(failure_of(error, connected).await.into()),
                Ok(Some(Ok(item))) => item,
            };
            if let SSE::Connected(details) = &item {
                check(details.response())?;
                connected = true;
                continue;
            }
            if !heard {
                heard = true;
                self.machine.opened(self.born.elapsed());
                self.tell(Connection::Streaming).await?;
            }
            if let SSE::Event(message) = item {
                let name = &message.event_type;
                let verdict = self
                    .sequence
                    .message(name, message.id.as_deref(), &message.data);
                self.act(verdict).await?;
            }
        }
    }

    /// A new client for each attempt: with the position of now, and nothing left over from the one before.
    fn open(&self) -> Result<BoxStream<Result<SSE, Error>>, Failure> {
        let endpoint = self.client.endpoint();
        let unusable = |error: Error| Failure::Unreachable(error.to_string());
        let url = endpoint
            .url
            .join("api/realtime-sync")
            .map_err(|error| Failure::Unreachable(error.to_string()))?;
        let mut builder = ClientBuilder::for_url(url.as_str())
            .and_then(|b| b.header("Authorization", &format!("Bearer {}", endpoint.token)))
            .map_err(unusable)?
            .redirect_limit(0)
            .reconnect(
                ReconnectOptions::reconnect(false)
                    .retry_initial(false)
                    .build(),
            );
        if let Some(cursor) = self.sequence.cursor() {
            builder = builder.last_event_id(cursor.to_string());
        }
        let transport = Capped {
            http: self.client.http.clone(),
            max_event: self.options.max_event,
        };
        Ok(builder.build_with_transport(transport).stream())
    }

    /// One long-poll. True when it was answered with nothing long before its time: to ask again at once would
    /// hammer whatever answers so.
    async fn poll(&mut self, wait: Duration) -> Result<bool, End> {
        let after = self.sequence.cursor();
        let began = Instant::now();
        let page = poll::fetch(&self.client, after.as_ref(), self.options.poll_limit, wait).await?;
        let Page {
            events,
            next,
            reset,
        } = page;
        let idle = events.is_empty() && began.elapsed() < wait / 2;
        if reset {
            let first = events.first().and_then(|event| event["seq"].as_u64());
            let cursor = Cursor {
                seq: first.map_or(next.seq, |first| first.saturating_sub(1)),
                epoch: next.epoch.clone(),
            };
            let verdict = self.sequence.reset(cursor);
            self.act(verdict).await?;
        } else if after.is_some_and(|after| after.epoch != next.epoch) {
            return Err(Failure::Garbled("a page of another log".to_owned()).into());
        }
        for event in events {
            let verdict = self.sequence.item(event);
            self.act(verdict).await?;
        }
        self.sequence.page_end(next);
        Ok(idle)
    }

    async fn act(&mut self, verdict: Verdict) -> Result<(), End> {
        match verdict {
            Verdict::Deliver(event) => {
                self.machine.delivered();
                self.send(StreamItem::Event(event)).await?;
            }
            Verdict::Reset(cursor) => self.send(StreamItem::Reset(cursor)).await?,
            Verdict::Skip => {}
            Verdict::Garbled(what) => return Err(Failure::Garbled(what).into()),
        }
        Ok(())
    }

    async fn tell(&mut self, connection: Connection) -> Result<(), Gone> {
        if self.told.as_ref() == Some(&connection) {
            return Ok(());
        }
        self.told = Some(connection.clone());
        self.send(StreamItem::Connection(connection)).await
    }

    async fn send(&self, item: StreamItem) -> Result<(), Gone> {
        self.sender.send(item).await.map_err(|_| Gone)
    }
}

/// 0 to 999. Without random numbers all clients come back at the same time, which is no reason to stop.
pub(super) fn chance() -> u32 {
    getrandom::u32().unwrap_or(500) % 1000
}

/// Only 200 with the right media type is a stream: a proxy's sign-in page is 200 too.
fn check(response: &eventsource_client::Response) -> Result<(), Failure> {
    if response.status() != 200 {
        return Err(Failure::Status {
            code: response.status(),
            detail: None,
            retry_after: None,
        });
    }
    let kind = response
        .get_header_value("content-type")
        .ok()
        .flatten()
        .unwrap_or("no media type");
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/event-stream") {
        Ok(())
    } else {
        Err(Failure::NotAStream(kind.chars().take(80).collect()))
    }
}

async fn failure_of(error: Error, connected: bool) -> Failure {
    match error {
        Error::UnexpectedResponse(response, body) => {
            if (300..400).contains(&response.status()) {
                return Failure::Redirected;
            }
            let retry_after = response.get_header_value("retry-after").ok().flatten();
            Failure::Status {
                code: response.status(),
                retry_after: retry_after.and_then(poll::retry_after),
                detail: problem_detail(body.into_stream()).await,
            }
        }
        Error::MaxRedirectLimitReached(_) | Error::MalformedLocationHeader(_) => {
            Failure::Redirected
        }
        Error::Transport(error) => {
            let root = root_cause(error.inner());
            if root.is::<TooLarge>() {
                Failure::Garbled(root.to_string())
            } else if connected {
                Failure::Ended
            } else {
                Failure::Unreachable(root.to_string())
            }
        }
        Error::Eof | Error::UnexpectedEof | Error::HttpStream(_) => Failure::Ended,
        Error::TimedOut => Failure::Stalled,
        Error::InvalidLine(_) | Error::InvalidEvent => Failure::Garbled(error.to_string()),
        Error::InvalidParameter(_) => Failure::Unreachable(error.to_string()),
    }
}

/// The innermost error: "connection refused" and not "error sending request".
pub(super) fn root_cause<'a>(
    mut error: &'a (dyn std::error::Error + 'static),
) -> &'a (dyn std::error::Error + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// What the problem document of a refused stream says.
async fn problem_detail(mut body: launchdarkly_sdk_transport::ByteStream) -> Option<String> {
    let read = async {
        let mut bytes = Vec::new();
        while let Some(Ok(piece)) = body.next().await {
            bytes.extend_from_slice(&piece);
            if bytes.len() > 64 * 1024 {
                break;
            }
        }
        bytes
    };
    let bytes = timeout(Duration::from_secs(2), read).await.ok()?;
    let problem: Problem = serde_json::from_slice(&bytes).ok()?;
    Some(problem.detail)
}
