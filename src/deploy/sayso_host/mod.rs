//! Deploying to another machine that runs `sayso serve`.
//!
//! The site is built here. The other machine is told the SHA-256 of every file and says which contents it lacks; only
//! those are sent, packed, some at a time, in pieces, so that a connection that breaks costs a piece. There everything is
//! checked whole before traffic moves, and then it goes the way of every release of an embedded host: gate, switch,
//! verification, watch, and back by itself.

mod follow;
mod make;
mod send;
mod state;
mod target;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

use self::state::Cached;
use super::build::BuildOptions;
use super::health::{HealthOptions, Marker};
use super::host::RELEASE;
use super::remote::api::{Api, Call, Fault, Refused};
use super::remote::probe::SiteProbe;
use super::remote::track::Track;
use super::remote::{Pace, Redactor, Token};
use super::{DeployFailure, DeployRequest, Deployed, LocalNotice, PromoteRequest, Retreat};
use crate::model::host::{HostPromote, HostRetreat, HostState, HostUnwell};
use crate::model::{LiveRelease, Problem, ReleaseId, Stage};

/// How one environment is deployed to another machine.
#[derive(Clone)]
pub struct HostOptions {
    /// The environment here.
    pub environment: String,
    /// What environments are called there, by their names here.
    pub names: BTreeMap<String, String>,
    /// The address of the server there.
    pub url: Url,
    /// The project that it must serve; empty for any.
    pub project: String,
    /// The live address, as visitors know it; `None` for the one that the server names.
    pub site: Option<String>,
    /// Certificates to trust besides the system's, in PEM.
    pub roots: Option<Vec<u8>>,
    /// Plain HTTP to a server that is not on this machine.
    pub insecure: bool,
    /// Contents that are sent at the same time.
    pub parallel: usize,
    /// How long a deployment may take there.
    pub time_limit: std::time::Duration,
    /// The server's token for deployments.
    pub token: Token,
    /// Who deploys.
    pub actor: String,
    /// How the site is built.
    pub build: BuildOptions,
    /// Where installed dependencies are kept for the next build.
    pub cache: PathBuf,
    /// What "well" means.
    pub health: HealthOptions,
    /// Where it is remembered how the environment stands.
    pub state_dir: PathBuf,
    /// What must not be shown.
    pub secrets: Redactor,
    /// How patient calls are.
    pub pace: Pace,
    /// Where to tell what happens there by itself.
    pub notices: Option<mpsc::UnboundedSender<LocalNotice>>,
}

/// What deployments, promotions and rollbacks share.
struct Inner {
    options: HostOptions,
    api: Api,
    probe: SiteProbe,
    cached: Cached,
    /// One deployment at a time.
    turn: tokio::sync::Mutex<()>,
}

/// Deploys one environment to another machine.
pub struct HostTarget {
    inner: Arc<Inner>,
}

impl HostTarget {
    /// The target of one environment. The other machine is not asked anything yet.
    ///
    /// # Errors
    /// `config` when the address cannot be used or the certificates cannot be read.
    pub fn open(options: HostOptions) -> Result<Arc<Self>, Problem> {
        let refuse = |why: String, hint: &str| {
            let what = format!("the environment {:?}: {why}", options.environment);
            Err(Problem::new(422, "config", what).hint(hint))
        };
        let url = &options.url;
        let here = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" => {}
            "http" if here || options.insecure => {}
            "http" => {
                return refuse(
                    format!("{url} is plain HTTP: everybody on the way could read the token"),
                    "use https://, or allow it with `insecure = true` under [deploy.host]",
                );
            }
            _ => {
                return refuse(
                    format!("{url} is no address of a server"),
                    "write https://…",
                );
            }
        }
        let roots = match &options.roots {
            None => Vec::new(),
            Some(pem) => match reqwest::Certificate::from_pem_bundle(pem) {
                Ok(roots) => roots,
                Err(error) => {
                    return refuse(
                        format!("the certificates to trust cannot be read: {error}"),
                        "`ca` under [deploy.host] names a file in PEM",
                    );
                }
            },
        };
        let inner = Inner {
            api: Api::trusting(
                "the host",
                options.url.clone(),
                options.token.clone(),
                HeaderMap::new(),
                options.pace,
                roots,
            )?,
            probe: SiteProbe::new(options.health.clone(), HeaderMap::new())?,
            cached: Cached::open(&options.state_dir, &options.environment),
            turn: tokio::sync::Mutex::new(()),
            options,
        };
        Ok(Arc::new(Self {
            inner: Arc::new(inner),
        }))
    }
}

/// What to do about a refused call.
fn hint(refused: &Refused) -> String {
    match refused.status {
        401 | 403 if refused.code == "host-not-allowed" => {
            "name the address under [server] hosts on the other machine"
        }
        401 | 403 => "set SAYSO_HOST_TOKEN to the same value on both machines (or here: sayso login host)",
        404 => "an environment of that name must be served there, with target local; both must run the same Sayso",
        409 => "look at what is live there, then deploy again",
        413 | 422 => "both machines must run the same version of Sayso",
        507 => "make room on the other machine's disk, then deploy again: what came is kept there",
        _ => "look at the log of `sayso serve` there, then deploy again",
    }
    .to_owned()
}

