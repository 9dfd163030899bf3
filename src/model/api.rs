//! Requests and answers of the HTTP API, shared by the server and the client.

mod status;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deployment::{Deployment, ReleaseInfo};
use super::event::{Cursor, Event};
use super::health::Vitals;
use super::id::{DeploymentId, InstructionId, ProposalId, ReleaseId};
use super::instruction::Action;
use super::proposal::{Decision, Proposal};

pub use status::{RepositoryStatus, SpeechStatus, Status, WatchRequest, WatchStatus};

/// `POST /api/voice-to-code` as JSON. `prompt` or `audio`, not both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Submission {
    /// The words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// A WAV file in base64 (JSON) or as the part `audio` (multipart).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<String>,
    /// How far to go once approved.
    #[serde(default)]
    pub action: Action,
    /// The file the person points at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
    /// The engine to use; `auto` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Phrases that the sender's own screen knows ("next hunk"). Should one of them be what was said, nothing is done
    /// but to tell the sender so, in the `command` of the `intent` event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
}

/// The 202 answer to an instruction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The instruction's id.
    pub instruction: InstructionId,
}

/// `POST /api/instructions/{id}/answer`: the answer to an open question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Yes or no.
    pub yes: bool,
    /// With yes to a plan: the lines that remain of it, counted from 0; absent means those that are kept in the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Vec<usize>>,
}

/// A proposal with the unified diff of what is accepted and of all of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProposalView {
    /// The document.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// Unified diff of all hunks; `git apply` takes it.
    pub patch: String,
}

/// `POST /api/proposals/{id}/approve`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Ids of the accepted hunks; absent means those decided as accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hunks: Option<Vec<String>>,
    /// `commit` or `deploy`; absent means what the instruction asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// The commit message; absent means the proposal's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The environment to deploy to; absent means the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The version that was reviewed; a newer one makes the approval a conflict (409).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The state vector (base64) of the document that was reviewed, for those in the proposal's room: what is committed is
    /// the document's text at this moment. A document with anything newer makes the approval a conflict (409).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_vector: Option<String>,
}

/// The answer to an approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approved {
    /// The commit that was made.
    pub commit: String,
    /// The deployment that began, when one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentId>,
}

/// A proposal in the version in which it was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviewed {
    /// The proposal.
    pub proposal: ProposalId,
    /// The version that was reviewed; a newer one makes the approval a conflict (409).
    pub version: u32,
}

/// `POST /api/proposals/approve`: several proposals, each as it was reviewed, as one commit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchApproval {
    /// What is approved, in the order in which it is applied. Of each proposal the accepted hunks and lines are taken.
    pub proposals: Vec<Reviewed>,
    /// `commit` or `deploy`; absent means commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// The commit message; absent means one made of the titles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The environment to deploy to; absent means the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// `POST /api/proposals/{id}/restore`: a version of the conversation is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// Its number; absent means the version before the one that stands, or with `later` the one after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Without a number: the version after.
    #[serde(default)]
    pub later: bool,
}

/// A version of a conversation, as `GET /api/proposals/{id}/versions` lists them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionView {
    /// Counts from 1.
    pub number: u32,
    /// The version whose text it is: its own number, unless it was taken back.
    pub of: u32,
    /// True for the one that stands open.
    pub current: bool,
    /// The proposal that it stood in.
    pub proposal: ProposalId,
    /// What it does.
    pub title: String,
    /// Who made it: an engine, or `person`.
    pub engine: String,
    /// The words that led to it; absent for one that was edited by hand or taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Who asked for it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Its files.
    pub files: Vec<String>,
    /// Its unified diff.
    pub patch: String,
}

/// `POST /api/proposals/{id}/decide`: accept or leave out hunks without approving anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// Ids of the hunks.
    pub hunks: Vec<String>,
    /// Only these lines (indices into the lines of the one hunk that is named); absent means whole hunks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<usize>>,
    /// The decision for all of them.
    pub decision: Decision,
}

/// `POST /api/proposals/{id}/edit`: replace the proposed text of one file by a person's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditText {
    /// Path of the file.
    pub path: String,
    /// The whole new text.
    pub text: String,
    /// The version that was edited; a newer one is a conflict (409).
    pub version: u32,
}

/// `POST /api/proposals/{id}/reject`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /api/proposals/{id}/revise`: another try in other words. The old proposal is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revise {
    /// The new words.
    pub prompt: String,
}

/// `POST /api/proposals/{id}/preview`: build and serve it before it is approved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartPreview {
    /// Run also what the proposal itself changes about the build.
    #[serde(default)]
    pub allow: bool,
}

