//! Tells other programs what happens: signed, in order, again when they do not answer (each time after a longer wait, which
//! is partly random, so that many of us do not come back together), and on from where it was after a restart.
//!
//! Headers: `X-Sayso-Event` (the event's type), `X-Sayso-Delivery` (`<epoch>-<seq>`, the same at each try),
//! `X-Sayso-Timestamp` (seconds since 1970), `X-Sayso-Signature` (`sha256=` and the hex HMAC-SHA-256, keyed with
//! SAYSO_WEBHOOK_SECRET, of delivery, `.`, timestamp, `.`, body). The body is the event. The same is taken at
//! `POST /api/webhooks/generic`.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::Conductor;
use super::records::Change;
use crate::events::EventLog;
use crate::model::news::Topic;
use crate::model::{Cursor, Event, EventKind, NewEvent, Problem, signature};

/// Where a receiver is, by its address.
const CURSOR: &str = "outgoing-webhook";

/// How often an event is told before it is given up.
const TRIES: u32 = 7;

/// The wait before the second try; each one after it is four times as long.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(600);

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Which events a receiver is told.
type Told = Arc<dyn Fn(&Event) -> bool + Send + Sync>;

/// Where a number from 0 to 1 comes from.
type Random = fn() -> f64;

impl Conductor {
    /// Tells `urls` about deployments from now on, signed with `secret`. `pace` scales the waits between tries (1 in
    /// production).
    ///
    /// # Errors
    /// `config` when there is no secret to sign with, or an address is none.
    pub fn tell_others(
        self: &Arc<Self>,
        urls: &[String],
        secret: Option<String>,
        pace: f64,
    ) -> Result<(), Problem> {
        let told: Told = Arc::new(|event| is_told(event.kind));
        self.tell_of("[deploy] webhooks", "", urls, secret, pace, told)
    }

    /// The same for those of `topics`.
    ///
    /// # Errors
    /// As [`Self::tell_others`].
    pub fn tell_news(
        self: &Arc<Self>,
        urls: &[String],
        topics: &[Topic],
        secret: Option<String>,
        pace: f64,
    ) -> Result<(), Problem> {
        let topics = topics.to_vec();
        let told: Told =
            Arc::new(move |event| Topic::of(event).is_some_and(|topic| topics.contains(&topic)));
        self.tell_of("[notify.webhook] urls", "news", urls, secret, pace, told)
    }

    fn tell_of(
        self: &Arc<Self>,
        setting: &str,
        list: &'static str,
        urls: &[String],
        secret: Option<String>,
        pace: f64,
        told: Told,
    ) -> Result<(), Problem> {
        for url in urls {
            let receiver = Receiver::new(setting, list, url, secret.clone(), pace)?;
            let log = self.log.clone();
            let from = receiver.from(&log)?;
            let (alive, told) = (Arc::downgrade(self), Arc::clone(&told));
            tokio::spawn(async move {
                if let Err(problem) = receiver.run(log, from, alive, told).await {
                    tracing::warn!(%problem, "a receiver of webhooks is not told any more");
                }
            });
        }
        Ok(())
    }
}

/// Tells one address that this is a test, once.
///
/// # Errors
/// `config` as [`Conductor::tell_others`]; `not-told` when it was not taken.
pub async fn try_out(url: &str, secret: Option<String>) -> Result<(), Problem> {
    let receiver = Receiver::new("[notify.webhook] urls", "news", url, secret, 1.0)?;
    let body = json!({ "type": "notice", "data": { "message": "this is a test of Sayso's" } });
    let body = serde_json::to_vec(&body).map_err(Problem::internal)?;
    let delivery = format!("test-{}", Timestamp::now().as_millisecond());
    let sent = receiver.send(EventKind::Notice, &delivery, &body).await;
    sent.map_err(|why| {
        Problem::new(502, "not-told", format!("{}: {why}", receiver.host()))
            .hint("look whether it runs and takes POST requests at that address")
    })
}

/// How long to wait after so many tries: exponential, and between half and one and a half of that by `random`.
pub(super) fn wait(tried: u32, random: f64) -> Duration {
    let base = FIRST.saturating_mul(4_u32.saturating_pow(tried.saturating_sub(1)));
    base.min(LONGEST).mul_f64(0.5 + random.clamp(0.0, 1.0))
}

/// 0 to 1.
pub(super) fn random() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}

struct Receiver {
    client: reqwest::Client,
    url: url::Url,
    secret: String,
    pace: f64,
    random: Random,
    /// Which of several lists it stands in: it may stand in two, and is told by each what that one says.
    list: &'static str,
}

