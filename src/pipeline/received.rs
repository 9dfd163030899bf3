//! Releases that another Sayso made for an environment of this one's: a deployment like any other, with its events here,
//! too.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Conductor;
use super::deploy::{about, start_event};
use super::records::{self, Change};
use super::vitals;
use crate::deploy::estimate::Estimator;
use crate::deploy::{DeployFailure, DeployTarget, Deployed, Received, Report, Retreat};
use crate::model::host::{
    HostManifest, HostMissing, HostPromote, HostRelease, HostRetreat, HostState, HostUnwell,
};
use crate::model::{
    Deployment, DeploymentId, DeploymentState, EventKind, HealthAnswer, Problem, ReleaseId,
};

/// What its process did not survive is not begun again by itself: whoever sent it asks again.
const ONCE: u32 = u32::MAX;

impl Conductor {
    /// The target of `environment`, when it is served here.
    fn hosted(&self, environment: &str) -> Result<Arc<dyn DeployTarget>, Problem> {
        let target = self.target(environment)?;
        if target.local().is_none() {
            return Err(Problem::conflict(format!(
                "{environment} is not served here: its target is {}",
                target.name()
            ))
            .hint("name an environment whose target is local"));
        }
        Ok(Arc::clone(target))
    }

    /// The embedded host, for contents that belong to no environment yet.
    fn any_host(&self) -> Result<Arc<dyn DeployTarget>, Problem> {
        let mut targets = self.targets.values();
        let local = targets.find(|target| target.local().is_some());
        local.cloned().ok_or_else(|| {
            Problem::conflict("nothing is served here")
                .hint("set target = \"local\" for an environment of this server")
        })
    }

    /// How an environment stands that is served here.
    ///
    /// # Errors
    /// `not-found`; `conflict` when it is served elsewhere.
    pub fn host_state(&self, environment: &str) -> Result<HostState, Problem> {
        let target = self.hosted(environment)?;
        Ok(HostState {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            project: self.log.project().to_owned(),
            live: target.live(environment),
            releases: target.releases(environment),
        })
    }

    /// Asks what is live how it is, once.
    ///
    /// # Errors
    /// `not-found`, also when nothing is live.
    pub async fn host_health(&self, environment: &str) -> Result<HealthAnswer, Problem> {
        let target = self.hosted(environment)?;
        let nothing = || Problem::not_found(format!("nothing is live in {environment}"));
        let probe = target.look(environment).await.ok_or_else(nothing)?;
        Ok(HealthAnswer {
            at: jiff::Timestamp::now(),
            ok: probe.ok,
            status: probe.status,
            ms: probe.millis,
            message: if probe.ok {
                String::new()
            } else {
                probe.message
            },
        })
    }

    /// Which contents are not here.
    ///
    /// # Errors
    /// `bad-request` for files that cannot be those of a release.
    pub async fn host_missing(
        &self,
        environment: &str,
        manifest: HostManifest,
    ) -> Result<HostMissing, Problem> {
        let target = self.hosted(environment)?;
        let Some(local) = target.local() else {
            return Ok(HostMissing::default());
        };
        let missing = local.missing(manifest.files).await?;
        Ok(HostMissing { missing })
    }

    /// How many bytes of a content are here.
    ///
    /// # Errors
    /// `bad-request` when the digest is none.
    pub async fn host_have(&self, digest: &str) -> Result<u64, Problem> {
        match self.any_host()?.local() {
            Some(local) => local.have(digest).await,
            None => Ok(0),
        }
    }

    /// Takes a piece of a content; returns how many bytes of it are here now.
    ///
    /// # Errors
    /// As [`crate::deploy::LocalTarget::piece`].
    pub async fn host_piece(
        &self,
        digest: &str,
        offset: u64,
        length: u64,
        bytes: bytes::Bytes,
    ) -> Result<u64, Problem> {
        match self.any_host()?.local() {
            Some(local) => local.piece(digest, offset, length, bytes).await,
            None => Ok(0),
        }
    }

    /// Begins the deployment of what was sent. The same one, asked for twice, is one.
    ///
    /// # Errors
    /// `not-found` for an unknown environment, `conflict` when it is served elsewhere, `missing-files` (409) when not all
    /// contents are here.
    pub async fn host_release(
        self: &Arc<Self>,
        environment: &str,
        release: HostRelease,
    ) -> Result<DeploymentId, Problem> {
        let target = self.hosted(environment)?;
        check_id(&release.deployment)?;
        if let Some(id) = self.under_way(&release.deployment)? {
            return Ok(id);
        }
        let missing = match target.local() {
            Some(local) => local.missing(release.files.clone()).await?,
            None => Vec::new(),
        };
        if !missing.is_empty() {
            return Err(Problem::new(
                409,
                "missing-files",
                format!("{} contents of the release are not here", missing.len()),
            )
            .hint("ask which, and send them"));
        }
        let received = Received {
            id: release.deployment.clone(),
            environment: environment.to_owned(),
            commit: release.commit.clone(),
            tree: release.tree,
            recipe: release.recipe,
            built: release.built,
            force: release.force,
            files: release.files,
        };
        let mut deployment = self.new_deployment(
            &release.commit,
            environment,
            release.force,
            &release.actor,
            None,
        )?;
        deployment.id = release.deployment;
        let work = move |reports, cancel| async move {
            match target.local() {
                Some(local) => local.receive(received, reports, cancel).await,
                None => Err(not_here()),
            }
        };
        self.begin_received(deployment, None, work).await
    }

