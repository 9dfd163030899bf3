//! Several servers of one project: what changes it is handed on to the one that conducts it, and its answer back. Everything else
//! is answered from this server's own copy.
//!
//! Who asks is found out here as everywhere. A request with a token goes on with it; one with a session of this server goes on
//! with the servers' own token and the name of the person, which no one can say who does not have that token.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, ORIGIN, RETRY_AFTER,
    TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::auth::Caller;
use super::{App, limits};
use crate::events::Place;
use crate::model::token::project_path;
use crate::model::{Identity, Problem};

/// On answers of a server that conducts: how much of the stream is behind them.
const POSITION: HeaderName = HeaderName::from_static("x-sayso-position");

/// On requests that were handed on once: they are not handed on again.
const FORWARDED: HeaderName = HeaderName::from_static("x-sayso-forwarded");

/// Who asks, when a server of the project says so.
pub(super) const AS: HeaderName = HeaderName::from_static("x-sayso-as");

/// How long this server's copy may take to have what an answer speaks of.
const CATCH_UP: Duration = Duration::from_secs(3);

/// How long the other server may take to take a connection.
const CONNECT: Duration = Duration::from_secs(2);

/// How long the other server may be silent.
const SILENCE: Duration = Duration::from_secs(90);

/// What this server needs to speak to the others of its projects.
pub(super) struct Others {
    http: reqwest::Client,
    token: HeaderValue,
}

impl Others {
    pub(super) fn new(token: &str) -> Result<Self, Problem> {
        // A second call finds the provider installed; that is no error.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(Problem::internal)?;
        let mut token =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(Problem::internal)?;
        token.set_sensitive(true);
        Ok(Self { http, token })
    }

    /// The headers that say to another server of the project that `identity` asks.
    pub(super) fn speaking_for(&self, identity: &Identity) -> Result<HeaderMap, Problem> {
        let json = serde_json::to_vec(identity).map_err(Problem::internal)?;
        let name = HeaderValue::from_str(&STANDARD.encode(json)).map_err(Problem::internal)?;
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.token.clone());
        headers.insert(AS, name);
        headers.insert(FORWARDED, HeaderValue::from_static("1"));
        Ok(headers)
    }
}

/// Who asks, by the word of another server of the project.
pub(super) fn spoken_for(headers: &HeaderMap) -> Option<Identity> {
    let bytes = STANDARD.decode(headers.get(AS)?.as_bytes()).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Where a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    /// Here.
    Here,
    /// Where the project is conducted, and nowhere else.
    Conductor,
    /// There if it can be, for what is in that server's memory alone; else from the copy here.
    Rather,
    /// There, by way of the queue.
    Queue,
}

/// True for an instruction that can wait in the queue: the key makes it one however often it is sent, and it fits.
fn queues(request: &Request, most: usize) -> bool {
    let headers = request.headers();
    let length = headers.get(CONTENT_LENGTH);
    let length: Option<usize> = length.and_then(|length| length.to_str().ok()?.parse().ok());
    request.method() == Method::POST
        && request.uri().path() == "/api/voice-to-code"
        && headers.contains_key("idempotency-key")
        // Sound grows by a third in base64.
        && length.is_some_and(|length| length < most / 2)
}

fn place_of(method: &Method, path: &str) -> Where {
    // A session is with this server.
    if path == "/api/session" {
        return Where::Here;
    }
    if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Where::Conductor;
    }
    let preview = path.starts_with("/api/proposals/") && path.contains("/preview");
    let there = [
        "/api/status",
        "/api/deployments",
        "/api/deployments/compare",
        "/api/audit",
    ];
    match preview || path.starts_with("/api/host/") || there.contains(&path) {
        true => Where::Rather,
        false => Where::Here,
    }
}

/// The layer. Without other servers it costs a look at a field.
pub(super) async fn forward(State(app): State<App>, request: Request, next: Next) -> Response {
    let (log, Some(others)) = (app.conductor.log().clone(), &app.others) else {
        return next.run(request).await;
    };
    let Some(remote) = log.remote() else {
        return next.run(request).await;
    };
    let mut to = place_of(request.method(), request.uri().path());
    if queues(&request, remote.most_work()) && log.place() != Place::Here {
        to = Where::Queue;
    }
    match (to, log.place()) {
        (Where::Here, _) | (Where::Rather, Place::Nowhere(_)) => next.run(request).await,
        (Where::Queue, _) => {
            let mut response = next.run(request).await;
            if response.status() == StatusCode::SERVICE_UNAVAILABLE {
                response.headers_mut().insert(RETRY_AFTER, 1.into());
            }
            response
        }
        (_, Place::Here) => {
            let mut response = match to == Where::Conductor {
                false => next.run(request).await,
                true => {
                    // A task of its own: what waits for NATS is not cut off in the midst of it by who no longer waits.
                    let mut done = tokio::spawn(next.run(request));
                    tokio::select! {
                        done = &mut done => done.unwrap_or_else(|error| Problem::internal(error).into_response()),
                        () = remote.away() => {
                            return later("NATS takes nothing at the moment: whether this was done is not known");
                        }
                    }
                }
            };
            response
                .headers_mut()
                .insert(POSITION, remote.position().into());
            response
        }
        (Where::Conductor, Place::Nowhere(why)) => later(why),
        (_, Place::There(url)) => {
            if request.headers().contains_key(FORWARDED) {
                return later("the servers of this project do not agree yet on who conducts it");
            }
            let (parts, body) = request.into_parts();
            let again = (to == Where::Rather).then(|| parts.clone());
            let request = Request::from_parts(parts, body);
            let turned = async {
                while log.place() == Place::There(url.clone()) {
                    let turned = remote.turned();
                    if log.place() == Place::There(url.clone()) {
                        turned.await;
                    }
                }
            };
            let sent = tokio::select! {
                sent = send(&app, others, &url, request) => sent,
                () = turned => Err(Box::new(later(LOST))),
            };
            let response = match (sent, again) {
                (Ok(response), _) => response,
                (Err(_), Some(parts)) => {
                    return next.run(Request::from_parts(parts, Body::empty())).await;
                }
                (Err(response), None) => return *response,
            };
            let position = response.headers().get(POSITION);
            let position = position.and_then(|value| value.to_str().ok()?.parse().ok());
            if let Some(position) = position {
                // What was answered there is to be found here from now on.
                let _ = tokio::time::timeout(CATCH_UP, remote.reached(position)).await;
            }
            response
        }
    }
}

