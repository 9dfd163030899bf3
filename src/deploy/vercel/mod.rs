//! Deploying to Vercel.
//!
//! A deployment is created once: it carries our own id as a `meta` value, and after every unclear answer Vercel's list is
//! looked through for that before anything is sent again. It is followed by its event stream and by polling at the same
//! time; the first to say that the aliases are assigned wins. READY is not live: production is live when its aliases are
//! assigned *and* our own probe of the production address finds the release (see [`verify`]).
//!
//! Endpoints, states and their meaning are those of Vercel's own SDK (`vercel/sdk`) and command line (`vercel/vercel`).

mod alias;
mod cause;
mod create;
mod files;
mod follow;
mod history;
mod lines;
mod rights;
mod seen;
mod traffic;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use url::Url;

pub use self::rights::{Rights, Scope, rights};

use self::files::Sent;
use self::follow::End;
use self::seen::Seen;
use super::health::{HealthOptions, Probe};
use super::manifest::sha256;
use super::remote::api::{Answer, Api, Call, Fault};
use super::remote::memory::{Known, Memory};
use super::remote::probe::SiteProbe;
use super::remote::track::Track;
use super::remote::{Pace, Redactor, Token};
use super::{
    DeployFailure, DeployRequest, DeployTarget, Deployed, Elsewhere, PromoteRequest, Report,
};
use crate::model::{DeploymentId, LiveRelease, Problem, ReleaseId, ReleaseInfo, Stage};

/// How one environment is deployed to Vercel.
#[derive(Clone)]
pub struct VercelOptions {
    /// The API.
    pub base: Url,
    /// The token.
    pub token: Token,
    /// Our environment.
    pub environment: String,
    /// The project's id or name.
    pub project: String,
    /// The team's id.
    pub team: Option<String>,
    /// Vercel's environment: `production`, `preview`, or a custom one's slug.
    pub place: String,
    /// Vercel fetches the commit from GitHub; else its files are sent.
    pub git: bool,
    /// Owner and name on GitHub.
    pub repository: Option<(String, String)>,
    /// The live address; `None` for the one that Vercel names.
    pub url: Option<String>,
    /// The secret that lets our probe through Vercel's protection.
    pub bypass: Option<String>,
    /// How long it may take.
    pub time_limit: Duration,
    /// What "well" means.
    pub health: HealthOptions,
    /// Where it is remembered what is live.
    pub state_dir: PathBuf,
    /// What must not be shown.
    pub secrets: Redactor,
    /// How patient calls are.
    pub pace: Pace,
}

/// What deployments, promotions and rollbacks share.
struct Inner {
    options: VercelOptions,
    api: Api,
    probe: SiteProbe,
    memory: Memory,
    sent: Sent,
    /// Something may have happened: look now.
    nudge: Notify,
    /// One deployment at a time.
    turn: tokio::sync::Mutex<()>,
}

/// Deploys one environment to Vercel.
pub struct VercelTarget {
    inner: Arc<Inner>,
}

impl VercelTarget {
    /// The target of one environment. Vercel is not asked anything yet.
    ///
    /// # Errors
    /// `config` when the project is not known; `internal` when there can be no HTTP client.
    pub fn open(options: VercelOptions) -> Result<Arc<Self>, Problem> {
        if options.project.is_empty() {
            return Err(Problem::new(
                422,
                "config",
                format!("the environment {:?} is deployed to Vercel, but to which project?", options.environment),
            )
            .hint("set VERCEL_PROJECT_ID, or `project` under [deploy.vercel]; or run `vercel link` once"));
        }
        let mut headers = HeaderMap::new();
        if let Some(secret) = &options.bypass
            && let Ok(mut value) = HeaderValue::from_str(secret)
        {
            value.set_sensitive(true);
            headers.insert("x-vercel-protection-bypass", value);
        }
        let project = sha256(options.project.as_bytes());
        let sent = format!("vercel-sent-{}.json", &project[..16]);
        let inner = Inner {
            api: Api::new(
                "Vercel",
                options.base.clone(),
                options.token.clone(),
                HeaderMap::new(),
                options.pace,
            )?,
            probe: SiteProbe::new(options.health.clone(), headers)?,
            memory: Memory::open(&options.state_dir, &options.environment)
                .cooling(options.health.cooldown),
            sent: Sent::open(options.state_dir.join(sent)),
            nudge: Notify::new(),
            turn: tokio::sync::Mutex::new(()),
            options,
        };
        Ok(Arc::new(Self {
            inner: Arc::new(inner),
        }))
    }
}

impl Inner {
    fn production(&self) -> bool {
        self.options.place == "production"
    }

    /// A call with the team.
    fn call(&self, call: Call) -> Call {
        match &self.options.team {
            Some(team) => call.with("teamId", team.clone()),
            None => call,
        }
    }

    /// A read, repeated with waits that are told.
    async fn read(&self, call: Call, track: &mut Track) -> Result<Answer, Fault> {
        let cancel = track.cancel.clone();
        let call = self.call(call);
        self.api
            .repeat(&call, &cancel, &mut |text| track.log(&text))
            .await
    }

    /// A read, once.
    async fn ask(&self, call: Call) -> Result<Answer, Fault> {
        self.api.once(&self.call(call)).await
    }

    /// The deployment with this id or at this host.
    async fn deployment(&self, name: &str) -> Result<Seen, Fault> {
        let answer = self.ask(Call::get(&["v13", "deployments", name])).await?;
        Seen::read(&answer.body)
            .ok_or_else(|| Fault::Unclear("Vercel's answer names no deployment".to_owned()))
    }

    /// The project.
    async fn project(&self) -> Result<Value, Fault> {
        let call = Call::get(&["v9", "projects", &self.options.project]);
        Ok(self.ask(call).await?.body)
    }

