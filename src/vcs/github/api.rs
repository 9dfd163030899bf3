//! Requests to one repository of one GitHub: time limits, repeats, waits that a person sees, and the same route for
//! every part of it. What an answer means is decided by the callers.

use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{HeaderMap, HeaderName, LOCATION};
use http::{Method, Request};
use octocrab::Octocrab;
use octocrab::service::middleware::retry::RetryConfig;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::address::{Address, part};
use super::retry::{Outcome, Repeat, Verdict, verdict};
use super::trouble;
use crate::config::Secret;
use crate::model::Problem;

/// For a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Between two pieces of an answer, or of a request on its way.
const STALL: Duration = Duration::from_secs(30);

/// For one request as a whole.
const WHOLE: Duration = Duration::from_secs(120);

/// Between two words on a wait.
const TOLD: Duration = Duration::from_secs(10);

/// Where and as whom requests are made.
#[derive(Clone, Debug)]
pub struct Account {
    /// The repository.
    pub address: Address,
    /// The interface's address, where it is not the host's usual one.
    pub api: String,
    /// The token.
    pub token: Secret,
    /// The longest wait for a limit.
    pub patience: Duration,
}

/// What came back: any status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null where it is none.
    pub body: Value,
}

impl Answer {
    /// True for 2xx.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A text in the body.
    ///
    /// # Errors
    /// `github-failed` when it is not there: that is no answer of GitHub's.
    pub fn text(&self, pointer: &str) -> Result<&str, Problem> {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .ok_or_else(|| {
                Problem::new(
                    502,
                    "github-failed",
                    format!("GitHub's answer lacks {pointer}: something else may have answered in its place"),
                )
                .hint("check [github] api, and for a proxy that answers by itself")
            })
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }

    fn outcome(&self) -> Outcome {
        let speaks = |field: &str| {
            let text = self.body[field].as_str().unwrap_or_default();
            text.to_ascii_lowercase()
                .replace('-', " ")
                .contains("rate limit")
        };
        Outcome::Answer {
            status: self.status,
            retry_after: self.number("retry-after"),
            remaining: self.number("x-ratelimit-remaining"),
            reset: self.number("x-ratelimit-reset"),
            speaks_of_limit: speaks("message") || speaks("documentation_url"),
        }
    }
}

/// One request.
pub struct Ask<'a> {
    /// What for, as in "asked to …".
    pub doing: trouble::Doing,
    /// How.
    pub method: Method,
    /// Where, below the repository, percent-encoded: `/git/trees`. `None`: GraphQL.
    pub route: Option<String>,
    /// What is sent.
    pub body: Option<&'a Value>,
    /// `If-None-Match`.
    pub etag: Option<&'a str>,
    /// Whether it may be repeated.
    pub repeat: Repeat,
}

impl<'a> Ask<'a> {
    /// A read.
    pub fn get(doing: trouble::Doing, route: impl Into<String>) -> Self {
        Self {
            doing,
            method: Method::GET,
            route: Some(route.into()),
            body: None,
            etag: None,
            repeat: Repeat::Freely,
        }
    }

    /// Something that is named by its content, so that making it twice makes it once.
    pub fn make(doing: trouble::Doing, route: &str, body: &'a Value) -> Self {
        Self {
            method: Method::POST,
            body: Some(body),
            ..Self::get(doing, route)
        }
    }
}

/// The interface of one repository.
pub struct Api {
    rest: Octocrab,
    graphql: Octocrab,
    account: Account,
    host: String,
    /// Where the repository is, as routes have it; GitHub tells when that has changed.
    base: RwLock<String>,
    told: Mutex<Option<UnboundedSender<String>>>,
    /// Held by the request that tells of a pause: several that wait at the same time wait for the same.
    pausing: tokio::sync::Mutex<()>,
}

