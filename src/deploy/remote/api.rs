//! Calls of a service's API. What is safe to repeat is repeated with visible waits; what is not is sent once, and an
//! outcome that cannot be known is told as such.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Response};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Redactor;
use super::Token;
use super::fault::refused;
pub(crate) use super::fault::{Fault, Refused, shown};
use super::probe::root_cause;
use crate::model::Problem;

/// Redirections that are followed, on the same host only: a renamed repository.
const REDIRECTS: usize = 5;

/// An answer longer than this is cut off.
const BODY: usize = 32 * 1024 * 1024;

/// How patient calls are. The defaults are what Vercel's own client does (its `Retry-After` handling and upload
/// retries).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The shortest wait that a service may ask for.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
    /// Up to this much is added at random, so that many clients do not come back together.
    pub skew: Duration,
    /// Between two tries when the service failed or could not be reached.
    pub failed: Duration,
    /// How often a call is tried.
    pub tries: u32,
    /// How long one call may take.
    pub timeout: Duration,
    /// Between two looks at work that goes on, at first.
    pub poll: Duration,
    /// How often it is looked whether a write of unclear outcome has been done, before it is called unknown.
    pub looks: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            least: Duration::from_secs(5),
            most: Duration::from_secs(60),
            skew: Duration::from_secs(5),
            failed: Duration::from_secs(2),
            tries: 5,
            timeout: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            looks: 20,
        }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub method: Method,
    /// The path's parts; each is percent-encoded.
    pub path: Vec<String>,
    pub query: Vec<(&'static str, String)>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
    pub timeout: Option<Duration>,
}

/// What a call sends.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    None,
    Json(Value),
    Bytes(bytes::Bytes),
}

impl Call {
    pub fn new(method: Method, path: &[&str]) -> Self {
        Self {
            method,
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            timeout: None,
        }
    }

    pub fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn post(path: &[&str], body: Value) -> Self {
        Self {
            body: Body::Json(body),
            ..Self::new(Method::POST, path)
        }
    }

    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }
}

/// A good answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Value,
}

/// One service's API.
#[derive(Clone)]
pub(crate) struct Api {
    client: reqwest::Client,
    base: Url,
    token: Token,
    headers: HeaderMap,
    pub pace: Pace,
    service: &'static str,
}

impl Api {
    /// The API of `service` at `base`.
    ///
    /// # Errors
    /// When the machine's TLS set-up is broken.
    pub fn new(
        service: &'static str,
        base: Url,
        token: Token,
        headers: HeaderMap,
        pace: Pace,
    ) -> Result<Self, Problem> {
        Self::trusting(service, base, token, headers, pace, Vec::new())
    }

