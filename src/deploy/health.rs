//! Asks a release whether it is well, over real HTTP, as a visitor would; then a person's own check, if there is one.

pub(crate) mod cooldown;
pub(crate) mod judge;
pub(crate) mod own;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;

use self::judge::{Answered, Unwell, judge};
use super::host::{CANDIDATE, RELEASE};
use crate::model::{Problem, ReleaseId};

pub use judge::Marker;

/// A page longer than this is not read to its end.
const BODY: usize = 4 * 1024 * 1024;

/// Redirections that are followed.
const REDIRECTS: usize = 5;

/// What "well" means, and for how long it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthOptions {
    /// The environment, as a check of one's own is told it.
    pub environment: String,
    /// The path that is asked for.
    pub path: String,
    /// The status that the answer must have; `None` for any from 200 to 299.
    pub status: Option<u16>,
    /// Text that the answer must contain.
    pub expect_text: Option<String>,
    /// A header that the answer must carry.
    pub header: Option<Marker>,
    /// A slower answer is not a good one; `None` for any time within `timeout`.
    pub latency: Option<Duration>,
    /// What the shell runs after a good answer; its exit code decides.
    pub command: Option<String>,
    /// How long that may take.
    pub command_timeout: Duration,
    /// Where it runs.
    pub folder: PathBuf,
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
    /// How often a live release is asked for as long as it is live; zero: only while it is watched.
    pub interval: Duration,
    /// Bad answers in a row that make a live release unwell.
    pub failures: u32,
    /// For so long after an automatic return there is no other.
    pub cooldown: Duration,
}

impl Default for HealthOptions {
    fn default() -> Self {
        Self {
            environment: String::new(),
            path: "/".to_owned(),
            status: None,
            expect_text: None,
            header: None,
            latency: None,
            command: None,
            command_timeout: Duration::from_secs(30),
            folder: std::env::temp_dir(),
            passes: 2,
            timeout: Duration::from_secs(2),
            deadline: Duration::from_secs(10),
            watch: Duration::from_secs(2),
            probes: 3,
            interval: Duration::from_secs(20),
            failures: 3,
            cooldown: Duration::from_secs(600),
        }
    }
}

impl HealthOptions {
    /// Whether the path can be asked for on any address.
    ///
    /// # Errors
    /// `bad-request` when it is not a path: it could then name another host.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if !self.path.starts_with('/') || self.path.starts_with("//") {
            return Err(Problem::bad_request(format!(
                "the health path {:?} is not a path",
                self.path
            ))
            .hint("write it from the root of the site, such as / or /health.html"));
        }
        Ok(())
    }

    /// `http` to `https`, the bare domain to `www`: followed, unless a redirection is what is expected.
    pub(crate) fn redirections(&self) -> Policy {
        match self.status {
            Some(300..400) => Policy::none(),
            _ => Policy::limited(REDIRECTS),
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
        options.check()?;
        // A second call is refused because a provider is there already, which is all that is needed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            // A proxy would ask itself, not this machine; and loading the machine's certificates takes time
            // that plain HTTP on the loopback address does not need.
            .no_proxy()
            .tls_certs_only(std::iter::empty())
            .redirect(options.redirections())
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
        let (status, mut settled, mut verdict) = match request.send().await {
            Err(error) => (0, false, Err(no_answer(&error, self.options.timeout))),
            Ok(response) => {
                let status = response.status().as_u16();
                match self.judge(response, question.release, started).await {
                    Ok((lasting, verdict)) => (status, lasting, verdict),
                    Err(broken) => (status, false, Err(broken)),
                }
            }
        };
        let millis = started.elapsed().as_millis() as u64;
        if verdict.is_ok() {
            let header = question
                .candidate
                .map(|value| format!("{CANDIDATE}: {value}"));
            let told = own::Told {
                url: question.base,
                release: question.release.as_str(),
                header: header.as_deref().unwrap_or_default(),
            };
            verdict = own::ask(&self.options, &told).await;
            // The world that it looks at may be another the next time.
            settled &= verdict.is_ok();
        }
        Probe {
            ok: verdict.is_ok(),
            status,
            millis,
            url,
            message: verdict.err().unwrap_or_else(|| "ok".to_owned()),
            settled,
        }
    }

    /// Whether asking again cannot change the verdict on an answer, and the verdict; the outer error is a connection
    /// that broke while it was read.
    async fn judge(
        &self,
        mut response: reqwest::Response,
        release: &ReleaseId,
        started: Instant,
    ) -> Result<(bool, Result<(), String>), String> {
        let (status, path) = (response.status(), response.url().path().to_owned());
        let headers = response.headers().clone();
        let by = headers.get(RELEASE).and_then(|value| value.to_str().ok());
        let right = by == Some(release.as_str());
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
        let verdict = judge(
            &self.options,
            &Answered {
                path: &path,
                status: status.as_u16(),
                headers: &headers,
                body: &body,
                took: started.elapsed(),
            },
        );
        Ok(match verdict {
            Err(Unwell { message, lasting }) => (right && lasting, Err(message)),
            Ok(()) if !right => {
                let by = by.unwrap_or("no release");
                (false, Err(format!("{by} answered instead of {release}")))
            }
            Ok(()) => (right, Ok(())),
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
