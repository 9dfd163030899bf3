//! A commit goes to an environment: one [`DeployTarget`] per file.
//!
//! [`local`] keeps immutable releases on this machine and serves them through [`host`], its own small HTTP face.
//! [`build`] says how a site is built, [`health`] asks a release whether it is well, [`estimate`] turns measured
//! stage durations into an honest percentage.

/// Ends the process at once, without unwinding, when `SAYSO_FAILPOINT` names this place.
///
/// Compiled in by the feature `failpoints` only: the crash tests cut the power at every stage boundary with it.
macro_rules! failpoint {
    ($name:literal) => {
        $crate::model::failpoint::reach($name);
    };
}

pub mod build;
mod disk;
pub mod estimate;
pub mod health;
pub mod host;
pub mod local;
pub mod manifest;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::{
    DeploymentId, DeploymentState, LiveRelease, Problem, Progress, ReleaseId, ReleaseInfo, Source,
    Stage,
};

pub use local::{LocalNotice, LocalOptions, LocalTarget};

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

    /// Tells open pages how a deployment is doing, where the target can.
    fn announce(&self, _environment: &str, _progress: &Progress, _state: DeploymentState) {}
}