impl Api {
    /// Makes no request. Must be called inside a runtime.
    ///
    /// # Errors
    /// `config` for an address that is none; `github-token` for a token that cannot be sent.
    pub fn new(account: Account) -> Result<Self, Problem> {
        let (rest, graphql) = account.address.bases(&account.api)?;
        let host = rest.authority().to_owned();
        let base = format!(
            "/repos/{}/{}",
            part(&account.address.owner),
            part(&account.address.name)
        );
        Ok(Self {
            rest: client(rest.as_str(), &account.token)?,
            graphql: client(graphql.as_str(), &account.token)?,
            host,
            base: RwLock::new(base),
            told: Mutex::new(None),
            pausing: tokio::sync::Mutex::new(()),
            account,
        })
    }

    /// The repository.
    pub fn address(&self) -> &Address {
        &self.account.address
    }

    /// Who is told of waits, from now on.
    pub fn tell(&self, sender: UnboundedSender<String>) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    }

    /// Says something to whoever listens.
    pub fn say(&self, words: String) {
        tracing::info!("{words}");
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = told.as_ref() {
            let _ = told.send(words);
        }
    }

    /// Sends a request until there is an answer to take, whatever its status.
    ///
    /// # Errors
    /// `github-unreachable` without an answer; `github-limit` when a limit takes too long; `github-moved`.
    pub async fn send(&self, ask: &Ask<'_>) -> Result<Answer, Problem> {
        let (mut attempt, mut waits, mut moves) = (0, 0, 0);
        loop {
            let result = self.once(ask).await;
            let outcome = result.as_ref().map_or(Outcome::Nothing, Answer::outcome);
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |time| time.as_secs());
            match verdict(ask.repeat, attempt, waits, now, &outcome) {
                Verdict::Take => {}
                Verdict::Again(pause) => {
                    attempt += 1;
                    tracing::debug!(attempt, "asking GitHub again to {}", ask.doing);
                    tokio::time::sleep(pause).await;
                    continue;
                }
                Verdict::Limited(pause) => {
                    waits += 1;
                    self.wait(pause).await?;
                    continue;
                }
            }
            let answer = result.map_err(|why| trouble::silent(ask.doing, &why))?;
            if matches!(answer.status, 301 | 302 | 307 | 308) && ask.route.is_some() && moves < 3 {
                moves += 1;
                self.follow(ask, &answer)?;
                continue;
            }
            return Ok(answer);
        }
    }

    /// As [`Api::send`], with any other status than 2xx as a problem.
    ///
    /// # Errors
    /// What GitHub refused, and why.
    pub async fn call(&self, ask: &Ask<'_>) -> Result<Answer, Problem> {
        let answer = self.send(ask).await?;
        if answer.ok() {
            Ok(answer)
        } else {
            Err(trouble::of(self.address(), ask.doing, &answer))
        }
    }

    /// Waits for a limit, saying how long.
    async fn wait(&self, pause: Duration) -> Result<(), Problem> {
        let mut left = pause.as_secs();
        if pause > self.account.patience {
            return Err(trouble::limited(Some(left)));
        }
        let tells = self.pausing.try_lock();
        while left > 0 {
            if tells.is_ok() {
                self.say(format!("GitHub asks for a pause: going on in {left} s"));
            }
            let step = TOLD.as_secs().min(left);
            tokio::time::sleep(Duration::from_secs(step)).await;
            left -= step;
        }
        Ok(())
    }

    /// One try.
    async fn once(&self, ask: &Ask<'_>) -> Result<Answer, String> {
        let (crab, uri) = match &ask.route {
            Some(route) => {
                let base = self.base.read().unwrap_or_else(PoisonError::into_inner);
                // Routes of the account itself begin with two slashes.
                let uri = match route.strip_prefix('/') {
                    Some(own) if own.starts_with('/') => own.to_owned(),
                    _ => format!("{base}{route}"),
                };
                (&self.rest, uri)
            }
            None => (&self.graphql, "/graphql".to_owned()),
        };
        let mut request = Request::builder().method(ask.method.clone()).uri(uri);
        if let Some(etag) = ask.etag {
            request = request.header(HeaderName::from_static("if-none-match"), etag);
        }
        let request = crab
            .build_request(request, ask.body)
            .map_err(|error| plain(&error))?;
        let exchange = async {
            let response = crab.execute(request).await.map_err(|error| plain(&error))?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let text = crab
                .body_to_string(response)
                .await
                .map_err(|error| plain(&error))?;
            let body = match serde_json::from_str(&text) {
                Ok(body) => body,
                // Torn off, or not GitHub's: for a success that is as good as no answer.
                Err(_) if (200..300).contains(&status) && !text.is_empty() => {
                    return Err("the answer broke off".to_owned());
                }
                Err(_) => Value::Null,
            };
            Ok(Answer {
                status,
                headers,
                body,
            })
        };
        tokio::time::timeout(WHOLE, exchange)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", WHOLE.as_secs())))
    }

    /// Takes the repository's new place from a redirection; the token goes to no other host.
    fn follow(&self, ask: &Ask<'_>, answer: &Answer) -> Result<(), Problem> {
        let refused = || trouble::of(self.address(), ask.doing, answer);
        let location = answer
            .headers
            .get(LOCATION)
            .and_then(|place| place.to_str().ok())
            .ok_or_else(refused)?;
        let route = ask.route.as_deref().unwrap_or_default();
        let base = moved_to(&self.host, location, route).ok_or_else(refused)?;
        let mut place = self.base.write().unwrap_or_else(PoisonError::into_inner);
        if *place != base {
            *place = base;
            drop(place);
            self.say(format!(
                "{} has another name on GitHub now: correct the address by `git remote set-url`",
                self.address()
            ));
        }
        Ok(())
    }
}

