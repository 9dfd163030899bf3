//! The conductor: drives one instruction through its stages and survives a crash.

use std::sync::Arc;

use bytes::Bytes;

use crate::events::EventLog;
use crate::model::api::{
    Approval, Approved, Decide, DeploymentList, EditText, ProposalView, Reject, Revise, Rollback,
    Status, Submission, SyncRequest, Synced,
};
use crate::model::{
    Deployment, DeploymentId, Instruction, InstructionId, LiveRelease, Problem, ProposalId,
};

/// Drives instructions, proposals and deployments of one project. Shared behind an [`Arc`].
pub struct Conductor {
    log: EventLog,
}

fn later<T>() -> Result<T, Problem> {
    Err(Problem::new(501, "not-implemented", "not wired yet"))
}

impl Conductor {
    /// A conductor on `log`.
    pub fn new(log: EventLog) -> Arc<Self> {
        Arc::new(Self { log })
    }

    /// The event log.
    pub fn log(&self) -> &EventLog {
        &self.log
    }

    /// Takes an instruction: text, or `audio` (a WAV file; `submission.audio` is ignored then).
    /// Returns at once; what becomes of it is told by events. `key` is the idempotency key: the same key
    /// gives the same instruction again.
    pub async fn submit(
        self: &Arc<Self>,
        _submission: Submission,
        _audio: Option<Bytes>,
        _key: Option<&str>,
        _actor: &str,
    ) -> Result<InstructionId, Problem> {
        later()
    }

    /// An instruction.
    pub fn instruction(&self, _id: &InstructionId) -> Result<Instruction, Problem> {
        later()
    }

    /// Answers the open question of an instruction.
    pub async fn answer(
        self: &Arc<Self>,
        _id: &InstructionId,
        _yes: bool,
        _actor: &str,
    ) -> Result<Instruction, Problem> {
        later()
    }

    /// Stops an instruction that is not final.
    pub async fn cancel_instruction(
        self: &Arc<Self>,
        _id: &InstructionId,
        _actor: &str,
    ) -> Result<Instruction, Problem> {
        later()
    }

    /// Proposals, newest first, closed ones included.
    pub fn proposals(&self) -> Result<Vec<ProposalView>, Problem> {
        later()
    }

    /// One proposal.
    pub fn proposal(&self, _id: &ProposalId) -> Result<ProposalView, Problem> {
        later()
    }

    /// Commits what was accepted and, when asked, begins the deployment.
    pub async fn approve(
        self: &Arc<Self>,
        _id: &ProposalId,
        _approval: Approval,
        _actor: &str,
    ) -> Result<Approved, Problem> {
        later()
    }

    /// Declines a proposal.
    pub async fn reject(
        self: &Arc<Self>,
        _id: &ProposalId,
        _reject: Reject,
        _actor: &str,
    ) -> Result<ProposalView, Problem> {
        later()
    }

    /// Accepts or leaves out hunks, approving nothing.
    pub async fn decide(
        self: &Arc<Self>,
        _id: &ProposalId,
        _decide: Decide,
        _actor: &str,
    ) -> Result<ProposalView, Problem> {
        later()
    }

    /// Replaces the proposed text of one file.
    pub async fn edit(
        self: &Arc<Self>,
        _id: &ProposalId,
        _edit: EditText,
        _actor: &str,
    ) -> Result<ProposalView, Problem> {
        later()
    }

    /// Another try in other words.
    pub async fn revise(
        self: &Arc<Self>,
        _id: &ProposalId,
        _revise: Revise,
        _actor: &str,
    ) -> Result<InstructionId, Problem> {
        later()
    }

    /// Commit and deploy in one flow: the open proposal, else the working tree's changes.
    pub async fn instant_sync(
        self: &Arc<Self>,
        _request: SyncRequest,
        _actor: &str,
    ) -> Result<Synced, Problem> {
        later()
    }

    /// Several proposals as one commit and one deployment.
    pub async fn batch_sync(
        self: &Arc<Self>,
        _request: SyncRequest,
        _actor: &str,
    ) -> Result<Synced, Problem> {
        later()
    }

    /// Commit without deploying.
    pub async fn quick_commit(
        self: &Arc<Self>,
        _request: SyncRequest,
        _actor: &str,
    ) -> Result<Synced, Problem> {
        later()
    }

    /// Deploy the branch's head. `force` makes a new release even when the same tree is live.
    pub async fn deploy(
        self: &Arc<Self>,
        _request: SyncRequest,
        _force: bool,
        _actor: &str,
    ) -> Result<Synced, Problem> {
        later()
    }

    /// Deployments (newest first) and the releases kept.
    pub fn deployments(&self) -> Result<DeploymentList, Problem> {
        later()
    }

    /// One deployment.
    pub fn deployment(&self, _id: &DeploymentId) -> Result<Deployment, Problem> {
        later()
    }

    /// Stops a deployment that has not moved traffic yet.
    pub async fn cancel(
        self: &Arc<Self>,
        _id: &DeploymentId,
        _actor: &str,
    ) -> Result<Deployment, Problem> {
        later()
    }

    /// An environment goes back to an earlier release.
    pub async fn rollback(
        self: &Arc<Self>,
        _environment: &str,
        _rollback: Rollback,
        _actor: &str,
    ) -> Result<LiveRelease, Problem> {
        later()
    }

    /// Everything a client needs for its first screen.
    pub async fn status(&self) -> Result<Status, Problem> {
        later()
    }

    /// Asks the recogniser to load in the background.
    pub fn warm_speech(&self) {}
}
