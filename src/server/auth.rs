//! Who is calling: the bearer token, or a session cookie that a browser got for it.
//!
//! A cookie travels by itself, so it only reads. To change anything with it, a request must also carry
//! [`CSRF_HEADER`], which a foreign page cannot add without a preflight that this server never grants, and an
//! `Origin`, which [`guard`](super::guard) has compared by then.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, ORIGIN, SEC_WEBSOCKET_PROTOCOL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::App;
use crate::model::{Identity, Problem};

/// The header that a page adds to requests which change something.
pub(super) const CSRF_HEADER: &str = "x-sayso-request";

/// How long a session lasts.
pub(super) const SESSION: Duration = Duration::from_secs(12 * 3600);

/// Sessions kept; one more ends the one that expires first.
const MAX_SESSIONS: usize = 64;

type Hash = [u8; 32];

/// Who acts, as events name them.
#[derive(Clone)]
pub(super) struct Actor(pub(super) String);

/// The bearer behind a request; set beside [`Actor`].
#[derive(Clone)]
pub(super) struct Caller {
    /// Who it is, and what it may do.
    pub(super) identity: Identity,
    /// Canceled when the token ends or is revoked: streams and sockets end with it.
    pub(super) ended: CancellationToken,
}

/// The token and the sessions. Only hashes are kept: comparing those takes the same time for every wrong guess.
pub(super) struct Auth {
    token: Hash,
    /// Lets deployments in, and nothing else.
    host: Option<Hash>,
    actor: String,
    cookie: String,
    sessions: Mutex<HashMap<Hash, Instant>>,
}

impl Auth {
    pub(super) fn new(token: &str, actor: &str, port: u16) -> Self {
        Self {
            token: hash(token),
            host: None,
            actor: actor.to_owned(),
            // Browsers do not tell ports of one host apart, so two servers need two names.
            cookie: format!("sayso_{port}"),
            sessions: Mutex::default(),
        }
    }

    /// With a token that lets deployments in, and nothing else.
    pub(super) fn with_host_token(self, token: Option<&str>) -> Self {
        Self {
            host: token.map(hash),
            ..self
        }
    }

    /// True when the request carries the token for deployments.
    fn is_host(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok());
        let token = value
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| hash(token.trim()));
        match (&self.host, token) {
            (Some(known), Some(token)) => same(known, &token),
            _ => false,
        }
    }

    /// True when `token` is the token.
    pub(super) fn knows(&self, token: &str) -> bool {
        same(&hash(token), &self.token)
    }

    /// Starts a session; returns the `Set-Cookie` value.
    pub(super) fn begin(&self, now: Instant) -> Result<String, Problem> {
        let id = super::random_token()?;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, ends| *ends > now);
        if sessions.len() >= MAX_SESSIONS
            && let Some(first) = sessions
                .iter()
                .min_by_key(|(_, ends)| **ends)
                .map(|(id, _)| *id)
        {
            sessions.remove(&first);
        }
        sessions.insert(hash(&id), now + SESSION);
        Ok(self.set_cookie(&id, SESSION))
    }

    /// Ends the session of `headers`; returns the `Set-Cookie` value that removes the cookie.
    pub(super) fn end(&self, headers: &HeaderMap) -> String {
        if let Some(id) = self.session_of(headers) {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.remove(&hash(id));
        }
        self.set_cookie("", Duration::ZERO)
    }

    fn set_cookie(&self, id: &str, age: Duration) -> String {
        let name = &self.cookie;
        let age = age.as_secs();
        format!("{name}={id}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict")
    }

    fn session_of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.cookie)
            .map(|(_, id)| id)
    }

    fn in_session(&self, headers: &HeaderMap, now: Instant) -> bool {
        let Some(id) = self.session_of(headers) else {
            return false;
        };
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        // The map is keyed by hash: how long a miss takes says nothing about the id.
        sessions.get(&hash(id)).is_some_and(|ends| *ends > now)
    }

    /// Who opens a WebSocket with `headers`: by the header `Authorization`, by the subprotocol `bearer.<token>` (a browser can
    /// set no header), or by a session's cookie from this server's own page.
    ///
    /// # Errors
    /// `unauthorized`.
    pub(super) fn identify_socket(
        &self,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<Caller, Problem> {
        let offered = headers
            .get_all(SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .find_map(|name| name.trim().strip_prefix("bearer."));
        let actor = match offered {
            Some(token) if self.knows(token) => Ok(Actor(self.actor.clone())),
            Some(_) => Err(unauthorized("the token is not accepted")),
            // It reads at first; what it may write is asked of its role with every message.
            None => self.identify(&Method::GET, headers, now),
        }?;
        Ok(Caller {
            identity: Identity::owner(actor.0),
            ended: CancellationToken::new(),
        })
    }

    /// Who sends a request with `method` and `headers`.
    fn identify(
        &self,
        method: &Method,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<Actor, Problem> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let known = value
                .to_str()
                .ok()
                .and_then(|value| value.split_once(' '))
                .is_some_and(|(scheme, token)| {
                    scheme.eq_ignore_ascii_case("bearer") && self.knows(token.trim())
                });
            return if known {
                Ok(Actor(self.actor.clone()))
            } else {
                Err(unauthorized("the token is not accepted")
                    .hint("look at the token that the server printed or stored when it started"))
            };
        }
        if !self.in_session(headers, now) {
            return Err(unauthorized("this call needs a token"));
        }
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let deliberate = headers.contains_key(CSRF_HEADER) && headers.contains_key(ORIGIN);
        if !reads && !deliberate {
            return Err(Problem::new(
                403,
                "cookie-not-enough",
                "a session cookie alone does not authorise a change",
            )
            .hint(format!(
                "add the header `{CSRF_HEADER}: 1`, or use the bearer token"
            )));
        }
        Ok(Actor(self.actor.clone()))
    }
}

