//! A commit goes to an environment: one [`DeployTarget`] per file.
//!
//! [`local`] keeps immutable releases on this machine and serves them through [`host`], its own small HTTP face.
//! [`build`] says how a site is built, [`health`] asks a release whether it is well, [`estimate`] turns measured
//! stage durations into an honest percentage. [`sayso_host`] deploys to another machine's local host. [`command`],
//! [`vercel`] and [`github_actions`] deploy to places outside this process; [`remote`] is what those share.

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
pub mod sayso_host;
pub mod vercel;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::{
    DeploymentId, DeploymentState, LiveRelease, Problem, Progress, ReleaseId, ReleaseInfo, Source,
    Stage,
};

pub use command::{CommandOptions, CommandTarget};
pub use github_actions::{ActionsOptions, ActionsTarget};
pub use local::{LocalNotice, LocalOptions, LocalTarget, Received};
pub use preview::{PreviewOptions, Previews};
pub use sayso_host::{HostOptions, HostTarget};
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

/// What became of an automatic return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retreat {
    /// This release is served now; the unwell one is marked and not offered again.
    Returned(ReleaseId),
    /// Something else was live already: nothing was done.
    Moved,
    /// The unwell release is still served, and a person must act: why, and what to do.
    Stays(String),
}

/// Why an unwell release stays when there is none that could take its place.
pub(crate) const NO_GOOD: &str =
    "there is no earlier release that is known to be good: mend the site and deploy again";

/// Why an unwell release stays while a cool-down of `length` has still `left` to go.
pub(crate) fn cooling(left: Duration, length: Duration) -> String {
    format!(
        "it went back by itself a short while ago, and does so once in {} at most ({} to go): \
         `sayso rollback` goes back now, or mend the site and deploy again",
        spelled(length),
        spelled(left)
    )
}

fn spelled(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
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
            message: format!(
                "the target {} cannot promote to {}",
                self.name(),
                request.environment
            ),
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

    /// True while the target itself watches what went live last: it returns by itself then, and tells it.
    fn watching(&self, _environment: &str) -> bool {
        false
    }

    /// What is remembered of an environment that is served elsewhere.
    #[doc(hidden)]
    fn memory(&self) -> Option<&remote::memory::Memory> {
        None
    }

    /// Whether `release` was well here for as long as releases are watched.
    fn proven(&self, _environment: &str, release: &ReleaseId) -> bool {
        self.memory().is_none_or(|memory| memory.proven(release))
    }

    /// Remembers that `release` was well for as long as releases are watched.
    async fn prove(&self, _environment: &str, release: &ReleaseId) {
        if let Some(memory) = self.memory() {
            memory.prove(release);
        }
    }

    /// Takes `release` back if it is still live, because it is unwell: to the last good one, and not again within the
    /// cool-down.
    async fn retreat(&self, environment: &str, release: &ReleaseId, reason: &str) -> Retreat {
        let Some(memory) = self.memory() else {
            return Retreat::Stays("mend the site and deploy again".to_owned());
        };
        let to = match memory.retreat(release, reason) {
            Ok(to) => to,
            Err(retreat) => return retreat,
        };
        match self.rollback(environment, Some(&to)).await {
            Ok(live) => Retreat::Returned(live.release),
            Err(problem) => Retreat::Stays(format!("it could not go back to {to}: {problem}")),
        }
    }

    /// The embedded host, where this is it: releases that other machines made come in there.
    fn local(&self) -> Option<&LocalTarget> {
        None
    }

    /// Something may have happened at the place: running deployments are looked at now.
    fn nudge(&self) {}

    /// Tells open pages how a deployment is doing, where the target can.
    fn announce(&self, _environment: &str, _progress: &Progress, _state: DeploymentState) {}
}
