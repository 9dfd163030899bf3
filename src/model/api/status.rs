//! How things stand: `GET /api/status`, everything that a client needs to draw its first screen, and watching the files.

use serde::{Deserialize, Serialize};

use super::ProposalView;
use crate::model::deployment::{Deployment, LiveRelease};
use crate::model::event::Cursor;
use crate::model::gate::EnvironmentStatus;
use crate::model::health::Vitals;
use crate::model::id::DeploymentId;
use crate::model::instruction::Instruction;
use crate::model::preview::Preview;

/// `POST /api/watch`: every save goes to a sandbox, or no longer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchRequest {
    /// Switch it on or off; absent: leave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<bool>,
    /// Take what there is now, once, whether or not it is on.
    #[serde(default)]
    pub once: bool,
    /// The environment that follows; absent: the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// How watching the files stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchStatus {
    /// True while every save goes to the sandbox.
    pub on: bool,
    /// The branch that saves go to.
    pub branch: String,
    /// The environment that follows it; empty when none fits.
    pub environment: String,
    /// How changes are noticed, for people.
    #[serde(default)]
    pub message: String,
    /// What it waits for, or what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    /// The last commit that was made; of `once` the one that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The deployment that came of `once`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentId>,
}

/// The repository as the cockpit's header shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryStatus {
    /// The folder's name.
    pub name: String,
    /// Its path.
    pub root: String,
    /// The branch; empty when HEAD is detached.
    pub branch: String,
    /// The commit at its head; empty on a branch without commits.
    pub head: String,
    /// Changed paths in the working tree and index, untracked ones included.
    pub changes: usize,
}

/// The recogniser's state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeechStatus {
    /// The engine's name.
    pub engine: String,
    /// True when a recording would be understood now or after loading.
    pub ready: bool,
    /// What it is, or what is missing and what to do.
    pub message: String,
}

/// `GET /api/status`: everything a client needs to draw its first screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The project's name.
    pub project: String,
    /// The repository.
    pub repository: RepositoryStatus,
    /// The default environment.
    pub environment: String,
    /// What each environment serves.
    pub live: Vec<LiveRelease>,
    /// Speech recognition.
    pub speech: SpeechStatus,
    /// Proposals that wait for a person, oldest first.
    pub proposals: Vec<ProposalView>,
    /// Instructions that are not final, oldest first.
    pub instructions: Vec<Instruction>,
    /// Deployments that are not final.
    pub deployments: Vec<Deployment>,
    /// Every environment: what is set for it, who is at it, what waits for it.
    #[serde(default)]
    pub environments: Vec<EnvironmentStatus>,
    /// Previews of proposals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previews: Vec<Preview>,
    /// How each live environment has been in the last minutes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health: Vec<Vitals>,
    /// How watching the files stands; absent where it cannot be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<WatchStatus>,
    /// Where several servers share the project: the address of the one that conducts it, empty while none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conductor: Option<String>,
    /// The log's position that this answer reflects.
    pub cursor: Cursor,
    /// The oldest position that is kept.
    pub oldest: u64,
}