impl Inner {
    fn remote(&self) -> &str {
        let options = &self.options;
        options
            .names
            .get(&options.environment)
            .unwrap_or(&options.environment)
    }

    /// A path below the environment there.
    fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        ["api", "host", self.remote()]
            .into_iter()
            .chain(rest.iter().copied())
            .collect()
    }

    fn problem(&self, fault: Fault, what: &str) -> Problem {
        let problem = fault.problem(what, &hint);
        let clean = |text: String| self.options.secrets.clean(&text);
        Problem {
            detail: clean(problem.detail),
            hint: problem.hint.map(clean),
            ..problem
        }
    }

    fn failure(&self, fault: Fault, track: &Track, what: &str) -> DeployFailure {
        fault.failure(track, what, &hint)
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, rest: &[&str]) -> Result<T, Fault> {
        let answer = self.api.once(&Call::get(&self.path(rest))).await?;
        read(answer.body)
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        rest: &[&str],
        body: Value,
    ) -> Result<T, Fault> {
        let answer = self.api.once(&Call::post(&self.path(rest), body)).await?;
        read(answer.body)
    }

    /// Learns how the environment stands there; what happened there by itself is told.
    async fn refresh(&self, tell: bool) -> Result<HostState, Fault> {
        let state: HostState = self.get(&[]).await?;
        let before = self.cached.put(&state);
        if tell
            && let (Some(notices), Some(before)) =
                (&self.options.notices, before.and_then(|b| b.live))
            && let Some(now) = state
                .live
                .as_ref()
                .filter(|now| now.release != before.release)
            && let Some(left) = state.releases.iter().find(|kept| kept.id == before.release)
            && left.bad
        {
            // Nobody listens any more: there is nobody to tell.
            let _ = notices.send(LocalNotice::RolledBack {
                environment: self.options.environment.clone(),
                from: before.release,
                to: now.release.clone(),
                reason: format!("it was found unwell on {}", self.options.url),
            });
        }
        Ok(state)
    }

    /// What is live, in the words of this side.
    fn live(&self, live: LiveRelease) -> LiveRelease {
        LiveRelease {
            environment: self.options.environment.clone(),
            url: self.options.site.clone().unwrap_or(live.url),
            ..live
        }
    }

    async fn deploy(
        &self,
        request: DeployRequest,
        track: &mut Track,
    ) -> Result<Deployed, DeployFailure> {
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) => {
                track.enter(Stage::Queue, "waits for the deployment before it");
                let cancel = track.cancel.clone();
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Err(track.stopped()),
                    turn = self.turn.lock() => turn,
                }
            }
        };
        track.check()?;
        self.is_the_right_one(track).await?;
        let made = make::make(&self.options, &request, track).await?;
        let release = made.release(&request, &self.options);
        let body = serde_json::to_value(&release).map_err(|error| {
            track.failure(
                format!("the list of files cannot be written: {error}"),
                "deploy again",
            )
        })?;
        // Once more when the process there ended on the way.
        let mut again = true;
        loop {
            self.offer(&made, &body, track).await?;
            match self.follow(&request.id, track).await? {
                follow::End::Live(deployed) => return self.seen(deployed, track).await,
                follow::End::Interrupted if again => {
                    again = false;
                    track.notice("the host was restarted meanwhile: what is missing is sent again");
                }
                follow::End::Interrupted => {
                    return Err(track.failure(
                        "the host ended twice while it deployed this",
                        "look at the log of `sayso serve` there, then deploy again",
                    ));
                }
            }
        }
    }

    /// Sends what is missing and asks for the release, until the host takes it.
    async fn offer(
        &self,
        made: &make::Made,
        body: &Value,
        track: &mut Track,
    ) -> Result<(), DeployFailure> {
        /// What came may be gone again when the host makes room.
        const TRIES: usize = 3;
        let mut tries = 0;
        loop {
            tries += 1;
            self.send(made, track).await?;
            track.check()?;
            track.enter(Stage::Activate, "the host makes it a release");
            let call = Call::post(&self.path(&["release"]), body.clone());
            let cancel = track.cancel.clone();
            // The same deployment asked for twice is one: it may be repeated.
            let asked = self
                .api
                .repeat(&call, &cancel, &mut |line| track.log(&line))
                .await;
            match asked {
                Ok(_) => return Ok(()),
                Err(Fault::Refused(refused))
                    if refused.code.ends_with("missing-files") && tries < TRIES => {}
                Err(fault) => {
                    return Err(self.failure(fault, track, "the host does not take the release"));
                }
            }
        }
    }

    async fn is_the_right_one(&self, track: &mut Track) -> Result<(), DeployFailure> {
        track.enter(Stage::Queue, format!("asks {}", self.options.url));
        let call = Call::get(&self.path(&[]));
        let cancel = track.cancel.clone();
        let asked = self
            .api
            .repeat(&call, &cancel, &mut |line| track.log(&line))
            .await;
        let state: HostState = match asked.and_then(|answer| read(answer.body)) {
            Ok(state) => state,
            Err(fault) => return Err(self.failure(fault, track, "the host is not ready")),
        };
        let wanted = &self.options.project;
        if !wanted.is_empty() && state.project != *wanted {
            return Err(track.failure(
                format!(
                    "{} serves the project {:?}, not {wanted:?}",
                    self.options.url, state.project
                ),
                "correct `url` or `project` under [deploy.host]",
            ));
        }
        self.cached.put(&state);
        Ok(())
    }

    /// What the host calls live must be what visitors get, where their address is known.
    async fn seen(&self, deployed: Deployed, track: &mut Track) -> Result<Deployed, DeployFailure> {
        if let Err(fault) = self.refresh(false).await {
            tracing::warn!(?fault, "how the host stands is not known");
        }
        let Some(site) = &self.options.site else {
            return Ok(deployed);
        };
        track.enter(Stage::Verify, format!("asks {site} for the new release"));
        let release = &deployed.release;
        let unwell = match self.marked(release) {
            Ok(probe) => match probe.gate(site, track, |_| Ok(())).await {
                Ok(_) => None,
                Err(look) => Some(look.probe.message),
            },
            Err(problem) => Some(problem.detail),
        };
        let Some(why) = unwell else {
            return Ok(Deployed {
                url: site.clone(),
                ..deployed
            });
        };
        let message = format!("{release} is live on the host, but {site} is not well: {why}");
        Err(match self.retreat(release, &why).await {
            Retreat::Returned(to) => DeployFailure {
                rolled_back: true,
                ..track.failure(
                    message,
                    format!("{to} is live again; mend the site and deploy again"),
                )
            },
            Retreat::Moved => track.failure(message, "another release is live by now"),
            Retreat::Stays(hint) => track.failure(format!("{message}; it is still served"), hint),
        })
    }

    /// A probe that wants this release's own mark, unless a mark of one's own is configured.
    fn marked(&self, release: &ReleaseId) -> Result<SiteProbe, Problem> {
        let mut options = self.options.health.clone();
        if options.header.is_none() {
            options.header = Marker::read(&format!("{RELEASE}: {release}"))?;
        }
        SiteProbe::new(options, HeaderMap::new())
    }

    async fn retreat(&self, release: &ReleaseId, reason: &str) -> Retreat {
        let body = json!(HostUnwell {
            release: release.clone(),
            reason: reason.to_owned(),
        });
        let told = self.post::<HostRetreat>(&["retreat"], body).await;
        let _ = self.refresh(false).await;
        match told {
            Ok(HostRetreat::Returned { release }) => Retreat::Returned(release),
            Ok(HostRetreat::Moved) => Retreat::Moved,
            Ok(HostRetreat::Stays { why }) => Retreat::Stays(why),
            Err(fault) => {
                Retreat::Stays(self.problem(fault, "the host cannot be told").to_string())
            }
        }
    }

    async fn promote(
        &self,
        request: PromoteRequest,
        track: &mut Track,
    ) -> Result<Deployed, DeployFailure> {
        let _turn = self.turn.lock().await;
        let from = match &request.from {
            None => None,
            Some(from) => match self.options.names.get(from) {
                Some(from) => Some(from.clone()),
                None => {
                    return Err(track.failure(
                        format!("{from} is not served by {}", self.options.url),
                        "deploy the commit instead",
                    ));
                }
            },
        };
        track.enter(Stage::Activate, "the host moves the release on");
        let body = json!(HostPromote {
            deployment: request.id.clone(),
            from,
            release: request.release.clone(),
            expected: request.expected.clone().flatten(),
            actor: self.options.actor.clone(),
        });
        let call = Call::post(&self.path(&["promote"]), body);
        let cancel = track.cancel.clone();
        if let Err(fault) = self
            .api
            .repeat(&call, &cancel, &mut |line| track.log(&line))
            .await
        {
            return Err(self.failure(fault, track, "the host does not promote"));
        }
        match self.follow(&request.id, track).await? {
            follow::End::Live(deployed) => self.seen(deployed, track).await,
            follow::End::Interrupted => Err(track.failure(
                "the host was restarted meanwhile, and nothing was promoted",
                "look at what is live there, then promote again",
            )),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, Fault> {
    serde_json::from_value(body)
        .map_err(|error| Fault::Unclear(format!("the host's answer is not understood: {error}")))
}

/// A call that sends a piece of a content.
fn put(digest: &str) -> Call {
    Call::new(Method::PUT, &["api", "host", "blobs", digest])
}
