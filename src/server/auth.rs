//! Who is calling: the bearer of a token, or of a session cookie that a browser got for one.
//!
//! There are three kinds of tokens: the server's own, which is made at its start and may do anything; those that were made for
//! people ([`tokens`](super::tokens)); and one that lets deployments in.
//!
//! A cookie travels by itself, so it only reads. To change anything with it, a request must also carry
//! [`CSRF_HEADER`], which a foreign page cannot add without a preflight that this server never grants, and an
//! `Origin`, which [`guard`](super::guard) has compared by then.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::{AUTHORIZATION, COOKIE, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, Method};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::forward;
use super::tokens::Tokens;
use crate::model::{Identity, Problem, Role};

/// The header that a page adds to requests which change something.
pub(super) const CSRF_HEADER: &str = "x-sayso-request";

/// How long a session lasts.
pub(super) const SESSION: Duration = Duration::from_secs(12 * 3600);

/// Sessions kept; one more ends the one that expires first.
const MAX_SESSIONS: usize = 64;

/// Who has the token for deployments.
const OTHER_SAYSO: &str = "another Sayso";

pub(super) type Hash = [u8; 32];

/// Who acts, as events name them.
#[derive(Clone)]
pub(super) struct Actor(pub(super) String);

/// The bearer behind a request; set beside [`Actor`].
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Who it is, and what it may do.
    pub(super) identity: Identity,
    /// Canceled when the token ends or is revoked: streams and sockets end with it.
    pub(super) ended: CancellationToken,
}

/// A browser that has signed in.
struct Session {
    ends: Instant,
    caller: Caller,
}

/// The tokens and the sessions. Only hashes are kept: comparing those takes the same time for every wrong guess.
pub(super) struct Auth {
    token: Hash,
    /// Lets deployments in, and nothing else.
    host: Option<Hash>,
    actor: String,
    cookie: Cookie,
    tokens: Arc<Tokens>,
    sessions: Mutex<HashMap<Hash, Session>>,
}

/// How the cookie of a session is set.
pub(super) struct Cookie {
    /// Browsers do not tell ports of one host apart, so two servers need two names.
    name: String,
    /// The addresses that it is sent to.
    path: String,
    /// It travels over TLS alone.
    secure: bool,
}

impl Cookie {
    /// The cookie of the project at `path` on the server at `port`.
    pub(super) fn new(port: u16, path: &str, secure: bool) -> Self {
        let project = path
            .trim_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let mut name = format!("sayso_{port}");
        if !project.is_empty() {
            name = format!("{name}_{project}");
        }
        Self {
            name,
            path: path.to_owned(),
            secure,
        }
    }
}

