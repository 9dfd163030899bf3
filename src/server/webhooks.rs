//! `POST /api/webhooks/…`: signed callbacks of GitHub, Vercel and anybody who has the secret.
//!
//! The signature stands in for the token. What a callback says is only a hint; the places themselves are read after it.
//! GitHub signs the raw body with HMAC-SHA-256 (`X-Hub-Signature-256`), Vercel with HMAC-SHA-1 (`x-vercel-signature`);
//! our own kind is described in `pipeline::outgoing`.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::App;
use super::extract::{BODY_TIME, too_large, too_slow};
use crate::model::api::Received;
use crate::model::{Problem, signature};
use crate::pipeline::Delivery;

/// GitHub sends at most so much.
const LARGEST: usize = 25 * 1024 * 1024;

/// A delivery of our own kind may be so old, or so far ahead of our clock.
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// Vercel sends again for about a day; what is older was recorded by somebody.
const VERCEL_WINDOW: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// The secrets that callbacks are signed with. A sender without one is not listened to.
#[derive(Clone, Default)]
pub struct WebhookSecrets {
    /// GITHUB_WEBHOOK_SECRET
    pub github: Option<String>,
    /// VERCEL_WEBHOOK_SECRET
    pub vercel: Option<String>,
    /// SAYSO_WEBHOOK_SECRET
    pub generic: Option<String>,
}

impl WebhookSecrets {
    /// From the environment.
    pub fn from_environment() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            github: variable("GITHUB_WEBHOOK_SECRET"),
            vercel: variable("VERCEL_WEBHOOK_SECRET"),
            generic: variable("SAYSO_WEBHOOK_SECRET"),
        }
    }
}

type Reply = Result<axum::Json<Received>, Problem>;

pub(super) async fn github(State(app): State<App>, request: Request) -> Reply {
    let secret = known(app.webhooks.github.as_deref(), "GITHUB_WEBHOOK_SECRET")?;
    let (headers, body) = read(&app, request).await?;
    let right = format!("sha256={}", signature::sha256(secret.as_bytes(), &[&body]));
    check(&right, header(&headers, "x-hub-signature-256"))?;
    let kind = header(&headers, "x-github-event").to_owned();
    let id = header(&headers, "x-github-delivery");
    // The delivery's id is not signed, the body is: a body that was there before is no news under another id.
    let id = if id.is_empty() {
        right.clone()
    } else {
        id.to_owned()
    };
    let payload = payload(&headers, &body)?;
    take(&app, github_delivery(id, kind, &payload), Some(&right)).await
}

pub(super) async fn vercel(State(app): State<App>, request: Request) -> Reply {
    let secret = known(app.webhooks.vercel.as_deref(), "VERCEL_WEBHOOK_SECRET")?;
    let (headers, body) = read(&app, request).await?;
    let right = signature::sha1(secret.as_bytes(), &[&body]);
    check(&right, header(&headers, "x-vercel-signature"))?;
    let payload = json_body(&body)?;
    if let Some(created) = payload["createdAt"].as_i64() {
        fresh(created / 1000, VERCEL_WINDOW)?;
    }
    let id = text(&payload, "/id");
    let id = if id.is_empty() { right.clone() } else { id };
    take(&app, vercel_delivery(id, &payload), Some(&right)).await
}

pub(super) async fn generic(State(app): State<App>, request: Request) -> Reply {
    let secret = known(app.webhooks.generic.as_deref(), "SAYSO_WEBHOOK_SECRET")?;
    let (headers, body) = read(&app, request).await?;
    let time = header(&headers, "x-sayso-timestamp");
    let id = header(&headers, "x-sayso-delivery").to_owned();
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", &body];
    let right = format!("sha256={}", signature::sha256(secret.as_bytes(), &parts));
    check(&right, header(&headers, "x-sayso-signature"))?;
    let sent: i64 = time.parse().map_err(|_| {
        Problem::bad_request("X-Sayso-Timestamp is no number of seconds since 1970")
            .hint("send the time of the delivery, as it is signed")
    })?;
    fresh(sent, WINDOW)?;
    if id.is_empty() || id.len() > 128 {
        return Err(
            Problem::bad_request("X-Sayso-Delivery is not 1 to 128 characters")
                .hint("send an id of the delivery's own, and the same one when you send it again"),
        );
    }
    let payload = json_body(&body)?;
    take(&app, generic_delivery(id, &payload), None).await
}

