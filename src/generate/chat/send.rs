//! The one place that talks to a service: streams, waits, repeats.

use std::sync::OnceLock;
use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response};
use serde_json::Value;

use super::{Delta, Exchange, Failure, Options, Protocol, Reply, sse};
use crate::model::Problem;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long nothing at all may come. Services send a sign of life while a model thinks.
const SILENCE: Duration = Duration::from_secs(120);

/// Tries, the first one included.
const TRIES: u32 = 4;

/// Answers that may break off after they have begun: they cost, so they are asked for once more and no oftener.
const BROKEN: u32 = 2;

/// The longest wait that is sat out when a service names one.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest error document that is read, in bytes.
const LONGEST_ERROR: usize = 64 << 10;

/// What is told while it goes on.
pub enum Told {
    /// A piece of the answer.
    Delta(Delta),
    /// A wait before another try, and why.
    Waiting(Duration, String),
}

fn client() -> Result<&'static Client, Failure> {
    static CLIENT: OnceLock<Option<Client>> = OnceLock::new();
    let made = CLIENT.get_or_init(|| {
        // Fails only when another part of the program installed one, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            // A redirect would carry the key to another place.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .ok()
    });
    made.as_ref()
        .ok_or_else(|| Failure::of(Problem::internal("no HTTPS on this machine")))
}

/// Asks, and returns the whole answer. Dropping the future closes the connection.
///
/// # Errors
/// The last failure, after all tries that made sense.
pub async fn send(
    protocol: &dyn Protocol,
    options: &Options,
    exchange: &Exchange,
    mut told: impl FnMut(Told) + Send,
) -> Result<Reply, Failure> {
    let mut tries = 1;
    let mut broken = 0;
    loop {
        let mut begun = false;
        let result = once(protocol, options, exchange, |delta| {
            // A thought is no part of the answer.
            begun |= delta != Delta::Thinking;
            told(Told::Delta(delta));
        })
        .await;
        let failure = match result {
            Ok(reply) => return Ok(reply),
            Err(failure) => failure,
        };
        broken += u32::from(begun);
        let Some(wanted) = failure
            .again
            .filter(|wanted| broken < BROKEN && tries < TRIES && *wanted <= PATIENCE)
        else {
            return Err(failure);
        };
        let wait = pause(tries, wanted);
        told(Told::Waiting(wait, failure.problem.detail.clone()));
        tokio::time::sleep(wait).await;
        tries += 1;
    }
}

/// 0.5, 1, 2 s and up to half as much again at random, and never less than the service wants.
fn pause(tries: u32, wanted: Duration) -> Duration {
    let base = Duration::from_millis(500) * 2_u32.pow(tries - 1);
    let mut random = [0_u8; 1];
    // Without randomness everybody waits equally long, which is no harm here.
    let _ = getrandom::fill(&mut random);
    base.max(wanted) + base.mul_f64(f64::from(random[0]) / 512.0)
}

async fn once(
    protocol: &dyn Protocol,
    options: &Options,
    exchange: &Exchange,
    mut told: impl FnMut(Delta) + Send,
) -> Result<Reply, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in protocol.headers(options) {
        let mut value = HeaderValue::from_str(&value).map_err(|_| {
            Failure::of(
                Problem::new(
                    400,
                    "model-key",
                    format!(
                        "the key for {} has characters that no key has",
                        protocol.name()
                    ),
                )
                .hint("set it again, without blanks and line ends"),
            )
        })?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    let response = client()?
        .post(protocol.url(options))
        .headers(headers)
        .json(&protocol.body(options, exchange))
        .send()
        .await
        .map_err(|error| unreachable(protocol, options, &error))?;
    if !response.status().is_success() {
        return Err(refused(protocol, response).await);
    }
    let mut reader = protocol.reader();
    let mut events = sse::Parser::default();
    let mut body = response.bytes_stream();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|_| Failure::cut(protocol.name()))?;
        for event in events.push(&bytes) {
            for delta in reader.event(&event.name, &event.data)? {
                told(delta);
            }
        }
        if events.overflows() {
            return Err(Failure::of(Problem::new(
                502,
                "model-answer",
                format!("the answer of {} has no end", protocol.name()),
            )));
        }
        if reader.done() {
            break;
        }
    }
    reader.reply()
}

/// What a service said instead of an answer.
async fn refused(protocol: &dyn Protocol, response: Response) -> Failure {
    let status = response.status().as_u16();
    let wait = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse::<f64>().ok())
        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
        .map(|seconds| Duration::from_secs_f64(seconds.min(86_400.0)));
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(Ok(part)) = body.next().await {
        bytes.extend_from_slice(&part);
        if bytes.len() > LONGEST_ERROR {
            break;
        }
    }
    let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    // One service puts its error into a list.
    let document = document.get(0).cloned().unwrap_or(document);
    let (kind, message) = protocol.error(&document);
    let mut failure = Failure::said(protocol.name(), status, &kind, &message);
    if let (Some(again), Some(wait)) = (&mut failure.again, wait) {
        *again = wait;
    }
    // An account that is used up is not mended by waiting.
    if kind == "insufficient_quota" {
        failure.again = None;
    }
    failure
}

fn unreachable(protocol: &dyn Protocol, options: &Options, error: &reqwest::Error) -> Failure {
    let why = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    Failure {
        problem: Problem::new(
            502,
            "model-unreachable",
            format!(
                "{} at {} cannot be reached: {why}",
                protocol.name(),
                options.url
            ),
        )
        .hint(
            "check the network and the address; plain changes work without it (--engine offline)",
        ),
        again: Some(Duration::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_keep_to_what_the_service_wants() {
        for (tries, least) in [(1, 500), (2, 1_000), (3, 2_000)] {
            let wait = pause(tries, Duration::ZERO).as_millis();
            assert!((least..=least * 3 / 2).contains(&wait), "{wait}");
        }
        assert!(pause(1, Duration::from_secs(7)) >= Duration::from_secs(7));
    }
}
