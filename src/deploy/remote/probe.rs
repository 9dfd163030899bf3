//! Asks an address on the web how it is, as a visitor would.

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;

use super::track::Track;
use crate::deploy::DeployFailure;
use crate::deploy::health::judge::{Answered, judge};
use crate::deploy::health::own::{self, Told};
use crate::deploy::health::{HealthOptions, Probe};
use crate::deploy::manifest::sha256;
use crate::model::Problem;

/// A page longer than this is not read to its end.
const BODY: usize = 4 * 1024 * 1024;

/// One look at an address.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// The verdict.
    pub probe: Probe,
    /// The SHA-256 of the page, where one came.
    pub page: Option<String>,
}

/// Asks addresses on the web.
#[derive(Clone, Debug)]
pub(crate) struct SiteProbe {
    client: reqwest::Client,
    options: HealthOptions,
    headers: HeaderMap,
}

impl SiteProbe {
    /// A probe that judges by `options`; `headers` go with every question.
    ///
    /// # Errors
    /// `internal` when no HTTP client can be made, `bad-request` when the path is not one.
    pub fn new(options: HealthOptions, headers: HeaderMap) -> Result<Self, Problem> {
        options.check()?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(options.timeout)
            .redirect(options.redirections())
            .user_agent(concat!("sayso/", env!("CARGO_PKG_VERSION")))
            // A connection that is kept could lead to the machine that served the release before.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| {
                Problem::internal(format!("no HTTP client for health checks: {error}"))
            })?;
        Ok(Self {
            client,
            options,
            headers,
        })
    }

    /// Asks once.
    pub async fn look(&self, base: &str) -> Look {
        let url = format!("{}{}", base.trim_end_matches('/'), self.options.path);
        let started = Instant::now();
        let (status, mut verdict, page) = match self.ask(&url).await {
            Ok((status, headers, body)) => {
                let answered = Answered {
                    path: &self.options.path,
                    status,
                    headers: &headers,
                    body: &body,
                    took: started.elapsed(),
                };
                let verdict = judge(&self.options, &answered).map_err(|unwell| unwell.message);
                (status, verdict, Some(sha256(&body)))
            }
            Err(message) => (0, Err(message), None),
        };
        let millis = started.elapsed().as_millis() as u64;
        if verdict.is_ok() {
            let told = Told {
                url: base,
                release: "",
                header: "",
            };
            verdict = own::ask(&self.options, &told).await;
        }
        Look {
            probe: Probe {
                ok: verdict.is_ok(),
                status,
                millis,
                url,
                message: verdict.err().unwrap_or_else(|| "ok".to_owned()),
                settled: false,
            },
            page,
        }
    }

    async fn ask(&self, url: &str) -> Result<(u16, HeaderMap, Vec<u8>), String> {
        let failed = |error: &reqwest::Error| {
            if error.is_timeout() {
                format!("no answer within {} ms", self.options.timeout.as_millis())
            } else {
                format!("no answer: {}", root_cause(error))
            }
        };
        let request = self
            .client
            .get(url)
            .headers(self.headers.clone())
            .header("accept", "text/html,*/*;q=0.8")
            .header("cache-control", "no-cache");
        let mut response = request.send().await.map_err(|error| failed(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > BODY {
                break;
            }
        }
        Ok((status, headers, body))
    }

    /// Asks until the answer is good and `fits`, or the deadline has passed; every answer is reported.
    ///
    /// # Errors
    /// The last answer that was not good, or did not fit.
    pub async fn gate(
        &self,
        base: &str,
        track: &mut Track,
        mut fits: impl FnMut(&Look) -> Result<(), String>,
    ) -> Result<Look, Look> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(100);
        let mut passes = 0;
        loop {
            let mut look = self.look(base).await;
            if look.probe.ok
                && let Err(why) = fits(&look)
            {
                look.probe.ok = false;
                look.probe.message = why;
            }
            track.health(&look.probe);
            if look.probe.ok {
                passes += 1;
                if passes >= self.options.passes.max(1) {
                    return Ok(look);
                }
                continue;
            }
            passes = 0;
            if started.elapsed() + pause > self.options.deadline {
                return Err(look);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    /// The gate of targets that only know an address: a good answer. Says so when the page did not change.
    ///
    /// # Errors
    /// The failure at the present stage.
    pub async fn well(
        &self,
        url: &str,
        before: Option<&str>,
        track: &mut Track,
    ) -> Result<(), DeployFailure> {
        match self.gate(url, track, |_| Ok(())).await {
            Ok(look) => {
                if before.is_some() && look.page.as_deref() == before {
                    track.notice(format!(
                        "{url} answers well, with the same page as before this deployment"
                    ));
                }
                Ok(())
            }
            Err(look) => Err(track.failure(
                format!(
                    "the deployment went through, but {url} is not well: {}",
                    look.probe.message
                ),
                "open the address; correct the site, or what [health] expects, and deploy again",
            )),
        }
    }
}

/// The innermost error: the outer ones only repeat the address.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