/// Takes a delivery once, whatever it is called.
async fn take(app: &App, delivery: Delivery, signature: Option<&str>) -> Reply {
    if let Some(signature) = signature
        && !app.bodies.first(signature)
    {
        return Ok(axum::Json(Received { new: false }));
    }
    let taken = app.conductor.receive(delivery).await;
    if taken.is_err()
        && let Some(signature) = signature
    {
        app.bodies.forget(signature);
    }
    Ok(axum::Json(Received { new: taken? }))
}

/// Signed bodies that came lately.
#[derive(Default)]
pub(super) struct Bodies(std::sync::Mutex<std::collections::VecDeque<String>>);

impl Bodies {
    const KEPT: usize = 1024;

    fn known(&self) -> std::sync::MutexGuard<'_, std::collections::VecDeque<String>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// True when `signature` was not here lately.
    fn first(&self, signature: &str) -> bool {
        let mut known = self.known();
        if known.iter().any(|other| other == signature) {
            return false;
        }
        if known.len() == Self::KEPT {
            known.pop_front();
        }
        known.push_back(signature.to_owned());
        true
    }

    fn forget(&self, signature: &str) {
        self.known().retain(|other| other != signature);
    }
}

fn known<'a>(secret: Option<&'a str>, name: &str) -> Result<&'a str, Problem> {
    secret.ok_or_else(|| {
        Problem::new(
            501,
            "no-webhook-secret",
            "callbacks of this kind are not taken: there is no secret to check them with",
        )
        .hint(format!(
            "set {name} to the secret of the webhook, and start Sayso again"
        ))
    })
}

async fn read(app: &App, request: Request) -> Result<(HeaderMap, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    // Bodies of strangers: few at a time, so that they cannot fill the memory.
    let _turn = app.readers.acquire().await.map_err(Problem::internal)?;
    let bytes = tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, LARGEST))
        .await
        .map_err(|_| too_slow())?
        .map_err(|_| too_large(LARGEST))?;
    Ok((parts.headers, bytes))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn check(right: &str, given: &str) -> Result<(), Problem> {
    if signature::equal(right, given) {
        return Ok(());
    }
    Err(
        Problem::new(401, "bad-signature", "the signature does not fit the body")
            .hint("the secret here and at the sender must be the same"),
    )
}

/// Refuses what was signed too long ago: it may have been recorded.
fn fresh(sent: i64, window: Duration) -> Result<(), Problem> {
    let age = Timestamp::now().as_second() - sent;
    if age.unsigned_abs() <= window.as_secs() {
        return Ok(());
    }
    Err(
        Problem::new(401, "stale", format!("the delivery was signed {age} s ago"))
            .hint("send it anew, and check the clocks of both machines"),
    )
}

fn json_body(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        Problem::bad_request(format!("the body is no JSON: {error}")).hint("send JSON in UTF-8")
    })
}

/// GitHub sends JSON, or a form with the JSON in its field `payload`.
fn payload(headers: &HeaderMap, body: &[u8]) -> Result<Value, Problem> {
    if header(headers, "content-type").starts_with("application/x-www-form-urlencoded") {
        let field = url::form_urlencoded::parse(body).find(|(name, _)| name == "payload");
        let text = field
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default();
        return json_body(text.as_bytes());
    }
    json_body(body)
}

