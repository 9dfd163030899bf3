//! Releases, deployments and their progress.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::gate::{Gate, Promotion};
use super::id::{DeploymentId, InstructionId, ReleaseId};
use super::problem::Problem;

/// The stages of a deployment, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for its turn.
    Queue,
    /// The environment's checks run on the commit's files.
    Check,
    /// The commit's files are fetched.
    Fetch,
    /// The site is built.
    Build,
    /// The release is written where it will be served.
    Upload,
    /// Traffic moves to the release.
    Activate,
    /// The live address is asked for the new release.
    Verify,
}

impl Stage {
    /// The stages that every deployment has, in order; `Check` comes before them where an environment has checks.
    pub const ALL: [Stage; 6] = [
        Stage::Queue,
        Stage::Fetch,
        Stage::Build,
        Stage::Upload,
        Stage::Activate,
        Stage::Verify,
    ];

    /// Every stage that there is, in order.
    pub const EVERY: [Stage; 7] = [
        Stage::Queue,
        Stage::Check,
        Stage::Fetch,
        Stage::Build,
        Stage::Upload,
        Stage::Activate,
        Stage::Verify,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Queue => "queue",
            Stage::Check => "check",
            Stage::Fetch => "fetch",
            Stage::Build => "build",
            Stage::Upload => "upload",
            Stage::Activate => "activate",
            Stage::Verify => "verify",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a deployment has come: the data of `deploy_progress`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// 0 to 100; never goes back; 100 only with `deploy_complete`.
    pub percent: u8,
    /// The stage reached.
    pub stage: Stage,
    /// What is being done or waited for.
    pub message: String,
    /// Expected milliseconds to the end, from earlier deployments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<u64>,
}

/// Where a deployment stands. The last five are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// Waits for approval, or for a freeze window to end.
    Waiting,
    /// Waits for its turn.
    Queued,
    /// At work.
    Running,
    /// Live and verified.
    Live,
    /// Did not go live; the old release still serves.
    Failed,
    /// Stopped by a person; the old release still serves.
    Canceled,
    /// Went live, was found unwell, and was taken back.
    RolledBack,
    /// Nobody can say whether it went live; what is learned later corrects it.
    Unknown,
}

impl DeploymentState {
    /// True when nothing more will happen to the deployment.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Queued | Self::Running)
    }
}

/// A release going to an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its name.
    pub id: DeploymentId,
    /// The instruction that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<InstructionId>,
    /// Where to.
    pub environment: String,
    /// By which target (`local`, …).
    pub target: String,
    /// What: a full commit id.
    pub commit: String,
    /// The release it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseId>,
    /// True for "deploy the same again".
    pub force: bool,
    /// Where it stands.
    pub state: DeploymentState,
    /// How often it was begun: more than once after a crash.
    #[serde(default)]
    pub attempts: u32,
    /// How far it has come.
    pub progress: Progress,
    /// The live address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Milliseconds spent in each stage.
    #[serde(default)]
    pub stages: BTreeMap<Stage, u64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The last lines of its log.
    #[serde(default)]
    pub log_tail: Vec<String>,
    /// Who asked.
    pub actor: String,
    /// What it had to pass before it could begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// The release that it moves on; absent when it makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion>,
    /// It was let through a freeze window that ends then, on request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during_freeze: Option<Timestamp>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Deployment {
    /// True when it moves a release on and makes none.
    pub fn is_moved(&self) -> bool {
        self.promotion
            .as_ref()
            .is_some_and(|promotion| !promotion.anew)
    }
}

/// A release that an environment keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseInfo {
    /// Its name.
    pub id: ReleaseId,
    /// The commit it was built from.
    pub commit: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Files in it.
    pub files: usize,
    /// Bytes in it.
    pub bytes: u64,
    /// True when it failed after going live: it is not offered for rollback.
    pub bad: bool,
    /// True when the environment serves it now.
    pub current: bool,
}

/// What an environment serves now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveRelease {
    /// The environment.
    pub environment: String,
    /// The release.
    pub release: ReleaseId,
    /// The commit it was built from.
    pub commit: String,
    /// The live address.
    pub url: String,
    /// Since when.
    pub since: Timestamp,
}