/// The new base of the routes, when `location` is `route` below another base on the same host.
fn moved_to(host: &str, location: &str, route: &str) -> Option<String> {
    let path = match url::Url::parse(location) {
        Ok(url) if url.authority() == host => match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        },
        Ok(_) => return None,
        Err(_) if location.starts_with('/') && !location.starts_with("//") => location.to_owned(),
        Err(_) => return None,
    };
    let base = path.strip_suffix(route)?;
    // An Enterprise host has its interface in a folder that the client puts in front by itself.
    let base = base.strip_prefix("/api/v3").unwrap_or(base);
    (base.starts_with("/repos/") || base.starts_with("/repositories/")).then(|| base.to_owned())
}

fn client(base: &str, token: &Secret) -> Result<Octocrab, Problem> {
    if !token.sendable() {
        return Err(Problem::new(
            422,
            "github-token",
            "the token for GitHub holds signs that no token has",
        )
        .hint("store it anew: sayso login github"));
    }
    Octocrab::builder()
        .base_uri(base)
        .and_then(|builder| {
            builder
                .personal_token(token.expose().to_owned())
                // Repeats are decided here, by what a request does.
                .add_retry_config(RetryConfig::None)
                .set_connect_timeout(Some(CONNECT))
                .set_read_timeout(Some(STALL))
                .set_write_timeout(Some(STALL))
                .build()
        })
        .map_err(|error| Problem::internal(format!("the client for GitHub: {}", plain(&error))))
}

/// An error of the client library, with its causes, without its backtrace.
fn plain(error: &octocrab::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let words = error.to_string();
        let words = words.lines().next().unwrap_or_default();
        if !words.is_empty() && !text.contains(words) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(words);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_repository_is_followed_on_its_own_host_only() {
        let to = |location: &str| moved_to("api.github.com", location, "/git/ref/heads/main");
        assert_eq!(
            to("https://api.github.com/repositories/12/git/ref/heads/main").as_deref(),
            Some("/repositories/12")
        );
        assert_eq!(
            to("/repos/ada/new/git/ref/heads/main").as_deref(),
            Some("/repos/ada/new")
        );
        assert_eq!(
            to("https://evil.example/repositories/12/git/ref/heads/main"),
            None
        );
        assert_eq!(to("//evil.example/repos/a/b/git/ref/heads/main"), None);
        assert_eq!(to("https://api.github.com/login"), None);
        assert_eq!(
            moved_to(
                "git.example.org",
                "https://git.example.org/api/v3/repos/a/b/git/trees",
                "/git/trees"
            )
            .as_deref(),
            Some("/repos/a/b")
        );
    }
}
