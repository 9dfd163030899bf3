//! Why a call has no good answer, and what a service's "no" says. Pure.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::track::Track;
use crate::deploy::DeployFailure;
use crate::model::Problem;

/// The service's "no".
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    pub status: u16,
    /// The service's own code, or empty.
    pub code: String,
    pub message: String,
    /// How long it asks to wait, when it is a matter of too many calls.
    pub wait: Option<Duration>,
    pub body: Value,
}

/// Why there is no good answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// It was certainly not done: the service was not reached, or there is no token.
    NotSent(Problem),
    /// It was sent, and nobody knows whether it was done.
    Unclear(String),
    /// The service refused.
    Refused(Box<Refused>),
    /// It was told to stop while it waited.
    Stopped,
}

impl Fault {
    /// True when the service may have done what was asked.
    pub fn is_unclear(&self) -> bool {
        match self {
            Self::Unclear(_) => true,
            // A gateway that answers for the service does not know either.
            Self::Refused(refused) => refused.status >= 500,
            Self::NotSent(_) | Self::Stopped => false,
        }
    }

    /// The service's "no", if it is one.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// As a failure at the present stage.
    pub fn failure(
        self,
        track: &Track,
        what: &str,
        hint: &dyn Fn(&Refused) -> String,
    ) -> DeployFailure {
        match self {
            Self::Stopped => track.stopped(),
            other => track.of_problem(other.problem(what, hint)),
        }
    }

    /// As a problem: what was asked, and what to do next.
    pub fn problem(self, what: &str, hint: &dyn Fn(&Refused) -> String) -> Problem {
        match self {
            Self::NotSent(problem) => Problem {
                detail: format!("{what}: {}", problem.detail),
                ..problem
            },
            Self::Unclear(message) => Problem::new(502, "no-answer", format!("{what}: {message}"))
                .hint("check the network; the service's status page may tell more"),
            Self::Refused(refused) => {
                let hint = hint(&refused);
                Problem::new(
                    502,
                    "service-refused",
                    format!("{what}: {}", refused.text()),
                )
                .hint(hint)
            }
            Self::Stopped => Problem::conflict(format!("{what}: it was stopped")),
        }
    }
}

impl Refused {
    /// What the service said.
    pub fn text(&self) -> String {
        if self.code.is_empty() {
            format!("{} ({})", self.message, self.status)
        } else {
            format!("{} ({}, {})", self.message, self.status, self.code)
        }
    }
}

/// What a "no" says: `{"error":{"code","message"}}` (Vercel), `{"message"}` (GitHub), `{"type","detail"}` (another Sayso),
/// or no JSON at all.
pub(super) fn refused(service: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> Refused {
    let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(location) = headers.get("location").and_then(|to| to.to_str().ok()) {
        body = serde_json::json!({ "location": location });
    }
    let error = body
        .get("error")
        .filter(|error| error.is_object())
        .unwrap_or(&body);
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
    let code = match text("type").strip_prefix("about:sayso/") {
        Some(slug) => slug.to_owned(),
        None => text("code").to_owned(),
    };
    let said = match text("message") {
        "" => text("detail"),
        said => said,
    };
    let message = match said {
        "" => format!("{service} answered {status}"),
        message => message.chars().take(500).collect(),
    };
    Refused {
        wait: asked_wait(status, &code, headers, error),
        status,
        code,
        message,
        body,
    }
}

/// How long a service asks to wait: `Retry-After`, else when the limit is reset, else a minute.
fn asked_wait(status: u16, code: &str, headers: &HeaderMap, error: &Value) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let seconds = |wait: i64| Duration::from_secs(u64::try_from(wait).unwrap_or(0));
    let after = number(RETRY_AFTER.as_str()).map(seconds);
    let exhausted = number("x-ratelimit-remaining") == Some(0);
    let too_many = status == 429
        || code.ends_with("rate_limited")
        || (status == 403 && (after.is_some() || exhausted))
        || (status == 503 && after.is_some());
    if !too_many {
        return None;
    }
    let reset = number("x-ratelimit-reset")
        .or_else(|| error.get("limit")?.get("reset")?.as_i64())
        .map(|at| seconds(at - Timestamp::now().as_second()));
    Some(after.or(reset).unwrap_or(Duration::from_secs(60)))
}

/// A wait for people: `12 s`.
pub(crate) fn shown(wait: Duration) -> String {
    let seconds = wait.as_secs_f64();
    if seconds < 1.0 {
        format!("{} ms", wait.as_millis())
    } else if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.0} min", seconds / 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};
    use serde_json::json;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn what_a_service_says_is_read_in_both_dialects() {
        let vercel =
            json!({"error": {"code": "forbidden", "message": "Not authorized"}}).to_string();
        let no = refused("Vercel", 403, &HeaderMap::new(), vercel.as_bytes());
        assert_eq!(
            (no.code.as_str(), no.message.as_str(), no.wait),
            ("forbidden", "Not authorized", None)
        );
        let github = json!({"message": "Not Found", "documentation_url": "x"}).to_string();
        let no = refused("GitHub", 404, &HeaderMap::new(), github.as_bytes());
        assert_eq!((no.code.as_str(), no.message.as_str()), ("", "Not Found"));
        let no = refused("Vercel", 502, &HeaderMap::new(), b"<html>");
        assert_eq!(no.message, "Vercel answered 502");
    }

    #[test]
    fn limits_of_all_kinds_are_waits() {
        let wait = |status, code: &str, pairs: &[(&'static str, &str)]| {
            asked_wait(status, code, &headers(pairs), &Value::Null)
        };
        assert_eq!(
            wait(429, "", &[("retry-after", "7")]),
            Some(Duration::from_secs(7))
        );
        assert_eq!(wait(429, "", &[]), Some(Duration::from_secs(60)));
        assert_eq!(
            wait(403, "", &[("retry-after", "3")]),
            Some(Duration::from_secs(3))
        );
        assert!(wait(403, "", &[("x-ratelimit-remaining", "0")]).is_some());
        assert!(wait(402, "builds_rate_limited", &[]).is_some());
        assert_eq!(wait(403, "forbidden", &[]), None);
        assert_eq!(wait(503, "", &[]), None);
        let past = (Timestamp::now().as_second() - 10).to_string();
        assert_eq!(
            wait(429, "", &[("x-ratelimit-reset", &past)]),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn what_may_have_been_done_is_unclear() {
        let no = |status| {
            Fault::Refused(Box::new(refused(
                "Vercel",
                status,
                &HeaderMap::new(),
                b"{}",
            )))
        };
        assert!(no(502).is_unclear() && !no(400).is_unclear() && !no(429).is_unclear());
        assert!(Fault::Unclear("x".into()).is_unclear());
        assert!(!Fault::NotSent(Problem::internal("x")).is_unclear());
    }
}