    /// The newest deployments of the project, newest first.
    async fn list(&self, limit: u32) -> Result<Vec<Seen>, Fault> {
        let key = if self.options.project.starts_with("prj_") {
            "projectId"
        } else {
            "app"
        };
        let call = |version: &str| {
            Call::get(&[version, "deployments"])
                .with(key, self.options.project.clone())
                .with("limit", limit.to_string())
        };
        let answer = match self.ask(call("v7")).await {
            // An older service has the older call.
            Err(fault) if fault.refused().is_some_and(|no| no.status == 404) => {
                self.ask(call("v6")).await?
            }
            answer => answer?,
        };
        let rows = answer.body["deployments"].as_array();
        let rows = rows.ok_or_else(|| Fault::Unclear("Vercel's list has no deployments".into()))?;
        Ok(rows.iter().filter_map(Seen::read).collect())
    }

    /// Ours among the newest.
    async fn find(&self, id: &DeploymentId) -> Result<Option<Seen>, Fault> {
        let all = self.list(100).await?;
        let mut ours = all
            .into_iter()
            .filter(|seen| seen.ours.as_deref() == Some(id.as_str()));
        Ok(ours.next_back())
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
                tokio::select! {
                    biased;
                    () = track.cancel.cancelled() => return Err(track.stopped()),
                    turn = self.turn.lock() => turn,
                }
            }
        };
        track.check()?;
        let begun = self
            .memory
            .begin(&request.id)
            .map_err(|problem| track.of_problem(problem))?;
        let outcome = self.begun(&request, begun.is_some(), track).await;
        // One whose end was not seen is still begun: the next look may tell.
        if !matches!(&outcome, Err(failure) if failure.unknown) {
            self.memory.ended(&request.id);
        }
        outcome
    }

    async fn begun(
        &self,
        request: &DeployRequest,
        again: bool,
        track: &mut Track,
    ) -> Result<Deployed, DeployFailure> {
        let source = &request.source;
        if self.production() {
            self.note_pin(track).await?;
        }
        let before = match self.known_url() {
            Some(url) => Some(self.probe.look(&url).await),
            None => None,
        };
        let created = self.create(request, again, track).await?;
        self.memory.named(&request.id, &created.seen.id);
        track.log(&format!(
            "Vercel calls it {} ({})",
            created.seen.id,
            seen::address(&created.seen.url)
        ));
        let live = match self.follow(created.seen, track).await? {
            End::Live(seen) => seen,
            End::Staged(seen) => return Err(self.staged(&seen, track).await),
        };
        let url = self.verify(&live, before.as_ref(), track).await?;
        let stages = track.stages();
        let release = ReleaseId::from(live.id.as_str());
        self.memory.went_live(Known {
            release: release.clone(),
            commit: source.commit().to_owned(),
            tree: source.tree().to_owned(),
            url: url.clone(),
            at: Timestamp::now(),
            deployment: Some(request.id.clone()),
            stages: stages.clone(),
            files: created.files,
            bytes: created.bytes,
        });
        Ok(Deployed {
            release,
            url,
            stages,
        })
    }

    /// The address that visitors use, as far as it is known before a deployment.
    fn known_url(&self) -> Option<String> {
        let live = || self.memory.current().map(|known| known.url);
        // Each preview has an address of its own: there is no "before" to compare with.
        self.options
            .url
            .clone()
            .or_else(|| live().filter(|_| self.production()))
    }
}

#[async_trait]
impl DeployTarget for VercelTarget {
    fn name(&self) -> &'static str {
        "vercel"
    }

    fn stages(&self) -> [Stage; 6] {
        use Stage::{Activate, Build, Fetch, Queue, Upload, Verify};
        [Fetch, Upload, Queue, Build, Activate, Verify]
    }

    async fn deploy(
        &self,
        request: DeployRequest,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        let inner = Arc::clone(&self.inner);
        let mut track = Track::new(reports, cancel, inner.options.secrets.clone());
        super::remote::apart(async move { inner.deploy(request, &mut track).await }).await
    }

    fn promotes(&self) -> bool {
        true
    }

    async fn promote(
        &self,
        request: PromoteRequest,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        let inner = Arc::clone(&self.inner);
        let mut track = Track::new(reports, cancel, inner.options.secrets.clone());
        super::remote::apart(async move { inner.promote(request, &mut track).await }).await
    }

    async fn rollback(
        &self,
        _environment: &str,
        to: Option<&ReleaseId>,
    ) -> Result<LiveRelease, Problem> {
        let (inner, to) = (Arc::clone(&self.inner), to.cloned());
        tokio::spawn(async move { inner.rollback(to).await })
            .await
            .map_err(Problem::internal)?
    }

    fn releases(&self, _environment: &str) -> Vec<ReleaseInfo> {
        self.inner.memory.infos()
    }

    fn live(&self, _environment: &str) -> Option<LiveRelease> {
        self.inner.memory.live()
    }

    fn note(&self, _environment: &str) -> Option<String> {
        self.inner.memory.note()
    }

    async fn reconcile(&self, _environment: &str, id: &DeploymentId) -> Option<Deployed> {
        self.inner.reconcile(id).await
    }

    async fn elsewhere(&self, _environment: &str) -> Result<Option<Vec<Elsewhere>>, Problem> {
        self.inner.elsewhere().await.map(Some)
    }

    async fn look(&self, _environment: &str) -> Option<Probe> {
        let url = self.inner.known_url()?;
        Some(self.inner.probe.look(&url).await.probe)
    }

    fn memory(&self) -> Option<&Memory> {
        Some(&self.inner.memory)
    }

    fn nudge(&self) {
        self.inner.nudge.notify_waiters();
    }
}
