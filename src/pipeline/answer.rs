//! Answers to open questions: by key, word, command line or wire.

use std::sync::Arc;

use serde_json::json;

use super::Conductor;
use super::instruct::Stop;
use super::records::{self, Change};
use super::rights;
use crate::model::api;
use crate::model::{
    EventKind, Identity, Instruction, InstructionId, InstructionState, NewEvent, Problem, Role,
    failpoint,
};

/// An answer to an open question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Do it.
    Yes,
    /// Leave it.
    No,
    /// Do the other one that was offered.
    Second,
}

impl Conductor {
    /// Answers the open question of an instruction; on yes, the act that was asked about is carried out.
    ///
    /// # Errors
    /// `not-found`; `conflict` when nothing is asked; `forbidden` for who may not do what is asked about; the act's own
    /// problems.
    pub async fn answer(
        self: &Arc<Self>,
        id: &InstructionId,
        yes: bool,
        by: &Identity,
    ) -> Result<Instruction, Problem> {
        let answer = if yes { Answer::Yes } else { Answer::No };
        self.answer_with(id, answer, by).await
    }

    /// [`Conductor::answer`] as it comes over the wire: of a plan with the lines that remain.
    ///
    /// # Errors
    /// As [`Conductor::answer`].
    pub async fn answer_wire(
        self: &Arc<Self>,
        id: &InstructionId,
        answer: api::Answer,
        by: &Identity,
    ) -> Result<Instruction, Problem> {
        let which = if answer.yes { Answer::Yes } else { Answer::No };
        self.answer_kept(id, which, answer.keep.as_deref(), by)
            .await
    }

    /// [`Conductor::answer`], with the choice of the other reading where the question offers one.
    pub(super) async fn answer_with(
        self: &Arc<Self>,
        id: &InstructionId,
        answer: Answer,
        by: &Identity,
    ) -> Result<Instruction, Problem> {
        self.answer_kept(id, answer, None, by).await
    }

    async fn answer_kept(
        self: &Arc<Self>,
        id: &InstructionId,
        answer: Answer,
        keep: Option<&[usize]>,
        by: &Identity,
    ) -> Result<Instruction, Problem> {
        by.may(Role::Author, "answering a question")?;
        let actor = by.actor.as_str();
        let yes = answer != Answer::No;
        let (mut instruction, environment) = {
            let _one_at_a_time = self.reviewing.lock().await;
            let mut instruction = records::instruction(&self.log, id)?;
            if instruction.state != InstructionState::Asking {
                return Err(Problem::conflict(format!(
                    "instruction {id} asks nothing (any more)"
                )));
            }
            if self
                .answer_live(&mut instruction, answer, keep, actor)
                .await?
                .is_some()
            {
                return Ok(instruction);
            }
            // Before anything changes: who may not say yes leaves the question open for somebody who may.
            let act = match answer {
                Answer::Yes => records::act(&self.log, id)?,
                Answer::Second => records::second_act(&self.log, id)?,
                Answer::No => None,
            };
            if let Some(act) = &act {
                rights::may(by, act)?;
            }
            let asked = instruction.question.take();
            let question = match answer {
                Answer::Second => asked
                    .and_then(|question| question.second)
                    .map(|other| *other),
                Answer::Yes | Answer::No => asked,
            };
            if answer == Answer::Second && question.is_none() {
                return Err(Problem::conflict(format!(
                    "the question of instruction {id} offers no second reading"
                )));
            }
            let data =
                json!({ "question": question, "yes": yes, "second": answer == Answer::Second });
            let kind = if yes {
                EventKind::Approved
            } else {
                EventKind::Rejected
            };
            let event = NewEvent::new(kind, actor, data).instruction(Some(id));
            let environment = question.and_then(|question| question.environment);
            instruction.state = if yes {
                InstructionState::Acting
            } else {
                InstructionState::Rejected
            };
            let mut change = Change::new().event(event);
            if !yes {
                change = change.act_done(id);
            }
            self.store(change, &mut instruction).await?;
            (instruction, environment)
        };
        if !yes {
            return Ok(instruction);
        }
        failpoint::reach("question.answered");
        let act = match answer {
            Answer::Second => records::second_act(&self.log, id)?,
            Answer::Yes | Answer::No => records::act(&self.log, id)?,
        };
        let Some(act) = act else {
            let problem = Problem::internal("what was asked about is not known any more");
            self.fail(instruction, problem.clone()).await?;
            return Err(problem);
        };
        let environment = environment.unwrap_or_else(|| self.config.deploy.environment.clone());
        // In a task: a caller that hangs up must not stop half-way what was approved.
        let (conductor, by) = (Arc::clone(self), by.clone());
        let task = self.tasks.spawn(async move {
            match conductor
                .act(&mut instruction, act, &environment, &by)
                .await
            {
                Ok(()) => Ok(()),
                Err(Stop::Failed(problem)) => {
                    conductor.fail(instruction, problem.clone()).await?;
                    Err(problem)
                }
                Err(Stop::Refused(refusal)) => {
                    let problem = Problem::conflict(refusal.message.clone());
                    conductor.refuse(instruction, refusal).await?;
                    Err(problem)
                }
            }
        });
        task.await.map_err(Problem::internal)??;
        records::instruction(&self.log, id)
    }
}