/// 401 with the challenge is made in [`require`].
fn unauthorized(detail: &str) -> Problem {
    Problem::new(401, "unauthorized", detail)
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// Compares without stopping at the first difference.
fn same(a: &Hash, b: &Hash) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (x, y)| sum | (x ^ y));
    std::hint::black_box(difference) == 0
}

/// As [`require`], and also those with the token for deployments.
pub(super) async fn require_host(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Response {
    if app.auth.is_host(request.headers()) {
        let actor = Actor("another Sayso".to_owned());
        request.extensions_mut().insert(actor);
        return next.run(request).await;
    }
    require(State(app), request, next).await
}

/// Lets only known callers through and tells the handlers who they are.
pub(super) async fn require(State(app): State<App>, mut request: Request, next: Next) -> Response {
    match app
        .auth
        .identify(request.method(), request.headers(), Instant::now())
    {
        Ok(actor) => {
            request.extensions_mut().insert(Caller {
                identity: Identity::owner(actor.0.clone()),
                ended: CancellationToken::new(),
            });
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(problem) => {
            let challenge = problem.status == 401;
            let mut response = problem.into_response();
            if challenge {
                response.headers_mut().insert(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"sayso\""),
                );
            }
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    const TOKEN: &str = "a-token-of-some-length";

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

    fn status(auth: &Auth, method: &Method, pairs: &[(&'static str, &str)], now: Instant) -> u16 {
        auth.identify(method, &headers(pairs), now)
            .map_or_else(|problem| problem.status, |_| 200)
    }

    #[test]
    fn bearer_tokens() {
        let auth = Auth::new(TOKEN, "ada", 4000);
        let now = Instant::now();
        let get = |value: &str| status(&auth, &Method::GET, &[("authorization", value)], now);
        assert_eq!(get(&format!("Bearer {TOKEN}")), 200);
        assert_eq!(get(&format!("bearer  {TOKEN}")), 200);
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer a-token-of-some-lengt",
            "Basic a-token-of-some-length",
            TOKEN,
        ] {
            assert_eq!(get(bad), 401, "{bad:?}");
        }
        assert_eq!(status(&auth, &Method::GET, &[], now), 401);
    }

    #[test]
    fn a_session_reads_by_cookie_and_writes_only_with_header_and_origin() {
        let auth = Auth::new(TOKEN, "ada", 4000);
        let now = Instant::now();
        let set = auth.begin(now).unwrap();
        assert!(set.starts_with("sayso_4000=") && set.ends_with("; HttpOnly; SameSite=Strict"));
        let cookie = format!("other=1; {}", set.split(';').next().unwrap());
        let with = |method: &Method, more: &[(&'static str, &str)], now| {
            let mut pairs = vec![("cookie", cookie.as_str())];
            pairs.extend_from_slice(more);
            status(&auth, method, &pairs, now)
        };
        let origin = ("origin", "http://localhost:4000");
        assert_eq!(with(&Method::GET, &[], now), 200);
        assert_eq!(with(&Method::POST, &[], now), 403);
        assert_eq!(with(&Method::POST, &[origin], now), 403);
        assert_eq!(with(&Method::POST, &[(CSRF_HEADER, "1")], now), 403);
        assert_eq!(with(&Method::POST, &[(CSRF_HEADER, "1"), origin], now), 200);
        assert_eq!(with(&Method::DELETE, &[], now), 403);
        // A wrong token is not rescued by a good cookie.
        assert_eq!(
            with(&Method::GET, &[("authorization", "Bearer x")], now),
            401
        );
        assert_eq!(with(&Method::GET, &[], now + SESSION), 401);
        auth.end(&headers(&[("cookie", &cookie)]));
        assert_eq!(with(&Method::GET, &[], now), 401);
    }

    #[test]
    fn sessions_are_bounded() {
        let auth = Auth::new(TOKEN, "ada", 4000);
        let now = Instant::now();
        for n in 0..200 {
            auth.begin(now + Duration::from_secs(n)).unwrap();
        }
        assert_eq!(auth.sessions.lock().unwrap().len(), MAX_SESSIONS);
    }
}
