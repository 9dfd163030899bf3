//! The end of an instruction that does not come to a proposal: refused, failed, stopped.

use std::sync::Arc;

use serde_json::json;

use crate::model::{
    EventKind, Instruction, InstructionId, InstructionState, NewEvent, Problem, Refusal,
};
use crate::pipeline::Conductor;
use crate::pipeline::records::{self, Change};

impl Conductor {
    pub(in crate::pipeline) async fn refuse(
        &self,
        mut instruction: Instruction,
        refusal: Refusal,
    ) -> Result<(), Problem> {
        let data = json!({
            "message": refusal.message,
            "hint": refusal.hint,
            "reason": refusal.reason,
            "candidates": refusal.candidates,
        });
        let event =
            NewEvent::new(EventKind::Error, "sayso", data).instruction(Some(&instruction.id));
        instruction.state = InstructionState::Refused;
        let mut change = Change::new().event(event);
        if !refusal.candidates.is_empty() {
            change = change.choices(&instruction.actor, Some(&instruction.id))?;
        }
        instruction.refusal = Some(refusal);
        self.store(change, &mut instruction).await
    }

    pub(in crate::pipeline) async fn fail(
        &self,
        mut instruction: Instruction,
        problem: Problem,
    ) -> Result<(), Problem> {
        let data = json!({
            "message": problem.detail,
            "hint": problem.hint,
            "type": problem.kind,
        });
        let event =
            NewEvent::new(EventKind::Error, "sayso", data).instruction(Some(&instruction.id));
        instruction.state = InstructionState::Failed;
        instruction.problem = Some(problem);
        self.store(Change::new().event(event), &mut instruction)
            .await
    }

    /// Stops an instruction that is not final: what it was about to do is not done.
    ///
    /// # Errors
    /// `not-found`; `conflict` when it is already over.
    pub async fn cancel_instruction(
        self: &Arc<Self>,
        id: &InstructionId,
        actor: &str,
    ) -> Result<Instruction, Problem> {
        let instruction = records::instruction(&self.log, id)?;
        if instruction.state.is_final() || instruction.state == InstructionState::Acting {
            return Err(
                Problem::conflict(format!("instruction {id} can no longer be stopped"))
                    .hint("a running deployment is stopped by itself: cancel the deployment"),
            );
        }
        if let Some(cancel) = self.running().remove(id.as_str()) {
            cancel.cancel();
        }
        // Read again: it may have moved on before the task was stopped.
        let mut instruction = records::instruction(&self.log, id)?;
        if instruction.state.is_final() {
            return Ok(instruction);
        }
        instruction.state = InstructionState::Canceled;
        instruction.question = None;
        let event = NewEvent::new(EventKind::Canceled, actor, json!({ "reason": "stopped" }))
            .instruction(Some(id));
        self.store(Change::new().event(event).act_done(id), &mut instruction)
            .await?;
        self.revision_failed(&instruction).await;
        Ok(instruction)
    }
}