/// What a request says about who sends it.
enum Shown<'a> {
    Nothing,
    Bearer(&'a str),
    /// Another scheme, or no text.
    Malformed,
    Session(&'a str),
}

impl Auth {
    pub(super) fn new(token: &str, actor: &str, cookie: Cookie, tokens: Arc<Tokens>) -> Self {
        Self {
            token: hash(token),
            host: None,
            actor: actor.to_owned(),
            cookie,
            tokens,
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

    /// The tokens that were made for people.
    pub(super) fn tokens(&self) -> &Arc<Tokens> {
        &self.tokens
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Hash, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when the headers say who sends them, rightly or not.
    pub(super) fn shows_any(&self, headers: &HeaderMap) -> bool {
        !matches!(self.shown(headers), Shown::Nothing)
    }

    fn shown<'a>(&self, headers: &'a HeaderMap) -> Shown<'a> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let token = value
                .to_str()
                .ok()
                .and_then(|value| value.split_once(' '))
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, token)| token.trim());
            return token.map_or(Shown::Malformed, Shown::Bearer);
        }
        match self.session_of(headers) {
            Some(id) => Shown::Session(id),
            None => Shown::Nothing,
        }
    }

    /// The one with the token for deployments, when the request carries it.
    pub(super) fn host(&self, headers: &HeaderMap) -> Option<Caller> {
        let (Some(known), Shown::Bearer(token)) = (&self.host, self.shown(headers)) else {
            return None;
        };
        same(known, &hash(token)).then(|| Caller {
            identity: Identity {
                actor: OTHER_SAYSO.to_owned(),
                role: Role::Deployer,
                token: Some("host".to_owned()),
                rooms: BTreeMap::new(),
                expires: None,
            },
            ended: CancellationToken::new(),
        })
    }

    /// True when `token` is the server's own.
    fn is_own(&self, token: &str) -> bool {
        same(&hash(token), &self.token)
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// `unauthorized`.
    pub(super) fn bearer(&self, token: &str) -> Result<Caller, Problem> {
        if self.is_own(token) {
            return Ok(Caller {
                identity: Identity::owner(&self.actor),
                ended: CancellationToken::new(),
            });
        }
        // The server's own is random text, the others have two dots.
        match token.bytes().filter(|byte| *byte == b'.').count() {
            2 => self.tokens.check(token, Timestamp::now()),
            _ => Err(unauthorized("the token is not accepted").hint(
                "look at the token that the server printed or stored when it started, or ask an admin for one of your own: \
                 sayso token create",
            )),
        }
    }

    /// True for requests with the server's own token.
    pub(super) fn is_own_of(&self, headers: &HeaderMap) -> bool {
        matches!(self.shown(headers), Shown::Bearer(token) if self.is_own(token))
    }

    /// True when it costs nothing to find out who sends these headers, whether or not they are good.
    pub(super) fn cheap(&self, headers: &HeaderMap) -> bool {
        match self.shown(headers) {
            Shown::Nothing | Shown::Session(_) => true,
            Shown::Malformed => false,
            Shown::Bearer(token) => self.was_good(token) || self.host(headers).is_some(),
        }
    }

    /// True for a token that is known to be one without a look at its signature.
    pub(super) fn was_good(&self, token: &str) -> bool {
        self.is_own(token) || self.tokens.was_good(token)
    }

    /// Starts a session of `caller`; returns the `Set-Cookie` value.
    pub(super) fn begin(&self, caller: Caller, now: Instant) -> Result<String, Problem> {
        let id = super::random_token()?;
        let mut sessions = self.sessions();
        sessions.retain(|_, session| session.ends > now && !session.caller.ended.is_cancelled());
        if sessions.len() >= MAX_SESSIONS
            && let Some(first) = sessions
                .iter()
                .min_by_key(|(_, session)| session.ends)
                .map(|(id, _)| *id)
            && let Some(first) = sessions.remove(&first)
        {
            first.caller.ended.cancel();
        }
        let session = Session {
            ends: now + SESSION,
            caller: Caller {
                // It ends with its token, and by itself.
                ended: caller.ended.child_token(),
                identity: caller.identity,
            },
        };
        sessions.insert(hash(&id), session);
        Ok(self.set_cookie(&id, SESSION))
    }

    /// Ends the session of `headers`, with the streams that it opened; returns the `Set-Cookie` value that removes the cookie.
    pub(super) fn end(&self, headers: &HeaderMap) -> String {
        if let Some(id) = self.session_of(headers)
            && let Some(session) = self.sessions().remove(&hash(id))
        {
            session.caller.ended.cancel();
        }
        self.set_cookie("", Duration::ZERO)
    }

    fn set_cookie(&self, id: &str, age: Duration) -> String {
        let Cookie { name, path, secure } = &self.cookie;
        let age = age.as_secs();
        let secure = if *secure { "; Secure" } else { "" };
        format!("{name}={id}; Path={path}; Max-Age={age}{secure}; HttpOnly; SameSite=Strict")
    }

    fn session_of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.cookie.name)
            .map(|(_, id)| id)
    }

    fn in_session(&self, id: &str, now: Instant) -> Option<Caller> {
        let sessions = self.sessions();
        // The map is keyed by hash: how long a miss takes says nothing about the id.
        let session = sessions.get(&hash(id))?;
        let caller = &session.caller;
        let expired = caller
            .identity
            .expires
            .is_some_and(|at| at <= Timestamp::now());
        let over = session.ends <= now || caller.ended.is_cancelled() || expired;
        (!over).then(|| caller.clone())
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
        match offered(headers) {
            Some(token) => self.bearer(token),
            // It reads at first; what it may write is asked of its role with every message.
            None => self.identify(&Method::GET, headers, now),
        }
    }

    /// Who sends a request with `method` and `headers`.
    ///
    /// # Errors
    /// `unauthorized`, `cookie-not-enough`.
    pub(super) fn identify(
        &self,
        method: &Method,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<Caller, Problem> {
        let caller = match self.shown(headers) {
            Shown::Bearer(token) => {
                let mut caller = self.bearer(token)?;
                // Another server of the project, which has found out who it is.
                if let Some(identity) = forward::spoken_for(headers).filter(|_| self.is_own(token))
                {
                    caller.identity = identity;
                }
                return Ok(caller);
            }
            Shown::Malformed => {
                return Err(unauthorized("the token is not accepted")
                    .hint("send it as `Authorization: Bearer <token>`"));
            }
            Shown::Session(id) => self.in_session(id, now),
            Shown::Nothing => None,
        };
        let caller = caller.ok_or_else(|| unauthorized("this call needs a token"))?;
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
        Ok(caller)
    }
}

/// The token that a WebSocket's subprotocols offer.
pub(super) fn offered(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|name| name.trim().strip_prefix("bearer."))
}

/// 401; the challenge is added in [`require`](super::require).
pub(super) fn unauthorized(detail: &str) -> Problem {
    Problem::new(401, "unauthorized", detail)
}

pub(super) fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// Compares without stopping at the first difference.
fn same(a: &Hash, b: &Hash) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (x, y)| sum | (x ^ y));
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests;
