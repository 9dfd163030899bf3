//! What people do with a proposal short of approving it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::propose::{proposal_event, view};
use super::records::{self, Change};
use super::{Conductor, versions};
use crate::model::api::{Decide, EditText, ProposalView, Reject, Revise, Submission};
use crate::model::{
    Action, Content, EventKind, Identity, InstructionId, InstructionState, NewEvent, Problem,
    Proposal, ProposalId, ProposalState, Role, proposal_room,
};
use crate::review;

/// How many proposals a listing gives.
const LISTED: usize = 100;

impl Conductor {
    /// The newest proposals, newest first, closed ones included.
    ///
    /// # Errors
    /// `store` when the log cannot be read.
    pub fn proposals(&self) -> Result<Vec<ProposalView>, Problem> {
        Ok(records::proposals(&self.log, LISTED)?
            .into_iter()
            .map(view)
            .collect())
    }

    /// One proposal.
    ///
    /// # Errors
    /// `not-found`.
    pub fn proposal(&self, id: &ProposalId) -> Result<ProposalView, Problem> {
        records::proposal(&self.log, id).map(view)
    }

    /// Declines a proposal. It stays in the history.
    ///
    /// # Errors
    /// `not-found`; `conflict` when it is not open.
    pub async fn reject(
        self: &Arc<Self>,
        id: &ProposalId,
        reject: Reject,
        actor: &str,
    ) -> Result<ProposalView, Problem> {
        let _one_at_a_time = self.reviewing.lock().await;
        if let Err(problem) = self.settle_room(id, false).await {
            // A text that a proposal cannot take is no reason to keep the proposal.
            tracing::warn!(%problem, %id, "declined without the last words of its document");
        }
        let mut proposal = self.reviewable(id)?;
        proposal.state = ProposalState::Rejected;
        proposal.updated_at = Timestamp::now();
        let event = NewEvent::new(
            EventKind::Rejected,
            actor,
            json!({ "reason": reject.reason }),
        )
        .instruction(proposal.instruction.as_ref())
        .proposal(Some(id));
        let mut change = Change::new().event(event).proposal(&proposal)?;
        if let Some(id) = &proposal.instruction {
            let mut instruction = records::instruction(&self.log, id)?;
            if !instruction.state.is_final() {
                instruction.state = InstructionState::Rejected;
                instruction.updated_at = Timestamp::now();
                change = change.instruction(&instruction)?;
            }
        }
        change.store(&self.log).await?;
        Ok(view(proposal))
    }

    /// Opens a declined proposal again, as it stood: the way back from [`Conductor::reject`]. One that is open stays so.
    ///
    /// # Errors
    /// `not-found`; `conflict` when it was committed meanwhile.
    pub async fn reopen(
        self: &Arc<Self>,
        id: &ProposalId,
        actor: &str,
    ) -> Result<ProposalView, Problem> {
        let _one_at_a_time = self.reviewing.lock().await;
        let mut proposal = records::proposal(&self.log, id)?;
        match proposal.state {
            ProposalState::Open => return Ok(view(proposal)),
            ProposalState::Rejected => {}
            ProposalState::Committing | ProposalState::Committed => {
                return Err(Problem::conflict(format!(
                    "proposal {id} was approved; there is nothing to open again"
                )));
            }
        }
        proposal.state = ProposalState::Open;
        if let Some(id) = &proposal.instruction {
            let mut instruction = records::instruction(&self.log, id)?;
            if instruction.state == InstructionState::Rejected {
                instruction.state = InstructionState::Proposed;
                instruction.updated_at = Timestamp::now();
                Change::new()
                    .instruction(&instruction)?
                    .store(&self.log)
                    .await?;
            }
        }
        self.update(proposal, actor).await
    }