/// What may be said on this site, to complete what is being written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteWords {
    /// Phrases that are known, the site's and your own included.
    pub phrases: Vec<String>,
    /// The names of pages, of parts of them, and of what stands on them.
    pub names: Vec<String>,
}

/// A recipe: a named scaffold with questions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeInfo {
    /// Its name.
    pub name: String,
    /// What it does, in one line.
    pub title: String,
    /// What it gives.
    pub about: String,
    /// Where it comes from: `built in`, `this site`, `your own`.
    pub origin: String,
    /// What to say for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
    /// The words that follow it, with every answer that it takes by itself.
    pub words: String,
    /// What it asks.
    pub questions: Vec<RecipeQuestion>,
    /// The kind of this site, for people.
    pub site: String,
    /// The files that it makes on this site.
    pub files: Vec<String>,
    /// True when a model, where one is set up, fits the scaffold into the site.
    pub finish: bool,
    /// Why it cannot be followed on this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_here: Option<String>,
}

/// A question of a recipe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeQuestion {
    /// The name of the answer.
    pub name: String,
    /// The question.
    pub ask: String,
    /// The answer where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The answers that there are; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// `POST /api/recipes/{name}`: follow it. What comes of it is a proposal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecipe {
    /// The answers.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// The scaffold only: no model finishes it.
    #[serde(default)]
    pub alone: bool,
    /// How far to go once approved.
    #[serde(default)]
    pub action: Action,
}

/// `POST /api/sync/{instant,batch,commit,redeploy}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncRequest {
    /// Proposals to take together (`batch`); empty means the open one.
    #[serde(default)]
    pub proposals: Vec<ProposalId>,
    /// The commit message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// With no proposal open: only these paths of the working tree; empty means all changes.
    #[serde(default)]
    pub paths: Vec<String>,
    /// `deploy` and `redeploy`: although nothing new should go to the environment now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub during_freeze: bool,
    /// `deploy` and `redeploy`: this commit of the environment's branch, in place of its newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// The answer to a sync call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    /// The commit made, or deployed again.
    pub commit: String,
    /// The deployment that began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentId>,
}

/// `POST /api/environments/{name}/rollback`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The release to return to; absent means the previous good one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<ReleaseId>,
}

/// `POST /api/environments/{name}/promote`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promote {
    /// The release that is to be live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseId>,
    /// The environment whose live release it is, when no release is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The release that the environment must still serve; something else makes the request a conflict (409).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<ReleaseId>,
    /// Promote although nothing new should go to the environment now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub during_freeze: bool,
}

/// `POST /api/deployments/{id}/approve`: a yes to a deployment that waits for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveDeployment {
    /// The release whose difference was seen: what the environment must still serve (409 otherwise).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<ReleaseId>,
    /// Although nothing new should go to the environment now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub during_freeze: bool,
}

/// The answer to a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// False when this delivery was there before; then nothing was done.
    pub new: bool,
}

/// One page of `GET /api/events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Where to go on: pass it as `after`.
    pub next: Cursor,
    /// True when the cursor asked for is of another log or older than what is kept:
    /// `events` then begin at the oldest kept and the reader must load its state anew.
    #[serde(default)]
    pub reset: bool,
}

/// `GET /api/deployments`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentList {
    /// The deployments, newest first.
    pub deployments: Vec<Deployment>,
    /// The releases kept for each environment, newest first.
    pub releases: Vec<EnvironmentReleases>,
}

/// A commit in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitLine {
    /// Its full id.
    pub commit: String,
    /// Who wrote it.
    pub author: String,
    /// The first line of its message.
    pub title: String,
}

/// A file that differs between two releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path from the root of the repository.
    pub path: String,
    /// Lines that only the second release has.
    pub added: usize,
    /// Lines that only the first release has.
    pub removed: usize,
}

/// `GET /api/deployments/compare?a=&b=`: what differs between two deployments, releases or commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The commit of `a`.
    pub from: String,
    /// The commit of `b`.
    pub to: String,
    /// Commits that `b` has and `a` lacks, newest first; at most a hundred.
    pub commits: Vec<CommitLine>,
    /// Commits that `a` has and `b` lacks, newest first; at most a hundred.
    pub lost: Vec<CommitLine>,
    /// The files that differ, by path.
    pub files: Vec<FileChange>,
    /// The unified diff, from `a` to `b`.
    pub patch: String,
    /// True when `patch` was too long and ends early.
    pub truncated: bool,
}

/// The releases an environment keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentReleases {
    /// The environment.
    pub environment: String,
    /// Its releases, newest first.
    pub releases: Vec<ReleaseInfo>,
    /// What people should know about it: that a rollback pinned it, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How it has been lately, where it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Vitals>,
}