impl Receiver {
    fn new(
        setting: &str,
        list: &'static str,
        url: &str,
        secret: Option<String>,
        pace: f64,
    ) -> Result<Self, Problem> {
        let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
            return Err(Problem::new(
                422,
                "config",
                format!("{setting} are set, but there is no secret to sign them with"),
            )
            .hint("set SAYSO_WEBHOOK_SECRET, here and at the receiver"));
        };
        let url = url::Url::parse(url).map_err(|error| {
            Problem::new(
                422,
                "config",
                format!("{setting}: {url:?} is no address: {error}"),
            )
            .hint("write it whole: https://example.org/hook")
        })?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("sayso/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Problem::internal)?;
        Ok(Self {
            client,
            url,
            secret,
            pace,
            random,
            list,
        })
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The name of its place in the log. Not the address itself: it may hold a password.
    fn key(&self) -> String {
        let parts = [self.url.as_str().as_bytes(), self.list.as_bytes()];
        signature::sha256(b"receiver", &parts)
    }

    /// Where it goes on: where it was, or at what comes from now on.
    fn from(&self, log: &EventLog) -> Result<u64, Problem> {
        Ok(match log.get::<Cursor>(CURSOR, &self.key())? {
            Some(cursor) if log.reaches(&cursor)? => cursor.seq,
            _ => log.head().seq,
        })
    }

    async fn run(
        &self,
        log: EventLog,
        from: u64,
        alive: Weak<Conductor>,
        is_told: Told,
    ) -> Result<(), Problem> {
        let (key, epoch) = (self.key(), log.head().epoch);
        let mut events = log.follow(from);
        let mut failing = false;
        loop {
            let Ok(event) = events.next().await else {
                return Ok(());
            };
            if alive.strong_count() == 0 {
                return Ok(());
            }
            if !is_told(&event) {
                continue;
            }
            let cursor = Cursor {
                epoch: epoch.clone(),
                seq: event.seq,
            };
            let told = self.tell(&event, &cursor).await;
            let mut change = Change::new().put(CURSOR, &key, &cursor)?;
            match told {
                Ok(()) => failing = false,
                // Said once, not at each event.
                Err(why) if !failing => {
                    failing = true;
                    let host = self.host();
                    let data = json!({ "message": format!("the webhook to {host} was not delivered: {why}") });
                    change = change.event(NewEvent::new(EventKind::Notice, "sayso", data));
                }
                Err(_) => {}
            }
            change.store(&log).await?;
        }
    }

    /// Tells one event, until it is taken or it was tried often enough.
    async fn tell(&self, event: &Event, cursor: &Cursor) -> Result<(), String> {
        let body = serde_json::to_vec(event).map_err(|error| error.to_string())?;
        let delivery = cursor.to_string();
        let mut tried = 0;
        loop {
            let why = match self.send(event.kind, &delivery, &body).await {
                Ok(()) => return Ok(()),
                Err(why) => why,
            };
            tried += 1;
            if tried == TRIES {
                return Err(format!("{why}, at {TRIES} tries"));
            }
            tokio::time::sleep(wait(tried, (self.random)()).mul_f64(self.pace)).await;
        }
    }

    async fn send(&self, kind: EventKind, delivery: &str, body: &[u8]) -> Result<(), String> {
        let time = Timestamp::now().as_second().to_string();
        let signed = sign(&self.secret, delivery, &time, body);
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("x-sayso-event", kind.as_str())
            .header("x-sayso-delivery", delivery)
            .header("x-sayso-timestamp", time)
            .header("x-sayso-signature", signed)
            .body(body.to_vec());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("it answered {}", answer.status().as_u16())),
            Err(error) if error.is_timeout() => Err("it did not answer in time".to_owned()),
            Err(_) => Err("it cannot be reached".to_owned()),
        }
    }
}

/// The signature of a delivery of our own kind.
pub fn sign(secret: &str, delivery: &str, time: &str, body: &[u8]) -> String {
    let parts: [&[u8]; 5] = [delivery.as_bytes(), b".", time.as_bytes(), b".", body];
    format!("sha256={}", signature::sha256(secret.as_bytes(), &parts))
}

fn is_told(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::DeployStart
            | EventKind::DeployComplete
            | EventKind::DeployError
            | EventKind::Promote
            | EventKind::Rollback
            | EventKind::Canceled
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound_and_never_fall_together() {
        let middle: Vec<u64> = (1..TRIES).map(|tried| wait(tried, 0.5).as_secs()).collect();
        assert_eq!(middle, [1, 4, 16, 64, 256, 600]);
        assert_eq!(wait(3, 0.0), Duration::from_secs(8));
        assert_eq!(wait(3, 1.0), Duration::from_secs(24));
        assert_eq!(wait(u32::MAX, 1.0), LONGEST.mul_f64(1.5));
        let some: std::collections::BTreeSet<u64> = (0..20).map(|_| random().to_bits()).collect();
        assert!(some.len() > 10, "{some:?}");
    }
}