/// Said when the answer of the other server did not come.
const LOST: &str =
    "the server that conducts this project was lost: whether this was done is not known";

/// 503, with when to come back.
fn later(why: &str) -> Response {
    let problem = Problem::new(503, "no-conductor", why)
        .hint("try again in a moment, with the same Idempotency-Key where there was one");
    ([(RETRY_AFTER, "1")], problem).into_response()
}

async fn send(
    app: &App,
    others: &Others,
    base: &Url,
    request: Request,
) -> Result<Response, Box<Response>> {
    let (parts, body) = request.into_parts();
    let address = limits::address_of(&parts.extensions);
    let mut headers = parts.headers;
    if !headers.contains_key(AUTHORIZATION) && headers.contains_key(COOKIE) {
        let Caller { identity, .. } = app
            .auth
            .identify(&parts.method, &headers, Instant::now())
            .map_err(|problem| Box::new(super::require::challenged(problem)))?;
        let known = others.speaking_for(&identity);
        headers.extend(known.map_err(|problem| Box::new(problem.into_response()))?);
    } else if !app.auth.is_own_of(&headers) {
        // Only a server of the project speaks for others.
        headers.remove(AS);
    }
    // The origin was looked at here; the other server is not known by that name.
    for name in [HOST, ORIGIN, COOKIE, CONNECTION, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
    headers.insert(FORWARDED, HeaderValue::from_static("1"));
    if let Ok(address) = HeaderValue::from_str(&address.to_string()) {
        headers.append("x-forwarded-for", address);
    }
    let query = parts
        .uri
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    let path = project_path(app.auth.tokens().project());
    let path = format!("{}{}{query}", path.trim_end_matches('/'), parts.uri.path());
    let url = base.join(path.trim_start_matches('/'));
    let url = url.map_err(|error| Box::new(Problem::internal(error).into_response()))?;
    let sent = others
        .http
        .request(parts.method, url)
        .headers(headers)
        .body(reqwest::Body::wrap_stream(body.into_data_stream()))
        .send()
        .await;
    let answer = sent.map_err(|error| {
        let why = match error.is_connect() {
            true => "the server that conducts this project is not reached",
            false => {
                "the server that conducts this project was lost: whether this was done is not known"
            }
        };
        tracing::debug!(%error, "a request was not handed on");
        Box::new(later(why))
    })?;
    let status = answer.status();
    let mut headers = answer.headers().clone();
    for name in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
        headers.remove(name);
    }
    let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::routes;

    #[test]
    fn what_changes_anything_goes_to_the_conductor() {
        for route in routes() {
            let method: Method = route.method.parse().unwrap();
            let place = place_of(&method, route.path);
            match route.method {
                "GET" => assert_ne!(place, Where::Conductor, "{}", route.path),
                _ if route.path == "/api/session" => assert_eq!(place, Where::Here),
                _ => assert_eq!(place, Where::Conductor, "{}", route.path),
            }
        }
        assert_eq!(place_of(&Method::GET, "/api/status"), Where::Rather);
        assert_eq!(
            place_of(&Method::GET, "/api/proposals/p1/preview"),
            Where::Rather
        );
        assert_eq!(place_of(&Method::GET, "/api/proposals/p1"), Where::Here);
        assert_eq!(place_of(&Method::GET, "/api/deployments/d1"), Where::Here);
    }

    #[test]
    fn who_is_spoken_for() {
        let others = Others::new("the-token-of-the-servers").unwrap();
        let mut ada = Identity::owner("Ada Löwe");
        ada.token = Some("t1".into());
        let headers = others.speaking_for(&ada).unwrap();
        assert_eq!(spoken_for(&headers), Some(ada));
        assert_eq!(spoken_for(&HeaderMap::new()), None);
    }
}