    /// The same; `roots` are trusted besides the system's own.
    ///
    /// # Errors
    /// When the machine's TLS set-up is broken.
    pub fn trusting(
        service: &'static str,
        base: Url,
        token: Token,
        headers: HeaderMap,
        pace: Pace,
        roots: Vec<reqwest::Certificate>,
    ) -> Result<Self, Problem> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder();
        if !roots.is_empty() {
            client = client.tls_certs_merge(roots);
        }
        let client = client
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("sayso/", env!("CARGO_PKG_VERSION")))
            // Elsewhere the token must not go.
            .redirect(Policy::custom(|attempt| {
                let here = attempt.previous().first().map(Url::origin);
                if attempt.previous().len() > REDIRECTS || here != Some(attempt.url().origin()) {
                    attempt.stop()
                } else {
                    attempt.follow()
                }
            }))
            .build()
            .map_err(Problem::internal)?;
        Ok(Self {
            client,
            base,
            token,
            headers,
            pace,
            service,
        })
    }

    /// Sends a call and returns the response as it begins.
    ///
    /// # Errors
    /// As [`Self::once`].
    pub async fn open(&self, call: &Call) -> Result<Response, Fault> {
        let token = (self.token)().await.map_err(Fault::NotSent)?;
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&call.path);
        }
        let mut request = self
            .client
            .request(call.method.clone(), url)
            .headers(self.headers.clone())
            .bearer_auth(&token)
            .query(&call.query);
        if let Some(timeout) = call.timeout {
            request = request.timeout(timeout);
        }
        for (name, value) in &call.headers {
            let value = HeaderValue::from_str(value).map_err(|error| {
                Fault::NotSent(Problem::internal(format!("the header {name}: {error}")))
            })?;
            request = request.header(HeaderName::from_static(name), value);
        }
        request = match &call.body {
            Body::None => request,
            Body::Json(body) => request.json(body),
            Body::Bytes(bytes) => request.body(bytes.clone()),
        };
        let response = request.send().await.map_err(|error| self.lost(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = read(response).await.unwrap_or_default();
        let mut no = refused(self.service, status, &headers, &body);
        // A service that quotes what it was sent must not carry the token into a log.
        no.message = Redactor::new([token]).clean(&no.message);
        Err(Fault::Refused(Box::new(no)))
    }

    /// Sends a call once.
    ///
    /// # Errors
    /// Why there is no good answer.
    pub async fn once(&self, call: &Call) -> Result<Answer, Fault> {
        let mut call = call.clone();
        call.timeout.get_or_insert(self.pace.timeout);
        let response = self.open(&call).await?;
        let status = response.status().as_u16();
        let body = read(response).await.map_err(|error| self.lost(&error))?;
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).map_err(|_| {
                Fault::Unclear(format!(
                    "{} answered with something else than JSON",
                    self.service
                ))
            })?
        };
        Ok(Answer { status, body })
    }

    /// Sends a call that may be repeated, until it is answered or it was tried often enough. Waits are told to `say`.
    ///
    /// # Errors
    /// Why there is no good answer.
    pub async fn repeat(
        &self,
        call: &Call,
        cancel: &CancellationToken,
        say: &mut (dyn FnMut(String) + Send),
    ) -> Result<Answer, Fault> {
        self.tries(call, cancel, say, |_| true).await
    }

    /// Sends a call that must not be done twice: it is repeated only where it was certainly not done.
    ///
    /// # Errors
    /// Why there is no good answer; with [`Fault::is_unclear`] it may have been done.
    pub async fn write(
        &self,
        call: &Call,
        cancel: &CancellationToken,
        say: &mut (dyn FnMut(String) + Send),
    ) -> Result<Answer, Fault> {
        self.tries(call, cancel, say, |fault| !fault.is_unclear())
            .await
    }

    async fn tries(
        &self,
        call: &Call,
        cancel: &CancellationToken,
        say: &mut (dyn FnMut(String) + Send),
        may: impl Fn(&Fault) -> bool + Send,
    ) -> Result<Answer, Fault> {
        let mut tried = 0;
        loop {
            let fault = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            tried += 1;
            let Some(wait) = self
                .wait(&fault)
                .filter(|_| tried < self.pace.tries && may(&fault))
            else {
                return Err(fault);
            };
            say(match &fault {
                Fault::Refused(refused) if refused.wait.is_some() => format!(
                    "{} has had too many calls: waits {} as it asks ({})",
                    self.service,
                    shown(wait),
                    refused.message
                ),
                Fault::Refused(refused) => format!(
                    "{} failed ({}): tries again in {}",
                    self.service,
                    refused.status,
                    shown(wait)
                ),
                _ => format!(
                    "{} cannot be reached: tries again in {}",
                    self.service,
                    shown(wait)
                ),
            });
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(Fault::Stopped),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// How long to wait before the next try; `None` when another would be answered the same.
    pub fn wait(&self, fault: &Fault) -> Option<Duration> {
        match fault {
            Fault::Refused(refused) => match refused.wait {
                Some(wait) => {
                    let skew = self.pace.skew.mul_f64(random());
                    Some(wait.clamp(self.pace.least, self.pace.most) + skew)
                }
                // A full disk does not get emptier by asking again.
                None => {
                    (refused.status >= 500 && refused.status != 507).then_some(self.pace.failed)
                }
            },
            Fault::Unclear(_) => Some(self.pace.failed),
            Fault::NotSent(problem) => problem.is("unreachable").then_some(self.pace.failed),
            Fault::Stopped => None,
        }
    }

    fn lost(&self, error: &reqwest::Error) -> Fault {
        let why = root_cause(error);
        if error.is_connect() && why.to_ascii_lowercase().contains("certificate") {
            let problem = Problem::new(
                502,
                "untrusted",
                format!("{} is not trusted: {why}", self.service),
            );
            // Asking again would be answered the same.
            return Fault::NotSent(problem.hint(
                "its certificate must be one that this machine trusts, be made for that name, and not have ended",
            ));
        }
        if error.is_connect() || error.is_builder() {
            let problem = Problem::new(
                502,
                "unreachable",
                format!("{} cannot be reached: {why}", self.service),
            );
            return Fault::NotSent(problem.hint("check the network, then try again"));
        }
        if error.is_timeout() {
            return Fault::Unclear(format!("{} did not answer in time", self.service));
        }
        Fault::Unclear(format!("the connection to {} broke: {why}", self.service))
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > BODY {
            break;
        }
    }
    Ok(body)
}

/// 0.0 to 1.0.
fn random() -> f64 {
    f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX)
}