/// Text at a JSON pointer, of a length that fits a line.
fn text(value: &Value, at: &str) -> String {
    let text = value
        .pointer(at)
        .and_then(Value::as_str)
        .unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn github_delivery(id: String, kind: String, payload: &Value) -> Delivery {
    let at = |path: &str| text(payload, path);
    let who = at("/sender/login");
    let message = match kind.as_str() {
        "ping" => "GitHub's webhook reaches Sayso".to_owned(),
        "push" => {
            let (branch, after) = (at("/ref"), at("/after"));
            let branch = branch.trim_start_matches("refs/heads/").to_owned();
            let how = if payload["forced"] == Value::Bool(true) {
                "force-pushed"
            } else {
                "pushed"
            };
            format!(
                "{who} {how} {} to {branch} on GitHub",
                after.get(..7).unwrap_or(&after)
            )
        }
        "workflow_run" => format!(
            "GitHub: the run {:?} is {} {}",
            at("/workflow_run/name"),
            at("/workflow_run/status"),
            at("/workflow_run/conclusion")
        ),
        "deployment_status" => format!(
            "GitHub: the deployment to {} is {}",
            at("/deployment/environment"),
            at("/deployment_status/state")
        ),
        kind => format!("GitHub: {kind} {}", at("/action")),
    };
    Delivery {
        source: "github".to_owned(),
        id,
        data: json!({
            "repository": at("/repository/full_name"),
            "ref": at("/ref"),
            "commit": at("/after"),
        }),
        kind,
        message: message.trim().to_owned(),
    }
}

fn vercel_delivery(id: String, payload: &Value) -> Delivery {
    let at = |path: &str| text(payload, path);
    let kind = at("/type");
    let name = at("/payload/deployment/url");
    let name = if name.is_empty() {
        at("/payload/deployment/id")
    } else {
        name
    };
    Delivery {
        source: "vercel".to_owned(),
        id,
        message: format!("Vercel: {kind} {name}").trim().to_owned(),
        data: json!({
            "deployment_there": at("/payload/deployment/id"),
            "at": payload["createdAt"],
        }),
        kind,
    }
}

fn generic_delivery(id: String, payload: &Value) -> Delivery {
    let at = |path: &str| text(payload, path);
    let kind = [at("/kind"), at("/type")]
        .into_iter()
        .find(|kind| !kind.is_empty());
    let kind = kind.unwrap_or_else(|| "notice".to_owned());
    let message = [at("/message"), at("/data/message")]
        .into_iter()
        .find(|text| !text.is_empty());
    let message = message.unwrap_or_else(|| {
        let state = [at("/state"), at("/environment")].join(" ");
        format!("{kind} {}", state.trim())
    });
    Delivery {
        source: "generic".to_owned(),
        id,
        message,
        data: json!({
            "state": at("/state"),
            "environment_there": at("/environment"),
            "commit": at("/commit"),
            "url": at("/url"),
        }),
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_github_sends_is_told_in_a_line() {
        let push = json!({"ref": "refs/heads/main", "after": "0123456789abcdef", "sender": {"login": "ada"}, "forced": true});
        let delivery = github_delivery("1".into(), "push".into(), &push);
        assert_eq!(
            delivery.message,
            "ada force-pushed 0123456 to main on GitHub"
        );
        // A payload with nothing that is known is no reason to fail.
        assert_eq!(
            github_delivery("1".into(), "star".into(), &json!([])).message,
            "GitHub: star"
        );
        let evil = json!({"sender": {"login": "a\u{1b}[2Jb"}, "ref": 5});
        assert!(
            !github_delivery("1".into(), "push".into(), &evil)
                .message
                .contains('\u{1b}')
        );
    }

    #[test]
    fn a_form_is_read_as_well() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "content-type",
            "application/x-www-form-urlencoded".parse().unwrap(),
        );
        let read = payload(&headers, b"payload=%7B%22ref%22%3A%22x%22%7D").unwrap();
        assert_eq!(read["ref"], "x");
        assert!(payload(&headers, b"other=1").is_err());
    }

    #[test]
    fn old_and_future_deliveries_are_refused() {
        let now = Timestamp::now().as_second();
        assert!(fresh(now - 60, WINDOW).is_ok());
        assert!(fresh(now - 600, WINDOW).is_err() && fresh(now + 600, WINDOW).is_err());
        assert!(fresh(i64::MIN / 2, WINDOW).is_err());
    }

    #[test]
    fn a_body_is_first_once() {
        let bodies = Bodies::default();
        assert!(bodies.first("a") && !bodies.first("a"));
        bodies.forget("a");
        assert!(bodies.first("a"));
        for n in 0..Bodies::KEPT {
            bodies.first(&n.to_string());
        }
        assert!(bodies.first("a"), "the oldest are forgotten");
    }
}
