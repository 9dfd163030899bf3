//! Acts that only a spoken word begins: a commit without a question and its way back, opening a page.

use std::sync::Arc;

use serde_json::json;

use super::Conductor;
use super::control::short;
use super::instruct::Stop;
use super::records::{Change, Quick};
use crate::model::api::Approval;
use crate::model::{Action, EventKind, Identity, Instruction, InstructionState, NewEvent};

impl Conductor {
    /// Tells of a commit that was made without a question, and how it is taken back.
    pub(super) async fn committed_at_once(
        &self,
        instruction: &mut Instruction,
        commit: String,
    ) -> Result<(), Stop> {
        instruction.state = InstructionState::Done;
        let quick = Quick {
            commit: commit.clone(),
            instruction: instruction.id.clone(),
            at: jiff::Timestamp::now(),
        };
        let message = format!(
            "committed {} at once: say \u{ab}undo that\u{bb} to take it back",
            short(&commit)
        );
        let data = json!({ "message": message, "commit": commit, "undo": true });
        let event =
            NewEvent::new(EventKind::Notice, "sayso", data).instruction(Some(&instruction.id));
        let change = Change::new()
            .act_done(&instruction.id)
            .quick(&quick)?
            .event(event);
        Ok(self.store(change, instruction).await?)
    }

    /// Commits the inverse of `commit`; returns the new commit.
    pub(super) async fn undo_commit(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        commit: &str,
        by: &Identity,
    ) -> Result<String, Stop> {
        let proposal = self.undo_proposal(instruction, commit).await?;
        let id = proposal.id.clone();
        // As an instruction of its own kind it is never shown as waiting: stored and approved in one go.
        let view = super::propose::view(proposal);
        let event =
            super::propose::proposal_event(EventKind::Proposal, &view, None, &instruction.actor);
        Change::new()
            .event(event)
            .proposal(&view.proposal)?
            .store(&self.log)
            .await?;
        let approval = Approval {
            action: Some(Action::Commit),
            version: Some(1),
            ..Approval::default()
        };
        let approved = self.approve(&id, approval, by).await?;
        instruction.proposal = Some(id);
        Ok(approved.commit)
    }

    /// Tells where a page of the live site is; whoever shows the event opens it.
    pub(super) async fn open_place(
        &self,
        instruction: &mut Instruction,
        place: &str,
        environment: &str,
    ) -> Result<(), Stop> {
        let live = self.target(environment)?.live(environment);
        let data = match live {
            Some(live) => {
                let url = format!("{}{place}", live.url.trim_end_matches('/'));
                json!({ "message": format!("{place} is at {url}"), "open": url })
            }
            None => json!({
                "message": format!("{place} cannot be opened: nothing is live in {environment} yet"),
                "nothing": true,
            }),
        };
        instruction.state = InstructionState::Done;
        let event =
            NewEvent::new(EventKind::Notice, "sayso", data).instruction(Some(&instruction.id));
        let change = Change::new().act_done(&instruction.id).event(event);
        Ok(self.store(change, instruction).await?)
    }
}
