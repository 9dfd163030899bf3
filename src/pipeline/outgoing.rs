//! Tells other programs about deployments: signed, in order, again when they do not answer, and on from where it was
//! after a restart.
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
use crate::model::{Cursor, Event, EventKind, NewEvent, Problem, signature};

/// Where a receiver is, by its address.
const CURSOR: &str = "outgoing-webhook";

/// Waits before the second, third … try.
const WAITS: [u64; 5] = [1, 5, 30, 120, 600];

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

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
        if urls.is_empty() {
            return Ok(());
        }
        let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
            return Err(Problem::new(
                422,
                "config",
                "[deploy] webhooks are set, but there is no secret to sign them with",
            )
            .hint("set SAYSO_WEBHOOK_SECRET, here and at the receiver"));
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("sayso/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Problem::internal)?;
        for url in urls {
            let url = url::Url::parse(url).map_err(|error| {
                Problem::new(
                    422,
                    "config",
                    format!("[deploy] webhooks: {url:?} is no address: {error}"),
                )
                .hint("write it whole: https://example.org/hook")
            })?;
            let receiver = Receiver {
                client: client.clone(),
                url,
                secret: secret.clone(),
                pace,
            };
            let log = self.log.clone();
            let from = receiver.from(&log)?;
            let alive = Arc::downgrade(self);
            tokio::spawn(async move {
                if let Err(problem) = receiver.run(log, from, alive).await {
                    tracing::warn!(%problem, "a receiver of webhooks is not told any more");
                }
            });
        }
        Ok(())
    }
}

struct Receiver {
    client: reqwest::Client,
    url: url::Url,
    secret: String,
    pace: f64,
}

impl Receiver {
    /// The name of its place in the log. Not the address itself: it may hold a password.
    fn key(&self) -> String {
        signature::sha256(b"receiver", &[self.url.as_str().as_bytes()])
    }

    /// Where it goes on: where it was, or at what comes from now on.
    fn from(&self, log: &EventLog) -> Result<u64, Problem> {
        Ok(match log.get::<Cursor>(CURSOR, &self.key())? {
            Some(cursor) if log.reaches(&cursor)? => cursor.seq,
            _ => log.head().seq,
        })
    }

    async fn run(&self, log: EventLog, from: u64, alive: Weak<Conductor>) -> Result<(), Problem> {
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
            if !is_told(event.kind) {
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
                    let host = self.url.host_str().unwrap_or_default();
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
        let mut tries = WAITS.iter();
        loop {
            let why = match self.send(event.kind, &delivery, &body).await {
                Ok(()) => return Ok(()),
                Err(why) => why,
            };
            let Some(wait) = tries.next() else {
                return Err(format!("{why}, at {} tries", WAITS.len() + 1));
            };
            tokio::time::sleep(Duration::from_secs(*wait).mul_f64(self.pace)).await;
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
