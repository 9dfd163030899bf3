//! Asks a release whether it is well, over real HTTP, as a visitor would.

use std::time::{Duration, Instant};

use reqwest::redirect::Policy;

use super::host::{CANDIDATE, RELEASE};
use crate::model::{Problem, ReleaseId};

/// A page longer than this is not read to its end.
const BODY: usize = 4 * 1024 * 1024;

/// What "well" means, and for how long it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthOptions {
    /// The path that is asked for.
    pub path: String,
    /// Text that the answer must contain.
    pub expect_text: Option<String>,
    /// Good answers in a row that are needed.
    pub passes: u32,
    /// How long one answer may take.
    pub timeout: Duration,
    /// How long all of it may take.
    pub deadline: Duration,
    /// How long a release is watched after it went live; zero does not watch it.
    pub watch: Duration,
    /// How often it is asked in that time.
    pub probes: u32,
}

impl Default for HealthOptions {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            expect_text: None,
            passes: 2,
            timeout: Duration::from_secs(2),
            deadline: Duration::from_secs(10),
            watch: Duration::from_secs(2),
            probes: 3,
        }
    }
}

/// One answer, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whether it was good.
    pub ok: bool,
    /// HTTP status, 0 when there was no answer.
    pub status: u16,
    /// Milliseconds it took.
    pub millis: u64,
    /// The address.
    pub url: String,
    /// What was wrong, or `ok`.
    pub message: String,
    /// True when asking again cannot change it: the right release answered, and a release never changes.
    pub settled: bool,
}

/// What is asked, and of whom.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    /// The address of the environment's start page.
    pub base: &'a str,
    /// The release that must answer.
    pub release: &'a ReleaseId,
    /// The header value that reaches it before it is live.
    pub candidate: Option<&'a str>,
}

/// Asks.
#[derive(Clone, Debug)]
pub(crate) struct Prober {
    client: reqwest::Client,
    options: HealthOptions,
}

impl Prober {
    /// A prober for addresses on this machine.
    ///
    /// # Errors
    /// `internal` when no HTTP client can be made, `bad-request` when the path is not one.
    pub fn new(options: HealthOptions) -> Result<Self, Problem> {
        if !options.path.starts_with('/') || options.path.starts_with("//") {
            return Err(Problem::bad_request(format!(
                "the health path {:?} is not a path",
                options.path
            ))
            .hint("write it from the root of the site, such as / or /health.html"));
        }
        // A second call is refused because a provider is there already, which is all that is needed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            // A proxy would ask itself, not this machine; and loading the machine's certificates takes time
            // that plain HTTP on the loopback address does not need.
            .no_proxy()
            .tls_certs_only(std::iter::empty())
            .redirect(Policy::limited(5))
            .user_agent(concat!("sayso/", env!("CARGO_PKG_VERSION"), " health"))
            .timeout(options.timeout)
            .build()
            .map_err(|error| {
                Problem::internal(format!("no HTTP client for health checks: {error}"))
            })?;
        Ok(Self { client, options })
    }

    /// The options.
    pub fn options(&self) -> &HealthOptions {
        &self.options
    }

    /// Asks once.
    pub async fn probe(&self, question: &Question<'_>) -> Probe {
        let url = format!(
            "{}{}",
            question.base.trim_end_matches('/'),
            self.options.path
        );
        let started = Instant::now();
        let mut request = self
            .client
            .get(&url)
            .header("accept", "text/html,*/*;q=0.8");
        if let Some(candidate) = question.candidate {
            request = request.header(CANDIDATE, candidate);
        }
        let (status, settled, verdict) = match request.send().await {
            Err(error) => (0, false, Err(no_answer(&error, self.options.timeout))),
            Ok(response) => {
                let status = response.status();
                let by = response
                    .headers()
                    .get(RELEASE)
                    .and_then(|value| value.to_str().ok());
                let right = by == Some(question.release.as_str());
                let by = by.unwrap_or("no release").to_owned();
                match self.judge(response, question.release, &by).await {
                    Ok(verdict) => (status.as_u16(), right, verdict),
                    Err(broken) => (status.as_u16(), false, Err(broken)),
                }
            }
        };
        Probe {
            ok: verdict.is_ok(),
            status,
            millis: started.elapsed().as_millis() as u64,
            url,
            message: verdict.err().unwrap_or_else(|| "ok".to_owned()),
            settled,
        }
    }

    /// The verdict on an answer; the outer error is a connection that broke while it was read.
    async fn judge(
        &self,
        mut response: reqwest::Response,
        release: &ReleaseId,
        by: &str,
    ) -> Result<Result<(), String>, String> {
        let status = response.status();
        if !status.is_success() {
            return Ok(Err(format!("{} answered {status}", response.url().path())));
        }
        if by != release.as_str() {
            return Ok(Err(format!("{by} answered instead of {release}")));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| format!("the answer broke off: {}", root_cause(&error)))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > BODY {
                break;
            }
        }
        Ok(match &self.options.expect_text {
            Some(text) if !String::from_utf8_lossy(&body).contains(text.as_str()) => Err(format!(
                "{} does not contain {text:?}",
                response.url().path()
            )),
            _ => Ok(()),
        })
    }

    /// Asks until there are enough good answers in a row, or it is clear that there will not be; tells `report`
    /// every answer.
    ///
    /// # Errors
    /// The last bad answer.
    pub async fn gate(
        &self,
        question: &Question<'_>,
        report: &mut (dyn FnMut(&Probe) + Send),
    ) -> Result<(), Probe> {
        let started = Instant::now();
        let mut passes = 0;
        let mut pause = Duration::from_millis(25);
        loop {
            let probe = self.probe(question).await;
            report(&probe);
            if probe.ok {
                passes += 1;
                if passes >= self.options.passes.max(1) {
                    return Ok(());
                }
                continue;
            }
            passes = 0;
            if probe.settled || started.elapsed() + pause > self.options.deadline {
                return Err(probe);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}

fn no_answer(error: &reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() {
        format!("no answer within {} ms", timeout.as_millis())
    } else {
        format!("no answer: {}", root_cause(error))
    }
}

/// The innermost error: the outer ones only repeat the address.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_could_name_a_host_is_refused() {
        for path in ["", "health", "//evil.example/", "http://evil.example/"] {
            let options = HealthOptions {
                path: path.to_owned(),
                ..HealthOptions::default()
            };
            assert!(Prober::new(options).is_err(), "{path}");
        }
    }

    #[tokio::test]
    async fn no_answer_is_not_settled_and_ends_at_the_deadline() {
        // A port that was just free, with nobody behind it.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let options = HealthOptions {
            deadline: Duration::from_millis(80),
            ..HealthOptions::default()
        };
        let prober = Prober::new(options).unwrap();
        let base = format!("http://127.0.0.1:{port}/");
        let release = ReleaseId::from("rel_1");
        let mut asked = 0;
        let question = Question {
            base: &base,
            release: &release,
            candidate: None,
        };
        let probe = prober
            .gate(&question, &mut |_| asked += 1)
            .await
            .unwrap_err();
        assert!(
            !probe.ok && !probe.settled && probe.status == 0,
            "{probe:?}"
        );
        assert!(asked >= 2, "{asked}");
    }
}
