//! One long-poll of `GET /api/events`: the same events where an event stream does not get through.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::RETRY_AFTER;
use serde::Deserialize;
use serde_json::Value;

use super::Client;
use super::reconnect::Failure;
use super::stream::root_cause;
use crate::model::{Cursor, Problem};

/// The largest answer: a server keeps its pages far below.
const MAX_PAGE: usize = 32 * 1024 * 1024;

/// What an answer may take beyond the time that the server waits.
const SLACK: Duration = Duration::from_secs(15);

/// As [`EventPage`](crate::model::api::EventPage), with the events unread: one of a type that this version does not
/// know must not cost the others.
#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) events: Vec<Value>,
    pub(super) next: Cursor,
    #[serde(default)]
    pub(super) reset: bool,
}

/// Asks for events after `after`; the server may wait for `wait` with its answer.
pub(super) async fn fetch(
    client: &Client,
    after: Option<&Cursor>,
    limit: usize,
    wait: Duration,
) -> Result<Page, Failure> {
    let mut query = vec![
        ("limit", limit.to_string()),
        // Whole seconds, up: a wait cut down to none would make many calls of one.
        ("wait", wait.as_millis().div_ceil(1000).to_string()),
    ];
    query.extend(after.map(|cursor| ("after", cursor.to_string())));
    let unreachable = |error: reqwest::Error| Failure::Unreachable(root_cause(&error).to_string());
    let mut answer = client
        .request(Method::GET, "api/events")
        .map_err(|problem| Failure::Unreachable(problem.detail))?
        .query(&query)
        .timeout(wait + SLACK)
        .send()
        .await
        .map_err(unreachable)?;
    let status = answer.status();
    let asked = answer
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| retry_after(value.to_str().ok()?));
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&piece);
        if body.len() > MAX_PAGE {
            return Err(Failure::Garbled(format!(
                "a page of more than {MAX_PAGE} bytes"
            )));
        }
    }
    if status.is_redirection() {
        return Err(Failure::Redirected);
    }
    if status.as_u16() != 200 {
        return Err(Failure::Status {
            code: status.as_u16(),
            detail: serde_json::from_slice(&body)
                .ok()
                .map(|problem: Problem| problem.detail),
            retry_after: asked,
        });
    }
    serde_json::from_slice(&body)
        .map_err(|error| Failure::Garbled(format!("the page is not understood: {error}")))
}

/// The header `Retry-After`: seconds, or a date.
pub(super) fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value.trim()).ok()?;
    let left = date.timestamp().duration_since(Timestamp::now());
    Some(Duration::try_from(left).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Duration::ZERO)
        );
        let far = retry_after("Wed, 01 Jan 2200 00:00:00 GMT").unwrap();
        assert!(far > Duration::from_secs(3600 * 24 * 365 * 100));
        assert_eq!(retry_after("soon"), None);
        assert_eq!(retry_after("-1"), None);
    }
}