    /// Accepts or leaves out hunks, approving nothing.
    ///
    /// # Errors
    /// `not-found`; `conflict` when it is not open or has no such hunk.
    pub async fn decide(
        self: &Arc<Self>,
        id: &ProposalId,
        decide: Decide,
        actor: &str,
    ) -> Result<ProposalView, Problem> {
        let _one_at_a_time = self.reviewing.lock().await;
        self.settle_room(id, false).await?;
        let mut proposal = self.reviewable(id)?;
        if decide.lines.is_some() && decide.hunks.len() != 1 {
            return Err(Problem::bad_request(
                "lines are decided in one hunk at a time: name exactly one",
            ));
        }
        for wanted in &decide.hunks {
            let hunk = proposal
                .files
                .iter_mut()
                .flat_map(|file| &mut file.hunks)
                .find(|hunk| hunk.id == *wanted)
                .ok_or_else(|| {
                    Problem::conflict(format!("the proposal has no hunk {wanted} (any more)"))
                })?;
            hunk.decide(decide.lines.as_deref(), decide.decision);
        }
        self.update(proposal, actor).await
    }

    /// Replaces the proposed text of one file by a person's own.
    ///
    /// # Errors
    /// `not-found`; `conflict` when it is not open or changed meanwhile.
    pub async fn edit(
        self: &Arc<Self>,
        id: &ProposalId,
        edit: EditText,
        actor: &str,
    ) -> Result<ProposalView, Problem> {
        let _one_at_a_time = self.reviewing.lock().await;
        self.settle_room(id, false).await?;
        let mut proposal = self.reviewable(id)?;
        if proposal.version != edit.version {
            return Err(
                Problem::conflict("the proposal changed while it was edited")
                    .hint("look at it again and edit it once more; your text was not taken"),
            );
        }
        let file = proposal
            .files
            .iter_mut()
            .find(|file| file.path == edit.path)
            .ok_or_else(|| Problem::not_found(format!("the proposal has no file {}", edit.path)))?;
        if matches!(file.after, Content::Binary { .. }) {
            return Err(Problem::bad_request(format!("{} is not text", edit.path)));
        }
        if file.after.is_absent() {
            file.mode_after = file.mode_before;
        }
        file.after = Content::text(edit.text);
        // A decision outlives an edit elsewhere in the file: ids stay with unchanged hunks.
        review::diff::refresh(file);
        proposal
            .files
            .retain(|file| file.before != file.after || file.mode_before != file.mode_after);
        if proposal.files.is_empty() {
            return Err(Problem::new(
                422,
                "nothing-left",
                "the edited text is what stands there already",
            )
            .hint("reject the proposal if you do not want it"));
        }
        self.update(proposal, actor).await
    }

    /// Another try in other words: the proposal is declined and a new instruction is given.
    ///
    /// # Errors
    /// `not-found`; `conflict` when it is not open; `bad-request` without words.
    pub async fn revise(
        self: &Arc<Self>,
        id: &ProposalId,
        revise: Revise,
        by: &Identity,
    ) -> Result<InstructionId, Problem> {
        let room = proposal_room(id.as_str());
        by.may_in(&room, Role::Author, "revising a proposal")?;
        if revise.prompt.trim().is_empty() {
            return Err(Problem::bad_request("a revision needs words (prompt)"));
        }
        let action = match self.reviewable(id)?.action {
            // Somebody else wanted it deployed: who only revises it does not.
            Action::Deploy if by.role_in(&room) < Role::Deployer => Action::Commit,
            action => action,
        };
        let reason = Some(format!("revised: {}", revise.prompt));
        self.reject(id, Reject { reason }, &by.actor).await?;
        let submission = Submission {
            prompt: Some(revise.prompt),
            action,
            ..Submission::default()
        };
        self.take(submission, None, None, by, Some(id.clone()))
            .await
    }

    /// Stores the next version of a proposal and shows it to everyone.
    pub(super) async fn update(
        &self,
        mut proposal: Proposal,
        actor: &str,
    ) -> Result<ProposalView, Problem> {
        proposal.version += 1;
        proposal.updated_at = Timestamp::now();
        let view = view(proposal);
        let event = proposal_event(EventKind::ProposalUpdated, &view, None, actor);
        let change = Change::new().event(event).proposal(&view.proposal)?;
        let change = versions::keep(change, &self.log, &view.proposal, None, actor)?;
        change.store(&self.log).await?;
        Ok(view)
    }

    fn reviewable(&self, id: &ProposalId) -> Result<Proposal, Problem> {
        let proposal = records::proposal(&self.log, id)?;
        if proposal.state == ProposalState::Open {
            return Ok(proposal);
        }
        Err(Problem::conflict(format!(
            "proposal {id} is no longer open"
        )))
    }
}