    /// Begins to move on what another environment serves here.
    ///
    /// # Errors
    /// As [`Self::host_release`]; `not-found` when nothing is live there.
    pub async fn host_promote(
        self: &Arc<Self>,
        environment: &str,
        promote: HostPromote,
    ) -> Result<DeploymentId, Problem> {
        let (target, from) = (self.hosted(environment)?, promote.from);
        check_id(&promote.deployment)?;
        if let Some(id) = self.under_way(&promote.deployment)? {
            return Ok(id);
        }
        let live = self.hosted(&from)?.live(&from).ok_or_else(|| {
            Problem::not_found(format!("{from} serves nothing that could be promoted"))
                .hint(format!("deploy to {from} first"))
        })?;
        let mut deployment =
            self.new_deployment(&live.commit, environment, false, &promote.actor, None)?;
        deployment.id = promote.deployment;
        let (id, to, source) = (deployment.id.clone(), environment.to_owned(), from.clone());
        let work = move |reports, cancel| async move {
            let Some(local) = target.local() else {
                return Err(not_here());
            };
            let current = target.live(&to).map(|live| live.release);
            local
                .promote(id, &source, &to, current.as_ref(), reports, cancel)
                .await
        };
        self.begin_received(deployment, Some(from), work).await
    }

    /// The sender finds that a release is unwell.
    ///
    /// # Errors
    /// `not-found`; `store` when what came of it cannot be stored.
    pub async fn host_unwell(
        &self,
        environment: &str,
        unwell: HostUnwell,
    ) -> Result<HostRetreat, Problem> {
        let target = self.hosted(environment)?;
        let (release, reason): (ReleaseId, String) = (unwell.release, unwell.reason);
        let retreat = target.retreat(environment, &release, &reason).await;
        vitals::fell(self, environment, &release, &reason, retreat.clone()).await?;
        Ok(match retreat {
            Retreat::Returned(release) => HostRetreat::Returned { release },
            Retreat::Moved => HostRetreat::Moved,
            Retreat::Stays(why) => HostRetreat::Stays { why },
        })
    }

    /// The deployment, when it is at work or did its work already.
    fn under_way(&self, id: &DeploymentId) -> Result<Option<DeploymentId>, Problem> {
        let known = records::deployment_if_any(&self.log, id)?;
        let done =
            |known: &Deployment| !known.state.is_final() || known.state == DeploymentState::Live;
        Ok(known.filter(done).map(|known| known.id))
    }

    async fn begin_received<W, F>(
        self: &Arc<Self>,
        mut deployment: Deployment,
        from: Option<String>,
        work: W,
    ) -> Result<DeploymentId, Problem>
    where
        W: FnOnce(mpsc::UnboundedSender<Report>, CancellationToken) -> F + Send + 'static,
        F: Future<Output = Result<Deployed, DeployFailure>> + Send,
    {
        deployment.attempts = ONCE;
        deployment.state = DeploymentState::Running;
        let id = deployment.id.clone();
        Change::new()
            .event(start_event(&deployment))
            .deployment(&deployment)?
            .store(&self.log)
            .await?;
        let cancel = CancellationToken::new();
        self.running().insert(id.to_string(), cancel.clone());
        let conductor = Arc::clone(self);
        self.tasks.spawn(async move {
            let id = deployment.id.clone();
            let (reports, received) = mpsc::unbounded_channel();
            let estimator = Estimator::ordered(&[], crate::model::Stage::ALL);
            let work = work(reports, cancel);
            let told = conductor.tell(&mut deployment, received, estimator);
            let (result, told) = tokio::join!(work, told);
            let ended = match (told, result) {
                (Err(problem), _) => Err(problem),
                (Ok(()), Ok(deployed)) => conductor.arrived(deployment, from, deployed).await,
                (Ok(()), Err(failure)) => conductor.failed(deployment, failure).await,
            };
            conductor.running().remove(id.as_str());
            if let Err(problem) = ended {
                tracing::error!(%problem, %id, "a deployment's end could not be stored");
            }
        });
        Ok(id)
    }

    async fn arrived(
        self: &Arc<Self>,
        deployment: Deployment,
        from: Option<String>,
        deployed: Deployed,
    ) -> Result<(), Problem> {
        if let Some(from) = from {
            let data = json!({
                "from": from, "to": deployment.environment, "release": deployed.release,
            });
            let event = about(&deployment, EventKind::Promote, &deployment.actor, data);
            Change::new().event(event).store(&self.log).await?;
        }
        self.complete(deployment, deployed).await
    }
}

/// The id is another machine's: it must be one.
fn check_id(id: &DeploymentId) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if id.as_str().len() <= 64 && id.as_str().starts_with("dep_") && id.as_str().chars().all(plain)
    {
        return Ok(());
    }
    Err(
        Problem::bad_request("this cannot be the id of a deployment")
            .hint("it begins with dep_, then come letters and digits"),
    )
}

fn not_here() -> DeployFailure {
    DeployFailure {
        stage: crate::model::Stage::Queue,
        message: "the environment is not served here any more".to_owned(),
        hint: "deploy again".to_owned(),
        log_tail: Vec::new(),
        canceled: false,
        rolled_back: false,
        unknown: false,
    }
}
