//! A commit goes to an environment: one [`DeployTarget`] per file.
//!
//! [`local`] keeps immutable releases on this machine and serves them through [`host`], its own small HTTP face.
//! [`build`] says how a site is built, [`health`] asks a release whether it is well, [`estimate`] turns measured
//! stage durations into an honest percentage. [`command`], [`vercel`] and [`github_actions`] deploy to places outside
//! this process; [`remote`] is what those three share.

/// Ends the process at once, without unwinding, when `SAYSO_FAILPOINT` names this place.
///
/// Compiled in by the feature `failpoints` only: the crash tests cut the power at every stage boundary with it.
macro_rules! failpoint {
    ($name:literal) => {
        $crate::model::failpoint::reach($name);
    };
}

pub mod build;
pub mod command;
mod disk;
pub mod estimate;
pub mod github_actions;
pub mod health;
pub mod host;
pub mod local;
pub mod manifest;
pub mod preview;
pub mod remote;
pub mod vercel;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::{
    DeploymentId, DeploymentState, LiveRelease, Problem, Progress, ReleaseId, ReleaseInfo, Source,
    Stage,
};

pub use command::{CommandOptions, CommandTarget};
pub use github_actions::{ActionsOptions, ActionsTarget};
pub use preview::{Previews, PreviewOptions};
pub use local::{LocalNotice, LocalOptions, LocalTarget};
pub use vercel::{VercelOptions, VercelTarget};

/// What a target is asked to do.
#[derive(Clone)]
pub struct DeployRequest {
    /// The deployment's id; asking twice with the same id is one deployment.
    pub id: DeploymentId,
    /// The environment.
    pub environment: String,
    /// The commit's files.
    pub source: Arc<dyn Source>,
    /// Make a new release even when the same tree is live.
    pub force: bool,
}

/// What a target reports while it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A stage began.
    Stage {
        /// Which one.
        stage: Stage,
        /// What is being done.
        message: String,
    },
    /// A stage moved on: 0.0 to 1.0 of it is done.
    Fraction {
        /// Per mille of the stage, 0 to 1000.
        permille: u16,
        /// What is being done.
        message: String,
    },
    /// A line of output.
    Log(String),
    /// Something that people should know beyond the line that is shown now.
    Notice(String),
    /// A health probe was made.
    Health {
        /// Whether it passed.
        ok: bool,
        /// HTTP status, 0 when there was no answer.
        status: u16,
        /// Milliseconds it took.
        millis: u64,
        /// The address.
        url: String,
        /// What was wrong, or `ok`.
        message: String,
    },
}

/// A deployment that is live and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// The release.
    pub release: ReleaseId,
    /// The live address.
    pub url: String,
    /// Milliseconds spent in each stage.
    pub stages: BTreeMap<Stage, u64>,
}

/// A deployment that did not go live. The release before it still serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployFailure {
    /// Where it failed.
    pub stage: Stage,
    /// What failed, and why.
    pub message: String,
    /// What to do next.
    pub hint: String,
    /// The last lines of output.
    pub log_tail: Vec<String>,
    /// True when it was stopped on request.
    pub canceled: bool,
    /// True when it was live and was taken back.
    pub rolled_back: bool,
    /// True when nobody can say whether it went live; it is looked at again.
    pub unknown: bool,
}

/// A release that is moved on without being built anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromoteRequest {
    /// The deployment's id.
    pub id: DeploymentId,
    /// The environment that it goes to.
    pub environment: String,
    /// The release, or what `from` serves.
    pub release: Option<ReleaseId>,
    /// The environment that it comes from, when no release is named.
    pub from: Option<String>,
    /// What the environment must still serve when traffic moves; `None` when that does not matter, `Some(None)` for
    /// nothing.
    pub expected: Option<Option<ReleaseId>>,
}

/// A deployment as the place itself lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The place's name for it.
    pub release: ReleaseId,
    /// The deployment of ours that it is; `None` when it was made elsewhere.
    pub ours: Option<DeploymentId>,
    /// The commit, where it is known.
    pub commit: String,
    /// Who made it.
    pub actor: String,
    /// The address.
    pub url: String,
    /// Where it stands; `Live` only with aliases assigned.
    pub state: DeploymentState,
    /// What it is doing, or why it failed.
    pub message: String,
    /// When it was made.
    pub at: jiff::Timestamp,
    /// When it ended.
    pub ended: Option<jiff::Timestamp>,
}

/// A place that sites are deployed to.
#[async_trait]
pub trait DeployTarget: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &'static str;

    /// Deploys; returns when the new release is live and verified, or is not going to be.
    /// Dropping `reports`' receiver does not stop it; `cancel` does, until traffic moves.
    async fn deploy(
        &self,
        request: DeployRequest,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure>;

    /// Returns to `to`, or to the previous good release.
    ///
    /// # Errors
    /// `not-found` when there is no such or no good earlier release.
    async fn rollback(
        &self,
        environment: &str,
        to: Option<&ReleaseId>,
    ) -> Result<LiveRelease, Problem>;

    /// The releases kept, newest first.
    fn releases(&self, environment: &str) -> Vec<ReleaseInfo>;

    /// What is live; `None` before the first deployment.
    fn live(&self, environment: &str) -> Option<LiveRelease>;

    /// After a crash: what became of the deployment `id`. `Some` when it is live,
    /// `None` when it is not (whatever was half made has then been removed).
    async fn reconcile(&self, environment: &str, id: &DeploymentId) -> Option<Deployed>;

    /// The stages in the order in which they come here.
    fn stages(&self) -> [Stage; 6] {
        Stage::ALL
    }

    /// Whether it can move a release on without building it anew.
    fn promotes(&self) -> bool {
        false
    }

    /// Moves a release on to an environment without building it anew.
    ///
    /// # Errors
    /// As [`DeployTarget::deploy`].
    async fn promote(
        &self,
        request: PromoteRequest,
        _reports: mpsc::UnboundedSender<Report>,
        _cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        Err(DeployFailure {
            stage: Stage::Activate,
            message: format!("the target {} cannot promote to {}", self.name(), request.environment),
            hint: "deploy the commit instead".to_owned(),
            log_tail: Vec::new(),
            canceled: false,
            rolled_back: false,
            unknown: false,
        })
    }

    /// What people should know about an environment: that a rollback pinned it, say.
    fn note(&self, _environment: &str) -> Option<String> {
        None
    }

    /// The place's own list of its newest deployments, newest first; `None` where it has none.
    ///
    /// # Errors
    /// When the place cannot be asked.
    async fn elsewhere(&self, _environment: &str) -> Result<Option<Vec<Elsewhere>>, Problem> {
        Ok(None)
    }

    /// Asks the live address once how it is; `None` where there is nothing to ask.
    async fn look(&self, _environment: &str) -> Option<health::Probe> {
        None
    }

    /// Something may have happened at the place: running deployments are looked at now.
    fn nudge(&self) {}

    /// Tells open pages how a deployment is doing, where the target can.
    fn announce(&self, _environment: &str, _progress: &Progress, _state: DeploymentState) {}
}
